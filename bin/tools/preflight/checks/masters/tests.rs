use mmm_replication::status::Mode;

use super::super::sample::{codes, good, mysql, seen, set};
use super::*;

#[test]
fn good_masters_are_held_to_be_good() {
    for check in [logs, gtids, filters, auto_increment, appliers, semi_sync] {
        assert_eq!(codes(&check(&good("db1"))), [""; 0]);
        assert_eq!(codes(&check(&mysql("db1", "ON"))), [""; 0]);
        assert_eq!(codes(&check(&mysql("db1", "OFF"))), [""; 0]);
    }
}

#[test]
fn one_variable_that_is_wrong_is_found() {
    type Judge = fn(&Cluster) -> Check;
    let table: [(Judge, &str, &str, &str, &str); 9] = [
        (logs, "db2", "log_bin", "OFF", "binlog-off"),
        (logs, "db2", "log_slave_updates", "OFF", "log-slave-updates-off"),
        (logs, "db3", "log_slave_updates", "OFF", "slave-keeps-no-log"),
        (gtids, "db2", "gtid_mode", "ON_PERMISSIVE", "gtid-mode-differs"),
        (auto_increment, "db2", "auto_increment_offset", "1", "auto-increment-clash"),
        (auto_increment, "db2", "auto_increment_offset", "3", "auto-increment-clash"),
        (auto_increment, "db1", "auto_increment_increment", "1", "auto-increment-clash"),
        (appliers, "db2", "slave_parallel_workers", "4", "commit-order-off"),
        (semi_sync, "db1", "rpl_semi_sync_master_enabled", "ON", "semi-sync-differs"),
    ];
    for (judge, host, variable, value, code) in table {
        let mut cluster = mysql("db1", "OFF");
        set(&mut cluster, host, variable, value);
        assert_eq!(codes(&judge(&cluster)), [code], "{variable} {value}");
    }
}

#[test]
fn a_slave_without_a_log_lends_nothing() {
    let mut cluster = good("db1");
    set(&mut cluster, "db3", "log_slave_updates", "OFF");
    assert_eq!(codes(&logs(&cluster)), ["slave-lends-nothing"]);
}

#[test]
fn a_slave_that_acknowledges_what_nobody_can_take_over_is_found() {
    let semi_synchronous = || {
        let mut cluster = good("db1");
        for host in ["db1", "db2"] {
            set(&mut cluster, host, "rpl_semi_sync_master_enabled", "ON");
            set(&mut cluster, host, "rpl_semi_sync_master_timeout", "1000");
        }
        set(&mut cluster, "db1", "rpl_semi_sync_master_clients", "1");
        set(&mut cluster, "db3", "rpl_semi_sync_slave_enabled", "ON");
        cluster
    };
    assert_eq!(codes(&semi_sync(&semi_synchronous())), [""; 0]);
    let changes: [fn(&mut Seen); 3] = [
        |seen| seen.links[0].channel.delay = 60,
        |seen| seen.links[0].channel.filters.push("Replicate_Do_DB=app".into()),
        |seen| seen.log_filters.push("Binlog_Ignore_DB=tmp".into()),
    ];
    for change in changes {
        let mut cluster = semi_synchronous();
        change(seen(&mut cluster, "db3"));
        assert_eq!(codes(&semi_sync(&cluster)), ["semi-sync-lends-nothing"]);
    }
}

#[test]
fn filters_that_differ_are_a_failure_on_masters_and_a_warning_on_slaves() {
    const LOG: &str = "Binlog_Ignore_DB=tmp";
    const CHANNEL: &str = "Replicate_Do_DB=app";
    type Set = &'static [(&'static str, &'static str)];
    let table: [(Set, &[&str]); 9] = [
        (&[("db1", LOG), ("db2", LOG), ("db3", LOG)], &[]),
        (&[("db1", LOG), ("db2", LOG)], &[]),
        (&[("db2", LOG)], &["master-filters"]),
        (&[("db3", LOG)], &["slave-filters"]),
        (&[("db1", LOG), ("db2", "Binlog_Ignore_DB=app")], &["master-filters", "master-filters"]),
        (&[("db1", CHANNEL), ("db2", CHANNEL), ("db3", CHANNEL)], &[]),
        (&[("db2", CHANNEL)], &["master-filters"]),
        (&[("db3", CHANNEL)], &["slave-filters"]),
        (&[("db2", CHANNEL), ("db3", CHANNEL)], &["slave-filters"]),
    ];
    for (filters, expected) in table {
        let mut cluster = good("db1");
        for (host, filter) in filters {
            let seen = seen(&mut cluster, host);
            if filter.starts_with("Binlog") {
                seen.log_filters.push((*filter).into());
            } else {
                seen.links[0].channel.filters.push((*filter).into());
            }
        }
        assert_eq!(codes(&self::filters(&cluster)), expected, "{filters:?}");
    }
    let mut cluster = good("db1");
    for (host, format) in [("db1", "STATEMENT"), ("db2", "ROW")] {
        seen(&mut cluster, host).log_filters.push(LOG.into());
        set(&mut cluster, host, "binlog_format", format);
    }
    assert_eq!(codes(&filters(&cluster)), ["master-filters", "master-filters"], "they read it differently");
}

#[test]
fn a_host_that_keeps_its_place_in_another_way_is_found() {
    let mut cluster = good("db1");
    seen(&mut cluster, "db3").links[0].channel.mode = Mode::SlavePos;
    assert_eq!(codes(&gtids(&cluster)), ["channel-modes-differ"]);
}

#[test]
fn semi_sync_that_waits_too_long_or_for_nobody_is_found() {
    let mut cluster = good("db1");
    for host in ["db1", "db2"] {
        set(&mut cluster, host, "rpl_semi_sync_master_enabled", "ON");
        set(&mut cluster, host, "rpl_semi_sync_master_timeout", "1000");
    }
    set(&mut cluster, "db1", "rpl_semi_sync_master_clients", "1");
    assert_eq!(codes(&semi_sync(&cluster)), [""; 0]);
    set(&mut cluster, "db1", "rpl_semi_sync_master_clients", "0");
    set(&mut cluster, "db2", "rpl_semi_sync_master_timeout", "10000");
    assert_eq!(codes(&semi_sync(&cluster)), ["semi-sync-alone", "semi-sync-wait"]);
}
