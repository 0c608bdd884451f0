use super::super::calls::Event;
use super::super::calls::tests::events;
use super::super::moves::{Grouping, Part};
use super::*;

/// Calls of a host as `(second, helper, arguments, answer, what it said)`; the answer of a failure is `code: text`, and
/// `-` is none.
type Row<'t> = (u32, &'t str, &'t str, &'t str, &'t str);

fn host(name: &str, rows: &[Row]) -> Moves {
    let mut grouping = Grouping::default();
    let mut moves = Moves::of(name.into());
    let mut keep = |part| {
        if let Part::Move(part) = part {
            moves.add(part);
        }
    };
    for (process, (second, helper, arguments, answer, note)) in rows.iter().enumerate() {
        let (minute, second) = (second / 60, second % 60);
        let arguments: Vec<&str> = arguments.split_whitespace().collect();
        let mut lines = vec![format!("called with {arguments:?}"), (*note).to_string()];
        match answer.split_once(": ").filter(|(code, _)| *code != "OK") {
            Some((code, text)) => {
                lines.push(format!("the error's name is {code}"));
                lines.push(format!("answered {:?}, exit 255, 1.0 ms in all", format!("ERROR: {text}")));
            }
            None if *answer == "-" => {}
            None => lines.push(format!("answered {answer:?}, exit 0, 1.0 ms in all")),
        }
        let head = format!("2026-11-23T00:{minute:02}:{second:02}.000Z {helper}[{process}] INFO ");
        lines.retain(|line| !line.is_empty());
        let journal = lines.iter().fold(String::new(), |journal, line| journal + &head + " " + line + "\n");
        for event in events(&journal) {
            let Event::Call(call) = event else { panic!("{event:?}") };
            grouping.add(call, &mut keep);
        }
    }
    grouping.finish(&mut keep);
    moves
}

const DENY: Row = (0, "mysql_deny_write", "mmm_agent", "OK", "set read_only: 0.3 ms");

fn allow(second: u32, answer: &str) -> Row<'_> {
    (
        second,
        "mysql_allow_write",
        "mmm_agent",
        answer,
        if answer == "OK" { "opened writes: 0.4 ms" } else { "" },
    )
}

fn follow(second: u32, answer: &str) -> Row<'_> {
    (second, "set_active_master", "mmm_agent db2", answer, "plan: x")
}

/// Of each hindrance the code, how often, and whether it stands.
fn shown(failover: &Failover) -> Vec<String> {
    let show = |one: &Hindrance| {
        let code = one.code.as_deref().unwrap_or("none");
        format!("{} {code} {} {}", one.host, one.times, if one.stands { "stands" } else { "over" })
    };
    failover.hindrances().iter().map(show).collect()
}

fn only(hosts: Vec<Moves>) -> Failover {
    let mut failovers = all(hosts);
    assert_eq!(failovers.len(), 1, "{failovers:?}");
    failovers.remove(0)
}

#[test]
fn calls_of_all_hosts_are_one_failover_in_their_order() {
    let failover = only(vec![
        host("db3", &[follow(4, "OK")]),
        host("db2", &[allow(2, "OK"), (3, "configure_ip", "mmm_agent eth0 10.0.0.1", "OK", "add it: 1 ms")]),
        host("db1", &[DENY, (1, "clear_ip", "mmm_agent eth0 10.0.0.1", "OK", "")]),
    ]);
    let asked: Vec<_> =
        failover.asked.iter().map(|asked| (&asked.host[..], &asked.run.call.helper[..])).collect();
    assert_eq!(
        asked,
        [
            ("db1", "mysql_deny_write"),
            ("db1", "clear_ip"),
            ("db2", "mysql_allow_write"),
            ("db2", "configure_ip"),
            ("db3", "set_active_master")
        ]
    );
    assert_eq!((failover.outcome(), failover.hindrances()), (Fate::Done, vec![]));
    assert_eq!(failover.pause().unwrap().as_secs(), 2);
    assert_eq!(failover.addresses(), ["10.0.0.1"]);
    for word in ["db1", "db2", "db3", "10.0.0.1", "10.0.0.1/24"] {
        assert!(failover.is_about(word), "{word}");
    }
    assert!(!failover.is_about("db4") && !failover.is_about("10.0.0.2"));
}

#[test]
fn an_opening_in_between_ends_the_pause_that_can_be_told() {
    let failover = only(vec![host("db1", &[DENY, allow(19, "OK")]), host("db2", &[allow(2, "OK")])]);
    assert_eq!(
        (failover.closed().unwrap().host, failover.opened().unwrap().host),
        ("db1".into(), "db1".into())
    );
    let between: Vec<_> = failover.opened_in_between().into_iter().map(|turn| turn.host).collect();
    assert_eq!((between, failover.pause()), (vec!["db2".to_string()], None));
    // The same host, closed by hand and opened again.
    let failover = only(vec![host("db1", &[DENY]), host("db2", &[allow(2, "OK"), allow(8, "OK")])]);
    assert_eq!((failover.opened_in_between().len(), failover.pause()), (1, None));
}

#[test]
fn what_was_left_behind_is_known_by_the_answer() {
    let mut opened = allow(
        2,
        "OK: db2 continues without 4 transactions that only db3 has (it is delayed); to see and save that: mmm_difference db3 db2",
    );
    opened.4 = "opened writes: 0.4 ms";
    let failover = only(vec![host("db1", &[DENY]), host("db2", &[opened])]);
    let left = LeftBehind { what: "4 transactions".into(), on: "db3".into(), missing_on: "db2".into() };
    assert_eq!(failover.left_behind(), [left]);
    assert_eq!(only(vec![host("db1", &[DENY]), host("db2", &[allow(2, "OK")])]).left_behind(), []);
}

#[test]
fn a_refusal_of_which_the_words_change_is_one_hindrance_by_its_name() {
    let rows = [
        (1, "sync_with_master", "mmm_agent", "not-applied: 9 left", ""),
        allow(4, "not-applied: 7 left"),
        allow(7, "not-applied: 5 left"),
        allow(10, "peer-writable: db1 takes writes"),
    ];
    let failover = only(vec![host("db2", &rows)]);
    assert_eq!(shown(&failover), ["db2 not-applied 3 over", "db2 peer-writable 1 stands"]);
    assert_eq!(failover.hindrances()[0].helpers, ["sync_with_master", "mysql_allow_write"]);
    assert_eq!(failover.hindrances()[0].text.as_deref(), Some("5 left"));
    assert_eq!(failover.outcome(), Fate::Failed);
    let opened: Vec<Row> = rows.iter().copied().chain([allow(13, "OK")]).collect();
    let failover = only(vec![host("db2", &opened)]);
    assert_eq!(shown(&failover), ["db2 not-applied 3 over", "db2 peer-writable 1 over"]);
    assert_eq!(failover.outcome(), Fate::Done);
}

#[test]
fn a_dead_server_that_could_not_be_closed_is_no_hindrance_once_another_host_is_open() {
    let dead = ("mysql_deny_write", "mmm_agent", "cannot-connect: no server", "");
    let dead = host("db1", &[(0, dead.0, dead.1, dead.2, dead.3)]);
    assert_eq!(shown(&only(vec![dead])), ["db1 cannot-connect 1 stands"]);
    let dead = host("db1", &[(0, "mysql_deny_write", "mmm_agent", "cannot-connect: no server", "")]);
    let failover = only(vec![dead, host("db2", &[allow(3, "OK")])]);
    assert_eq!(shown(&failover), ["db1 cannot-connect 1 over"]);
    assert_eq!((failover.outcome(), failover.pause()), (Fate::Done, None));
}

#[test]
fn a_slave_that_does_not_follow_stands_in_the_way_although_writes_are_open() {
    let rows = [follow(3, "new-master-behind: db2 lacks x"), follow(6, "new-master-behind: db2 lacks y")];
    let failover = only(vec![host("db2", &[allow(2, "OK")]), host("db3", &rows)]);
    assert_eq!(shown(&failover), ["db3 new-master-behind 2 stands"]);
    assert_eq!(failover.hindrances()[0].new.as_deref(), Some("db2"));
    assert_eq!(failover.opened().unwrap().host, "db2");
}

#[test]
fn a_call_without_answer_stands_in_the_way_under_no_name() {
    let failover = only(vec![host("db2", &[allow(2, "-")])]);
    assert_eq!(shown(&failover), ["db2 none 1 stands"]);
    assert_eq!(failover.outcome(), Fate::Killed);
}

#[test]
fn half_a_minute_of_silence_is_the_end_of_a_failover_and_replication_alone_is_none() {
    let rows = [allow(0, "x: no"), allow(60, "OK"), (120, "turn_on_slave", "mmm_agent", "OK", "")];
    let failovers = all(vec![host("db2", &rows)]);
    assert_eq!(failovers.iter().map(Failover::outcome).collect::<Vec<_>>(), [Fate::Failed, Fate::Done]);
}

#[test]
fn the_new_master_is_found_among_options() {
    for arguments in
        ["db2", "mmm_agent db2", "mmm_agent db2 --wait 60", "db2 --wait 60", "--wait 60 mmm_agent db2"]
    {
        let failover = only(vec![host("db3", &[(0, "set_active_master", arguments, "OK", "plan: x")])]);
        assert_eq!(failover.asked[0].new_master(), Some("db2"), "{arguments}");
    }
}

#[test]
fn a_call_that_somebody_mistyped_makes_no_failover_stuck() {
    for code in ["usage", "unknown-host", "new-master-is-this-host", "unusable-argument"] {
        let answer = format!("{code}: no");
        let failover = only(vec![host("db1", &[DENY]), host("db2", &[allow(2, "OK"), follow(9, &answer)])]);
        assert_eq!((failover.outcome(), failover.hindrances()[0].stands), (Fate::Done, false), "{code}");
    }
    // Usage has an exit code of its own and no name.
    let typed =
        ("set_active_master", "", "-", "answered \"Usage: set_active_master\", exit 255, 1.0 ms in all");
    let failover = only(vec![host("db2", &[allow(2, "OK"), (9, typed.0, typed.1, typed.2, typed.3)])]);
    assert_eq!(failover.outcome(), Fate::Done, "{failover:?}");
}

#[test]
fn replication_that_a_new_writer_is_asked_for_does_not_make_its_failover_stuck() {
    let start = |second, answer| (second, "turn_on_slave", "mmm_agent", answer, "");
    let hosts = |late: &[Row]| {
        let rows: Vec<Row> = [allow(2, "OK")].into_iter().chain(late.iter().copied()).collect();
        vec![host("db1", &[DENY]), host("db2", &rows)]
    };
    let failover = only(hosts(&[start(9, "does-not-start: no")]));
    assert_eq!(failover.outcome(), Fate::Done);
    assert!(failover.hindrances()[0].is_of_replication);
    let failover = only(hosts(&[start(9, "does-not-start: no"), start(12, "OK")]));
    assert!(!failover.hindrances()[0].is_of_replication);
    let failover =
        only(vec![host("db1", &[DENY, start(1, "does-not-start: no")]), host("db2", &[allow(2, "x: no")])]);
    assert_eq!(failover.outcome(), Fate::Failed);
}
