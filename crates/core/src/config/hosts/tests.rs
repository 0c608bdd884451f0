use std::path::PathBuf;

use super::super::HostName;
use super::super::fixture::{CLUSTER, changed, config};
use crate::settings::{Local, Tls, TlsMode};

#[test]
fn the_peer_is_the_one_of_this_host() {
    for (this, peer) in [("db1", "db2"), ("db2", "db1")] {
        let config = config(changed(&[("this db1", &format!("this {this}"))]));
        assert_eq!(config.peer().unwrap().name.as_str(), peer);
        assert_eq!(config.this().as_str(), this);
    }
    let error = config(changed(&[("this db1", "this db3")])).peer().unwrap_err().to_string();
    assert!(error.starts_with("No peer defined for host db3"), "{error}");
}

#[test]
fn hosts_are_found_by_name_and_the_template_is_none() {
    let config = config(CLUSTER);
    assert_eq!(config.host("db3").unwrap().ip, "10.0.0.3");
    for name in ["default", "db4", "DB3", "", "db3 "] {
        assert_eq!(config.host(name), None, "{name}");
    }
}

#[test]
fn roles_are_listed_with_their_hosts_and_addresses() {
    let config = config(changed(&[("ips 10.0.0.100", "ips 10.0.0.100,, 10.0.0.101,")]));
    let role = &config.roles()[0];
    let hosts: Vec<_> = role.hosts.iter().map(HostName::as_str).collect();
    assert_eq!((role.name.as_str(), hosts), ("writer", vec!["db1", "db2"]));
    assert_eq!(role.ips, ["10.0.0.100", "10.0.0.101"]);
}

#[test]
fn only_hosts_in_mode_master_are_masters() {
    let config = config(CLUSTER);
    let masters: Vec<_> = config.masters().map(|host| host.name.as_str()).collect();
    assert_eq!(masters, ["db1", "db2"]);
}

#[test]
fn a_host_is_found_by_any_spelling_of_its_address() {
    let ips = [("10.0.0.2", "2001:db8::2"), ("10.0.0.3", "db3.example.com")];
    let config = config(changed(&ips));
    let table = [
        ("10.0.0.1", Some("db1")),
        ("::ffff:10.0.0.1", Some("db1")),
        ("::FFFF:0a00:1", Some("db1")),
        ("2001:DB8:0:0:0::2", Some("db2")),
        ("DB3.example.COM", Some("db3")),
        ("10.0.0.10", None),
        ("10.0.0.", None),
        ("db1", None),
        ("", None),
    ];
    for (ip, name) in table {
        let host = config.host_at(ip, 3306).unwrap();
        assert_eq!(host.map(|host| host.name.as_str()), name, "{ip}");
    }
    assert_eq!(config.host_at("10.0.0.1", 3307).unwrap(), None, "another server on that host");
}

#[test]
fn hosts_that_share_an_address_are_told_apart_by_port() {
    let port = ("ip 10.0.0.3", "ip 10.0.0.1\nmysql_port 3307");
    let config_of = |changes: &[(&str, &str)]| config(changed(changes));
    let config = config_of(&[port]);
    assert_eq!(config.host_at("10.0.0.1", 3306).unwrap().unwrap().name.as_str(), "db1");
    assert_eq!(config.host_at("10.0.0.1", 3307).unwrap().unwrap().name.as_str(), "db3");
    assert_eq!(config.host_at("10.0.0.1", 3308).unwrap(), None);
    let config = config_of(&[("ip 10.0.0.3", "ip ::ffff:10.0.0.1")]);
    let error = config.host_at("10.0.0.1", 3306).unwrap_err().to_string();
    assert!(error.starts_with("Hosts db1 and db3 both have ip 10.0.0.1 and port 3306"), "{error}");
    assert!(config.host_at("10.0.0.2", 3306).unwrap().is_some(), "the others are still found");
}
#[test]
fn only_this_host_is_reached_by_the_socket_and_each_by_its_tls_mode() {
    let mut config = config(CLUSTER);
    let tls = Tls { mode: TlsMode::Required, ..Tls::default() };
    let tls = Tls { hosts: [("db3".to_string(), TlsMode::Off)].into(), ..tls };
    let socket = Some(PathBuf::from("/run/mysqld/mysqld.sock"));
    config.reach_by(&tls, &Local { socket: socket.clone() }).unwrap();
    let modes: Vec<_> = config.hosts().iter().map(|host| host.tls.mode).collect();
    assert_eq!(modes, [TlsMode::Required, TlsMode::Required, TlsMode::Off]);
    let sockets: Vec<_> = config.hosts().iter().map(|host| host.socket.clone()).collect();
    assert_eq!(sockets, [socket, None, None]);
}

#[test]
fn a_host_that_there_is_not_cannot_have_a_tls_mode() {
    let tls = Tls { hosts: [("db33".to_string(), TlsMode::Off)].into(), ..Tls::default() };
    let error = config(CLUSTER).reach_by(&tls, &Local::default()).unwrap_err().to_string();
    assert!(error.contains("names db33") && error.ends_with("db1, db2, db3"), "{error}");
}
