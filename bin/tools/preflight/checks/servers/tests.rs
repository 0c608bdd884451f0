use super::super::super::cluster::Unreached;
use super::super::sample::{codes, good, set};
use super::*;

#[test]
fn good_servers_are_held_to_be_good() {
    for check in [servers, versions, server_ids, clocks] {
        assert_eq!(codes(&check(&good("db1"))), [""; 0]);
    }
}

#[test]
fn a_silent_server_is_found_and_one_that_refuses_is_left_to_the_accounts() {
    let mut cluster = good("db1");
    for (answered, expected) in [(false, vec!["server-unreachable"]), (true, vec![])] {
        cluster.members[1].server = Err(Unreached { reason: "no".into(), answered, code: None });
        assert_eq!(codes(&servers(&cluster)), expected);
    }
}

#[test]
fn versions_that_do_not_go_together_are_found() {
    for (host, version, code) in [
        ("db3", "10.6.7-MariaDB", Some("version-older-than-source")),
        ("db3", "11.8.1-MariaDB", None),
        ("db3", "10.11.1-MariaDB", None),
        ("db2", "10.6.7-MariaDB", Some("version-older-than-source")),
    ] {
        let mut cluster = good("db1");
        set(&mut cluster, host, "version", version);
        let found = codes(&versions(&cluster));
        assert_eq!(found.first().copied(), code, "{host} {version}: {found:?}");
    }
    let mut cluster = good("db1");
    for host in ["db1", "db2", "db3"] {
        set(&mut cluster, host, "version", "10.4.2-MariaDB");
    }
    assert_eq!(codes(&versions(&cluster)), ["version-unsupported"; 3]);
}

#[test]
fn ids_have_to_differ_and_not_be_zero() {
    for (id, code) in [("1", "server-id-duplicate"), ("0", "server-id-zero")] {
        let mut cluster = good("db1");
        set(&mut cluster, "db3", "server_id", id);
        assert_eq!(codes(&server_ids(&cluster)), [code]);
    }
}

#[test]
fn a_clock_that_is_wrong_in_either_direction_is_found() {
    for (clock, expected) in [(-3.0, 1), (3.0, 1), (1.9, 0)] {
        let mut cluster = good("db1");
        cluster.members[2].server.as_mut().unwrap().clock = clock;
        assert_eq!(codes(&clocks(&cluster)).len(), expected);
    }
}

#[test]
fn how_a_silent_server_is_reached_is_what_is_looked_at() {
    let cure = |cluster: &Cluster| servers(cluster).findings[0].cure.join("\n");
    let mut cluster = good("db1");
    cluster.members[1].server = Err(Unreached { reason: "no".into(), answered: false, code: None });
    let by_address = cure(&cluster);
    assert!(by_address.contains("port 3306") && !by_address.contains("getent"), "{by_address}");
    cluster.members[1].host.ip = "db2.example".into();
    assert!(cure(&cluster).contains("on db1, shell: getent ahosts db2.example"), "{}", cure(&cluster));
    cluster.members[1].host.socket = Some("/run/mysqld/mysqld.sock".into());
    let by_socket = cure(&cluster);
    assert!(
        by_socket.contains("/run/mysqld/mysqld.sock") && by_socket.contains("local.socket"),
        "{by_socket}"
    );
    assert!(!by_socket.contains("port 3306") && !by_socket.contains("getent"), "{by_socket}");
}

#[test]
fn one_server_under_two_names_has_no_second_finding_for_its_id() {
    let mut cluster = good("db1");
    for name in ["hostname", "port", "server_uuid", "server_id"] {
        for host in ["db1", "db2"] {
            set(&mut cluster, host, name, "7");
        }
    }
    assert_eq!(codes(&server_ids(&cluster)), [""; 0]);
    set(&mut cluster, "db2", "hostname", "8");
    assert_eq!(codes(&server_ids(&cluster)), ["server-id-duplicate"]);
}
