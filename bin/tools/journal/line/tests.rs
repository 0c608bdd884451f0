use super::*;

#[test]
fn a_line_is_read_as_it_was_written() {
    let line = parse("2026-11-23T00:02:26.705Z check_ip[39] WARN  interface [eth9] is  not there").unwrap();
    assert_eq!(line.at, "2026-11-23T00:02:26.705Z".parse().unwrap());
    assert_eq!((&*line.helper, line.process, line.level), ("check_ip", 39, Level::Warning));
    assert_eq!(line.text, "interface [eth9] is  not there");
    assert_eq!(parse("2026-11-23T00:02:26Z check_ip[1] ERROR text").unwrap().text, "text");
}

#[test]
fn a_line_of_json_is_the_same_line() {
    let line = parse(
        r#"{"time":"2026-11-23T00:02:26.705Z","helper":"check_ip","process":39,"level":"warn","text":"a \"b\"","more":1}"#,
    );
    assert_eq!(line, parse(r#"2026-11-23T00:02:26.705Z check_ip[39] WARN  a "b""#));
    assert!(line.is_some());
}

#[test]
fn anything_else_is_no_line() {
    for text in [
        "",
        " ",
        "at the bottom: No such file or directory",
        "2026-11-23T00:02:26.705Z",
        "2026-11-23T00:02:26.705Z check_ip[39]",
        "2026-11-23T00:02:26.705Z check_ip[39] INFO",
        "2026-11-23T00:02:26.705Z check_ip[-1] INFO  text",
        "2026-11-23T00:02:26.705Z [39] INFO  text",
        "2026-11-23T00:02:26.705Z \u{1b}[31m[39] INFO  text",
        "2026-11-23T00:02:26.705Z check_ip[39] LOUD  text",
        "2026-13-23T00:02:26.705Z check_ip[39] INFO  text",
        "yesterday check_ip[39] INFO  text",
        "{",
        "{}",
        r#"{"time":"yesterday","helper":"check_ip","process":39,"level":"info","text":"a"}"#,
        r#"{"time":"2026-11-23T00:02:26Z","helper":"Check","process":39,"level":"info","text":"a"}"#,
        r#"{"time":"2026-11-23T00:02:26Z","helper":"check_ip","process":-1,"level":"info","text":"a"}"#,
        r#"{"time":"2026-11-23T00:02:26Z","helper":"check_ip","process":39,"level":"loud","text":"a"}"#,
    ] {
        assert_eq!(parse(text), None, "{text:?}");
    }
}

#[test]
fn what_rust_quotes_is_what_comes_back() {
    for words in [
        &[][..],
        &["mmm_agent", "eth0", "10.0.0.1"],
        &["a, b", "\"quoted\", \\ and \\\"", ""],
        &["x\n\r\t\0\u{1b}[31m", "Füße – 東京"],
    ] {
        assert_eq!(strings(&format!("{words:?}")).unwrap(), words, "{words:?}");
    }
    assert_eq!(strings(r#"["\xff!"]"#).unwrap(), ["\u{fffd}!"]);
}

#[test]
fn what_is_cut_off_or_made_up_is_no_list() {
    for text in ["", "[", "[\"a\"", "[\"a", "[a]", "[\"\\u{110000}\"]", "[\"\\u{}\"]", "[\"\\", "[\"a\"]x"] {
        assert_eq!(strings(text), None, "{text:?}");
    }
}
