//! What hosts need so that slaves can follow a new master: logs, GTIDs, filters, keys, commit order, semi-sync.

use super::super::cluster::{Cluster, Seen, is_on};
use super::super::code::Code;
use super::super::finding::{Check, Severity, advice, sql};
use super::lists::listed;

/// Whether the masters log everything.
pub fn logs(cluster: &Cluster) -> Check {
    let names: Vec<_> = cluster.seen_masters().map(|(member, _)| member.name()).collect();
    let mut check =
        Check::new("logs").saying(format!("{} log all, what they replicate included", listed(&names)));
    for (member, seen) in cluster.seen() {
        let name = member.name();
        let line = |what: &str| {
            [advice(format!("add {what} to [mysqld] in my.cnf of {name}, and restart that server"))]
        };
        if !member.is_master() {
            // If GTIDs do not show what a slave has, its own log has to.
            let tells_nothing = !seen.is_mariadb() && seen.text("gtid_mode") != "ON";
            if tells_nothing && !keeps_log(seen) {
                let text = format!(
                    "{name} has neither GTIDs nor a log of what it replicates: after a crash of its master it may be impossible to prove where it must continue"
                );
                check.warn(Code::SlaveKeepsNoLog, name, text, &line("log_bin and log_slave_updates=ON"));
            } else if !keeps_log(seen) {
                let text = format!(
                    "{name} does not log what it replicates: when its master dies, the new one cannot take over what only {name} has fetched"
                );
                check.warn(Code::SlaveLendsNothing, name, text, &line("log_bin and log_slave_updates=ON"));
            }
        } else if !seen.is_on("log_bin") {
            check.fail(
                Code::BinlogOff,
                name,
                format!("{name} writes no binary log: nobody can replicate from it"),
                &line("log_bin"),
            );
        } else if !seen.logs_updates() {
            let text = format!(
                "{name} does not log what it replicates: slaves that follow it would miss the other master's rows"
            );
            check.fail(Code::LogSlaveUpdatesOff, name, text, &line("log_slave_updates=ON"));
        }
    }
    check
}

fn keeps_log(seen: &Seen) -> bool {
    seen.is_on("log_bin") && seen.logs_updates()
}

/// Why a new master could not take over what only this slave has fetched.
fn lends_nothing(seen: &Seen) -> Option<&'static str> {
    let channel = &seen.link()?.channel;
    if !keeps_log(seen) {
        return Some("does not log what it replicates");
    }
    if channel.delay > 0 {
        return Some("applies with a delay (MASTER_DELAY)");
    }
    let has_filters = !channel.filters.is_empty() || !seen.log_filters.is_empty();
    has_filters.then_some("has filters")
}

/// Whether all keep their position in the same way.
pub fn gtids(cluster: &Cluster) -> Check {
    let mut modes: Vec<_> = cluster
        .seen()
        .filter_map(|(_, seen)| seen.link())
        .map(|link| link.channel.mode.to_string())
        .collect();
    modes.sort();
    modes.dedup();
    let mut check = Check::new("gtids").saying(format!("all replicate by {}", listed(&modes)));
    if modes.len() > 1 {
        let each: Vec<_> = cluster
            .seen()
            .filter_map(|(member, seen)| Some(format!("{} by {}", member.name(), seen.link()?.channel.mode)))
            .collect();
        let text = format!("hosts keep their position in different ways: {}", listed(&each));
        check.warn(
            Code::ChannelModesDiffer,
            "",
            text,
            &[advice("CHANGE MASTER on each so that all use GTIDs, or none does")],
        );
    }
    let mut words: Vec<_> =
        cluster.seen().map(|(member, seen)| (member.name(), seen.text("gtid_mode"))).collect();
    words.retain(|(_, mode)| !mode.is_empty());
    if words.iter().any(|(_, mode)| *mode != words[0].1) {
        let each: Vec<_> = words.iter().map(|(name, mode)| format!("{name} {mode}")).collect();
        let text = format!("gtid_mode differs: {}", listed(&each));
        check.fail(Code::GtidModeDiffers, "", text, &[advice("bring gtid_mode to the same value on all, one step at a time (MySQL manual: Enabling GTIDs Online)")]);
    }
    check
}

/// Whether every row reaches every host, except for what all leave out alike. A move of a slave judges the same way.
pub fn filters(cluster: &Cluster) -> Check {
    let all: Vec<_> = cluster.seen().map(|(member, seen)| (member, seen, Filters::of(seen))).collect();
    let mut same: Vec<_> = all.iter().flat_map(|(.., filters)| filters.words()).collect();
    same.sort();
    same.dedup();
    let saying = match &same[..] {
        [] => "none: every row reaches every host".into(),
        same => format!("all that have to be are the same ({})", listed(same)),
    };
    let mut check = Check::new("filters").saying(saying);
    for (member, _, filters) in &all {
        let name = member.name();
        // A slave that follows a master misses the rows that the master drops and the slave would keep. Of the other
        // master's rows it misses those that its master does not log. A slave's own log is compared with its master's.
        let others = all.iter().filter(|(other, ..)| other.name() != name);
        let mut foreign = Vec::new();
        for (other, seen, theirs) in others {
            if other.is_master() && filters.log != theirs.log {
                foreign.extend(filters.log_words());
            }
            if other.is_master() != member.is_master() && seen.link().is_some() {
                foreign.extend(
                    filters.channel.iter().filter(|filter| !theirs.channel.contains(filter)).cloned(),
                );
            }
        }
        foreign.sort();
        foreign.dedup();
        if foreign.is_empty() {
            continue;
        }
        let text = format!("{name} leaves rows out of what it logs or replicates ({})", listed(&foreign));
        let cure = [advice(format!(
            "remove these from my.cnf of {name} (binlog_…_db, replicate_…) or give every host the same, restart it; \
             then compare its rows"
        ))];
        if member.is_master() {
            let text = format!("{text}, and not all hosts do: slaves that follow it would miss them");
            check.fail(Code::MasterFilters, name, text, &cure);
        } else {
            check.warn(Code::SlaveFilters, name, text, &cure);
        }
    }
    check
}

/// What a host leaves out.
struct Filters {
    /// Of its log, and which binlog format decides that; nothing if it logs all.
    log: Option<(Vec<String>, String)>,
    /// Of what it gets from a configured host.
    channel: Vec<String>,
}

impl Filters {
    fn of(seen: &Seen) -> Self {
        let format = seen.text("binlog_format").to_string();
        let from_cluster = seen.links.iter().filter(|link| link.source.is_some());
        Self {
            log: Some((seen.log_filters.clone(), format)).filter(|(filters, _)| !filters.is_empty()),
            channel: from_cluster.flat_map(|link| link.channel.filters.clone()).collect(),
        }
    }

    fn log_words(&self) -> Vec<String> {
        let Some((filters, format)) = &self.log else { return Vec::new() };
        filters.iter().map(|filter| format!("{filter} with binlog_format={format}")).collect()
    }

    fn words(&self) -> Vec<String> {
        [self.log_words(), self.channel.clone()].concat()
    }
}

/// Whether two masters can never choose the same key.
pub fn auto_increment(cluster: &Cluster) -> Check {
    let masters: Vec<_> = cluster
        .seen_masters()
        .filter_map(|(member, seen)| {
            Some((
                member.name(),
                seen.number("auto_increment_increment")?,
                seen.number("auto_increment_offset")?,
            ))
        })
        .collect();
    let shown: Vec<_> = masters
        .iter()
        .map(|(name, increment, offset)| format!("{name} every {increment} from {offset}"))
        .collect();
    let mut check = Check::new("auto-increment").saying(shown.join(", "));
    let wanted =
        masters.iter().map(|(_, increment, _)| *increment).max().unwrap_or(1).max(masters.len() as u64);
    let rest = |offset: u64| offset % wanted;
    for (place, (name, increment, offset)) in masters.iter().enumerate() {
        let clash = masters[..place].iter().find(|(_, _, other)| rest(*other) == rest(*offset));
        let cure = |offset: u64| {
            [
                sql(
                    name,
                    format!(
                        "SET GLOBAL auto_increment_increment = {wanted}, GLOBAL auto_increment_offset = {offset}"
                    ),
                ),
                advice("and the same in its my.cnf; sessions that are open keep the old values"),
            ]
        };
        if let Some((other, _, _)) = clash {
            let text = format!(
                "{other} and {name} choose the same auto_increment keys: after a crash, replication stops on a duplicate key"
            );
            check.warn(Code::AutoIncrementClash, name, text, &cure(place as u64 + 1));
        } else if *increment != wanted && masters.len() > 1 {
            let text = format!(
                "{name} has auto_increment_increment {increment}, not {wanted}: the masters can choose the same keys"
            );
            check.warn(Code::AutoIncrementClash, name, text, &cure(*offset));
        }
    }
    check
}

/// Whether parallel appliers keep their source's order.
pub fn appliers(cluster: &Cluster) -> Check {
    let mut check = Check::new("appliers").saying("what is applied is logged in its source's order");
    // MariaDB's parallel appliers always commit in order.
    for (member, seen) in cluster.seen().filter(|(_, seen)| !seen.is_mariadb()) {
        let workers = seen.first(&["replica_parallel_workers", "slave_parallel_workers"]);
        let keeps = is_on(seen.first(&["replica_preserve_commit_order", "slave_preserve_commit_order"]));
        if workers.parse().unwrap_or(0) < 2 || keeps {
            continue;
        }
        let (name, prefix) = (member.name(), seen.prefix());
        let by_sets = seen.text("gtid_mode") == "ON";
        let severity = if member.is_master() && !by_sets { Severity::Failure } else { Severity::Warning };
        let text = format!(
            "{name} applies with {workers} workers without keeping commit order: its log is not in its source's order"
        );
        let threads = if prefix == "replica" { "REPLICA" } else { "SLAVE" };
        let cure = [
            sql(
                name,
                format!(
                    "STOP {threads} SQL_THREAD; SET GLOBAL {prefix}_preserve_commit_order = ON; START {threads} SQL_THREAD"
                ),
            ),
            advice(
                "and the same in its my.cnf; a MySQL 5.6 without that variable: slave_parallel_workers = 0",
            ),
        ];
        check.add(severity, Code::CommitOrderOff, name, &text, &cure);
    }
    check
}

/// Whether commits that wait for a slave can hold up a move.
pub fn semi_sync(cluster: &Cluster) -> Check {
    let on =
        |seen: &Seen| is_on(seen.first(&["rpl_semi_sync_master_enabled", "rpl_semi_sync_source_enabled"]));
    let masters: Vec<_> = cluster.seen_masters().collect();
    let (with, without): (Vec<_>, Vec<_>) = masters.into_iter().partition(|(_, seen)| on(seen));
    let mut check = Check::new("semi-sync").saying(if with.is_empty() { "off" } else { "on, and answered" });
    for (member, seen) in &with {
        let name = member.name();
        let word =
            if seen.variables.contains_key("rpl_semi_sync_source_enabled") { "source" } else { "master" };
        let limit = u64::try_from(cluster.call_limit.as_millis()).unwrap_or(u64::MAX);
        let timeout = seen.number(&format!("rpl_semi_sync_{word}_timeout")).unwrap_or(0);
        if timeout >= limit {
            let text = format!(
                "commits on {name} may wait {} s for a slave's acknowledgement, longer than a helper may take ({} s): closing it to writes would fail",
                timeout / 1000,
                limit / 1000
            );
            let cure = sql(name, format!("SET GLOBAL rpl_semi_sync_{word}_timeout = {}", limit / 4));
            check.warn(Code::SemiSyncWait, name, text, &[cure]);
        }
        let is_writer = cluster.writer().is_some_and(|writer| writer.name() == name);
        if is_writer && seen.number(&format!("rpl_semi_sync_{word}_clients")) == Some(0) {
            let text = format!(
                "{name} is semi-synchronous, but no slave acknowledges: commits wait in vain, or are no safer than without it"
            );
            check.warn(
                Code::SemiSyncAlone,
                name,
                text,
                &[advice("enable rpl_semi_sync_slave (or …_replica) on a slave, and restart its I/O thread")],
            );
        }
    }
    let acknowledges =
        |seen: &Seen| is_on(seen.first(&["rpl_semi_sync_slave_enabled", "rpl_semi_sync_replica_enabled"]));
    for (member, seen) in cluster.seen().filter(|_| !with.is_empty()) {
        let name = member.name();
        let Some(why) = lends_nothing(seen).filter(|_| acknowledges(seen) && !member.is_master()) else {
            continue;
        };
        let text = format!(
            "{name} acknowledges commits and {why}: when the writer dies, a commit that {name} alone has cannot be taken over"
        );
        let cure = advice(format!("fix that on {name}, or disable rpl_semi_sync_slave (or …_replica) there"));
        check.warn(Code::SemiSyncLendsNothing, name, text, &[cure]);
    }
    for (member, _) in without.iter().filter(|_| !with.is_empty()) {
        let name = member.name();
        let text = format!(
            "the other master is semi-synchronous, {name} is not: after a move commits are less safe"
        );
        check.warn(
            Code::SemiSyncDiffers,
            name,
            text,
            &[advice("enable it in my.cnf of both masters, or of none")],
        );
    }
    check
}

#[cfg(test)]
mod tests;
