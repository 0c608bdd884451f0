use super::*;

const O: &str = "3e11fa47-71ca-11e1-9e33-c80aa9429562";
const S: &str = "4e11fa47-71ca-11e1-9e33-c80aa9429562";

macro_rules! at {
    ($offset:expr) => {
        Some(BinlogPosition::new("bin.000007", $offset))
    };
}

#[test]
fn what_another_host_has_more_counts_by_gtid_where_there_are_gtids_and_else_by_place() {
    let set = |text: &str| Gtids::Set(text.parse().unwrap());
    let position = |state: &str, last: &str| Gtids::Position(state.parse().unwrap(), last.parse().unwrap());
    let none = || Gtids::None;
    for (ours, theirs, expected, why) in [
        ((at!(300), none()), (at!(300), none()), None, "as much"),
        ((at!(300), none()), (at!(500), none()), Some(None), "more, of which nobody knows the number"),
        ((at!(500), none()), (at!(300), none()), None, "less"),
        ((None, none()), (at!(300), none()), None, "places that do not compare tell nothing"),
        ((at!(300), none()), (at!(500), set(&format!("{S}:1-9"))), Some(None), "a36: one gives its own"),
        ((at!(300), set(&format!("{S}:1-5"))), (at!(500), none()), Some(None), "a36: the other does"),
        ((at!(500), none()), (at!(500), set(&format!("{S}:1-9"))), None, "a36: as much"),
        ((at!(300), set(&format!("{O}:1-5"))), (at!(500), set(&format!("{O}:1-9"))), Some(Some(4)), "by set"),
        (
            (at!(300), set(&format!("{O}:1-5"))),
            (at!(500), set(&format!("{O}:1-5"))),
            None,
            "half a transaction",
        ),
        (
            (at!(300), set(&format!("{O}:1-5"))),
            (at!(300), set(&format!("{O}:1-5,{S}:1"))),
            None,
            "its own row",
        ),
        (
            (at!(300), position("0-1-5", "0-1-5")),
            (at!(300), position("0-1-9", "0-1-9")),
            Some(Some(4)),
            "numbers",
        ),
        (
            (at!(300), position("0-1-5", "0-1-5")),
            (at!(500), position("0-1-5", "0-1-5")),
            Some(None),
            "not applied",
        ),
        ((at!(300), position("0-2-6,0-1-5", "0-1-5")), (at!(300), position("", "0-2-6")), None, "our own"),
        ((at!(300), position("0-1-5", "0-1-5")), (at!(300), position("0-1-5", "0-1-5")), None, "the same"),
    ] {
        let share = |(place, gtids)| Share { place, gtids, is_partly_numbered: false };
        let tail = share(ours).lacks(&share(theirs), O);
        assert_eq!(tail.map(|tail| tail.count), expected, "{why}");
    }
}

#[test]
fn gtids_show_that_a_host_has_all_of_another_or_nothing_shows_it() {
    let set = |text: &str| Gtids::Set(text.parse().unwrap());
    let position = |state: &str, last: &str| Gtids::Position(state.parse().unwrap(), last.parse().unwrap());
    for (ours, theirs, is_partly_numbered, expected, why) in [
        (set(&format!("{O}:1-9,{S}:1")), set(&format!("{O}:1-9")), false, true, "by set"),
        (set(&format!("{O}:1-8")), set(&format!("{O}:1-9")), false, false, "one is missing"),
        (set(&format!("{O}:1-9")), Gtids::None, false, false, "without a set"),
        (Gtids::None, Gtids::None, false, false, "without GTIDs"),
        (position("0-2-6,0-1-9", ""), position("", "0-1-9"), false, true, "by number"),
        (position("0-1-8", ""), position("", "0-1-9"), false, false, "a number is missing"),
        (position("0-1-9", ""), position("", "0-1-9,7-1-1"), false, false, "a domain is missing"),
        (position("0-1-9", ""), position("", "0-1-9"), true, false, "what was fetched has no numbers"),
        (position("0-2-10", ""), position("", "0-2-10"), false, false, "the source's last is not shown"),
    ] {
        let ours = Share { place: None, gtids: ours, is_partly_numbered: false };
        let theirs = Share { place: None, gtids: theirs, is_partly_numbered };
        assert_eq!(ours.shows_all_of(&theirs, 1), expected, "{why}");
    }
}

#[test]
fn a36_a_set_of_gtids_that_a_server_gave_itself_does_not_count() {
    let columns = [("gtid_mode", "ON".to_string()), ("executed", format!("{S}:1-5"))];
    let channel = Channel::from_record(Record::default());
    let of = |has_sets| gtids(Flavour::MySql, &Record::from_iter(columns.clone()), &channel, has_sets, false);
    assert_eq!(of(true), Ok(Gtids::Set(format!("{S}:1-5").parse().unwrap())));
    assert_eq!(of(false), Ok(Gtids::None));
}
