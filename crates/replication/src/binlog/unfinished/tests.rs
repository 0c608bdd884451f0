use super::*;
use crate::binlog::event::kind;

/// A file of groups as text, read event by event: `5` begins a group, `a` is what it does, `R` the file's end.
fn trail(log: &str) -> Trail {
    let (mut trail, mut end) = (Trail::default(), FIRST_EVENT);
    for word in log.split_whitespace() {
        let kind = match word {
            "R" => kind::ROTATE,
            word if word.starts_with(|c: char| c.is_ascii_digit()) => kind::GTID,
            _ => kind::QUERY,
        };
        let size = 20 + u32::try_from(word.len()).unwrap();
        end += u64::from(size);
        let body = word.as_bytes();
        trail.event(&Event { time: 7, kind, server_id: 1, flags: 0, end, body }, size);
    }
    trail
}

#[test]
fn the_last_group_is_the_one_that_was_read_to_its_end() {
    for (log, begin) in [
        ("", None),
        ("1 a", None),
        ("1 a 2", Some(4)),
        ("1 a 2 b", Some(4)),
        ("1 a 2 b 3", Some(46)),
        ("1 a R", Some(4)),
    ] {
        assert_eq!(trail(log).last.map(|last| last.begin), begin, "{log}");
    }
}

#[test]
fn a_group_is_not_the_same_where_anything_of_it_is_another() {
    let last = |log: &str| trail(log).last;
    assert_eq!(last("1 a b 2"), last("1 a b R"), "whatever comes behind it");
    for other in ["2 a b 2", "1 b a 2", "1 a c 2", "1 a 2", "1 a b b 2", "1 a bb 2"] {
        assert_ne!(last("1 a b 2"), last(other), "{other}");
    }
}

#[test]
fn what_a_search_reached_is_read_as_it_was_noted_or_not_at_all() {
    for last in [None, Some(Mark { begin: 5 << 32, print: u128::MAX - 1 })] {
        let reached = Reached { file: "bin.000007".into(), begun: "77-163-5a".into(), last };
        assert_eq!(Reached::from_text(&reached.to_text()), Some(reached));
    }
    for text in ["", "file=bin.000007\tbegun=7", "file=bin.000007\tbegun=7\tlast=4", "begun=7\tlast="] {
        assert_eq!(Reached::from_text(text), None, "{text}");
    }
}
