//! Filters (docs/ORDERS.md, A23).

use super::*;

#[test]
fn a23_filters_that_the_replica_does_not_share_are_refused() {
    let mut facts = facts();
    facts.new.filters = vec!["Replicate_Ignore_DB=tmp".into()];
    assert_refused!(facts, None, Refusal::Filtered { .. });
    facts.replica.channel.filters = facts.new.filters.clone();
    assert!(plan(&facts, None).is_ok());
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
