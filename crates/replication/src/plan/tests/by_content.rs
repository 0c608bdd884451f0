//! By what the replica executed last.

use mmm_core::Coded;

use super::*;

/// What the replica executed last, found or not, when it was at 800 of the old master's log.
fn groups(found: Result<u64, &str>) -> Located {
    let found = found.map_err(Into::into).map(|offset| Found {
        position: BinlogPosition::new("bin.000007", offset),
        same: 9,
        last: 200,
        last_of_replica: BinlogPosition::new("bin.000003", 700),
    });
    let (of, end) = (BinlogPosition::new("bin.000001", 800), Some(BinlogPosition::new("bin.000007", 300)));
    Located::Groups { of, end, found, has_own: true, stood_still: true, log_of_replica: None }
}

/// MySQL without GTIDs; the new master has written, and the old one is dead.
fn late_joiner() -> Facts {
    let mut facts = without_gtids();
    facts.old = old_dead();
    facts.new.read_only = false;
    facts.new.keeps_order = true;
    facts
}

fn reason(planned: Result<Decision, Refusal>) -> (String, bool) {
    match planned {
        Err(Refusal::Unproved { reason, may_pass, .. }) => (reason, may_pass),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a7_a8_without_gtids_a_late_joiners_place_is_looked_for_by_what_it_executed_last() {
    for old in [old_dead(), old_alive()] {
        let facts = Facts { old, ..late_joiner() };
        assert_eq!(plan(&facts, None), Ok(Decision::Locate(Wanted::LastGroups)));
        let Ok(Decision::Attach(plan)) = plan(&facts, Some(&groups(Ok(250)))) else { panic!("refused") };
        assert_eq!(plan.place, Place::Position(BinlogPosition::new("bin.000007", 250)));
    }
    let found = groups(Err("it is nowhere"));
    let (reason, may_pass) = reason(plan(&late_joiner(), Some(&found)));
    assert!(reason.ends_with("it is nowhere") && !may_pass, "{reason}");
}

#[test]
fn a_place_found_for_another_state_of_the_replica_does_not_count() {
    let mut facts = late_joiner();
    facts.new.channel = Some(channel(("bin.000001", 900), ("bin.000001", 900)));
    facts.replica.channel = channel(("bin.000001", 900), ("bin.000001", 900));
    assert_eq!(plan(&facts, Some(&groups(Ok(250)))), Ok(Decision::Locate(Wanted::LastGroups)));
}

#[test]
fn what_the_new_master_has_not_executed_yet_is_not_looked_for() {
    let mut facts = late_joiner();
    facts.new.channel = Some(channel(("bin.000001", 700), ("bin.000001", 800)));
    assert!(matches!(plan(&facts, None), Err(Refusal::Unproved { .. })));
}

#[test]
fn a_log_whose_order_or_contents_say_nothing_is_not_searched() {
    let mut facts = late_joiner();
    facts.new.keeps_order = false;
    assert!(reason(plan(&facts, None)).0.ends_with("db2 logs what it replicates in any order"));
    assert_eq!(refusal(&facts, None).code(), "parallel-order");
    let mut facts = late_joiner();
    facts.new.other_channels = true;
    assert!(reason(plan(&facts, None)).0.ends_with("db2 also replicates from other hosts"));
    assert_eq!(refusal(&facts, None).code(), "several-sources");
    let mut facts = late_joiner();
    facts.new.log_slave_updates = false;
    assert!(matches!(plan(&facts, None), Err(Refusal::Unproved { .. })));
}

#[test]
fn an_old_master_that_is_held_waits_for_no_search() {
    let mut facts = Facts { old: old_alive(), ..late_joiner() };
    let OldMaster::Answers(old) = &mut facts.old else { panic!() };
    (old.held, old.rests) = (Some(BinlogPosition::new("bin.000007", 300)), true);
    assert_ne!(plan(&facts, None), Ok(Decision::Locate(Wanted::LastGroups)));
}

#[test]
fn a_position_that_may_be_ahead_of_what_is_applied_proves_nothing() {
    let mut facts = facts();
    facts.replica.may_be_ahead = true;
    facts.replica.channel = channel(("bin.000001", 700), ("bin.000001", 800));
    let refusal = refusal(&facts, None);
    assert!(matches!(&refusal, Refusal::Unproved { may_pass: true, .. }), "{refusal:?}");
    (facts.old, facts.new.keeps_order) = (old_dead(), true);
    assert_eq!(plan(&facts, None), Ok(Decision::Locate(Wanted::LastGroups)));
}
