use super::super::super::cluster::Unreached;
use super::super::sample::{codes, good, set};
use super::*;

#[test]
fn exactly_the_holder_of_the_writer_role_takes_writes() {
    // Who is writable, the holder of the address as seen from db3, what is found.
    let table: [(&[&str], Option<&str>, &[&str]); 8] = [
        (&["db1"], Some("db1"), &[]),
        (&["db1"], None, &[]),
        (&["db2"], Some("db2"), &[]),
        (&["db2"], Some("db1"), &["writer-without-address"]),
        (&[], Some("db1"), &["no-writer"]),
        (&["db1", "db2"], Some("db1"), &["two-writers"]),
        (&["db1", "db2"], None, &["two-writers"]),
        (&["db1", "db3"], Some("db1"), &["slave-writable"]),
    ];
    for (writable, holder, expected) in table {
        let mut cluster = good("db3");
        for host in ["db1", "db2", "db3"] {
            set(&mut cluster, host, "read_only", if writable.contains(&host) { "OFF" } else { "ON" });
        }
        let owners = cluster.addresses[0].others.as_mut().unwrap();
        match holder {
            Some(holder) => owners[0].host = Some(holder.into()),
            None => owners.clear(),
        }
        assert_eq!(codes(&writes(&cluster)), expected, "{writable:?} {holder:?}");
    }
}

#[test]
fn the_one_without_the_address_is_to_be_closed() {
    let mut cluster = good("db3");
    set(&mut cluster, "db2", "read_only", "OFF");
    assert_eq!(writes(&cluster).findings[0].cure, ["on db2, SQL: SET GLOBAL read_only = 1;"]);
}

#[test]
fn a_writer_that_cannot_be_seen_is_not_missed() {
    let mut cluster = good("db3");
    cluster.members[0].server = Err(Unreached { reason: "no".into(), answered: false, code: None });
    assert_eq!(codes(&writes(&cluster)), [""; 0]);
}
