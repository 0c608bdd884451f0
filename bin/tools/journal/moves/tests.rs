use std::fmt::Write;

use super::super::calls::Event;
use super::super::calls::tests::events;
use super::*;

/// Calls as `(second, helper, arguments, answer, what it said)`; an answer of `-` is none.
type Row<'t> = (u32, &'t str, &'t [&'t str], &'t str, &'t str);

fn parts(rows: &[Row]) -> Vec<Part> {
    let mut journal = String::new();
    for (process, (second, helper, arguments, answer, note)) in rows.iter().enumerate() {
        let (minute, second) = (second / 60, second % 60);
        let mut say = |text: &str| {
            let time = format!("2026-11-23T00:{minute:02}:{second:02}.000Z");
            writeln!(journal, "{time} {helper}[{process}] INFO  {text}").unwrap();
        };
        say(&format!("called with {arguments:?}"));
        say("this host is db1");
        say("connected to db1 (10.77.0.11:3306): 0.4 ms");
        if !note.is_empty() {
            say(note);
        }
        let code = if answer.starts_with("ERROR") { 255 } else { 0 };
        if *answer != "-" {
            say(&format!("answered {answer:?}, exit {code}, 1.0 ms in all"));
        }
    }
    let mut grouping = Grouping::default();
    let mut parts = Vec::new();
    for event in events(&journal) {
        let Event::Call(call) = event else { panic!("{event:?}") };
        grouping.add(call, &mut |part| parts.push(part));
    }
    grouping.finish(&mut |part| parts.push(part));
    parts
}

/// Each part in a word or two: a move's title, outcome and number of calls, or how many checks.
fn shown(rows: &[Row]) -> Vec<String> {
    let times = |runs: &Runs| runs.runs.iter().map(|run| run.times).sum::<u64>();
    let show = |part| match part {
        Part::Move(part) => format!("{}: {:?} {}", part.title(), part.outcome(), times(&part.calls)),
        Part::Checks(runs) => format!("{} checks", times(&runs)),
    };
    parts(rows).into_iter().map(show).collect()
}

const CHECK: (&str, &[&str], &str, &str) =
    ("check_ip", &["mmm_agent", "eth0", "10.0.0.1"], "OK: IP address is configured", "");

fn check<'t>(second: u32) -> Row<'t> {
    (second, CHECK.0, CHECK.1, CHECK.2, CHECK.3)
}

#[test]
fn a_role_that_is_given_and_another_that_is_taken_are_two_moves() {
    let address: &[&str] = &["mmm_agent", "eth0", "10.0.0.1"];
    let rows = [
        check(0),
        (1, "mysql_deny_write", &["mmm_agent"], "OK", "set read_only: 0.3 ms"),
        (1, "clear_ip", address, "OK", "10.0.0.1/32 removed from eth0"),
        check(4),
        (5, "sync_with_master", &["mmm_agent"], "OK", "in sync: x"),
        (5, "mysql_allow_write", &["mmm_agent"], "OK", "opened writes: 1.0 ms"),
        (5, "configure_ip", address, "OK", "add 10.0.0.1 to eth0: 0.1 ms"),
        check(7),
        check(60),
    ];
    assert_eq!(
        shown(&rows),
        [
            "1 checks",
            "Giving the writer role away, 10.0.0.1: Done 2",
            "1 checks",
            "Taking the writer role, 10.0.0.1: Done 3",
            "2 checks"
        ]
    );
}

#[test]
fn what_the_agent_repeats_while_a_role_is_held_is_no_move() {
    let address: &[&str] = &["mmm_agent", "eth0", "10.0.0.1"];
    let rows = [
        (0, "mysql_allow_write", &["mmm_agent"][..], "OK", ""),
        (0, "configure_ip", address, "OK: IP address is configured", "announce 10.0.0.1 on eth0: 0.1 ms"),
        (3, "mysql_allow_write", &["mmm_agent"], "OK", ""),
        (3, "set_active_master", &["mmm_agent", "db2"], "OK: We are already a slave of the new master", ""),
        (4, "set_active_master", &["mmm_agent", "db1", "--dry-run"], "ERROR: no", "plan: x"),
        (5, "turn_off_slave", &["mmm_agent", "--dry-run"], "OK", "x"),
    ];
    assert_eq!(shown(&rows), ["6 checks"]);
}

#[test]
fn a_refusal_that_comes_every_three_seconds_is_one_move_until_it_works() {
    let call = |second, answer| (second, "set_active_master", &["mmm_agent", "db2"][..], answer, "plan: x");
    let mut rows: Vec<Row> =
        (0..20).map(|number| call(number * 3, "ERROR: db1 still takes writes")).collect();
    assert_eq!(shown(&rows), ["Following another master, db2: Failed 20"]);
    rows.push(call(60, "OK"));
    assert_eq!(shown(&rows), ["Following another master, db2: Done 21"]);
    let parts = parts(&rows);
    let [Part::Move(part)] = &parts[..] else { panic!("{parts:?}") };
    assert_eq!(part.calls.runs.iter().map(|run| run.times).collect::<Vec<_>>(), [20, 1]);
}

#[test]
fn moves_of_the_same_kind_with_time_between_are_two() {
    let call = |second, address| (second, "configure_ip", address, "OK", "add it: 0.1 ms");
    let rows =
        [call(0, &["eth0", "10.0.0.1"][..]), call(1, &["eth0", "10.0.0.2"]), call(30, &["eth0", "10.0.0.3"])];
    assert_eq!(
        shown(&rows),
        ["Taking an address, 10.0.0.1, 10.0.0.2: Done 2", "Taking an address, 10.0.0.3: Done 1"]
    );
}

#[test]
fn a_move_ends_as_its_last_answers_say() {
    let sync = (0, "sync_with_master", &["mmm_agent"][..], "ERROR: db2 is ahead", "");
    let allow = |answer| (1, "mysql_allow_write", &["mmm_agent"][..], answer, "");
    assert_eq!(shown(&[sync, allow("ERROR: db2 is ahead")]), ["Taking the writer role: Failed 2"]);
    let opened = (3, "mysql_allow_write", &["mmm_agent"][..], "OK", "opened writes: 0.3 ms");
    assert_eq!(shown(&[sync, allow("ERROR: x"), opened]), ["Taking the writer role: Done 3"]);
    assert_eq!(shown(&[sync, opened, allow("-")]), ["Taking the writer role: Killed 3"]);
    let again = (4, "sync_with_master", &["mmm_agent", "--wait", "forever"][..], "-", "");
    assert_eq!(shown(&[sync, opened, again]), ["Taking the writer role: Killed 3"]);
}

#[test]
fn replication_that_is_turned_off_or_on_says_which() {
    let row = |second, helper| (second, helper, &["mmm_agent"][..], "OK", "");
    assert_eq!(
        shown(&[row(0, "turn_off_slave"), row(100, "turn_on_slave")]),
        ["Turning replication off: Done 1", "Turning replication on: Done 1"]
    );
}

#[test]
fn a_title_says_who_called_and_takes_no_word_of_a_wrong_usage() {
    let bogus: &[&str] = &["mmm_agent", "--bogus"];
    let rows: [Row; 2] = [
        (0, "mysql_deny_write", &["mmm_agent"], "OK", "called by mmm_guard"),
        (60, "configure_ip", bogus, "Usage: configure_ip <if> <ip>", ""),
    ];
    assert_eq!(
        shown(&rows),
        ["Giving the writer role away, by mmm_guard: Done 1", "Calls with wrong usage: Misused 1"]
    );
}
