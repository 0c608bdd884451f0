use std::time::Duration;

use mmm_replication::position::BinlogPosition;

use super::super::super::cluster::{LocalServer, Unreached};
use super::super::sample::{codes, good, mysql, seen, set};
use super::*;

type Judge = fn(&Cluster) -> Check;

const ALL: [Judge; 9] =
    [retries, start, crash_safety, strict_gtids, retention, engines, events, connections, survivors];

#[test]
fn recommended_settings_have_no_finding() {
    for mut cluster in [good("db1"), mysql("db2", "ON"), mysql("db3", "OFF")] {
        for host in ["db1", "db2", "db3"] {
            for (name, value) in [
                ("sync_binlog", "1"),
                ("innodb_flush_log_at_trx_commit", "1"),
                ("gtid_strict_mode", "ON"),
                ("binlog_expire_logs_seconds", "604800"),
                ("max_connections", "151"),
                ("threads_connected", "20"),
            ] {
                set(&mut cluster, host, name, value);
            }
            seen(&mut cluster, host).links[0].retry = (Some(5), Some(86400));
        }
        cluster.machine.server = Some(LocalServer { read_only: Some(true), unsafe_tables: Vec::new() });
        for check in ALL {
            assert_eq!(codes(&check(&cluster)), [""; 0]);
        }
    }
}

#[test]
fn each_setting_that_loses_something_is_a_finding() {
    let variables: [(Judge, &str, &str, &str); 6] = [
        (crash_safety, "sync_binlog", "0", "log-not-synced"),
        (crash_safety, "innodb_flush_log_at_trx_commit", "2", "commits-not-flushed"),
        (retention, "binlog_expire_logs_seconds", "3600", "logs-kept-too-short"),
        (retention, "expire_logs_days", "0.5", "logs-kept-too-short"),
        (connections, "max_connections", "25", "connections-scarce"),
        (survivors, "rpl_semi_sync_master_enabled", "ON", "survivors-off"),
    ];
    for (check, name, value, code) in variables {
        let mut cluster = good("db1");
        cluster.takes_over = false;
        set(&mut cluster, "db2", "threads_connected", "20");
        set(&mut cluster, "db2", name, value);
        assert_eq!(codes(&check(&cluster)), [code], "{name}");
    }
    for (retry, code) in [((60, 86400), "retry-slow"), ((5, 10), "retry-gives-up")] {
        let mut cluster = good("db1");
        seen(&mut cluster, "db3").links[0].retry = (Some(retry.0), Some(retry.1));
        assert_eq!(codes(&retries(&cluster)), [code]);
    }
}

/// The cure of the channel of db3, which follows db1.
fn retry_cure_of_db3(cluster: &mut Cluster) -> String {
    seen(cluster, "db3").links[0].retry = (Some(60), Some(86400));
    retries(cluster).findings[0].cure.join("\n")
}

#[test]
fn a_relay_log_is_not_deleted_that_may_be_the_only_copy() {
    let backlog = |cluster: &mut Cluster| {
        seen(cluster, "db3").links[0].channel.fetched = Some(BinlogPosition::new("binlog.000001", 900));
    };
    let silent = |cluster: &mut Cluster| {
        cluster.members[0].server = Err(Unreached { reason: "no".into(), answered: false, code: None });
    };
    for (text, is_silent, has_backlog) in [
        ("not now: db1 does not answer", true, false),
        ("not now: db3 has not applied all", false, true),
        ("not now: db1 does not answer", true, true),
    ] {
        for mut cluster in [good("db3"), mysql("db3", "ON")] {
            let is_mysql = !seen(&mut cluster, "db3").is_mariadb();
            if has_backlog {
                backlog(&mut cluster);
            }
            if is_silent {
                silent(&mut cluster);
            }
            let cure = retry_cure_of_db3(&mut cluster);
            // As long as the SQL thread runs, this MySQL keeps the relay log.
            assert_eq!(cure.starts_with(text), !is_mysql, "{cure}");
            assert_eq!(cure.contains("SQL:"), is_mysql, "{cure}");
            assert_eq!(cure.contains("STOP SLAVE IO_THREAD"), is_mysql, "{cure}");
            seen(&mut cluster, "db3").links[0].channel.sql_running = false;
            let cure = retry_cure_of_db3(&mut cluster);
            assert!(cure.starts_with(text) && !cure.contains("SQL:"), "{cure}");
        }
    }
    let cure = retry_cure_of_db3(&mut good("db3"));
    assert!(cure.starts_with("only while db1 answers: ") && cure.contains("STOP SLAVE"), "{cure}");
}

#[test]
fn a_fence_that_may_take_longer_than_a_call_has_for_it_is_a_finding() {
    let mut cluster = good("db1");
    let limited = |seconds, most| Some((Duration::from_secs(seconds), Duration::from_secs(most)));
    for (set, found) in [(None, &[][..]), (limited(5, 5), &[]), (limited(7, 6), &["fence-limit"])] {
        cluster.fence = set;
        assert_eq!(codes(&fence(&cluster)), found);
    }
}

#[test]
fn logs_are_kept_longer_than_the_latest_slave_lags() {
    let mut cluster = good("db1");
    set(&mut cluster, "db1", "binlog_expire_logs_seconds", "172800");
    seen(&mut cluster, "db3").links[0].lag = Some(100_000);
    assert_eq!(codes(&retention(&cluster)), ["logs-kept-too-short"]);
    set(&mut cluster, "db1", "binlog_expire_logs_seconds", "0");
    assert_eq!(codes(&retention(&cluster)), [""; 0]);
}
