use super::super::super::cluster::Unreached;
use super::super::sample::{codes, good, seen};
use super::*;

type Break = fn(&mut Link);

fn error(code: u64) -> ThreadError {
    ThreadError { code, text: "no".into() }
}

const TABLE: [(&str, Break); 6] = [
    ("io-thread-stopped", |link| link.channel.io = IoThread::No),
    ("io-thread-failed", |link| link.channel.io = IoThread::Connecting),
    ("io-thread-failed", |link| {
        link.channel.io = IoThread::Connecting;
        link.channel.io_error = Some(error(1045));
    }),
    ("sql-thread-stopped", |link| link.channel.sql_running = false),
    ("sql-thread-failed", |link| {
        link.channel.sql_running = false;
        link.channel.sql_error = Some(error(1062));
    }),
    ("wrong-source", |link| link.source = None),
];

#[test]
fn what_is_wrong_is_a_failure_on_slave_and_passive_master_and_a_warning_on_the_writer() {
    for (code, damage) in TABLE {
        for (host, state) in
            [("db1", Severity::Warning), ("db2", Severity::Failure), ("db3", Severity::Failure)]
        {
            let mut cluster = good("db3");
            damage(&mut seen(&mut cluster, host).links[0]);
            let check = replication(&cluster);
            assert_eq!((codes(&check), check.state), (vec![code], state), "{host}");
            assert!(!check.findings[0].cure.is_empty());
        }
    }
}

#[test]
fn no_cure_starts_threads_where_that_may_delete_the_only_copy() {
    let stopped = |link: &mut Link| {
        (link.channel.io, link.channel.sql_running) = (IoThread::No, false);
        link.channel.mode = mmm_replication::status::Mode::SlavePos;
    };
    let failed = |link: &mut Link| {
        link.channel.sql_error = Some(error(1062));
        link.channel.io_error = Some(error(1236));
    };
    let nothing = |_: &mut Link| {};
    for also in [nothing as Break, failed] {
        let mut cluster = good("db3");
        let link = &mut seen(&mut cluster, "db3").links[0];
        stopped(link);
        also(link);
        for finding in replication(&cluster).findings {
            let last = finding.cure.last().unwrap();
            assert_eq!(last, "on db3, shell: /usr/lib/mysql-mmm/agent/turn_on_slave mmm_agent");
        }
    }
}

#[test]
fn a_thread_that_sleeps_between_two_tries_is_woken() {
    let mut cluster = good("db3");
    let link = &mut seen(&mut cluster, "db2").links[0];
    link.retry.0 = Some(60);
    (link.channel.io, link.channel.io_error) = (IoThread::Connecting, Some(error(2003)));
    let found = replication(&cluster).findings.remove(0);
    assert!(
        found.text.ends_with("; db1 answers again; db2 waits up to 60 s before it tries again"),
        "{found:?}"
    );
    assert_eq!(found.cure, ["on db2, SQL: STOP SLAVE IO_THREAD; START SLAVE IO_THREAD;"]);
    // By GTID, with the SQL thread stopped, that would delete what is not applied.
    let channel = &mut seen(&mut cluster, "db2").links[0].channel;
    (channel.mode, channel.sql_running) = (mmm_replication::status::Mode::SlavePos, false);
    channel.fetched = Some(mmm_replication::position::BinlogPosition::new("binlog.000001", 900));
    let found = replication(&cluster).findings.remove(0);
    assert_eq!(found.cure, ["on db2, shell: /usr/lib/mysql-mmm/agent/turn_on_slave mmm_agent"]);
}

#[test]
fn a_slave_follows_the_writer_and_a_master_its_peer() {
    let mut cluster = good("db1");
    seen(&mut cluster, "db3").links[0].source = Some("db2".into());
    let check = replication(&cluster);
    assert_eq!(codes(&check), ["wrong-source"]);
    assert!(check.findings[0].cure[0].ends_with("agent/set_active_master mmm_agent db1"), "{check:?}");
    seen(&mut cluster, "db3").links.clear();
    assert_eq!(codes(&replication(&cluster)), ["not-replicating"]);
}

#[test]
fn a_source_that_is_silent_is_not_complained_of_twice() {
    let mut cluster = good("db3");
    cluster.members[0].server = Err(Unreached { reason: "no".into(), answered: false, code: None });
    for host in ["db2", "db3"] {
        let channel = &mut seen(&mut cluster, host).links[0].channel;
        (channel.io, channel.io_error) = (IoThread::Connecting, Some(error(2003)));
    }
    assert_eq!(codes(&replication(&cluster)), [""; 0]);
}

#[test]
fn late_and_delayed_hosts_are_found() {
    let mut cluster = good("db1");
    assert_eq!(codes(&lag(&cluster)), [""; 0]);
    seen(&mut cluster, "db2").links[0].lag = Some(600);
    seen(&mut cluster, "db3").links[0].channel.delay = 60;
    assert_eq!(codes(&lag(&cluster)), ["lag", "delayed"]);
}

#[test]
fn a_channel_of_the_settings_that_no_host_has_is_one_finding_about_the_settings() {
    let mut cluster = good("db3");
    cluster.channel = Some("foo".into());
    for host in ["db1", "db2", "db3"] {
        seen(&mut cluster, host).links[0].source = None;
    }
    let check = replication(&cluster);
    assert_eq!((codes(&check), check.state), (vec!["unknown-channel"], Severity::Failure));
    let finding = &check.findings[0];
    assert!(finding.text.contains("db1, db2 and db3 have no channel 'foo'"), "{finding:?}");
    assert!(finding.cure[0].contains("replication.channel in mmm_helpers.yaml of db3"), "{finding:?}");
    assert!(!finding.cure.concat().contains("set up replication"), "{finding:?}");
}

#[test]
fn the_failed_row_is_shown_by_a_statement_that_the_server_knows() {
    let cure = |mut cluster: Cluster, version| {
        let seen = seen(&mut cluster, "db3");
        if let Some(version) = version {
            seen.dialect = mmm_replication::dialect::Dialect::new(version, false);
            seen.variables.insert("version".into(), format!("{}.{}.{}", version.0, version.1, version.2));
        }
        let channel = &mut seen.links[0].channel;
        (channel.sql_running, channel.sql_error) = (false, Some(error(1062)));
        replication(&cluster).findings.remove(0).cure.remove(0)
    };
    let of_workers = "replication_applier_status_by_worker WHERE LAST_ERROR_NUMBER > 0";
    let new = cure(good("db3"), Some((9, 7, 4)));
    assert!(new.contains("SHOW REPLICA STATUS") && new.contains(of_workers), "{new}");
    let old = cure(good("db3"), Some((5, 6, 24)));
    assert!(old.contains("SHOW SLAVE STATUS") && !old.contains(of_workers), "{old}");
    let mariadb = cure(good("db3"), None);
    assert!(mariadb.contains("SHOW ALL SLAVES STATUS") && !mariadb.contains(of_workers), "{mariadb}");
}
