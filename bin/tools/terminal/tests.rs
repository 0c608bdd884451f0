use super::*;

#[test]
fn lines_are_broken_at_blanks_and_long_words_where_they_may_be() {
    let broken = |text: &str, width| wrapped(text.split(' '), width, LongWord::Broken);
    assert_eq!(broken("one two three", 7), ["one two", "three"]);
    assert_eq!(broken("a  b", 4), ["a  b"]);
    assert_eq!(broken("12345678 ab", 4), ["1234", "5678", "ab"]);
    assert_eq!(broken("ab 123456 c", 4), ["ab", "1234", "56 c"]);
    assert_eq!(broken("", 4), [""]);
    for line in broken(&"Straße – 東京 ".repeat(40), 20) {
        assert!(line.chars().count() <= 20, "{line}");
    }
    let whole = |text: &'static str, width| wrapped(text.split_whitespace(), width, LongWord::Whole);
    assert_eq!(whole("aa bb  cc", 5), ["aa bb", "cc"]);
    assert_eq!(whole("abcdefgh ij", 4), ["abcdefgh", "ij"]);
    assert_eq!(whole("", 4), [""]);
}

#[test]
fn colours_take_no_room() {
    let text = format!("{} cd", painted("ab", "1;31"));
    assert_eq!(wrapped(text.split(' '), 5, LongWord::Whole), [text]);
}

#[test]
fn numbers_are_read_at_a_glance() {
    for (number, shown) in [(0, "0"), (999, "999"), (1000, "1,000"), (12_345_678, "12,345,678")] {
        assert_eq!(grouped(number), shown);
    }
    assert_eq!((counted(1, "byte"), counted(2000, "byte")), ("1 byte".into(), "2,000 bytes".into()));
}

#[test]
fn a_result_that_nobody_gets_is_a_failure_unless_the_reader_has_gone() {
    let mut full = io::BufWriter::new(std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap());
    assert!(deliver("text", &mut full).is_err());
    let (reader, mut writer) = io::pipe().unwrap();
    drop(reader);
    assert_eq!(deliver("text", &mut writer).ok(), Some(Delivery::Broken));
    let mut whole = Vec::new();
    assert_eq!(deliver("text", &mut whole).ok(), Some(Delivery::Whole));
    assert_eq!(whole, b"text");
}
