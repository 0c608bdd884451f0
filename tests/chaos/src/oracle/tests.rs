use super::*;

use crate::plan::Kind;

#[test]
fn names_of_transactions_are_found_in_a_relay_log() {
    let log =
        b"\x00INSERT INTO entries (note) VALUES ('0-1')\xff\x030-2\x00same_1-17\x00a-b -5 7- 1-2-3 12-340";
    assert_eq!(names_in(log), ["0-1", "0-2", "1-17", "12-340"]);
}

#[test]
fn the_longest_pause_counts_from_the_beginning() {
    let notes = Notes { times: vec![150, 160, 190, 195], ..Notes::default() };
    assert_eq!(longest_pause(100, &notes), 50);
    assert_eq!(longest_pause(145, &notes), 30);
    assert_eq!(longest_pause(145, &Notes::default()), 0);
}

#[test]
fn what_a_writer_took_with_it_is_lost_only_if_nobody_had_it_and_nothing_waited_for_an_acknowledgement() {
    let kind = Kind { server: "mysql-9".into(), mode: "gtid".into() };
    let mut plan = Plan::draw(1, &kind);
    plan.faults = vec![(0, Fault::KillWriterForGood)];
    plan.semi_sync = false;
    let desk = Desk::new();
    held(&desk.gone).insert(0);
    held(&desk.fetched).insert("0-1".into());
    let begun = [("0-1", 1), ("0-2", 1), ("same_0-3", 1), ("0-4", 2)];
    let begun = begun.map(|(name, server)| (name.to_string(), (server, 0)));
    let notes = Notes { begun: begun.into(), ..Notes::default() };
    assert_eq!(lost(&desk, &plan, &notes), BTreeSet::from(["0-2", "same_0-3"]));
    plan.semi_sync = true;
    assert_eq!(lost(&desk, &plan, &notes), BTreeSet::new());
    // While replicas are away, nobody waits for them.
    plan.faults.push((0, Fault::Drop(0, 1, 1)));
    assert_eq!(lost(&desk, &plan, &notes), BTreeSet::from(["0-2", "same_0-3"]));
}

#[test]
fn refusals_that_can_not_be_true_have_names_that_exist() {
    let index = include_str!("../../../../docs/ERRORS.md");
    for name in UNTRUE.iter().chain(&AHEAD) {
        assert!(index.contains(&format!("| `{name}` |")), "{name}");
    }
}
