use super::*;

fn read(words: &[&str]) -> Result<Arguments, clap::Error> {
    Arguments::read(["mmm_journal"].iter().chain(words).map(OsString::from))
}

#[test]
fn without_arguments_the_last_ten_moves_are_shown_to_people() {
    command().debug_assert();
    let arguments = read(&[]).unwrap();
    assert_eq!((arguments.moves, arguments.all, arguments.format), (10, false, Format::Text));
    assert_eq!((arguments.since, arguments.file), (None, None));
}

#[test]
fn what_makes_no_sense_is_refused() {
    for words in
        [&["-n", "0"][..], &["--since", "soon"], &["--format", "xml"], &["--all", "-n", "3"], &["anything"]]
    {
        assert!(read(words).is_err(), "{words:?}");
    }
}
