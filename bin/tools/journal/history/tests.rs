use std::fs;

use super::*;

/// What a journal says at 12:00.
fn history(name: &str, lines: &[&str]) -> History {
    let file = std::env::temp_dir().join(format!("mmm_history-{name}-{}", std::process::id()));
    fs::write(&file, lines.iter().fold(String::new(), |text, line| text + "2026-11-23T" + line + "\n"))
        .unwrap();
    let history = of(std::slice::from_ref(&file), "2026-11-23T12:00:00Z".parse().unwrap());
    fs::remove_file(file).unwrap();
    history.unwrap()
}

#[test]
fn moves_are_the_last_of_their_kind_and_writes_have_their_times() {
    let history = history(
        "moves",
        &[
            "01:00:00.000Z mysql_deny_write[1] INFO  called with []",
            "01:00:00.500Z mysql_deny_write[1] INFO  set read_only: 0.3 ms",
            "01:00:00.600Z mysql_deny_write[1] INFO  answered \"OK\", exit 0, 600.0 ms in all",
            "02:00:00.000Z sync_with_master[2] INFO  called with []",
            "02:00:01.000Z sync_with_master[2] INFO  answered \"OK\", exit 0, 1000.0 ms in all",
            "02:00:01.000Z mysql_allow_write[3] INFO  called with []",
            "02:00:01.500Z mysql_allow_write[3] INFO  opened writes: 0.3 ms",
            "02:00:02.000Z mysql_allow_write[3] INFO  answered \"OK\", exit 0, 1000.0 ms in all",
        ],
    );
    assert_eq!(history.moves.keys().copied().collect::<Vec<_>>(), ["give", "take"]);
    assert_eq!((history.moves["take"].seconds, history.moves["take"].worked), (2.0, true));
    assert_eq!(history.opened_after, Some(1.5));
    assert_eq!(history.closed, Some("2026-11-23T01:00:00.5Z".parse().unwrap()));
    assert_eq!(history.opened, Some("2026-11-23T02:00:01.5Z".parse().unwrap()));
    assert!(history.refusals.is_empty());
    assert_eq!(history.given, Some(("mysql_allow_write".into(), "2026-11-23T02:00:01Z".parse().unwrap())));
}

#[test]
fn refusals_of_the_last_hour_count_by_helper_and_name_and_dry_runs_do_not() {
    let refused = |time: &str, arguments: &str, code: &str| {
        [
            format!("{time} mysql_allow_write[3] INFO  called with [{arguments}]"),
            format!("{time} mysql_allow_write[3] INFO  the error's name is {code}"),
            format!("{time} mysql_allow_write[3] INFO  answered \"ERROR: x\", exit 255, 1.0 ms in all"),
        ]
    };
    let lines: Vec<String> = [
        refused("10:59:00.000Z", "", "not-applied"),
        refused("11:30:00.000Z", "", "not-applied"),
        refused("11:31:00.000Z", "", "not-fenced"),
        refused("11:32:00.000Z", "", "not-applied"),
        refused("11:33:00.000Z", "\"--dry-run\"", "not-applied"),
    ]
    .concat();
    let history = history("refusals", &lines.iter().map(String::as_str).collect::<Vec<_>>());
    let key = |code: &str| ("mysql_allow_write".to_string(), code.to_string());
    assert_eq!(history.refusals, BTreeMap::from([(key("not-applied"), 2), (key("not-fenced"), 1)]));
    assert_eq!((history.failures["fence"], history.fences), (1, 0));
    assert!(!history.moves["take"].worked);
}

#[test]
fn events_of_the_last_hour_that_nobody_was_told_of_count() {
    let history = history(
        "events",
        &[
            "10:59:00.000Z clear_ip[8] WARN  the event 'address-removed' was not told: events.command: it failed",
            "11:30:00.000Z clear_ip[9] WARN  the event 'address-removed' was not told: events.command: it failed",
            "11:31:00.000Z clear_ip[9] INFO  something else",
        ],
    );
    assert_eq!((history.failures["event"], history.failures["fence"]), (1, 0));
}
