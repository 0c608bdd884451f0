use super::*;
use crate::config::scratch::Scratch;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_000_000 + second).unwrap()
}

#[test]
fn the_first_failure_with_a_code_is_news_and_its_repetitions_are_not() {
    let scratch = Scratch::new();
    let path = scratch.path().join("row");
    let table = [
        (0, "peer-is-alive", true),
        (3, "peer-is-alive", false),
        (6, "cannot-connect", true),
        (9, "peer-is-alive", false),
        (12, "cannot-connect", false),
        (72, "cannot-connect", false),
        (133, "cannot-connect", true),
        (136, "cannot-connect", false),
    ];
    for (second, code, is_new) in table {
        assert_eq!(refused(&path, code, at(second)).unwrap(), is_new, "{second}");
    }
    let ended = end(&path, at(137)).unwrap();
    let codes = vec!["cannot-connect".to_string()];
    assert_eq!(ended, Change::RefusalEnded { codes, count: 2, seconds: 4.0 });
    assert!(!path.exists());
    assert_eq!(end(&path, at(138)), None);
    assert!(!path.exists());
}

#[test]
fn a_clock_that_was_set_back_hides_no_failure_for_long() {
    let scratch = Scratch::new();
    let path = scratch.path().join("row");
    assert!(refused(&path, "x", at(100_000)).unwrap());
    assert!(refused(&path, "x", at(0)).unwrap());
    assert!(!refused(&path, "x", at(3)).unwrap());
}

#[test]
fn a_file_that_holds_something_else_is_a_new_row() {
    let scratch = Scratch::new();
    let path = scratch.file("row", "undo nonsense\n");
    assert!(refused(&path, "x", at(0)).unwrap());
    assert!(!refused(&path, "x", at(1)).unwrap());
}

#[test]
fn whatever_the_arguments_hold_a_row_is_one_file_in_the_folder() {
    for hostile in ["../../etc/passwd", "a\nb", "\u{202e}", "", "..", &"x".repeat(10_000)] {
        let path = path(&["configure_ip", "mmm_agent", hostile, hostile]);
        assert_eq!(path.parent(), Some(Path::new(FOLDER)), "{hostile:?}");
        let name = path.file_name().unwrap().to_str().unwrap();
        assert!(name.starts_with("mysql-mmm-refusals-configure_ip-mmm_agent") && name.len() < 250, "{name}");
    }
}
