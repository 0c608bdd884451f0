use proptest::prelude::*;

use super::*;
use crate::binlog::by_gtid::scan::{Part, Scope, What};

/// What is left to read of these groups, of ten bytes each, by one who looks for `at`.
fn begun(at: &str, log: &str) -> Scan {
    let scope = Scope {
        order: false,
        masters: vec![1, 2],
        own: 2,
        until: "0-1-9".parse().unwrap(),
        ..Scope::default()
    };
    let place = BinlogPosition::new("bin.000007", 4);
    let mut scan = Scan::new(at.parse().unwrap(), place, Beginning::default(), &scope);
    for (index, gtid) in log.split_whitespace().enumerate() {
        scan.event(&Part { what: What::Group(gtid.parse().unwrap()), end: 10 * (index as u64 + 1) });
    }
    scan
}

#[test]
fn a_search_goes_on_behind_the_last_transaction_that_it_read_to_its_end() {
    for (at, log) in [
        ("0-1-6", "0-1-4 0-1-5"),
        ("0-1-4", "0-1-4 0-1-7 0-2-8"),
        ("0-1-4,7-1-1", "7-2-1 0-1-4 0-1-5"),
        ("0-1-4", ""),
    ] {
        let scan = begun(at, log);
        let noted = from_text(&to_text(&scan), &begun(at, "")).unwrap();
        let whole = Scan { group: None, end: 4, ..scan };
        assert_eq!(format!("{noted:?}"), format!("{whole:?}"), "{at} in {log}");
    }
}

#[test]
fn what_was_read_is_of_use_for_a_later_place_and_not_for_one_that_was_passed() {
    for (before, log, at, is_of_use) in [
        ("0-1-6", "0-1-4 0-1-5", "0-1-6", true),
        ("0-1-6", "0-1-4 0-1-5", "0-1-8", true),
        ("0-1-6", "0-1-4 0-1-5 0-1-6 0-1-7", "0-1-4", false),
        ("0-1-4", "0-1-4 0-1-5 0-1-6", "0-1-8", false),
        ("0-1-9", "0-1-4 0-1-5 0-1-6", "0-1-5", false),
        ("0-1-6", "0-1-4 0-1-5", "0-1-6,7-1-1", false),
    ] {
        let text = to_text(&begun(before, log));
        assert_eq!(from_text(&text, &begun(at, "")).is_some(), is_of_use, "{before} {at} in {log}");
    }
}

proptest! {
    /// Whatever is in a log, and wherever a call ends.
    #[test]
    fn a_search_in_two_calls_comes_to_what_a_single_one_does(
        groups in prop::collection::vec((0..2u32, 1..4u32, 1..12u64), 1..12),
        at in prop::collection::vec((0..2u32, 1..4u32, 1..12u64), 1..3),
        order: bool,
    ) {
        let gtid = |(domain, server, sequence)| Gtid { domain, server, sequence };
        let groups: Vec<Gtid> = groups.into_iter().map(gtid).collect();
        let at: GtidPosition = at.into_iter().map(gtid).collect();
        let until = groups.iter().copied().collect();
        let scope = Scope { order, masters: vec![1, 2], own: 2, until, ..Scope::default() };
        let place = BinlogPosition::new("bin.000007", 0);
        let new = || Scan::new(at.clone(), place.clone(), Beginning::default(), &scope);
        let read = |scan: &mut Scan, from: usize, to: usize| {
            for (index, gtid) in groups.iter().enumerate().take(to).skip(from) {
                scan.event(&Part { what: What::Group(*gtid), end: 10 * (index as u64 + 1) });
            }
        };
        let mut single = new();
        read(&mut single, 0, groups.len());
        single.close();
        for cut in 1..=groups.len() {
            let mut first = new();
            read(&mut first, 0, cut);
            if first.is_done() {
                break;
            }
            // The last one is open, and read again.
            let mut second = new().resumed(&first.to_text(), &place).expect("it goes on");
            second.open(&BinlogPosition::new("bin.000007", 10 * (cut as u64 - 1)));
            read(&mut second, cut - 1, groups.len());
            second.close();
            prop_assert_eq!(second.finish(), single.clone().finish(), "cut at {}", cut);
        }
    }
}

#[test]
fn half_a_note_is_none() {
    for text in ["", "file=bin.000007", "at=0-1-6\tfound=x"] {
        assert!(from_text(text, &begun("0-1-6", "")).is_none(), "{text}");
    }
}
