//! A good cluster as each of its hosts sees it, for tests to break.

use std::collections::BTreeMap;
use std::time::Duration;

use mmm_core::Secret;
use mmm_core::config::{Blocking, Host, HostName, Mode, Role};
use mmm_core::settings::TlsOptions;
use mmm_network::Mac;
use mmm_replication::dialect::Dialect;
use mmm_replication::position::BinlogPosition;
use mmm_replication::status::Channel;

use super::super::cluster::{Address, Cluster, Helper, HelperState, Link, Machine, Member, Owner, Seen};
use super::super::finding::Check;

/// A cluster of MariaDB 10.11, by file and position: db1 is the writer, db2 its peer, db3 a slave.
pub fn good(this: &str) -> Cluster {
    let member = |number: usize| Member {
        host: host(number),
        server: Ok(server(number)),
        replication: (number != 3 && this != format!("db{number}"))
            .then(|| Ok(vec!["GRANT REPLICATION SLAVE ON *.* TO `replication`@`%`".into()])),
    };
    let role = |name: &str, hosts: &[&str], ips: &[&str]| Role {
        name: name.into(),
        hosts: hosts.iter().filter_map(|name| HostName::new(name)).collect(),
        ips: ips.iter().map(ToString::to_string).collect(),
    };
    let address = |role: &str, ip: &str, holder: &str| Address {
        role: role.into(),
        ip: ip.into(),
        is_here: this == holder,
        check_ip: Some(Ok((i32::from(this != holder), String::new()))),
        others: Some(
            (this != holder)
                .then(|| Owner {
                    mac: Mac([2, 0, 0, 0, 0, 1]),
                    host: Some(holder.into()),
                    is_stranger: false,
                })
                .into_iter()
                .collect(),
        ),
    };
    Cluster {
        config: "mmm_agent".into(),
        quirks: Vec::new(),
        this: this.into(),
        members: (1..=3).map(member).collect(),
        roles: vec![
            role("reader", &["db1", "db2", "db3"], &["10.0.0.101"]),
            role("writer", &["db1", "db2"], &["10.0.0.100"]),
        ],
        active_role: "writer".into(),
        blocking: Blocking::Hard,
        channel: None,
        call_limit: Duration::from_secs(8),
        closes_to_all: false,
        takes_over: true,
        fence: None,
        addresses: vec![address("writer", "10.0.0.100", "db1"), address("reader", "10.0.0.101", "db3")],
        machine: machine(),
        moves: Vec::new(),
        rehearsed: Vec::new(),
        errant: Vec::new(),
    }
}

/// The same with MySQL 5.7 servers.
pub fn mysql(this: &str, gtid_mode: &str) -> Cluster {
    let mut cluster = good(this);
    for host in ["db1", "db2", "db3"] {
        seen(&mut cluster, host).dialect = Dialect::new((5, 7, 40), false);
        set(&mut cluster, host, "version", "5.7.40-log");
        set(&mut cluster, host, "gtid_mode", gtid_mode);
        set(&mut cluster, host, "slave_parallel_workers", "0");
    }
    cluster
}

fn host(number: usize) -> Host {
    Host {
        name: HostName::new(&format!("db{number}")).unwrap(),
        ip: format!("10.0.0.{number}"),
        mysql_port: 3306,
        mode: if number == 3 { Mode::Slave } else { Mode::Master },
        peer: if number == 3 { None } else { HostName::new(&format!("db{}", 3 - number)) },
        cluster_interface: "eth0".into(),
        bin_path: "/usr/lib/mysql-mmm/".into(),
        agent_user: "mmm_agent".into(),
        agent_password: Secret::new("a-secret"),
        replication_user: "replication".into(),
        replication_password: Secret::new("r-secret"),
        tls: TlsOptions::default(),
        socket: None,
    }
}

fn server(number: usize) -> Seen {
    let source = if number == 1 { "db2" } else { "db1" };
    let id = number.to_string();
    let variables = [
        ("version", "10.11.6-MariaDB-log"),
        ("server_id", &id),
        ("hostname", &id),
        ("port", "3306"),
        ("read_only", if number == 1 { "OFF" } else { "ON" }),
        ("log_bin", "ON"),
        ("log_slave_updates", "ON"),
        ("auto_increment_increment", "2"),
        ("auto_increment_offset", if number == 2 { "2" } else { "1" }),
    ];
    let source_ip = format!("10.0.0.{}", &source[2..]);
    let row = [
        ("Master_Host", source_ip.as_str()),
        ("Master_Port", "3306"),
        ("Master_User", "replication"),
        ("Slave_IO_Running", "Yes"),
        ("Slave_SQL_Running", "Yes"),
        ("Master_Log_File", "binlog.000001"),
        ("Read_Master_Log_Pos", "700"),
        ("Relay_Master_Log_File", "binlog.000001"),
        ("Exec_Master_Log_Pos", "700"),
        ("Using_Gtid", "No"),
    ];
    let channel = Channel::from_record(row.into_iter().collect());
    Seen {
        dialect: Dialect::new((5, 5, 5), false),
        account: "mmm_agent@10.0.0.%".into(),
        grants: vec![
            "GRANT PROCESS, SUPER, BINLOG MONITOR, READ_ONLY ADMIN ON *.* TO `mmm_agent`@`%`".into(),
        ],
        denied: Vec::new(),
        variables: variables
            .map(|(name, value)| (name.to_string(), value.to_string()))
            .into_iter()
            .collect::<BTreeMap<_, _>>(),
        links: vec![Link { channel, source: Some(source.into()), retry: (Some(5), None), lag: Some(0) }],
        knows_links: true,
        log_end: Some(BinlogPosition::new("binlog.000001", 700)),
        log_filters: Vec::new(),
        clock: 0.001,
        events: None,
        is_encrypted: false,
    }
}

fn machine() -> Machine {
    let helper = |name: &str| Helper {
        path: format!("/usr/lib/mysql-mmm/agent/{name}").into(),
        state: HelperState::Version(env!("CARGO_PKG_VERSION").into()),
    };
    Machine {
        is_root: true,
        has_net_admin: true,
        has_net_raw: true,
        has_own_ip: Some(true),
        interface: Ok(true),
        helpers: vec![helper("check_ip"), helper("set_active_master")],
        installation: None,
        elsewhere: None,
        firewall: Vec::new(),
        journal: ("/var/log/mysql-mmm/mmm_helpers.log".into(), Ok(())),
        state: ("/var/lib/mysql-mmm".into(), Ok(())),
        leftovers: Vec::new(),
        untrusted: Vec::new(),
        missing: Vec::new(),
        server: None,
    }
}

/// What a host's server said.
pub fn seen<'c>(cluster: &'c mut Cluster, host: &str) -> &'c mut Seen {
    let member = cluster.members.iter_mut().find(|member| member.name() == host).unwrap();
    member.server.as_mut().unwrap()
}

/// Gives a host's server another value of a variable.
pub fn set(cluster: &mut Cluster, host: &str, name: &str, value: &str) {
    seen(cluster, host).variables.insert(name.into(), value.into());
}

/// The codes of a check's findings.
pub fn codes(check: &Check) -> Vec<&'static str> {
    check.findings.iter().map(|finding| finding.code.into()).collect()
}
