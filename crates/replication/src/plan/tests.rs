//! Planning, rule by rule as docs/ORDERS.md names them, and over random histories.

macro_rules! assert_refused {
    ($facts:expr, $located:expr, $pattern:pat) => {
        let refusal = refusal(&$facts, $located);
        assert!(matches!(refusal, $pattern), "{refusal:?}");
    };
}

mod by_content;
mod by_gtid;
mod by_held_master;
mod by_position;
mod by_set;
mod left_out;
mod random;

use super::*;
use crate::binlog::located::{Found, Gap};
use crate::facts::{LogRule, MasterSets, NewMaster, OldMaster, OldState, OwnLog, Replica, ReplicaSets};
use crate::gtid::{Gtid, GtidPosition, GtidSet, GtidState};
use crate::position::BinlogPosition;
use crate::record::Record;
use crate::refusal::Unproved;
use crate::status::{Channel, IoThread, Mode, Place, ThreadError};

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
            why_no_set: None,
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
            listed: GtidState::default(),
            executed: GtidPosition::default(),
            replicated: "0-1-8".parse().unwrap(),
            logs_rows: false,
            sets: None,
            why_no_set: None,
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

/// The same if the order of the log was checked, or the log had this by then, or a number is missing after it.
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

fn leaves_out(format: &str) -> LogRule {
    LogRule { filters: vec!["Binlog_Ignore_DB=tmp".into()], format: format.into() }
}

/// What is wrong, and how to make it so.
type Spoiler = (&'static str, fn(&mut Facts));

fn without_gtids() -> Facts {
    let mut facts = facts();
    facts.replica.gtid_position = GtidPosition::default();
    facts
}

/// An old master that answers.
fn old(facts: &mut Facts) -> &mut OldState {
    let OldMaster::Answers(old) = &mut facts.old else { unreachable!() };
    old
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
fn a_slave_is_told_of_a_takeover_where_it_has_fetched_more_than_a_closed_new_master() {
    let unproved = || Refusal::Unproved {
        host: "db3".into(),
        new: "db2".into(),
        cause: Unproved::Nothing,
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
