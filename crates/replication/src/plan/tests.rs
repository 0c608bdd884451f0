//! Planning, rule by rule as docs/ORDERS.md names them, and over random histories.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;
use crate::binlog::by_gtid::scan::{Scope, locate_in};
use crate::binlog::by_set;
use crate::facts::{LogRule, MasterSets, NewMaster, OldState, OwnLog, Replica, ReplicaSets};
use crate::record::Record;
use crate::status::{Channel, IoThread, ThreadError};

fn channel(applied: (&str, u64), fetched: (&str, u64)) -> Channel {
    Channel::from_record(Record::from_iter([
        ("Connection_name", String::new()),
        ("Master_Host", "10.0.0.1".into()),
        ("Master_Server_Id", "1".into()),
        ("Slave_IO_Running", "Yes".into()),
        ("Slave_SQL_Running", "Yes".into()),
        ("Master_Log_File", fetched.0.into()),
        ("Read_Master_Log_Pos", fetched.1.to_string()),
        ("Relay_Master_Log_File", applied.0.into()),
        ("Exec_Master_Log_Pos", applied.1.to_string()),
        ("Using_Gtid", "No".into()),
    ]))
}

fn old_alive() -> OldMaster {
    OldMaster::Answers(OldState {
        host: "db1".into(),
        read_only: true,
        log_slave_updates: true,
        logs_rows: false,
        log_rule: LogRule::default(),
        end: Some(BinlogPosition::new("bin.000001", 800)),
        rests: true,
        from_new: Some(channel(("bin.000007", 300), ("bin.000007", 300))),
        held: None,
    })
}

fn old_dead() -> OldMaster {
    OldMaster::Silent { host: "db1".into(), reason: "no answer".into() }
}

/// All quiet: db3 and db2 have executed db1 (server 1) to its end, 0-1-8.
fn facts() -> Facts {
    Facts {
        replica: Replica {
            host: "db3".into(),
            server_id: 3,
            channel: channel(("bin.000001", 800), ("bin.000001", 800)),
            other_channels: false,
            gtid_position: "0-1-8".parse().unwrap(),
            may_be_ahead: false,
            applied_gtids: "0-1-8".into(),
            sets: None,
            logs_updates: true,
            log: Some(OwnLog { state: "0-1-8".parse().unwrap(), begin: "0-1-1".parse().unwrap() }),
            temporary_tables: 0,
            moves_itself: false,
        },
        new: NewMaster {
            host: "db2".into(),
            server_id: 2,
            read_only: true,
            log_slave_updates: true,
            keeps_order: false,
            end: Some(BinlogPosition::new("bin.000007", 300)),
            state: "0-1-8".parse().unwrap(),
            begin: "0-1-1".parse().unwrap(),
            executed: GtidPosition::default(),
            replicated: "0-1-8".parse().unwrap(),
            logs_rows: false,
            sets: None,
            filters: vec![],
            log_rule: LogRule::default(),
            channel: Some(channel(("bin.000001", 800), ("bin.000001", 800))),
            is_settled: true,
            other_channels: false,
        },
        old: old_alive(),
        quiet: true,
        log_filters_agree: false,
    }
}

fn found(at: &str, position: Option<u64>, state: &str) -> Located {
    Located::Found {
        at: at.parse().unwrap(),
        position: position.map(|offset| BinlogPosition::new("bin.000007", offset)),
        state: state.parse().unwrap(),
        out_of_order: None,
        gaps: vec![],
        searched: at.parse().unwrap(),
        of_source: None,
        looked_back: false,
    }
}

/// The same when the order of the log was looked at, or the log had this by then, or a number is missing behind.
fn in_order(mut located: Located, disorder: Option<&str>) -> Located {
    let Located::Found { out_of_order, looked_back, .. } = &mut located else { unreachable!() };
    (*out_of_order, *looked_back) = (disorder.map(|gtid| gtid.parse().unwrap()), true);
    located
}
fn searched_to(mut located: Located, state: &str) -> Located {
    let Located::Found { searched, .. } = &mut located else { unreachable!() };
    *searched = state.parse().unwrap();
    located
}
fn with_gap(mut located: Located, after: &str, before: &str) -> Located {
    let Located::Found { gaps, .. } = &mut located else { unreachable!() };
    gaps.push(Gap { after: Some(after.parse().unwrap()), before: before.parse().unwrap() });
    located
}

fn refusal(facts: &Facts, located: Option<&Located>) -> Refusal {
    match plan(facts, located) {
        Err(refusal) => refusal,
        Ok(decision) => panic!("not refused: {decision:?}"),
    }
}

fn place(facts: &Facts, located: Option<&Located>) -> Place {
    match plan(facts, located) {
        Ok(Decision::Attach(plan)) => plan.place,
        other => panic!("no plan: {other:?}"),
    }
}

macro_rules! assert_refused {
    ($facts:expr, $located:expr, $pattern:pat) => {
        let refusal = refusal(&$facts, $located);
        assert!(matches!(refusal, $pattern), "{refusal:?}");
    };
}

#[test]
fn a_quiet_move_first_asks_for_the_place_and_then_takes_it() {
    let facts = facts();
    assert_eq!(plan(&facts, None), Ok(Decision::Locate(Wanted::Position("0-1-8".parse().unwrap()))));
    let located = found("0-1-8", Some(300), "0-1-8");
    assert_eq!(place(&facts, Some(&located)), Place::Position(BinlogPosition::new("bin.000007", 300)));
}

#[test]
fn a_cluster_in_which_nobody_has_written_yet_is_moved_by_gtid() {
    let new_cluster = || {
        let mut facts = facts();
        facts.replica.channel.mode = Mode::SlavePos;
        facts.replica.gtid_position = GtidPosition::default();
        facts.replica.log = Some(OwnLog::default());
        (facts.new.state, facts.new.begin) = (GtidState::default(), GtidState::default());
        facts
    };
    assert_eq!(place(&new_cluster(), None), Place::Gtid(Mode::SlavePos));
    let changes: [fn(&mut Facts); 3] = [
        |facts| facts.new.state = "0-2-1".parse().unwrap(),
        |facts| facts.new.begin = "0-2-1".parse().unwrap(),
        |facts| facts.replica.log.as_mut().unwrap().state = "0-3-1".parse().unwrap(),
    ];
    for change in changes {
        let mut facts = new_cluster();
        change(&mut facts);
        assert_refused!(facts, None, Refusal::Unproved { .. });
    }
}

#[test]
fn a1_a_new_master_that_lags_is_waited_for() {
    let mut facts = facts();
    facts.new.state = "0-1-5".parse().unwrap();
    let refusal = refusal(&facts, None);
    assert!(matches!(refusal, Refusal::NewMasterBehind { .. }) && refusal.may_pass(), "{refusal:?}");
}

#[test]
fn a2_an_applier_in_error_is_refused() {
    let mut facts = facts();
    facts.replica.channel.sql_running = false;
    facts.replica.channel.sql_error = Some(ThreadError { code: 1062, text: "Duplicate entry".into() });
    assert_refused!(facts, None, Refusal::ApplierFailed { .. });
}

#[test]
fn a6_an_old_master_that_takes_writes_is_refused_and_one_that_hides_too() {
    let mut facts = facts();
    let OldMaster::Answers(old) = &mut facts.old else { unreachable!() };
    old.read_only = false;
    assert_refused!(facts, None, Refusal::OldMasterWritable { .. });
    facts.old = OldMaster::Unreadable { host: "db1".into(), reason: "Access denied".into() };
    assert_refused!(facts, None, Refusal::OldMasterUnreadable { .. });
}

#[test]
fn a7_a_late_joiner_goes_on_behind_its_last_group_and_not_at_the_end() {
    let mut facts = facts();
    facts.old = old_dead();
    facts.new.read_only = false;
    facts.new.state = "0-1-8,0-2-50".parse().unwrap();
    facts.new.end = Some(BinlogPosition::new("bin.000007", 9000));
    let located = found("0-1-8", Some(300), "0-1-8");
    assert_eq!(place(&facts, Some(&located)), Place::Position(BinlogPosition::new("bin.000007", 300)));
}

#[test]
fn a9_a_replica_ahead_of_a_dead_masters_heir_is_refused_for_good() {
    let mut facts = facts();
    facts.old = old_dead();
    facts.new.state = "0-1-6".parse().unwrap();
    let refusal = refusal(&facts, None);
    assert!(matches!(refusal, Refusal::ReplicaAhead { .. }) && !refusal.may_pass(), "{refusal:?}");
}

#[test]
fn a9_while_the_heir_still_applies_it_is_waited_for() {
    let mut facts = facts();
    facts.old = old_dead();
    facts.new.state = "0-1-6".parse().unwrap();
    facts.new.channel = Some(channel(("bin.000001", 600), ("bin.000001", 800)));
    assert_refused!(facts, None, Refusal::NewMasterBehind { .. });
}

#[test]
fn a20_while_the_heirs_parallel_appliers_may_be_at_work_nobody_is_called_ahead() {
    let mut facts = facts();
    facts.old = old_dead();
    facts.new.state = "0-1-6".parse().unwrap();
    facts.new.is_settled = false;
    let waits = refusal(&facts, None);
    assert!(matches!(waits, Refusal::NewMasterBehind { .. }) && waits.may_pass(), "{waits:?}");
    facts.new.channel.as_mut().unwrap().sql_running = false;
    assert_refused!(facts, None, Refusal::ReplicaAhead { .. });
}

#[test]
fn a20_an_heir_that_is_not_settled_is_waited_for() {
    let mut facts = Facts { old: old_dead(), ..without_gtids() };
    facts.new.is_settled = false;
    assert!(refusal(&facts, None).may_pass());
}

#[test]
fn a13_a_new_master_without_a_log_is_refused() {
    let mut facts = facts();
    facts.new.end = None;
    assert_refused!(facts, None, Refusal::NoBinlog { .. });
}

#[test]
fn a15_the_mode_found_is_the_mode_kept() {
    for mode in [Mode::SlavePos, Mode::CurrentPos] {
        let mut facts = facts();
        facts.replica.channel.mode = mode;
        assert_eq!(place(&facts, Some(&found("0-1-8", None, "0-1-8"))), Place::Gtid(mode));
    }
}

#[test]
fn a16_an_early_row_of_the_new_master_is_refused_in_either_mode() {
    for mode in [Mode::SlavePos, Mode::FilePosition] {
        let mut facts = facts();
        facts.replica.channel.mode = mode;
        facts.new.state = "0-1-8,0-2-5".parse().unwrap();
        let located = found("0-1-8", Some(300), "0-1-8,0-2-5");
        assert_refused!(facts, Some(&located), Refusal::ReplicaLacksEarlier { .. });
    }
}

#[test]
fn a16_groups_older_than_the_replicas_own_log_came_with_the_copy_it_was_made_from() {
    let mut facts = facts();
    facts.new.state = "0-1-508,0-2-5".parse().unwrap();
    facts.replica.gtid_position = "0-1-508".parse().unwrap();
    facts.replica.log = Some(OwnLog { state: "0-1-508".parse().unwrap(), begin: "0-1-501".parse().unwrap() });
    let located = || found("0-1-508", Some(300), "0-1-508,0-2-5");
    let at: GtidPosition = "0-1-508".parse().unwrap();
    assert_eq!(
        plan(&facts, Some(&located())),
        Ok(Decision::Locate(Wanted::History(at))),
        "its own log cannot tell"
    );
    let there = Place::Position(BinlogPosition::new("bin.000007", 300));
    // The source's log tells, unless that is as young; then the order of the new master's does.
    for (of_source, disorder, expected) in [
        (Some(("0-1-508,0-2-5", "0-1-1")), None, "it has it"),
        (Some(("0-1-508,0-2-5", "0-1-501")), None, "it has it"),
        (Some(("0-1-508,0-2-4", "0-1-1")), None, "it lacks it"),
        (Some(("0-1-508", "0-1-1")), None, "it lacks it"),
        (Some(("0-1-508", "0-1-501")), None, "it has it"),
        (Some(("0-1-508", "0-1-501")), Some("0-1-5"), "nobody can tell"),
        (None, None, "it has it"),
        (None, Some("0-1-5"), "nobody can tell"),
    ] {
        let log = of_source
            .map(|(state, begin)| OwnLog { state: state.parse().unwrap(), begin: begin.parse().unwrap() });
        let located = in_order(located(), disorder).beside(log, true);
        let planned = match plan(&facts, Some(&located)) {
            Ok(Decision::Attach(plan)) if plan.place == there => "it has it",
            Err(Refusal::ReplicaLacksEarlier { .. }) => "it lacks it",
            Err(Refusal::OutOfOrder { .. }) => "nobody can tell",
            other => panic!("{of_source:?} {disorder:?}: {other:?}"),
        };
        assert_eq!(planned, expected, "{of_source:?} {disorder:?}");
    }
}

#[test]
fn a16_without_a_log_of_its_own_the_order_of_the_new_masters_log_decides() {
    let mut facts = facts();
    facts.replica.log = None;
    let located = in_order(found("0-1-8", Some(300), "0-1-8,0-2-5"), None);
    assert_eq!(place(&facts, Some(&located)), Place::Position(BinlogPosition::new("bin.000007", 300)));
    let located = in_order(located, Some("0-1-5"));
    assert_refused!(facts, Some(&located), Refusal::OutOfOrder { .. });
}

#[test]
fn a16_without_a_log_of_its_own_a_replica_has_what_its_source_had_logged() {
    let mut facts = facts();
    facts.replica.log = None;
    facts.new.state = "0-1-8,0-2-5".parse().unwrap();
    let of_source = |state: &str| OwnLog { state: state.parse().unwrap(), begin: "0-1-1".parse().unwrap() };
    let located = found("0-1-8", Some(300), "0-1-8,0-2-5").beside(Some(of_source("0-1-8")), true);
    assert_refused!(facts, Some(&located), Refusal::ReplicaLacksEarlier { .. });
    let located = found("0-1-8", Some(300), "0-1-8,0-2-5").beside(Some(of_source("0-1-8,0-2-5")), true);
    assert_eq!(place(&facts, Some(&located)), Place::Position(BinlogPosition::new("bin.000007", 300)));
}

#[test]
fn what_was_written_on_the_replica_itself_does_not_hold_it_back() {
    let mut facts = facts();
    facts.replica.log.as_mut().unwrap().state = "0-1-8,0-3-9".parse().unwrap();
    let located = found("0-1-8", Some(300), "0-1-8");
    assert_eq!(place(&facts, Some(&located)), Place::Position(BinlogPosition::new("bin.000007", 300)));
}

#[test]
fn a17_domains_of_other_channels_are_none_of_the_new_masters_business() {
    let mut facts = facts();
    facts.replica.gtid_position = "0-1-8,7-70-1".parse().unwrap();
    facts.replica.log = Some(OwnLog { state: "0-1-8,7-70-1".parse().unwrap(), begin: GtidState::default() });
    assert_refused!(facts, None, Refusal::NewMasterBehind { .. });
    facts.replica.other_channels = true;
    assert_eq!(plan(&facts, None), Ok(Decision::Locate(Wanted::Position("0-1-8".parse().unwrap()))));
    let located = found("0-1-8", Some(300), "0-1-8");
    assert_eq!(place(&facts, Some(&located)), Place::Position(BinlogPosition::new("bin.000007", 300)));
}

#[test]
fn a22_a_delayed_replica_goes_on_at_its_own_place() {
    let mut facts = facts();
    facts.replica.channel = channel(("bin.000001", 200), ("bin.000001", 800));
    facts.replica.channel.delay = 3600;
    facts.replica.gtid_position = "0-1-2".parse().unwrap();
    facts.replica.log = Some(OwnLog { state: "0-1-2".parse().unwrap(), begin: "0-1-1".parse().unwrap() });
    let located = searched_to(found("0-1-2", Some(120), "0-1-2"), "0-1-8");
    assert_eq!(place(&facts, Some(&located)), Place::Position(BinlogPosition::new("bin.000007", 120)));
}

#[test]
fn a23_filters_that_the_replica_does_not_share_are_refused() {
    let mut facts = facts();
    facts.new.filters = vec!["Replicate_Ignore_DB=tmp".into()];
    assert_refused!(facts, None, Refusal::Filtered { .. });
    facts.replica.channel.filters = facts.new.filters.clone();
    assert!(plan(&facts, None).is_ok());
}

fn leaves_out(format: &str) -> LogRule {
    LogRule { filters: vec!["Binlog_Ignore_DB=tmp".into()], format: format.into() }
}

#[test]
fn a23_what_the_new_master_leaves_out_of_its_log_is_compared_with_what_the_old_one_left_out() {
    let left_out: [(&str, LogRule, LogRule, bool); 5] = [
        ("both the same", leaves_out("ROW"), leaves_out("ROW"), true),
        ("the old one more", leaves_out("ROW"), LogRule::default(), true),
        ("the new one more", LogRule::default(), leaves_out("ROW"), false),
        ("told by statements, and by rows", leaves_out("STATEMENT"), leaves_out("ROW"), false),
        (
            "other databases",
            LogRule { filters: vec!["Binlog_Do_DB=app".into()], ..leaves_out("ROW") },
            leaves_out("ROW"),
            false,
        ),
    ];
    for (what, of_old, of_new, is_good) in left_out {
        let mut facts = facts();
        old(&mut facts).log_rule = of_old;
        facts.new.log_rule = of_new;
        let planned = plan(&facts, None);
        let is_refused = matches!(planned, Err(Refusal::Filtered { .. }));
        assert!(if is_good { planned.is_ok() } else { is_refused }, "{what}: {planned:?}");
    }
}

#[test]
fn a23_of_a_dead_master_nothing_may_be_still_to_come_through_the_log_of_one_that_leaves_out() {
    let dead = |ours, applied, fetched| {
        let mut facts = Facts { old: old_dead(), ..facts() };
        facts.new.log_rule = leaves_out("ROW");
        facts.replica.channel = channel(("bin.000001", ours), ("bin.000001", 800));
        facts.new.channel = Some(channel(("bin.000001", applied), ("bin.000001", fetched)));
        facts
    };
    assert!(plan(&dead(800, 800, 800), None).is_ok());
    for (what, ours, applied, fetched, passes) in [
        ("the replica still applies", 700, 800, 800, true),
        ("the new master does", 700, 700, 800, true),
        ("the replica has fetched less", 800, 900, 900, false),
    ] {
        let refusal = refusal(&dead(ours, applied, fetched), None);
        let is_unknown = matches!(refusal, Refusal::OldFiltersUnknown { .. });
        assert!(is_unknown && refusal.may_pass() == passes, "{what}: {refusal:?}");
        let told = Facts { log_filters_agree: true, ..dead(ours, applied, fetched) };
        let is_unknown = matches!(plan(&told, None), Err(Refusal::OldFiltersUnknown { .. }));
        assert!(!is_unknown, "{what}, and the operator says that all hosts have the same filters");
    }
    let mut reset = dead(800, 800, 800);
    reset.new.channel = None;
    assert_refused!(reset, None, Refusal::OldFiltersUnknown { .. });
}

/// The replica has executed 0-1-9, which its filters leave out, and the new master has the same filters.
fn left_out() -> Facts {
    let mut facts = facts();
    facts.replica.channel.filters = vec!["Replicate_Ignore_DB=tmp".into()];
    facts.new.filters = facts.replica.channel.filters.clone();
    facts.replica.gtid_position = "0-1-9".parse().unwrap();
    facts.new.replicated = "0-1-9".parse().unwrap();
    facts
}

fn logged(next: &str) -> Located {
    Located::Logged {
        at: "0-1-8".parse().unwrap(),
        position: Some(BinlogPosition::new("bin.000007", 300)),
        state: "0-1-8".parse().unwrap(),
        next: next.parse().unwrap(),
        searched: "0-1-8".parse().unwrap(),
        replicated: Some(BinlogPosition::new("bin.000001", 800)),
    }
}

#[test]
fn a23_where_both_leave_out_the_same_the_place_is_behind_the_last_that_the_replica_has_logged() {
    let asked = plan(&left_out(), None);
    assert_eq!(asked, Ok(Decision::Locate(Wanted::Logged("0-1-8".parse().unwrap()))));
    for next in ["", "0-2-10", "0-1-11"] {
        let end = Place::Position(BinlogPosition::new("bin.000007", 300));
        assert_eq!(place(&left_out(), Some(&logged(next))), end, "{next}");
        let mut by_gtid = left_out();
        by_gtid.replica.channel.mode = Mode::SlavePos;
        assert_eq!(place(&by_gtid, Some(&logged(next))), Place::Gtid(Mode::SlavePos), "{next}");
    }
    assert_refused!(left_out(), Some(&logged("0-1-9")), Refusal::Unproved { .. });
    let spoilers: [Spoiler; 4] = [
        ("the replica leaves out more", |f| f.new.filters.clear()),
        ("the new master leaves out something else", |f| {
            f.new.filters = vec!["Replicate_Ignore_DB=tmp".into()];
            f.replica.channel.filters.push("Replicate_Ignore_DB=app".into());
        }),
        ("the log of the replica was begun later", |f| f.replica.log = Some(OwnLog::default())),
        ("the replica has other channels", |f| f.replica.other_channels = true),
    ];
    for (what, spoil) in spoilers {
        let mut facts = left_out();
        spoil(&mut facts);
        let refusal = refusal(&facts, None);
        assert!(matches!(refusal, Refusal::NewMasterBehind { .. }), "{what}: {refusal:?}");
    }
    let mut early = left_out();
    early.new.state = "0-1-8,0-2-5".parse().unwrap();
    let mut found = logged("");
    let Located::Logged { state, .. } = &mut found else { unreachable!() };
    *state = "0-1-8,0-2-5".parse().unwrap();
    assert_refused!(early, Some(&found), Refusal::ReplicaLacksEarlier { .. });
}

#[test]
fn a23_what_the_replica_did_not_log_both_leave_out_only_where_the_new_master_has_executed_it_too() {
    let behind: [Spoiler; 4] = [
        ("by position", |f| f.new.channel = Some(channel(("bin.000001", 700), ("bin.000001", 800)))),
        ("by GTID: what the replica's channel tells may be old", |f| {
            f.new.replicated = "0-1-8".parse().unwrap();
        }),
        ("it has never replicated", |f| f.new.replicated = GtidPosition::default()),
        ("it does not follow", |f| f.new.channel = None),
    ];
    for (what, spoil) in behind {
        for (old, passes) in [(old_alive(), true), (old_dead(), what == "by position")] {
            let mut facts = Facts { old, ..left_out() };
            spoil(&mut facts);
            let mut found = logged("");
            let Located::Logged { replicated, .. } = &mut found else { unreachable!() };
            *replicated = facts.new.channel.as_ref().and_then(|channel| channel.applied.clone());
            let refusal = refusal(&facts, Some(&found));
            let is_unproved = matches!(refusal, Refusal::Unproved { .. });
            assert!(is_unproved && refusal.may_pass() == passes, "{what}: {refusal:?}");
        }
    }
    let mut changed = left_out();
    changed.replica.channel.mode = Mode::SlavePos;
    changed.replica.channel.applied = None;
    assert_eq!(
        place(&changed, Some(&logged(""))),
        Place::Gtid(Mode::SlavePos),
        "no place is known, GTIDs are"
    );
    // What the new master wrote itself it has.
    let mut own = left_out();
    own.replica.gtid_position = "0-1-9,1-2-5".parse().unwrap();
    own.replica.log.as_mut().unwrap().state = "0-1-8,1-2-5".parse().unwrap();
    own.new.state = "0-1-8,1-2-5".parse().unwrap();
    let mut found = logged("");
    let Located::Logged { at, state, .. } = &mut found else { unreachable!() };
    (*at, *state) = ("0-1-8,1-2-5".parse().unwrap(), own.new.state.clone());
    assert_eq!(place(&own, Some(&found)), Place::Position(BinlogPosition::new("bin.000007", 300)));
}

#[test]
fn a23_a_position_is_not_set_back_behind_what_a_silent_old_master_may_send_again() {
    let by_log = |old, mode| {
        let mut facts = Facts { old, ..left_out() };
        (facts.replica.channel.filters, facts.new.filters) = (vec![], vec![]);
        facts.new.log_rule = leaves_out("ROW");
        facts.replica.channel.mode = mode;
        facts
    };
    let mut alive = by_log(old_alive(), Mode::SlavePos);
    old(&mut alive).log_rule = leaves_out("ROW");
    assert_eq!(place(&alive, Some(&logged(""))), Place::Gtid(Mode::SlavePos));
    assert_refused!(
        by_log(old_dead(), Mode::SlavePos),
        Some(&logged("")),
        Refusal::Unproved { may_pass: false, .. }
    );
    let by_file = by_log(old_dead(), Mode::FilePosition);
    let end = Place::Position(BinlogPosition::new("bin.000007", 300));
    assert_eq!(
        place(&by_file, Some(&logged(""))),
        end,
        "then it goes on by its place in the old master's log"
    );
}

#[test]
fn a23_what_comes_behind_the_place_is_looked_for_again_once_the_new_master_has_got_more() {
    let moved: [Spoiler; 2] = [
        ("its log", |f| f.new.state = "0-1-10".parse().unwrap()),
        ("its place", |f| f.new.channel = Some(channel(("bin.000001", 900), ("bin.000001", 900)))),
    ];
    for (what, spoil) in moved {
        let mut facts = left_out();
        spoil(&mut facts);
        let asked = plan(&facts, Some(&logged("")));
        assert_eq!(asked, Ok(Decision::Locate(Wanted::Logged("0-1-8".parse().unwrap()))), "{what}");
    }
    let mut writes = left_out();
    writes.new.state = "0-1-8,0-2-10".parse().unwrap();
    assert!(
        matches!(plan(&writes, Some(&logged(""))), Ok(Decision::Attach(_))),
        "what it writes is numbered above"
    );
}

#[test]
fn a23_a_replica_without_a_log_is_judged_by_positions_where_both_leave_out_the_same() {
    let end = Place::Position(BinlogPosition::new("bin.000007", 300));
    for old in [old_alive(), old_dead()] {
        let mut facts = Facts { old, ..left_out() };
        facts.replica.log = None;
        assert_eq!(place(&facts, None), end);
        facts.replica.channel.mode = Mode::SlavePos;
        assert!(plan(&facts, None).is_err(), "by GTID there is no such place");
    }
}

#[test]
fn a24_without_log_slave_updates_only_a_quiet_cluster_will_do() {
    let mut facts = facts();
    facts.new.log_slave_updates = false;
    assert_eq!(place(&facts, None), Place::Position(BinlogPosition::new("bin.000007", 300)));
    facts.replica.channel.mode = Mode::SlavePos;
    assert_refused!(facts, None, Refusal::NoSlaveUpdates { .. });
    facts.replica.channel.mode = Mode::FilePosition;
    facts.new.read_only = false;
    assert_refused!(facts, None, Refusal::Unproved { .. });
}

#[test]
fn a28_open_temporary_tables_are_waited_for() {
    let mut facts = facts();
    facts.replica.temporary_tables = 1;
    let refusal = refusal(&facts, None);
    assert!(matches!(refusal, Refusal::TemporaryTables { .. }) && refusal.may_pass(), "{refusal:?}");
}

#[test]
fn a28_temporary_tables_of_a_dead_master_hold_nothing_back_once_all_its_statements_are_executed() {
    let mut orphaned = facts();
    orphaned.replica.temporary_tables = 1;
    orphaned.replica.channel.source_server_id = 1;
    orphaned.old = old_dead();
    assert!(plan(&orphaned, None).is_ok());
    let spoilers: [Spoiler; 6] = [
        ("the old master lives", |f| f.old = old_alive()),
        ("it lives for the new master", |f| {
            f.new.channel.as_mut().unwrap().io_state = "Waiting for master to send event".into();
        }),
        ("the new master has more", |f| {
            f.replica.channel = channel(("bin.000001", 700), ("bin.000001", 800));
        }),
        ("the new master still applies", |f| {
            f.new.channel = Some(channel(("bin.000001", 700), ("bin.000001", 800)));
        }),
        ("the new master does not follow", |f| f.new.channel = None),
        ("by GTID, the new master has more", |f| f.new.state = "0-1-9".parse().unwrap()),
    ];
    for (what, spoil) in spoilers {
        let mut facts = orphaned.clone();
        spoil(&mut facts);
        let refusal = refusal(&facts, None);
        assert!(matches!(refusal, Refusal::TemporaryTables { .. }), "{what}: {refusal:?}");
    }
    let mut by_set = with_sets("1:1-8", "1:1-8", "");
    by_set.replica.temporary_tables = 1;
    by_set.old = old_dead();
    assert!(plan(&by_set, None).is_ok());
    by_set.new.sets = Some(MasterSets { executed: set("1:1-9"), purged: set(""), is_committing: false });
    assert_refused!(by_set, None, Refusal::TemporaryTables { .. });
}

#[test]
fn servers_that_would_drop_each_others_events_are_refused() {
    let mut ignoring = facts();
    ignoring.replica.channel.ignored_server_ids = vec![2];
    assert_refused!(ignoring, None, Refusal::IgnoresNewMaster { .. });
    let mut same = facts();
    same.new.server_id = 3;
    assert_refused!(same, None, Refusal::SameServerId { .. });
}

#[test]
fn a_domain_that_the_replica_does_not_know_is_refused_where_it_would_be_replayed_or_skipped() {
    let mut facts = facts();
    facts.new.state = "0-1-8,5-2-1".parse().unwrap();
    let before = found("0-1-8", Some(300), "0-1-8,5-2-1");
    let behind = found("0-1-8", Some(300), "0-1-8");
    assert_refused!(facts, Some(&before), Refusal::UnknownDomain { domain: 5, .. });
    assert!(plan(&facts, Some(&behind)).is_ok(), "by position it comes behind the place, whole");
    facts.replica.channel.mode = Mode::SlavePos;
    assert_refused!(facts, Some(&before), Refusal::UnknownDomain { domain: 5, .. });
    assert!(plan(&facts, Some(&behind)).is_ok(), "by GTID, too");
}

#[test]
fn what_the_new_master_executed_and_did_not_log_is_refused() {
    let mut late = facts();
    late.replica.gtid_position = "0-1-2".parse().unwrap();
    late.replica.log = Some(OwnLog { state: "0-1-2".parse().unwrap(), begin: "0-1-1".parse().unwrap() });
    let located = || searched_to(found("0-1-2", Some(120), "0-1-2"), "0-1-8");
    assert!(plan(&late, Some(&located())).is_ok());
    let gap = with_gap(located(), "0-1-5", "0-1-8");
    assert!(refusal(&late, Some(&gap)).to_string().contains(" lacks 0-1-6 to 0-1-7 "));
    let mut last = late.clone();
    last.new.executed = "0-1-9".parse().unwrap();
    assert!(refusal(&last, Some(&located())).to_string().contains(" lacks 0-1-9 "));
    last.replica.gtid_position = "0-1-9".parse().unwrap();
    assert_refused!(last, None, Refusal::LogLacks { .. });
    // Where a log need not hold all, nothing is missing.
    let reasons: [Spoiler; 3] = [
        ("it logs rows for statements", |f| {
            f.new.logs_rows = true;
            old(f).logs_rows = false;
        }),
        ("both have a filter", |f| {
            f.new.filters = vec!["Replicate_Ignore_DB=tmp".into()];
            f.replica.channel.filters = f.new.filters.clone();
            f.replica.log = None;
        }),
        ("it passes over a server", |f| f.new.channel.as_mut().unwrap().ignored_server_ids = vec![7]),
    ];
    for (what, reason) in reasons {
        let mut facts = late.clone();
        reason(&mut facts);
        assert!(plan(&facts, Some(&in_order(gap.clone(), None))).is_ok(), "{what}");
        assert!(!gaps_count(&facts), "{what}: then the old master is not asked about them either");
    }
    late.new.logs_rows = true;
    old(&mut late).logs_rows = true;
    assert!(gaps_count(&late));
    assert_refused!(late, Some(&gap), Refusal::LogLacks { .. });
}

#[test]
fn a_place_is_looked_for_again_once_the_new_master_has_got_more_and_not_when_it_wrote() {
    let mut facts = facts();
    let located = found("0-1-8", Some(300), "0-1-8");
    facts.new.state = "0-1-8,0-2-20".parse().unwrap();
    assert!(matches!(plan(&facts, Some(&located)), Ok(Decision::Attach(_))));
    facts.new.state = "0-1-12".parse().unwrap();
    assert!(matches!(plan(&facts, Some(&located)), Ok(Decision::Locate(_))));
}

#[test]
fn purged_and_missing_places_are_refused() {
    let facts = facts();
    assert_refused!(facts, Some(&purged("0-1-8")), Refusal::Purged { .. });
    assert_refused!(facts, Some(&missing("0-1-8")), Refusal::NotInLog { .. });
    assert_refused!(facts, Some(&found("0-1-8", None, "0-1-8")), Refusal::NoSinglePosition { .. });
}

fn purged(at: &str) -> Located {
    Located::Purged { at: at.parse().unwrap(), gtid: Some(at.parse().unwrap()) }
}

fn missing(at: &str) -> Located {
    Located::Missing { at: at.parse().unwrap(), gtid: at.parse().unwrap() }
}

#[test]
fn what_was_not_found_of_an_older_place_says_nothing_of_this_one() {
    let look = Ok(Decision::Locate(Wanted::Position("0-1-8".parse().unwrap())));
    assert_eq!(plan(&facts(), Some(&purged("0-1-7"))), look);
    assert_eq!(plan(&facts(), Some(&missing("0-1-7"))), look);
    let mut by_set = with_sets("1:1-8", "1:1-8 2:1", "");
    by_set.replica.channel.mode = Mode::FilePosition;
    let gone = Located::PurgedOfSet { of: set("1:1-7"), gone: set("1:8") };
    assert_eq!(plan(&by_set, Some(&gone)), Ok(Decision::Locate(Wanted::Set(set("1:1-8")))));
}

#[test]
fn a_search_for_an_older_place_is_repeated() {
    let located = found("0-1-7", Some(280), "0-1-7");
    assert_eq!(
        plan(&facts(), Some(&located)),
        Ok(Decision::Locate(Wanted::Position("0-1-8".parse().unwrap())))
    );
}

/// What is wrong, and how to make it so.
type Spoiler = (&'static str, fn(&mut Facts));

fn without_gtids() -> Facts {
    let mut facts = facts();
    facts.replica.gtid_position = GtidPosition::default();
    facts
}

#[test]
fn b1_all_quiet_needs_every_one_of_its_conditions() {
    assert_eq!(place(&without_gtids(), None), Place::Position(BinlogPosition::new("bin.000007", 300)));
    let spoilers: [Spoiler; 8] = [
        ("a log grows", |f| f.quiet = false),
        ("new master does not follow", |f| f.new.channel = None),
        ("new master lags", |f| f.new.channel = Some(channel(("bin.000001", 700), ("bin.000001", 800)))),
        ("replica lags", |f| f.replica.channel = channel(("bin.000001", 700), ("bin.000001", 800))),
        ("old master does not follow", |f| {
            let OldMaster::Answers(old) = &mut f.old else { unreachable!() };
            old.from_new = None;
        }),
        ("a25: the new master has groups that the old one never got", |f| {
            let OldMaster::Answers(old) = &mut f.old else { unreachable!() };
            old.from_new = Some(channel(("bin.000007", 200), ("bin.000007", 200)));
        }),
        ("a24: the old master did not log what the new one wrote", |f| {
            let OldMaster::Answers(old) = &mut f.old else { unreachable!() };
            old.log_slave_updates = false;
            f.new.state = "0-1-8,0-2-5".parse().unwrap();
        }),
        ("a23: the old master left out of its log some of what the new one wrote", |f| {
            old(f).log_rule = leaves_out("ROW");
            f.new.state = "0-1-8,0-2-5".parse().unwrap();
        }),
    ];
    for (what, spoil) in spoilers {
        let mut facts = without_gtids();
        spoil(&mut facts);
        let refusal = refusal(&facts, None);
        assert!(matches!(refusal, Refusal::Unproved { .. }), "{what}: {refusal:?}");
    }
}

/// An old master that answers.
fn old(facts: &mut Facts) -> &mut OldState {
    let OldMaster::Answers(old) = &mut facts.old else { unreachable!() };
    old
}

/// The new master writes and the old one follows.
fn late() -> Facts {
    let mut facts = without_gtids();
    facts.new.read_only = false;
    facts.quiet = false;
    facts.new.end = Some(BinlogPosition::new("bin.000007", 9000));
    facts.new.channel = Some(channel(("bin.000001", 750), ("bin.000001", 800)));
    facts
}

/// The same, with the old master's applying thread held at 300.
fn held() -> Facts {
    let mut facts = late();
    let old = old(&mut facts);
    old.held = Some(BinlogPosition::new("bin.000007", 290));
    old.from_new = Some(channel(("bin.000007", 300), ("bin.000007", 9000)));
    old.from_new.as_mut().unwrap().sql_running = false;
    facts
}

#[test]
fn b2_an_old_master_that_follows_is_held_as_the_last_resort() {
    assert!(matches!(plan(&late(), None), Ok(Decision::Hold(Refusal::Unproved { may_pass: false, .. }))));
    let mut alike = late();
    old(&mut alike).log_rule = leaves_out("ROW");
    alike.new.log_rule = leaves_out("ROW");
    assert!(matches!(plan(&alike, None), Ok(Decision::Hold(_))), "both leave out the same");
    let spoilers: [Spoiler; 13] = [
        ("it leaves out of its log what the new master does not", |f| old(f).log_rule = leaves_out("ROW")),
        ("it is gone", |f| f.old = old_dead()),
        ("what touches nobody else may yet do", |f| f.new.read_only = true),
        ("it does not follow", |f| old(f).from_new = None),
        ("an operator has stopped its applier", |f| old(f).from_new.as_mut().unwrap().sql_running = false),
        ("it fetches nothing", |f| old(f).from_new.as_mut().unwrap().io = IoThread::No),
        ("it keeps its place by GTID", |f| old(f).from_new.as_mut().unwrap().mode = Mode::AutoPosition),
        ("it drops some of what it gets", |f| {
            old(f).from_new.as_mut().unwrap().filters = vec!["Replicate_Do_DB=app".into()];
        }),
        ("it does not log what it gets", |f| old(f).log_slave_updates = false),
        ("it has no log", |f| old(f).end = None),
        ("the new master does not log what it gets", |f| f.new.log_slave_updates = false),
        ("the new master does not follow", |f| f.new.channel = None),
        ("the replica applies nothing", |f| f.replica.channel.sql_running = false),
    ];
    for (what, spoil) in spoilers {
        let mut facts = late();
        spoil(&mut facts);
        assert!(matches!(refusal(&facts, None), Refusal::Unproved { .. }), "{what}");
    }
}

#[test]
fn b2_the_place_is_the_held_old_masters_and_needs_a_replica_with_all_of_its_log() {
    let at = BinlogPosition::new("bin.000007", 300);
    let proof = Proof::SameAsOld { old_end: BinlogPosition::new("bin.000001", 800), new_place: at.clone() };
    let expected = Plan { place: Place::Position(at), proof };
    assert_eq!(plan(&held(), None), Ok(Decision::Attach(expected.clone())));
    let mut stopped = held();
    stopped.replica.channel.sql_running = false;
    stopped.replica.channel.io = IoThread::No;
    assert_eq!(plan(&stopped, None), Ok(Decision::Attach(expected)), "the replica, too, stands still");
    let spoilers: [(bool, Spoiler); 8] = [
        (true, ("replica behind", |f| f.replica.channel = channel(("bin.000001", 799), ("bin.000001", 800)))),
        (true, ("a log that still grows", |f| old(f).rests = false)),
        (false, ("replica ahead", |f| f.replica.channel = channel(("bin.000001", 801), ("bin.000001", 801)))),
        (
            false,
            ("replica stopped behind", |f| {
                f.replica.channel = channel(("bin.000001", 799), ("bin.000001", 800));
                f.replica.channel.sql_running = false;
            }),
        ),
        (
            false,
            ("replica of another log", |f| f.replica.channel = channel(("other.000001", 800), ("b.1", 4))),
        ),
        (false, ("somebody has started it", |f| old(f).from_new.as_mut().unwrap().sql_running = true)),
        (
            false,
            ("it failed", |f| {
                old(f).from_new.as_mut().unwrap().sql_error =
                    Some(ThreadError { code: 1062, text: "Duplicate entry".into() });
            }),
        ),
        (
            false,
            ("its own rows may lie behind its place", |f| {
                old(f).held = Some(BinlogPosition::new("bin.000007", 301));
            }),
        ),
    ];
    for (passes, (what, spoil)) in spoilers {
        let mut facts = held();
        spoil(&mut facts);
        let refusal = refusal(&facts, None);
        assert!(
            matches!(refusal, Refusal::Unproved { .. }) && refusal.may_pass() == passes,
            "{what}: {refusal:?}"
        );
    }
    let mut open = held();
    old(&mut open).read_only = false;
    assert_refused!(open, None, Refusal::OldMasterWritable { .. });
    let mut temporary = held();
    temporary.replica.temporary_tables = 1;
    assert_refused!(temporary, None, Refusal::TemporaryTables { .. });
}

#[test]
fn b3_a_dead_master_needs_equal_places_and_an_heir_that_wrote_nothing() {
    let dead = || Facts { old: old_dead(), ..without_gtids() };
    assert_eq!(place(&dead(), None), Place::Position(BinlogPosition::new("bin.000007", 300)));
    let spoilers: [Spoiler; 5] = [
        ("a20: heir may have applied more than it tells", |f| f.new.is_settled = false),
        ("replica behind", |f| f.replica.channel = channel(("bin.000001", 700), ("bin.000001", 700))),
        ("replica ahead", |f| f.replica.channel = channel(("bin.000001", 900), ("bin.000001", 900))),
        ("heir still applies", |f| f.new.channel = Some(channel(("bin.000001", 800), ("bin.000001", 900)))),
        ("a25: heir has a row of its own", |f| f.new.state = "0-1-8,0-2-7".parse().unwrap()),
    ];
    for (what, spoil) in spoilers {
        let mut facts = dead();
        spoil(&mut facts);
        let refusal = refusal(&facts, None);
        assert!(matches!(refusal, Refusal::Unproved { .. }), "{what}: {refusal:?}");
    }
}

#[test]
fn b3_without_gtids_the_log_of_the_heir_is_looked_into() {
    let mut facts = Facts { old: old_dead(), ..without_gtids() };
    facts.new.state = GtidState::default();
    assert_eq!(plan(&facts, None), Ok(Decision::Locate(Wanted::LastGroups)));
    let looked = |offset, own| Located::Groups {
        of: BinlogPosition::new("bin.000001", 800),
        end: Some(BinlogPosition::new("bin.000007", offset)),
        found: Err("it keeps no log".into()),
        has_own: own,
        stood_still: true,
        log_of_replica: None,
    };
    let end = Place::Position(BinlogPosition::new("bin.000007", 300));
    assert_eq!(place(&facts, Some(&looked(300, false))), end);
    assert_refused!(facts, Some(&looked(300, true)), Refusal::Unproved { .. });
    let stale = plan(&facts, Some(&looked(200, false)));
    assert_eq!(stale, Ok(Decision::Locate(Wanted::LastGroups)), "the log has grown since");
}

/// A server's uuid.
fn uuid(server: u32) -> String {
    format!("00000000-0000-0000-0000-{server:012}")
}

fn set(groups: &str) -> GtidSet {
    let named = groups.split_whitespace().map(|group| {
        let (server, numbers) = group.split_once(':').unwrap();
        format!("{}:{numbers}", uuid(server.parse().unwrap()))
    });
    named.collect::<Vec<_>>().join(",").parse().unwrap()
}

/// All quiet, on MySQL with auto-position.
fn with_sets(replica: &str, new: &str, purged: &str) -> Facts {
    let mut facts = without_gtids();
    facts.replica.log = None;
    facts.replica.channel.mode = Mode::AutoPosition;
    facts.replica.channel.source_uuid = uuid(1);
    facts.replica.sets = Some(ReplicaSets { uuid: uuid(3), executed: set(replica) });
    facts.new.state = GtidState::default();
    facts.new.sets = Some(MasterSets { executed: set(new), purged: set(purged), is_committing: false });
    facts
}

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

/// One step of a random history.
#[derive(Clone, Copy, Debug)]
enum Step {
    OldWrites,
    /// What new master and replica both leave out, where they have filters.
    OldWritesLeftOut,
    NewWrites,
    NewApplies,
    /// Without logging it.
    NewForgets,
    OldApplies,
    ReplicaApplies,
}

/// Two masters (servers 1 and 2) and a replica of the first, as logs of groups in one domain.
#[derive(Default, Debug)]
struct History {
    old: Vec<Gtid>,
    new: Vec<Gtid>,
    /// How far each has read the log it follows.
    old_has_read: usize,
    new_has_read: usize,
    replica_has_read: usize,
    /// What the new master has executed and not logged.
    forgotten: Vec<Gtid>,
    /// What new master and replica leave out.
    left_out: BTreeSet<Gtid>,
    /// How many of the last groups that the replica has executed its log lost.
    lost: usize,
}

impl History {
    /// A server numbers on from what it has executed, logged or not.
    fn write(log: &mut Vec<Gtid>, executed: &[Gtid], server: u32) {
        let sequence = log.iter().chain(executed).map(|gtid| gtid.sequence).max().unwrap_or(0) + 1;
        log.push(Gtid { domain: 0, server, sequence });
    }

    /// Applies the next group of `source`, but not one's own.
    fn apply(source: &[Gtid], read: &mut usize, log: &mut Vec<Gtid>, own: u32, left_out: &BTreeSet<Gtid>) {
        if let Some(gtid) = source.get(*read) {
            *read += 1;
            if gtid.server != own && !left_out.contains(gtid) {
                log.push(*gtid);
            }
        }
    }

    fn take(&mut self, step: Step) {
        match step {
            Step::OldWrites => Self::write(&mut self.old, &[], 1),
            Step::OldWritesLeftOut => {
                Self::write(&mut self.old, &[], 1);
                self.left_out.extend(self.old.last());
            }
            Step::NewWrites => Self::write(&mut self.new, &self.old[..self.new_has_read], 2),
            Step::NewApplies => {
                Self::apply(&self.old, &mut self.new_has_read, &mut self.new, 2, &self.left_out);
            }
            Step::NewForgets => {
                Self::apply(&self.old, &mut self.new_has_read, &mut self.forgotten, 2, &BTreeSet::new());
            }
            Step::OldApplies => {
                Self::apply(&self.new, &mut self.old_has_read, &mut self.old, 1, &BTreeSet::new());
            }
            Step::ReplicaApplies => {
                self.replica_has_read = (self.replica_has_read + 1).min(self.old.len());
            }
        }
    }

    /// What the three servers would say.
    fn facts(&self, keeps_log: bool, old_lives: bool) -> Facts {
        let executed = &self.old[..self.replica_has_read];
        let kept = &executed[..executed.len().saturating_sub(self.lost)];
        let replica_log: Vec<Gtid> =
            kept.iter().copied().filter(|gtid| !self.left_out.contains(gtid)).collect();
        let place = |read: usize| ("bin.000001", read as u64);
        let mut facts = facts();
        facts.replica.channel = channel(place(self.replica_has_read), place(self.old.len()));
        facts.replica.gtid_position = executed.iter().copied().collect();
        facts.replica.log = keeps_log.then(|| OwnLog {
            state: replica_log.iter().copied().collect(),
            begin: replica_log.first().copied().into_iter().collect(),
        });
        if !self.left_out.is_empty() {
            facts.replica.channel.filters = vec!["Replicate_Ignore_DB=tmp".into()];
            facts.new.filters = facts.replica.channel.filters.clone();
        }
        facts.new.read_only = false;
        facts.new.state = self.new.iter().copied().collect();
        facts.new.begin = self.new.first().copied().into_iter().collect();
        let replicated = self.old[..self.new_has_read].iter().filter(|gtid| gtid.server != 2);
        facts.new.replicated = replicated.copied().collect();
        if self.left_out.is_empty() {
            facts.new.executed = facts.new.replicated.clone();
        }
        facts.new.channel = Some(channel(place(self.new_has_read), place(self.new_has_read)));
        if !old_lives {
            facts.old = old_dead();
        }
        facts
    }

    /// The same groups on MySQL, where replication uses file and position.
    fn facts_of_mysql(&self, old_lives: bool) -> Facts {
        let mut facts = self.facts(false, old_lives);
        let set = |log: &[Gtid]| -> GtidSet { Self::named(log).join(",").parse().unwrap() };
        facts.replica.gtid_position = GtidPosition::default();
        let executed = set(&self.old[..self.replica_has_read]);
        facts.replica.sets = Some(ReplicaSets { uuid: uuid(3), executed });
        facts.new.state = GtidState::default();
        facts.new.sets =
            Some(MasterSets { executed: set(&self.new), purged: GtidSet::default(), is_committing: false });
        facts.new.end = Some(BinlogPosition::new("bin.000001", self.new.len() as u64));
        facts
    }

    fn named(log: &[Gtid]) -> Vec<String> {
        log.iter().map(|gtid| format!("{}:{}", uuid(gtid.server), gtid.sequence)).collect()
    }

    /// What a look into the logs finds.
    fn look(&self, wanted: &Wanted, facts: &Facts) -> Located {
        let (at, looks_back) = match wanted {
            Wanted::Position(at) => (at, false),
            Wanted::History(at) => (at, true),
            Wanted::Logged(at) => return self.look_behind(at, facts),
            Wanted::Set(set) => return by_set::locate_in(&Self::named(&self.new), set),
            Wanted::LastGroups => panic!("GTIDs tell"),
        };
        let looks_back = looks_back || facts.log_of_everything().is_none();
        let of_source = match (&facts.old, locate_in(&self.old, at, &Scope::default())) {
            (OldMaster::Answers(_), Located::Found { state, .. }) if looks_back => {
                Some(OwnLog { state, begin: self.old.first().copied().into_iter().collect() })
            }
            _ => None,
        };
        let order = looks_back && of_source.is_none();
        let scope = Scope { order, masters: vec![1, 2], own: 2, until: facts.new.state.clone() };
        locate_in(&self.new, at, &scope).beside(of_source, looks_back)
    }
}

impl History {
    fn look_behind(&self, at: &GtidPosition, facts: &Facts) -> Located {
        match locate_in(&self.new, at, &Scope::default()) {
            Located::Found { at, position, state, .. } => {
                let place = position.as_ref().map_or(0, |place| usize::try_from(place.offset).unwrap());
                let next = self.new[place..].first().copied().into_iter().collect();
                let replicated = facts.new.channel.as_ref().and_then(|channel| channel.applied.clone());
                Located::Logged { at, position, state, next, searched: facts.new.state.clone(), replicated }
            }
            other => other,
        }
    }
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        2 => Just(Step::OldWrites),
        1 => Just(Step::OldWritesLeftOut),
        2 => Just(Step::NewWrites),
        4 => Just(Step::NewApplies),
        4 => Just(Step::OldApplies),
        4 => Just(Step::ReplicaApplies),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(20_000))]

    /// Whatever the history: the place is behind exactly the groups that the replica has, or it is refused.
    #[test]
    fn a_place_in_a_random_history_is_exact_or_refused(
        steps in prop::collection::vec(step(), 0..24),
        keeps_log: bool,
        old_lives: bool,
        is_mysql: bool,
        has_filters: bool,
        lost in prop_oneof![2 => Just(0_usize), 1 => 1_usize..4],
    ) {
        let mut history = History { lost, ..History::default() };
        for step in steps {
            // A MySQL logs without rows what its filters leave out.
            let is_whole = is_mysql || !has_filters;
            history.take(if is_whole && matches!(step, Step::OldWritesLeftOut) { Step::OldWrites } else { step });
        }
        let facts =
            if is_mysql { history.facts_of_mysql(old_lives) } else { history.facts(keeps_log, old_lives) };
        let mut decision = plan(&facts, None);
        for _ in 0..2 {
            if let Ok(Decision::Locate(wanted)) = &decision {
                decision = plan(&facts, Some(&history.look(wanted, &facts)));
            }
        }
        let is_decided = !matches!(decision, Ok(Decision::Locate(_)));
        prop_assert!(is_decided, "{:?} in {:?}", decision, history);
        let misses_numbers = matches!(decision, Err(Refusal::LogLacks { .. }));
        prop_assert!(!misses_numbers, "{:?} in {:?}", decision, history);
        if let Ok(Decision::Attach(Plan { place: Place::Position(position), .. })) = decision {
            let behind = usize::try_from(position.offset).unwrap();
            let skipped: BTreeSet<_> = history.new[..behind].iter().collect();
            let executed: BTreeSet<_> = history.old[..history.replica_has_read].iter().collect();
            let has = executed.into_iter().filter(|gtid| !history.left_out.contains(*gtid)).collect();
            prop_assert_eq!(skipped, has, "{:?}", history);
        }
    }

    /// A replica is refused where the new master's log lacks its last group or one that it still has to get, and nowhere
    /// else.
    #[test]
    fn what_the_new_master_did_not_log_is_missed_behind_the_place_alone(
        logged in prop::collection::vec(prop::bool::weighted(0.8), 1..12),
        lag in 0_usize..12,
        later in 0_usize..4,
        keeps_log: bool,
        old_lives: bool,
        by_gtid: bool,
    ) {
        let mut history = History::default();
        (0..logged.len()).for_each(|_| history.take(Step::OldWrites));
        for is_logged in &logged {
            history.take(if *is_logged { Step::NewApplies } else { Step::NewForgets });
        }
        let has = logged.len().saturating_sub(lag).max(1);
        (0..has).for_each(|_| history.take(Step::ReplicaApplies));
        (0..later).for_each(|_| history.take(Step::NewWrites));
        let mut facts = history.facts(keeps_log, old_lives);
        if by_gtid {
            facts.replica.channel.mode = Mode::SlavePos;
        }
        let decision = plan(&facts, None).and_then(|decision| match decision {
            Decision::Locate(wanted) => plan(&facts, Some(&history.look(&wanted, &facts))),
            other => Ok(other),
        });
        let is_whole = logged[has - 1..].iter().all(|is_logged| *is_logged);
        prop_assert_eq!(matches!(decision, Ok(Decision::Attach(_))), is_whole, "{:?} in {:?}", decision, history);
    }

    /// With one writer at a time, whoever lags, a replica that is not ahead is never refused.
    #[test]
    fn an_orderly_failover_is_never_refused(
        written in 1_usize..8,
        later in 0_usize..8,
        lag in 0_usize..8,
        left_out in 0_usize..3,
        keeps_log: bool,
        is_mysql: bool,
    ) {
        let mut history = History::default();
        let mut take = |step, times| (0..times).for_each(|_| history.take(step));
        // By GTID alone nothing tells the place of a replica without a log whose last group both left out.
        let left_out = if keeps_log && !is_mysql { left_out } else { 0 };
        take(Step::OldWrites, written);
        take(Step::OldWritesLeftOut, left_out);
        take(Step::NewApplies, written + left_out);
        take(Step::ReplicaApplies, (written + left_out).saturating_sub(lag).max(1));
        take(Step::NewWrites, later);
        let facts = if is_mysql { history.facts_of_mysql(false) } else { history.facts(keeps_log, false) };
        let decision = plan(&facts, None).and_then(|decision| match decision {
            Decision::Locate(wanted) => plan(&facts, Some(&history.look(&wanted, &facts))),
            other => Ok(other),
        });
        let attached = matches!(decision, Ok(Decision::Attach(_)));
        prop_assert!(attached, "{:?} in {:?}", decision, history);
    }
}

/// What the replica executed last, found or not, when it stood at 800 of the old master's log.
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
    let mut facts = late_joiner();
    facts.new.other_channels = true;
    assert!(reason(plan(&facts, None)).0.ends_with("db2 replicates from others, too"));
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

#[test]
fn a_slave_is_told_of_a_takeover_where_it_has_fetched_more_than_a_closed_new_master() {
    let unproved = || Refusal::Unproved {
        host: "db3".into(),
        new: "db2".into(),
        reason: "places differ".into(),
        may_pass: false,
    };
    let told = |fetched, change: fn(&mut Facts)| {
        let mut facts = Facts { old: old_dead(), ..facts() };
        facts.new.channel = Some(channel(("bin.000001", 500), ("bin.000001", fetched)));
        change(&mut facts);
        matches!(before_takeover(&facts, unproved()), Refusal::NotTakenOverYet { .. })
    };
    assert!(told(500, |_| {}));
    assert!(!told(800, |_| {}), "the new master still applies what both have");
    assert!(!told(500, |facts| facts.new.read_only = false), "it is open already");
    assert!(!told(500, |facts| facts.replica.logs_updates = false), "nobody could take that over");
    assert!(!told(500, |facts| facts.old = old_alive()));
}
