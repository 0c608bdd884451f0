//! What the client library asks of it.

use super::Regex;

fn groups(pattern: &str, text: &str) -> Option<Vec<Option<String>>> {
    let regex = Regex::new(pattern).unwrap();
    let found = regex.captures(text.as_bytes());
    assert_eq!(regex.is_match(text.as_bytes()), found.is_some());
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    found.map(|found| (1..=3).map(|number| found.get(number).map(|group| text(group.as_bytes()))).collect())
}

const VERSION: &str = r"^(\d{1,2})\.(\d{1,2})\.(\d{1,3})(.*)";
const MARIADB: &str = r"^(?:5.5.5-)?(\d{1,2})\.(\d{1,2})\.(\d{1,3})-MariaDB";

#[test]
fn a_version_is_read_as_the_library_reads_it() {
    let version = |a: &str, b: &str, c: &str| Some([a, b, c].map(|part| Some(part.to_string())).to_vec());
    assert_eq!(groups(VERSION, "9.7.4-2"), version("9", "7", "4"));
    assert_eq!(groups(VERSION, "5.6.51-log"), version("5", "6", "51"));
    assert_eq!(groups(MARIADB, "5.5.5-10.11.6-MariaDB-0+deb12u1"), version("10", "11", "6"));
    assert_eq!(groups(MARIADB, "11.8.3-MariaDB"), version("11", "8", "3"));
    assert_eq!(groups(MARIADB, "9.7.4-2"), None);
    assert_eq!(groups(VERSION, "x9.7.4"), None);
}

#[test]
fn digits_that_are_not_ascii_are_no_version() {
    // Digits of another script: the library would make a number of them, and panic.
    assert_eq!(groups(VERSION, "\u{0669}.\u{0667}.\u{0664}"), None);
    assert!(
        !Regex::new(r"^\d{4}-\d{2}-\d{2}$")
            .unwrap()
            .is_match("\u{0662}\u{0660}\u{0662}\u{0666}-11-29".as_bytes())
    );
}

#[test]
fn bytes_that_are_no_text_are_matched_and_passed_over() {
    let key = Regex::new("BEGIN([^-]*)-").unwrap();
    assert_eq!(key.captures(b"\xffBEGIN\xfe\n-").unwrap().get(1).unwrap().as_bytes(), b"\xfe\n");
    assert!(Regex::new(r"^\d{2}:[0-5]\d$").unwrap().is_match(b"23:59"));
    assert!(!Regex::new(r"^\d{2}:[0-5]\d$").unwrap().is_match(b"23:59\n"));
}

#[test]
fn what_is_no_expression_is_an_error() {
    let unfinished = String::from("(");
    assert!(Regex::new(&unfinished).is_err());
}
