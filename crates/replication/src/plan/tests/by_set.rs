//! By MySQL's sets.

use super::*;

#[test]
fn by_set_a_replica_may_have_nothing_that_the_new_master_lacks() {
    let auto = Place::Gtid(Mode::AutoPosition);
    assert_eq!(place(&with_sets("1:1-8", "1:1-8", ""), None), auto);
    assert_eq!(place(&with_sets("1:1-8", "1:1-9 2:1-4", "1:1-5"), None), auto);
    assert_eq!(place(&with_sets("1:1-8 3:1-2", "1:1-8", ""), None), auto, "its own rows stay on the replica");
    let mut lagging = with_sets("1:1-8", "1:1-6", "");
    assert_refused!(lagging, None, Refusal::NewMasterBehind { .. });
    lagging.old = old_dead();
    assert_refused!(lagging, None, Refusal::ReplicaAhead { .. });
    assert_refused!(with_sets("1:1-4", "1:1-9", "1:1-5"), None, Refusal::Purged { .. });
    let mut off = with_sets("1:1-8", "1:1-8", "");
    off.new.sets = None;
    assert_refused!(off, None, Refusal::Unproved { .. });
    let mut without = with_sets("1:1-8", "1:1-8", "");
    without.new.log_slave_updates = false;
    assert_refused!(without, None, Refusal::NoSlaveUpdates { .. });
}

#[test]
fn by_set_groups_of_other_channels_count_only_where_the_new_master_knows_their_source() {
    let mut facts = with_sets("1:1-8 7:1-3", "1:1-8", "");
    assert_refused!(facts, None, Refusal::NewMasterBehind { .. });
    facts.replica.other_channels = true;
    assert_eq!(place(&facts, None), Place::Gtid(Mode::AutoPosition));
    facts.new.sets = Some(MasterSets { executed: set("2:1"), purged: set(""), is_committing: false });
    assert_refused!(facts, None, Refusal::NewMasterBehind { .. });
}

#[test]
fn by_set_a_file_and_position_is_the_end_of_what_the_replica_has() {
    let mut facts = with_sets("1:1-8", "1:1-8", "");
    facts.replica.channel.mode = Mode::FilePosition;
    let end = BinlogPosition::new("bin.000007", 300);
    assert_eq!(place(&facts, None), Place::Position(end), "nothing lies behind it");
    let look = Ok(Decision::Locate(Wanted::Set(set("1:1-8"))));
    facts.new.sets.as_mut().unwrap().is_committing = true;
    assert_eq!(plan(&facts, None), look, "something may lie before it that is not committed yet");
    facts.new.sets = Some(MasterSets { executed: set("1:1-8 2:1"), purged: set(""), is_committing: false });
    assert_eq!(plan(&facts, None), look);
    let at = BinlogPosition::new("bin.000007", 250);
    let prefix =
        |of: &str, before: &str| Located::Prefix { of: set(of), position: at.clone(), before: set(before) };
    assert_eq!(place(&facts, Some(&prefix("1:1-8", "1:1-8"))), Place::Position(at.clone()));
    assert_refused!(facts, Some(&prefix("1:1-8", "1:1-7")), Refusal::NoSinglePosition { .. });
    facts.new.sets.as_mut().unwrap().purged = set("1:1-5");
    assert_eq!(place(&facts, Some(&prefix("1:1-8", "1:6-8"))), Place::Position(at.clone()), "of a backup");
    assert_refused!(facts, Some(&prefix("1:1-8", "1:6-7")), Refusal::NoSinglePosition { .. });
    let earlier = plan(&facts, Some(&prefix("1:1-7", "1:1-7")));
    assert_eq!(earlier, Ok(Decision::Locate(Wanted::Set(set("1:1-8")))), "the replica moved on");
    assert_refused!(facts, Some(&Located::Unnamed(at.clone())), Refusal::Unproved { .. });
}

#[test]
fn a36_gtids_that_a_server_gave_itself_are_compared_with_nobodys() {
    let spoilers: [fn(&mut Facts); 2] = [
        |facts| facts.replica.why_no_set = Some("db3 gives its own".into()),
        |facts| facts.new.why_no_set = Some("db2 gives its own".into()),
    ];
    for spoil in spoilers {
        // All three have the same eight transactions, which have no GTIDs on the old master.
        let mut facts = with_sets("3:1-8", "2:1-8", "");
        facts.replica.channel.mode = Mode::FilePosition;
        let look = Ok(Decision::Locate(Wanted::Set(set("3:1-8"))));
        assert_eq!(plan(&facts, None), look, "this would find the beginning of the log");
        spoil(&mut facts);
        let end = BinlogPosition::new("bin.000007", 300);
        assert_eq!(place(&facts, None), Place::Position(end), "all is quiet");
        (facts.old, facts.new.read_only, facts.new.keeps_order) = (old_dead(), false, true);
        assert_eq!(plan(&facts, None), Ok(Decision::Locate(Wanted::LastGroups)), "by what was logged");
        facts.new.keeps_order = false;
        let Refusal::Unproved { reason, .. } = refusal(&facts, None) else { panic!("{facts:?}") };
        assert!(reason.contains("gives its own, and db2 logs"), "{reason}");
    }
    // By auto-position nothing comes without a GTID.
    let mut auto = with_sets("1:1-8", "1:1-8", "");
    auto.new.why_no_set = Some("db2 gives its own".into());
    assert_eq!(place(&auto, None), Place::Gtid(Mode::AutoPosition));
}

#[test]
fn a2_data_on_which_the_applier_failed_are_refused_and_a_relay_log_is_not() {
    let failed = |code| {
        let mut facts = facts();
        facts.replica.channel.sql_running = false;
        facts.replica.channel.sql_error = Some(ThreadError { code, text: "it failed".into() });
        plan(&facts, None)
    };
    assert!(matches!(failed(1062), Err(Refusal::ApplierFailed { .. })));
    for code in [1594, 13121, 1756] {
        assert!(matches!(failed(code), Ok(Decision::Locate(_))), "{code}");
    }
}

#[test]
fn a29_a_channel_that_moves_by_itself_is_refused() {
    let mut facts = facts();
    facts.replica.moves_itself = true;
    assert_refused!(facts, None, Refusal::MovesItself { .. });
}
