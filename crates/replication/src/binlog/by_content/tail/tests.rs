//! Which of a replica's logs is believed. Groups are letters, each of a second of its own; `|` begins a run of the server.

use super::*;
use crate::binlog::group::Print;

fn tail(groups: &str, is_own_log: bool) -> Option<Tail> {
    let groups: Vec<Group> = groups
        .chars()
        .map(|letter| Group {
            print: Print(letter.into()),
            server_id: 1,
            time: letter.into(),
            begin: 0,
            end: 1,
        })
        .collect();
    (!groups.is_empty()).then(|| Tail { groups, last: BinlogPosition::new("bin.000001", 4), is_own_log })
}

/// What is believed of this log and this relay log.
fn believed(log: &str, relay: &str) -> Option<String> {
    let newest = log.rsplit('|').next().expect("a run");
    // Back to the beginning of the run that has the first of as many groups as the relay log has.
    let mut older = String::new();
    for run in log.rsplit('|') {
        older.insert_str(0, run);
        if older.len() >= relay.len() {
            break;
        }
    }
    let believed = longest(tail(newest, true), tail(relay, false).expect("groups"), tail(&older, true))?;
    Some(
        believed
            .groups
            .iter()
            .map(|group| char::from_u32(group.print.0.try_into().expect("a letter")).expect("one"))
            .collect(),
    )
}

#[test]
fn an_older_run_is_believed_where_the_relay_log_ends_as_it_does() {
    for (log, relay, expected) in [
        // Nothing executed since the last start, or little.
        ("abcd|", "cd", "abcd"),
        ("abcd||", "cd", "abcd"),
        ("abcd|e", "de", "abcde"),
        ("ab|cd|e", "de", "cde"),
        ("ab|cd|e", "bcde", "abcde"),
        // What was executed last was not logged.
        ("abcd|", "xyz", "xyz"),
        ("abcd|e", "xye", "xye"),
        ("abcc|", "cccx", "cccx"),
        // All alike: an older one may have been logged, the last one not.
        ("abcc|", "cc", "cc"),
        ("abcc|", "c", "c"),
        // The log was begun later than the relay log.
        ("|cd", "abcd", "abcd"),
        ("cd|", "abcd", "abcd"),
        // The relay log is the shorter one.
        ("|abcd", "cd", "abcd"),
        ("|e", "f", "e"),
    ] {
        assert_eq!(believed(log, relay).as_deref(), Some(expected), "{log} and {relay}");
    }
}

#[test]
fn a_relay_log_that_says_less_than_the_log_is_not_believed() {
    for (log, relay) in [("abcd|", "abc"), ("abcd|", "c"), ("abcd||", "bc"), ("abcde|", "xc")] {
        assert_eq!(believed(log, relay), None, "{log} and {relay}");
    }
}

#[test]
fn a_rotation_names_the_file_that_follows_and_nothing_else_does() {
    let body = b"\x04\0\0\0\0\0\0\0relay.000003";
    let named = |kind: u8| {
        next_file(&Event { time: 0, kind, server_id: 4, flags: 0, end: 200, body: body.as_slice() })
    };
    assert_eq!(named(kind::ROTATE).as_deref(), Some(b"relay.000003".as_slice()));
    assert_eq!(named(3), None);
}
