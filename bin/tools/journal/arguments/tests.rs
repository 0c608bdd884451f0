use super::*;

fn read(words: &[&str]) -> Result<Arguments, clap::Error> {
    Arguments::read(["mmm_journal"].iter().chain(words).map(OsString::from))
}

#[test]
fn without_arguments_the_last_ten_moves_are_shown_to_people() {
    command().debug_assert();
    let arguments = read(&[]).unwrap();
    assert_eq!((arguments.moves, arguments.all, arguments.format), (10, false, Format::Text));
    assert_eq!((arguments.since, arguments.why, arguments.files), (None, None, vec![]));
}

#[test]
fn what_makes_no_sense_is_refused() {
    for words in [
        &["-n", "0"][..],
        &["--since", "soon"],
        &["--format", "xml"],
        &["--all", "-n", "3"],
        &["--all", "--why"],
        &["--file", "a", "--file", "b"],
        &["--why", "db1", "db2"],
        &["anything"],
    ] {
        assert!(read(words).is_err(), "{words:?}");
    }
}

#[test]
fn the_last_failover_is_asked_for_with_or_without_a_host_in_any_number_of_journals() {
    let arguments = read(&["--why", "db2", "--file", "a", "b", "-f", "c"]).unwrap();
    assert_eq!(arguments.why, Some(Why { about: Some("db2".into()) }));
    assert_eq!(arguments.files, [PathBuf::from("a"), "b".into(), "c".into()]);
    assert_eq!(read(&["--why"]).unwrap().why, Some(Why { about: None }));
}
