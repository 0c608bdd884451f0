use super::*;

fn read(words: &str) -> Result<Arguments, clap::Error> {
    Arguments::read(format!("mmm_preflight {words}").split_whitespace().map(OsString::from))
}

#[test]
fn a_configuration_beside_watch_is_not_taken_for_its_seconds() {
    let arguments = read("--watch mmm_agent_x").unwrap();
    assert_eq!((arguments.config.as_str(), arguments.watch), ("mmm_agent_x", Some(Duration::from_secs(5))));
    assert_eq!(read("--watch=0.5").unwrap().watch, Some(Duration::from_millis(500)));
    assert_eq!(read("").unwrap().config, "mmm_agent");
}

#[test]
fn each_way_to_show_it_is_one_alone() {
    assert_eq!(read("--plugin").unwrap().output, Output::Plugin);
    assert_eq!(read("--format=yaml").unwrap().output, Output::As(Format::Yaml));
    let metrics = read("--format openmetrics -o x.prom").unwrap();
    assert_eq!((metrics.output, metrics.file), (Output::Metrics, Some("x.prom".into())));
    for wrong in [
        "--plugin --format json",
        "--watch --plugin",
        "--watch --format json",
        "--format xml",
        "--watch --output x",
        "--plugin --output x",
        "--timeout 0",
        "a b",
    ] {
        assert!(read(wrong).is_err(), "{wrong}");
    }
}
