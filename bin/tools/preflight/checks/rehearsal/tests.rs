use super::super::super::cluster::{Move, Rehearsed};
use super::super::sample::{codes, good, seen, set};
use super::*;

fn after(host: &str, deed: Deed, foreseen: Foreseen) -> Cluster {
    let mut cluster = good("db3");
    cluster.rehearsed = vec![Rehearsed { host: host.into(), deed, foreseen, milliseconds: 1.0 }];
    cluster
}

fn refused(code: &str) -> Foreseen {
    Foreseen::Refused { code: code.into(), message: "no".into() }
}

#[test]
fn only_a_refusal_that_stays_is_a_finding() {
    let follow = || Deed::Follow("db2".into());
    for (host, deed, foreseen, expected) in [
        ("db3", follow(), Foreseen::Proved("so".into()), None),
        ("db3", follow(), Foreseen::Moving("so".into()), None),
        ("db3", follow(), Foreseen::NotJudged("so".into()), None),
        ("db3", follow(), refused("replica-ahead"), Some("move-would-be-refused")),
        ("db2", Deed::Open, refused("log-was-reset"), Some("opening-would-be-refused")),
        ("db2", Deed::TakeOver("db3".into()), refused("no-binlog"), Some("takeover-would-be-refused")),
    ] {
        let check = rehearsal(&after(host, deed, foreseen.clone()));
        assert_eq!(codes(&check).first().copied(), expected, "{foreseen:?}");
    }
}

#[test]
fn no_writer_is_spoken_of_where_there_is_none() {
    for (read_only, begins) in [("0", "if the writer were closed now, "), ("1", "as the servers are now, ")] {
        let mut cluster = after("db3", Deed::Follow("db2".into()), refused("replica-ahead"));
        for host in ["db1", "db2"] {
            set(&mut cluster, host, "read_only", if host == "db1" { read_only } else { "1" });
        }
        let check = rehearsal(&cluster);
        assert!(check.findings[0].text.starts_with(begins), "{check:?}");
    }
}

#[test]
fn what_has_a_finding_of_its_own_is_not_told_twice() {
    let mut cluster = after("db3", Deed::Follow("db2".into()), refused("applier-failed"));
    seen(&mut cluster, "db3").links[0].channel.sql_running = false;
    assert_eq!(codes(&rehearsal(&cluster)), [""; 0]);
    let mut cluster = after("db3", Deed::Follow("db2".into()), refused("new-master-filters"));
    let outcome = Outcome::Refused { code: Some("new-master-filters".into()), message: "no".into() };
    cluster.moves = vec![Move { to: "db2".into(), outcome, milliseconds: 1.0 }];
    assert_eq!(codes(&rehearsal(&cluster)), [""; 0]);
}

#[test]
fn an_errant_transaction_explains_why_nothing_is_taken_over_from_that_slave() {
    let mut cluster = after("db2", Deed::TakeOver("db3".into()), refused("tail-unfit"));
    assert_eq!(codes(&rehearsal(&cluster)), ["takeover-would-be-refused"]);
    assert!(rehearsal(&cluster).findings[0].cure[0].ends_with("mmm_difference db3 db2"));
    cluster.errant = vec![("db2".into(), Errant::Found("0-2-3".into()))];
    assert_eq!(codes(&rehearsal(&cluster)), ["takeover-would-be-refused"]);
    cluster.errant = vec![("db3".into(), Errant::Found("0-3-3".into()))];
    assert_eq!(codes(&rehearsal(&cluster)), [""; 0]);
    assert!(errant(&cluster).findings[0].text.ends_with("a new master can take over nothing from it"));
}

#[test]
fn what_is_in_flight_is_not_errant() {
    for (found, expected) in [
        (Errant::None, None),
        (Errant::Moving("0-2-5".into()), None),
        (Errant::Unknown("no".into()), None),
        (Errant::Found("0-3-17".into()), Some("errant-transaction")),
    ] {
        let mut cluster = good("db1");
        cluster.errant = vec![("db3".into(), found.clone())];
        let check = errant(&cluster);
        assert_eq!(codes(&check).first().copied(), expected, "{found:?}");
        assert!(expected.is_none() || check.findings[0].text.contains("0-3-17"));
    }
}
