use super::*;

/// Of each kind: C0, DEL, C1 (CSI in one character), end of a line (NEL), direction.
const HOSTILE: &str = "a\u{1b}[2J\u{7f}\u{9b}1m\u{85}\u{202e}b\t\n\u{2066}";

#[test]
fn a_terminal_obeys_nothing_and_what_is_harmless_stays() {
    assert_eq!(escaped(HOSTILE), "a\\u{1b}[2J\\u{7f}\\u{9b}1m\\u{85}\\u{202e}b\\t\\n\\u{2066}");
    assert_eq!(line("a  b\tc\r\nd\u{1b}"), "a  b c  d\\u{1b}");
    assert_eq!(words(" a  b\tc\n"), "a b c");
    assert_eq!(words("near\t''\u{1b}[1m at\n line 1\n"), "near ''\\u{1b}[1m at line 1");
    let harmless = "Straße – 東京 \\u{1b} 'x'";
    assert_eq!(escaped(harmless), harmless);
    assert_eq!(escaped(&escaped(HOSTILE)), escaped(HOSTILE));
}

#[test]
fn documents_keep_what_they_say_and_show_nothing_that_is_obeyed() {
    for value in [HOSTILE, "\u{202e}", "\u{85}", "\u{7f}", "plain"] {
        let value = serde_json::json!({ "text": value, "list": [value] });
        for text in [json(&value, true).unwrap(), json(&value, false).unwrap(), yaml(&value).unwrap()] {
            assert!(!text.contains(is_obeyed_within), "{text:?}");
            assert_eq!(serde_yaml::from_str::<serde_json::Value>(&text).unwrap(), value, "{text}");
        }
    }
}

#[test]
fn a_hostile_text_is_repeated_on_one_line_and_not_whole() {
    assert_eq!(quoted("1;rm\n\u{1b}[31m"), r"'1;rm\n\u{1b}[31m'");
    let long = quoted(&"x".repeat(5000));
    assert!(long.chars().count() < 70, "{long}");
}
