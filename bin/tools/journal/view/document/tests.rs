use super::super::super::calls::tests::events;
use super::super::super::moves::Grouping;
use super::*;

const JOURNAL: &str = "\
    2026-11-23T00:00:00.000Z check_ip[1] INFO  called with [\"eth0\", \"no: \\\"1\\\"\"]\n\
    2026-11-23T00:00:00.000Z check_ip[1] WARN  interface {eth0} does not exist\n\
    2026-11-23T00:00:00.001Z check_ip[1] INFO  answered \"OK: IP address is not configured\", exit 1, 1.0 ms in all\n\
    2026-11-23T00:00:01.000Z clear_ip[2] INFO  called with []\n\
    2026-11-23T00:00:02.000Z configure_ip[3] INFO  10.0.0.1 announced 4 more times\n";

/// Both documents of the same items, as values.
fn documents(items: &[Item], host: Option<&str>) -> [serde_json::Value; 2] {
    let head = Head {
        file: "/x/\u{2066}m.log".into(),
        since: Some("2026-11-22T00:00:00Z".parse().unwrap()),
        host: None,
    };
    let tail = Tail { host: host.map(String::from), unreadable_lines: 2, ..Tail::default() };
    let write = |view: &mut dyn View| {
        let mut text = Vec::new();
        view.begin(&head, &mut text).unwrap();
        for item in items {
            view.item(item, &mut text).unwrap();
        }
        view.end(&tail, &mut text).unwrap();
        String::from_utf8(text).unwrap()
    };
    let json = write(&mut Json::default());
    let yaml = write(&mut Yaml::default());
    assert!(![&json, &yaml].iter().any(|text| text.contains(|c| c != '\n' && escape::is_obeyed(c))));
    [serde_json::from_str(&json).expect(&json), serde_yaml::from_str(&yaml).expect(&yaml)]
}

#[test]
fn an_item_that_a_terminal_would_obey_is_still_an_entry() {
    let note = NoteView { at: "now".into(), level: "info", text: "a\u{202e}: \u{1b}[2J" };
    let item = ItemView::Line { helper: "check_ip", process: 1, note };
    let text = entry(&item).unwrap();
    assert!(text.starts_with("- ") && !text.contains('\u{202e}'), "{text}");
    let read: serde_json::Value = serde_yaml::from_str(&text).unwrap();
    assert_eq!(read, serde_json::json!([item]));
}

#[test]
fn json_and_yaml_say_the_same() {
    let calls: Vec<_> = events(JOURNAL).into_iter().map(Item::Event).collect();
    let mut parts = Vec::new();
    let mut grouping = Grouping::default();
    for event in events(JOURNAL) {
        if let Event::Call(call) = event {
            grouping.add(call, &mut |part| parts.push(Item::Part(part)));
        }
    }
    grouping.finish(&mut |part| parts.push(Item::Part(part)));
    for (items, kinds) in
        [(&calls[..], &["call", "call", "line"][..]), (&parts, &["checks", "move"]), (&[], &[])]
    {
        for host in [None, Some("{db1}"), Some("db\u{202e}1\u{1b}[2J\u{9b}")] {
            let [json, yaml] = documents(items, host);
            assert_eq!(json, yaml);
            assert_eq!((&json["schema"], &json["unreadable_lines"]), (&1.into(), &2.into()));
            assert_eq!(json["host"], host.map_or(serde_json::Value::Null, serde_json::Value::from));
            let timeline = json["timeline"].as_array().unwrap();
            assert_eq!(timeline.iter().map(|item| item["kind"].as_str().unwrap()).collect::<Vec<_>>(), kinds);
        }
    }
}
