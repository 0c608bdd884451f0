use super::super::sample::look;
use super::*;
use crate::journal::history::LastMove;

fn shown(change: impl FnOnce(&mut Report), history: Option<&History>) -> String {
    let mut report = look(|_| ());
    change(&mut report);
    text(&report, history, "2026-11-23T12:00:00.5Z".parse().unwrap())
}

#[test]
fn every_sample_follows_its_type_and_the_end_is_marked() {
    let text = shown(|_| (), None);
    let mut family = "";
    for line in text.lines().filter(|line| *line != "# EOF") {
        if let Some(rest) = line.strip_prefix("# TYPE ") {
            family = rest.strip_suffix(" gauge").unwrap();
        } else if !line.starts_with("# HELP ") {
            assert!(line.starts_with(family) && !family.is_empty(), "{line}");
        }
    }
    assert!(text.ends_with("# EOF\n"), "{text}");
    for line in [
        "mmm_preflight_result 0",
        "mmm_preflight_timestamp_seconds 1795435200.5",
        "mmm_host_up{host=\"db1\",mode=\"master\"} 1",
        "mmm_replication_lag_seconds{host=\"db3\",source=\"db1\"} 0",
        "mmm_journal_readable 0",
    ] {
        assert!(text.lines().any(|shown| shown == line), "{line} is not in:\n{text}");
    }
    assert!(!text.contains("mmm_refusals"), "{text}");
}

#[test]
fn a_label_that_would_end_its_quotes_does_not() {
    let text = shown(|report| report.config = "a\"b\\c\nd".into(), None);
    assert!(text.contains(r#",config="a\"b\\c\\nd"} 1"#), "{text}");
}

#[test]
fn what_the_journal_says_has_its_numbers() {
    let mut history = History::default();
    let started = "2026-11-23T11:00:00Z".parse().unwrap();
    history.moves.insert("take", LastMove { started, seconds: 2.5, worked: false });
    history.refusals.insert(("mysql_allow_write".into(), "not-applied".into()), 3);
    history.failures.insert("fence", 0);
    let text = shown(|_| (), Some(&history));
    for line in [
        "mmm_journal_readable 1",
        "mmm_move_timestamp_seconds{move=\"take\"} 1795431600",
        "mmm_move_duration_seconds{move=\"take\"} 2.5",
        "mmm_move_worked{move=\"take\"} 0",
        "mmm_refusals{helper=\"mysql_allow_write\",code=\"not-applied\"} 3",
        "mmm_failures{what=\"fence\"} 0",
        "mmm_fences 0",
    ] {
        assert!(text.lines().any(|shown| shown == line), "{line} is not in:\n{text}");
    }
    assert!(!text.contains("mmm_writes_opened"), "{text}");
}
