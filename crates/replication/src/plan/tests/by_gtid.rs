//! By MariaDB's GTIDs, and what must hold for every method.

use super::*;
use crate::binlog::by_gtid::scan::{Scope, locate_in};

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
    // The source's log shows it, unless that log is as young; then the order of the new master's log shows it.
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
fn a16_a_log_of_the_replica_that_lost_its_end_says_nothing_of_what_it_has() {
    let mut facts = facts();
    facts.old = old_dead();
    facts.replica.log = Some(OwnLog { state: "0-1-5".parse().unwrap(), begin: "0-1-1".parse().unwrap() });
    let at: GtidPosition = "0-1-8".parse().unwrap();
    let located = found("0-1-8", Some(300), "0-1-8");
    assert_eq!(plan(&facts, Some(&located)), Ok(Decision::Locate(Wanted::History(at))));
    let there = Place::Position(BinlogPosition::new("bin.000007", 300));
    assert_eq!(place(&facts, Some(&in_order(located.clone(), None))), there);
    assert_refused!(facts, Some(&in_order(located, Some("0-1-5"))), Refusal::OutOfOrder { .. });
    // Nor does it hide an early group of the new master.
    let early = found("0-1-8", Some(300), "0-1-8,0-2-5");
    let of_source = OwnLog { state: "0-1-8".parse().unwrap(), begin: "0-1-1".parse().unwrap() };
    assert_refused!(facts, Some(&early.beside(Some(of_source), true)), Refusal::ReplicaLacksEarlier { .. });
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

/// db2 was rebuilt when all hosts were at 0-1-8, or transactions of another domain have come since.
fn rebuilt() -> Facts {
    let mut facts = facts();
    facts.new.executed = "0-1-8".parse().unwrap();
    (facts.new.state, facts.new.begin) = (GtidState::default(), GtidState::default());
    facts
}

#[test]
fn a7_the_last_group_of_a_domain_may_be_older_than_the_log_of_a_new_master_that_was_rebuilt() {
    let begins = |begin: &'static str| {
        move |facts: &mut Facts| {
            (facts.new.state, facts.new.begin) = (begin.parse().unwrap(), begin.parse().unwrap());
        }
    };
    let at: GtidPosition = "0-1-8".parse().unwrap();
    let is_older = |spoil: &dyn Fn(&mut Facts)| {
        let mut facts = rebuilt();
        spoil(&mut facts);
        older_than_log(&facts, &at) == at
    };
    assert_eq!(plan(&rebuilt(), None), Ok(Decision::Locate(Wanted::Position(at.clone()))));
    let there = found("0-1-8", Some(300), "0-1-8");
    let there = searched_to(there, "");
    assert_eq!(place(&rebuilt(), Some(&there)), Place::Position(BinlogPosition::new("bin.000007", 300)));
    assert!(is_older(&begins("0-2-9")) && is_older(&begins("0-1-9")), "the next number is its first");
    assert!(is_older(&|f| f.new.state = "0-2-9".parse().unwrap()), "the search has to see what comes first");
    assert!(!is_older(&begins("0-2-1")) && !is_older(&begins("0-2-10")), "another number is its first");
    assert!(
        !is_older(&|f| f.new.executed = "0-1-9".parse().unwrap()),
        "it has executed more and logged nothing"
    );
    assert!(!is_older(&|f| f.new.executed = "0-2-8".parse().unwrap()), "of another server");
    assert!(
        !is_older(&|f| f.new.executed = GtidPosition::default()),
        "its log need not hold what it executed"
    );
    assert!(!is_older(&|f| f.new.listed = "0-1-8".parse().unwrap()), "its log has gone on since");
    assert!(!is_older(&|f| f.new.read_only = false), "what it wrote itself may be gone with its log");
    assert!(
        !is_older(&|f| f.replica.channel.applied = Some(BinlogPosition::new("bin.000001", 700))),
        "from there, too"
    );
    let late = |mode: Mode| {
        move |f: &mut Facts| {
            begins("0-1-9")(f);
            f.new.executed = "0-1-12".parse().unwrap();
            f.replica.channel.mode = mode;
        }
    };
    assert!(
        is_older(&late(Mode::FilePosition)) && !is_older(&late(Mode::SlavePos)),
        "the server would refuse"
    );
}

#[test]
fn a7_a_log_begins_behind_an_older_group_only_with_the_next_number() {
    let gtids = |text: &str| text.split_whitespace().map(|gtid| gtid.parse().unwrap()).collect::<Vec<Gtid>>();
    let scope = Scope { older: "1-1-8".parse().unwrap(), ..Scope::default() };
    for (log, at, expected) in [
        ("2-2-4 2-2-5 1-1-9 1-1-10", "1-1-8,2-2-5", Some(2)),
        ("2-2-4 2-2-5 2-2-6", "1-1-8,2-2-5", Some(2)),
        ("1-2-9 1-1-10", "1-1-8", Some(0)),
        // It is there after all, also after what the replica has.
        ("1-1-7 1-1-8 1-1-9", "1-1-8", Some(2)),
        ("1-1-8 1-1-9", "1-1-8", Some(1)),
        ("2-2-4 1-1-10", "1-1-8,2-2-4", None),
        ("1-2-1 1-2-2", "1-1-8", None),
    ] {
        let log = gtids(log);
        let scope = Scope { own: 1, until: log.iter().copied().collect(), ..scope.clone() };
        let place = match locate_in(&log, &at.parse().unwrap(), &scope) {
            Located::Found { position, .. } => position.map(|place| place.offset),
            _ => None,
        };
        assert_eq!(place, expected, "{at} in {log:?}");
    }
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
    // If a log need not hold everything, nothing is missing.
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

fn purged(at: &str) -> Located {
    Located::Purged { at: at.parse().unwrap(), gtid: Some(at.parse().unwrap()) }
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

#[test]
fn purged_and_missing_places_are_refused() {
    let facts = facts();
    assert_refused!(facts, Some(&purged("0-1-8")), Refusal::Purged { .. });
    assert_refused!(facts, Some(&missing("0-1-8")), Refusal::NotInLog { .. });
    assert_refused!(facts, Some(&found("0-1-8", None, "0-1-8")), Refusal::NoSinglePosition { .. });
}

fn missing(at: &str) -> Located {
    Located::Missing { at: at.parse().unwrap(), gtid: at.parse().unwrap() }
}
