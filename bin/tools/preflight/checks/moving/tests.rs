use mmm_core::Coded;

use super::super::super::cluster::{Installation, Move, Unreached, Way};
use super::super::super::finding::Severity;
use super::super::sample::{codes, good, seen};
use super::*;

fn refused(code: &str) -> Outcome {
    Outcome::Refused { code: Some(code.into()), message: "no".into() }
}

fn after(outcome: Outcome) -> Cluster {
    let mut cluster = good("db3");
    cluster.moves = vec![Move { to: "db2".into(), outcome, milliseconds: 1.0 }];
    cluster
}

/// What the helper sends for this refusal.
fn sent(refusal: &Refusal) -> Outcome {
    refused(refusal.code())
}

#[test]
fn a_refusal_that_the_living_writer_causes_is_none() {
    for (outcome, expected) in [
        (Outcome::Works(String::new()), None),
        (sent(&Refusal::OldMasterWritable { old: "db1".into() }), None),
        (sent(&Refusal::Busy { host: "db3".into(), holder: "7".into() }), None),
        (refused("replica-ahead"), Some("move-refused")),
        (Outcome::Unknown, Some("dry-run-unknown")),
        (Outcome::Failed("no".into()), Some("dry-run-failed")),
    ] {
        assert_eq!(codes(&moving(&after(outcome.clone()))).first().copied(), expected, "{outcome:?}");
    }
}

#[test]
fn a_helper_without_dry_run_is_replaced_in_the_way_in_which_it_came() {
    let mut cluster = after(Outcome::Unknown);
    let cure = |cluster: &Cluster| moving(cluster).findings[0].cure.clone();
    assert_eq!(cure(&cluster)[0], "on db3, shell: make install AGENT_DIR=/usr/lib/mysql-mmm/agent");
    let linked = vec!["set_active_master".into()];
    let (way, overwritten) = (Way::Deb, Vec::new());
    let served = Some(way.folders()[0]);
    cluster.machine.installation = Some(Installation { way, served, overwritten, linked });
    assert_eq!(cure(&cluster)[0], "on db3, shell: dpkg -i FILE.deb");
}

#[test]
fn one_cause_is_one_finding() {
    let mut cluster = after(refused("lacks"));
    let message = "another text".into();
    let outcome = Outcome::Refused { code: Some("lacks".into()), message };
    cluster.moves.push(Move { to: "db1".into(), outcome, milliseconds: 1.0 });
    assert_eq!(codes(&moving(&cluster)), ["move-refused"]);
}

#[test]
fn a_slave_that_does_not_replicate_is_not_complained_of_twice() {
    let mut cluster = after(refused("applier-failed"));
    seen(&mut cluster, "db3").links[0].channel.sql_running = false;
    let check = moving(&cluster);
    assert_eq!((codes(&check), check.state), (Vec::new(), Severity::Skipped));
}

#[test]
fn a_move_to_a_silent_master_is_not_complained_of_twice() {
    let mut cluster = after(refused("connect"));
    cluster.members[1].server = Err(Unreached { reason: "no".into(), answered: false, code: None });
    assert_eq!(codes(&moving(&cluster)), [""; 0]);
    assert_eq!(codes(&moving(&good("db1"))), [""; 0]);
}
