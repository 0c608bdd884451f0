//! Who replicates from whom, whether it runs, and how far behind it is.

use std::fmt::Write as _;

use mmm_replication::dialect::Threads;
use mmm_replication::status::{Channel, IoThread, ThreadError};

use super::super::cluster::{Cluster, Link, Member, Seen};
use super::super::code::Code;
use super::super::finding::{Check, Severity, advice, shell, sql};
use super::lists::listed;

/// A slave counts as late from this lag on, in seconds: a helper waits about as long.
pub const LATE: u64 = 8;

/// Whether every host replicates from whom it should.
pub fn replication(cluster: &Cluster) -> Check {
    let running: Vec<_> = cluster
        .seen()
        .filter_map(|(member, seen)| {
            Some(format!("{} from {}", member.name(), seen.link()?.source.as_ref()?))
        })
        .collect();
    let mut check = Check::new("replication").saying(format!("runs: {}", listed(&running)));
    let mut without_channel = Vec::new();
    for (member, seen) in cluster.seen() {
        // If a query was refused, the privileges check reports it.
        if seen.links.is_empty() && !seen.denied.is_empty() {
            continue;
        }
        // The writer has nothing to fetch now. It will have once it is the passive master.
        let is_writer = cluster.writer().is_some_and(|writer| writer.name() == member.name());
        let severity = if is_writer { Severity::Warning } else { Severity::Failure };
        match seen.link() {
            None if cluster.channel.as_ref().is_some_and(|name| lacks_channel(seen, name)) => {
                without_channel.push((member.name(), severity));
            }
            None => no_link(cluster, member, seen, severity, &mut check),
            Some(link) => {
                source(cluster, member, link, severity, &mut check);
                threads(cluster, member, seen, link, severity, &mut check);
            }
        }
    }
    if let Some(name) = &cluster.channel {
        unknown_channel(cluster, name, &without_channel, &mut check);
    }
    check
}

/// True if a server replicates, but has no channel of this name.
fn lacks_channel(seen: &Seen, name: &str) -> bool {
    !seen.links.is_empty() && seen.links.iter().all(|link| link.channel.name != name)
}

/// A channel that the settings name and hosts do not have: rather a mistake there than on so many hosts.
fn unknown_channel(cluster: &Cluster, name: &str, without: &[(&str, Severity)], check: &mut Check) {
    let Some(severity) = without.iter().map(|(_, severity)| *severity).max() else { return };
    let hosts: Vec<_> = without.iter().map(|(host, _)| *host).collect();
    let verb = if hosts.len() == 1 { "has" } else { "have" };
    let mut names: Vec<_> = cluster
        .seen()
        .filter(|(member, _)| hosts.contains(&member.name()))
        .flat_map(|(_, seen)| seen.links.iter().map(|link| format!("'{}'", link.channel.name)))
        .collect();
    names.sort();
    names.dedup();
    let text = format!(
        "{} {verb} no channel '{name}', which replication.channel names: there, no helper knows which channel is \
         meant; there is {}",
        listed(&hosts),
        listed(&names)
    );
    let cure = advice(format!(
        "correct replication.channel in mmm_helpers.yaml of {}, or remove it: with one channel it is not needed",
        cluster.this
    ));
    let host = if let [host] = hosts.as_slice() { host } else { "" };
    check.add(severity, Code::UnknownChannel, host, &text, &[cure]);
}

fn no_link(cluster: &Cluster, member: &Member, seen: &Seen, severity: Severity, check: &mut Check) {
    let name = member.name();
    let wanted = wanted(cluster, member).unwrap_or("a master");
    let cure = advice(format!(
        "set up replication of {name} from {wanted} (CHANGE MASTER TO …), from a copy of {wanted} if its rows differ"
    ));
    if seen.links.is_empty() {
        check.add(
            severity,
            Code::NotReplicating,
            name,
            &format!("{name} replicates from no host; it should replicate from {wanted}"),
            &[cure],
        );
        return;
    }
    let sources: Vec<_> = seen.links.iter().map(|link| link.channel.source()).collect();
    let text = format!(
        "{name} replicates from {}, which does not show which host of the configuration is meant",
        listed(&sources)
    );
    let channel = advice(
        "with several channels, name the one that is meant: replication: {channel: …} in mmm_helpers.yaml",
    );
    check.add(severity, Code::WrongSource, name, &text, &[cure, channel]);
}

/// From whom a host should replicate: a master from its peer, a slave from the writer.
fn wanted<'c>(cluster: &'c Cluster, member: &'c Member) -> Option<&'c str> {
    if member.is_master() {
        member.host.peer.as_ref().map(mmm_core::config::HostName::as_str)
    } else {
        cluster.writer().map(Member::name)
    }
}

fn source(cluster: &Cluster, member: &Member, link: &Link, severity: Severity, check: &mut Check) {
    let (Some(wanted), Some(source)) = (wanted(cluster, member), link.source.as_deref()) else { return };
    // A slave whose master is silent is moved when the writer role is.
    if source == wanted {
        return;
    }
    let name = member.name();
    let text = format!("{name} replicates from {source}; it should replicate from {wanted}");
    let cure = if member.is_master() {
        advice(format!("set up replication of {name} from {wanted} (CHANGE MASTER TO …)"))
    } else {
        let helper = member.helper("set_active_master");
        shell(name, format!("{} {} {wanted}", helper.display(), cluster.config))
    };
    check.add(severity, Code::WrongSource, name, &text, &[cure]);
}

fn threads(
    cluster: &Cluster,
    member: &Member,
    seen: &Seen,
    link: &Link,
    severity: Severity,
    check: &mut Check,
) {
    let (name, channel) = (member.name(), &link.channel);
    let source = link.source.as_deref().unwrap_or_default();
    let is_source_silent = cluster
        .member(source)
        .is_some_and(|source| source.server.as_ref().is_err_and(|error| !error.answered));
    match (channel.io, &channel.io_error) {
        (IoThread::Yes, _) => {}
        // A silent source is a finding of its own.
        (IoThread::Connecting, _) | (_, Some(_)) if is_source_silent => {}
        (_, Some(error)) => {
            let mut text = format!("{name} cannot fetch from {source}: {error}");
            let is_back = channel.has_lost_source()
                && cluster.member(source).is_some_and(|source| source.server.is_ok());
            if is_back && channel.io == IoThread::Connecting {
                let pause = link.retry.0.map_or(String::new(), |pause| format!(" up to {pause} s"));
                let _ = write!(text, "; {source} answers again; {name} waits{pause} before it tries again");
            }
            let mut cure = Vec::new();
            if !is_back {
                cure.push(io_cure(member, source, error));
            }
            cure.push(connect(cluster, member, seen, channel));
            check.add(severity, Code::IoThreadFailed, name, &text, &cure);
        }
        (IoThread::Connecting, None) => {
            let text = format!("{name} is not connected to {source} yet");
            check.add(
                severity,
                Code::IoThreadFailed,
                name,
                &text,
                &[advice(format!(
                    "look again in a few seconds; then see {} there",
                    seen.dialect.show_channels()
                ))],
            );
        }
        (IoThread::No, None) => {
            let text = format!("{name} fetches nothing from {source}: its I/O thread is stopped");
            check.add(severity, Code::IoThreadStopped, name, &text, &[turn_on(cluster, member)]);
        }
    }
    match &channel.sql_error {
        _ if channel.sql_running => {}
        Some(error) => {
            let text = format!("{name} has stopped applying what it fetches from {source}: {error}");
            check.add(
                severity,
                Code::SqlThreadFailed,
                name,
                &text,
                &[sql_cure(name, seen, source, error), turn_on(cluster, member)],
            );
        }
        None => {
            let text = format!("{name} applies nothing from {source}: its SQL thread is stopped");
            check.add(severity, Code::SqlThreadStopped, name, &text, &[turn_on(cluster, member)]);
        }
    }
}

/// Starts what is stopped, unless that would lose something: if both threads of a MariaDB that replicates by GTID are
/// stopped, START SLAVE deletes the relay log, which may be the only copy.
fn turn_on(cluster: &Cluster, member: &Member) -> String {
    let helper = member.helper("turn_on_slave");
    shell(member.name(), format!("{} {}", helper.display(), cluster.config))
}

/// Lets an I/O thread connect now. While it sleeps between two tries it runs, and a START does nothing.
fn connect(cluster: &Cluster, member: &Member, seen: &Seen, channel: &Channel) -> String {
    let at_rest = Channel { io: IoThread::No, ..channel.clone() };
    if channel.io == IoThread::No || at_rest.would_discard() {
        return turn_on(cluster, member);
    }
    let [stop, start] =
        [seen.dialect.stop(&channel.name, Threads::Io), seen.dialect.start(&channel.name, Threads::Io)]
            // The default channel need not be named.
            .map(|statement| statement.replace(" FOR CHANNEL ''", "").replace(" ''", ""));
    sql(member.name(), format!("{stop}; {start}"))
}

fn io_cure(member: &Member, source: &str, error: &ThreadError) -> String {
    let name = member.name();
    match error.code {
        // Log-in, account or password; MySQL shows 2061 for a missing key.
        1045 | 2061 => advice(format!(
            "{source} refuses the account: give {name} the right MASTER_USER and MASTER_PASSWORD (CHANGE MASTER TO …), or fix the account on {source}; then"
        )),
        1236 => advice(format!(
            "{source} has no such position in its log: rebuild {name} from a copy of {source}; then"
        )),
        1593 => advice(format!("{name} and {source} have the same server_id: give each its own; then")),
        _ => advice(format!("fix what the error says between {name} and {source}; then")),
    }
}

/// The statement that shows on what row the SQL thread, or one of its workers, has failed.
fn shows_failure(seen: &Seen) -> String {
    let status = seen.dialect.show_channels();
    if seen.is_mariadb() || seen.version() < (5, 7, 0) {
        return status.into();
    }
    format!(
        "{status}, or SELECT LAST_ERROR_MESSAGE FROM performance_schema.replication_applier_status_by_worker WHERE \
         LAST_ERROR_NUMBER > 0"
    )
}

fn sql_cure(name: &str, seen: &Seen, source: &str, error: &ThreadError) -> String {
    match error.code {
        // Duplicate key, row not found.
        1062 | 1032 => advice(format!(
            "a row of {name} differs from {source}'s ({} on {name} shows it): compare it, make it as on {source} (SET sql_log_bin = 0 first), or rebuild {name}; then",
            shows_failure(seen)
        )),
        _ => advice(format!("fix on {name} what the error says, but never skip a transaction blindly; then")),
    }
}

/// How far behind hosts are.
pub fn lag(cluster: &Cluster) -> Check {
    let most = cluster.seen().filter_map(|(_, seen)| seen.link()?.lag).max().unwrap_or(0);
    let mut check = Check::new("lag").saying(format!("{most} s at most"));
    for (member, seen) in cluster.seen() {
        let Some(link) = seen.link() else { continue };
        let (name, source) = (member.name(), link.source.as_deref().unwrap_or_default());
        if link.channel.delay > 0 {
            let text = format!(
                "{name} is set to stay {} s behind {source} (MASTER_DELAY): what only {name} has fetched when {source} dies cannot be taken over",
                link.channel.delay
            );
            let cure = advice(format!(
                "if {name} is to take part in failovers: STOP, CHANGE MASTER TO MASTER_DELAY = 0, START there"
            ));
            check.warn(Code::Delayed, name, text, &[cure]);
        } else if let Some(seconds) = link.lag.filter(|seconds| *seconds >= LATE) {
            let text = format!("{name} is {seconds} s behind {source}: a move waits until it has caught up");
            let cure = [
                sql(name, "SHOW FULL PROCESSLIST"),
                advice("find out there what delays its appliers: a long statement, a lock, a slow disk"),
            ];
            check.warn(Code::Lag, name, text, &cure);
        }
    }
    check
}

#[cfg(test)]
mod tests;
