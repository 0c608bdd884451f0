use super::*;

fn read(words: &str) -> Result<Arguments, clap::Error> {
    Arguments::read(format!("mmm_difference {words}").split_whitespace().map(OsString::from))
}

#[test]
fn both_hosts_are_named_and_the_rest_may_be() {
    let arguments = read("db3 db2").unwrap();
    assert_eq!(
        (arguments.from.as_str(), arguments.to.as_str(), arguments.config.as_str(), arguments.limit),
        ("db3", "db2", "mmm_agent", 100)
    );
    let arguments = read("db3 db2 other --save x --limit 0 --timeout 5 --format yaml").unwrap();
    assert_eq!((arguments.config.as_str(), arguments.save), ("other", Some("x".into())));
    assert_eq!(
        (arguments.limit, arguments.timeout, arguments.format),
        (0, Duration::from_secs(5), Format::Yaml)
    );
    for wrong in ["", "db3", "a b c d", "a b --limit 10001", "a b --timeout 0", "a b --format xml"] {
        assert!(read(wrong).is_err(), "{wrong}");
    }
}
