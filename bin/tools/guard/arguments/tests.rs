use super::*;

fn read(words: &str) -> Result<Arguments, clap::Error> {
    Arguments::read(format!("mmm_guard {words}").split_whitespace().map(OsString::from))
}

#[test]
fn without_options_it_is_for_the_start_of_a_host() {
    command().debug_assert();
    let arguments = read("").unwrap();
    assert_eq!((arguments.config.as_str(), arguments.now), ("mmm_agent", false));
    assert_eq!((arguments.within, arguments.wait), (Duration::from_secs(300), Duration::from_secs(300)));
    let arguments = read("mmm_agent_x --now --within 5 --wait 0").unwrap();
    assert_eq!((arguments.config.as_str(), arguments.now), ("mmm_agent_x", true));
    assert_eq!((arguments.within, arguments.wait), (Duration::from_secs(5), Duration::ZERO));
}

#[test]
fn what_makes_no_sense_is_refused() {
    for wrong in ["a b", "--within soon", "--wait -1", "--wait 100000", "--force"] {
        assert!(read(wrong).is_err(), "{wrong}");
    }
}
