use super::*;
use crate::binlog::files::FIRST_EVENT;
use crate::binlog::reading::ByEvent;
use crate::gtid::parse_list;

/// A log as text: `G 0-1-5` begins a group of two events, `R` rotates.
fn read(at: &str, begin: &str, log: &str) -> Located {
    read_with(at, begin, log, &Scope::default())
}

fn read_with(at: &str, begin: &str, log: &str, scope: &Scope) -> Located {
    let gtids = parse_list(begin).expect("begin");
    let begin = Beginning { state: gtids.iter().copied().collect(), position: gtids.into_iter().collect() };
    let place = BinlogPosition::new("bin.000001", FIRST_EVENT);
    let mut scan = Scan::new(at.parse().expect("at"), place.clone(), begin, scope);
    let mut offset = 100;
    let mut file = 1;
    let mut row = |kind: &str, info: &str, scan: &mut Scan| {
        offset += 10;
        scan.event(&Part::of_row(&Record::from_iter([
            ("Event_type", kind.to_string()),
            ("Info", info.to_string()),
            ("End_log_pos", offset.to_string()),
        ])));
    };
    scan.open(&place);
    for word in log.split_whitespace() {
        if word == "R" {
            row("Rotate", "", &mut scan);
            scan.close_group();
            file += 1;
            scan.open(&BinlogPosition::new(format!("bin.{file:06}"), FIRST_EVENT));
        } else {
            row("Gtid", &format!("BEGIN GTID {word} cid=9"), &mut scan);
            row("Xid", "COMMIT /* xid=1 */", &mut scan);
        }
    }
    scan.close_group();
    scan.finish()
}

fn found(at: &str, begin: &str, log: &str) -> (Option<String>, String, Option<String>) {
    match read(at, begin, log) {
        Located::Found { position, state, out_of_order, .. } => {
            (position.map(|p| p.to_string()), state.to_string(), out_of_order.map(|g| g.to_string()))
        }
        other => panic!("{at} in {begin} {log}: {other:?}"),
    }
}

#[test]
fn the_place_is_the_end_of_the_named_group_and_the_state_is_what_came_before() {
    let (position, state, disorder) = found("0-1-6", "0-1-4", "0-1-5 0-1-6 0-2-7");
    assert_eq!(position.as_deref(), Some("bin.000001:140"));
    assert_eq!((state.as_str(), disorder), ("0-1-6", None));
}

#[test]
fn an_early_row_of_the_new_master_is_in_the_state_and_out_of_order() {
    let (_, state, disorder) = found("0-1-6", "0-1-4", "0-2-5 0-1-5 0-1-6 0-2-7");
    assert_eq!(state, "0-1-6,0-2-5");
    assert_eq!(disorder.as_deref(), Some("0-1-5"));
}

#[test]
fn disorder_behind_the_place_is_seen_only_where_it_is_asked_for() {
    assert_eq!(found("0-1-5", "0-1-4", "0-1-5 0-2-7 0-1-6").2, None);
    let whole = Scope { order: true, ..Scope::default() };
    let Located::Found { out_of_order, state, position, .. } =
        read_with("0-1-5", "0-1-4,9-9-1", "0-1-5 0-2-7 0-1-6 9-9-2", &whole)
    else {
        panic!("not found")
    };
    assert_eq!(out_of_order.map(|gtid| gtid.to_string()).as_deref(), Some("0-1-6"));
    assert_eq!((state.to_string().as_str(), position.map(|p| p.offset)), ("0-1-5,9-9-1", Some(120)));
}

#[test]
fn a_place_at_a_files_beginning_is_its_first_event() {
    assert_eq!(found("0-1-4", "0-2-3,0-1-4", "0-2-5").0.as_deref(), Some("bin.000001:4"));
}

#[test]
fn the_last_group_of_a_file_ends_in_that_file() {
    assert_eq!(found("0-1-5", "", "0-1-5 R 0-1-6").0.as_deref(), Some("bin.000001:120"));
    assert_eq!(found("0-1-6", "", "0-1-5 R 0-1-6").0.as_deref(), Some("bin.000002:150"));
}

#[test]
fn domains_at_different_places_have_states_but_no_single_position() {
    let (position, state, _) = found("0-1-5,1-1-9", "", "0-1-5 0-2-6 1-1-9 1-2-10");
    assert_eq!(position, None);
    assert_eq!(state, "0-1-5,1-1-9");
    let (position, state, _) = found("0-1-5,1-1-9", "", "1-1-9 0-1-5 0-2-6");
    assert_eq!(position.as_deref(), Some("bin.000001:140"));
    assert_eq!(state, "0-1-5,1-1-9");
}

#[test]
fn a_domain_that_nobody_asked_for_counts_only_up_to_the_place() {
    assert_eq!(found("0-1-5", "7-1-1", "7-1-2 0-1-5 7-1-3 8-1-1").1, "0-1-5,7-1-2");
}

/// Server 2's log; servers 1 and 2 replicate from each other.
fn gaps(at: &str, begin: &str, log: &str, until: &str) -> Vec<String> {
    let until = until.parse().expect("state");
    let scope = Scope { order: false, masters: vec![1, 2], own: 2, until, ..Scope::default() };
    match read_with(at, begin, log, &scope) {
        Located::Found { gaps, .. } => gaps.iter().map(ToString::to_string).collect(),
        other => panic!("{at} in {begin} {log}: {other:?}"),
    }
}

#[test]
fn a_number_that_does_not_follow_the_last_one_is_of_a_group_that_was_not_logged() {
    for (at, begin, log, until, missing) in [
        ("0-1-5", "", "0-1-5 0-1-6 0-1-7", "0-1-7", &[][..]),
        ("0-1-5", "", "0-1-5 0-1-9", "0-1-9", &["0-1-6 to 0-1-8"]),
        ("0-1-5", "", "0-1-5 R 0-1-6 0-1-8 0-1-9 0-1-12", "0-1-12", &["0-1-7", "0-1-10 to 0-1-11"]),
        ("0-1-5", "0-1-5", "0-1-7", "0-1-7", &["0-1-6"]),
        // The new master knew of what it had not logged.
        ("0-1-5", "", "0-1-5 0-2-8 0-1-9", "0-1-9,0-2-8", &["0-1-6 to 0-1-7"]),
        // Before the place, the replica has it.
        ("0-1-9", "", "0-1-5 0-1-9 0-1-10", "0-1-10", &[]),
        // Both wrote at once.
        ("0-1-5", "", "0-1-5 0-2-6 0-2-7 0-1-6 0-1-8", "0-1-8,0-2-7", &[]),
        // Numbers of other servers say nothing.
        ("0-1-5", "", "0-1-5 0-7-900 0-1-6 0-7-950 0-1-7", "0-1-7,0-7-950", &[]),
        // Behind the last group of others, nothing is read.
        ("0-1-5", "", "0-1-5 0-2-6 0-2-9", "0-1-5,0-2-9", &[]),
        // A domain that the replica does not know has to be whole.
        ("1-1-5", "", "1-1-5 2-2-1 2-2-2", "1-1-5,2-2-2", &[]),
        ("1-1-5", "", "1-1-5 2-2-4 2-2-5", "1-1-5,2-2-5", &["2-2-1 to 2-2-3"]),
        ("1-1-5", "2-2-3", "1-1-5 2-2-4", "1-1-5,2-2-4", &[]),
    ] {
        assert_eq!(gaps(at, begin, log, until), missing, "{at} in {begin} {log}");
    }
}

#[test]
fn a_group_that_is_not_there_is_missing() {
    let missing = read("0-1-9", "", "0-1-5 0-1-6");
    assert_eq!(missing, Located::Missing { at: "0-1-9".parse().unwrap(), gtid: "0-1-9".parse().unwrap() });
}

#[test]
fn a_file_is_known_by_who_wrote_in_it() {
    let begin = |text: &str| {
        let gtids = parse_list(text).expect("list");
        Beginning { state: gtids.iter().copied().collect(), position: gtids.into_iter().collect() }
    };
    let at: GtidPosition = "0-1-9,4-1-1".parse().expect("position");
    for (from, to, writers) in [
        ("0-1-4", "0-1-4", &[][..]),
        ("0-1-4", "0-1-6,7-1-1", &[0]),
        ("", "0-2-1", &[0]),
        ("0-1-4", "0-1-6,0-2-5", &[0, 0]),
        ("0-1-4", "0-1-6,4-2-5", &[0, 4]),
    ] {
        assert_eq!(begin(from).writers_until(&begin(to), &at), writers, "{from} {to}");
    }
}

#[test]
fn a_file_lies_before_a_place_that_it_does_not_include() {
    let begin = |text: &str| {
        let gtids = parse_list(text).expect("list");
        Beginning { state: gtids.iter().copied().collect(), position: gtids.into_iter().collect() }
    };
    let at: GtidPosition = "0-1-6".parse().expect("position");
    assert!(begin("").lies_before(&at));
    assert!(begin("0-1-5").lies_before(&at));
    assert!(begin("0-2-5,0-1-6").lies_before(&at), "ends exactly there");
    assert!(!begin("0-1-6,0-2-7").lies_before(&at), "0-2-7 came after 0-1-6");
    assert!(!begin("0-1-7").lies_before(&at));
}

#[test]
fn no_number_comes_behind_the_largest() {
    let gtid = |server, sequence| Gtid { domain: 0, server, sequence };
    let log = [gtid(1, u64::MAX), gtid(2, 3)];
    let scope = Scope {
        order: true,
        masters: vec![1, 2],
        older: log[..1].iter().copied().collect(),
        ..Scope::default()
    };
    let Located::Found { gaps, .. } = locate_in(&log, &GtidPosition::default(), &scope) else {
        panic!("nothing is looked for")
    };
    // Only what is missing before the first.
    assert_eq!(gaps, [Gap { after: None, before: log[0] }]);
    let gap = Gap { after: Some(log[0]), before: gtid(1, 0) };
    assert_eq!(gap.to_string(), format!("0-1-{}", u64::MAX));
}
