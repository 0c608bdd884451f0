//! Settings that do no harm today, and lose data or time in a failover.

use mmm_replication::dialect::{Flavour, Threads};
use mmm_replication::status::Mode;

use super::super::cluster::{Cluster, Link, Member, Seen};
use super::super::code::Code;
use super::super::finding::{Check, advice, sql};
use super::lists::listed;

/// The maximum pause between two tries of an I/O thread, in seconds.
const RETRY: u64 = 10;
/// How long an I/O thread has to try, in seconds: as long as a master may be away.
const TRIES: u64 = 3600;
/// The minimum age of a master's log before it is deleted, in seconds.
const DAY: u64 = 86400;

/// Whether an I/O thread that has lost its master finds it again soon.
pub fn retries(cluster: &Cluster) -> Check {
    let mut check = Check::new("retries").saying("a lost master is tried again soon, and long enough");
    for (member, seen, link) in links(cluster) {
        let name = member.name();
        let pause = link.retry.0.unwrap_or(RETRY);
        let cure = retry_cure(cluster, name, seen, link);
        if pause > RETRY {
            let text = format!(
                "{name} waits {pause} s between two tries to reach its master: after a short break it fetches nothing \
                 for so long, and what it has not fetched is lost if the master dies"
            );
            check.warn(Code::RetrySlow, name, text, &cure);
        } else if let Some(count) =
            link.retry.1.filter(|count| (1..TRIES).contains(&count.saturating_mul(pause)))
        {
            let text = format!(
                "{name} gives up its master after {count} tries, {} s: a master that is away for longer is not \
                 replicated from again",
                count * pause
            );
            check.warn(Code::RetryGivesUp, name, text, &cure);
        }
    }
    check
}

/// The statements that set both retry times of a channel, or why they would do harm now.
///
/// MariaDB, and MySQL before 5.7.4, delete the relay log with every CHANGE MASTER that does not name a place in it. What
/// was fetched and not applied has to be fetched again then, which a dead source does not allow. Later versions of MySQL
/// keep the relay log as long as one of the two threads runs.
fn retry_cure(cluster: &Cluster, name: &str, seen: &Seen, link: &Link) -> Vec<String> {
    let channel = &link.channel;
    let source = link.source.as_deref().unwrap_or_default();
    if keeps_relay_log(seen) && channel.sql_running {
        return vec![sql(name, retry_statement(seen, link, Threads::Io))];
    }
    let answers = cluster
        .member(source)
        .is_some_and(|source| source.server.as_ref().map_or_else(|error| error.answered, |_| true));
    if !answers {
        return vec![advice(format!(
            "not now: {source} does not answer, and CHANGE MASTER would delete what {name} has fetched and not applied; \
             do it when {source} is back"
        ))];
    }
    if !channel.has_applied_all() {
        return vec![advice(format!(
            "not now: {name} has not applied all that it has fetched from {source}, and CHANGE MASTER would delete the \
             rest; look again when it has"
        ))];
    }
    vec![
        advice(format!(
            "only while {source} answers: CHANGE MASTER deletes what {name} has fetched and not applied by then, and \
             {name} fetches it again"
        )),
        sql(name, retry_statement(seen, link, Threads::Both)),
    ]
}

/// True if CHANGE MASTER leaves the relay log alone while the SQL thread runs.
fn keeps_relay_log(seen: &Seen) -> bool {
    seen.dialect.flavour() != Flavour::MariaDb && seen.version() >= (5, 7, 4)
}

/// The statements themselves, with `threads` stopped in between.
fn retry_statement(seen: &Seen, link: &Link, threads: Threads) -> String {
    let (version, name) = (seen.version(), &link.channel.name);
    let [stop, start] = [seen.dialect.stop(name, threads), seen.dialect.start(name, threads)];
    let quoted = name.replace('\'', "''");
    let change = if seen.dialect.flavour() == Flavour::MariaDb {
        format!("CHANGE MASTER '{quoted}' TO MASTER_CONNECT_RETRY = 5")
    } else {
        let (master, prefix) =
            if version >= (8, 0, 23) { ("REPLICATION SOURCE", "SOURCE") } else { ("MASTER", "MASTER") };
        let channel = if version < (5, 7, 0) { String::new() } else { format!(" FOR CHANNEL '{quoted}'") };
        format!("CHANGE {master} TO {prefix}_CONNECT_RETRY = 5, {prefix}_RETRY_COUNT = 86400{channel}")
    };
    format!("{stop}; {change}; {start}")
}

fn links(cluster: &Cluster) -> impl Iterator<Item = (&Member, &Seen, &Link)> {
    cluster.seen().filter_map(|(member, seen)| Some((member, seen, seen.link()?)))
}

/// Whether this host's server is closed when it starts.
pub fn start(cluster: &Cluster) -> Check {
    let this = cluster.this.as_str();
    let mut check = Check::new("start");
    match cluster.machine.server.as_ref().and_then(|server| server.read_only) {
        None => check.skip(),
        Some(true) => {}
        Some(false) => {
            let text = format!(
                "{this} takes writes after its next start: read_only is not set in its option files. A writer that \
                 crashes and starts again would write beside the new one"
            );
            let cure = [advice(format!(
                "add read_only=1 to [mysqld] in my.cnf of {this}; it need not be restarted"
            ))];
            check.warn(Code::ReadOnlyNotAtStart, this, text, &cure);
        }
    }
    let is_skipped =
        check.findings.is_empty() && cluster.machine.server.as_ref().is_none_or(|s| s.read_only.is_none());
    check.saying(if is_skipped {
        "the option files of this host's server cannot be read".to_string()
    } else {
        format!("the server of {this} is closed until the agent opens it")
    })
}

/// Whether a master that crashes keeps what it has committed.
pub fn crash_safety(cluster: &Cluster) -> Check {
    let mut check =
        Check::new("crash-safety").saying("a master that crashes loses nothing that it has committed");
    for (member, seen) in cluster.seen_masters() {
        let name = member.name();
        let cure = |variable: &str| {
            [
                sql(name, format!("SET GLOBAL {variable} = 1")),
                advice(format!("and {variable}=1 in [mysqld] of its my.cnf")),
            ]
        };
        if seen.is_on("log_bin") && seen.number("sync_binlog").is_some_and(|value| value != 1) {
            let text = format!(
                "{name} has sync_binlog {}: if its machine crashes, its log loses transactions that slaves have",
                seen.text("sync_binlog")
            );
            check.warn(Code::LogNotSynced, name, text, &cure("sync_binlog"));
        }
        if seen.number("innodb_flush_log_at_trx_commit").is_some_and(|value| value != 1) {
            let text = format!(
                "{name} has innodb_flush_log_at_trx_commit {}: if its machine crashes, it loses transactions that \
                 clients and slaves have",
                seen.text("innodb_flush_log_at_trx_commit")
            );
            check.warn(Code::CommitsNotFlushed, name, text, &cure("innodb_flush_log_at_trx_commit"));
        }
    }
    check
}

/// Whether a MariaDB that replicates by GTID stops at numbers that go back.
pub fn strict_gtids(cluster: &Cluster) -> Check {
    let mut check = Check::new("strict-gtids");
    let by_gtid: Vec<_> = links(cluster)
        .filter(|(_, seen, link)| seen.is_mariadb() && link.channel.mode != Mode::FilePosition)
        .collect();
    for (member, ..) in by_gtid.iter().filter(|(_, seen, _)| !seen.is_on("gtid_strict_mode")) {
        let name = member.name();
        let text = format!(
            "{name} replicates by GTID without gtid_strict_mode: transactions that two hosts have written apart are \
             mixed without an error"
        );
        let cure = [
            sql(name, "SET GLOBAL gtid_strict_mode = 1"),
            advice("and gtid_strict_mode=1 in [mysqld] of its my.cnf"),
        ];
        check.warn(Code::GtidStrictModeOff, name, text, &cure);
    }
    if by_gtid.is_empty() {
        check.skip();
        return check.saying("nothing that a MariaDB replicates by GTID");
    }
    check.saying("numbers that go back stop replication")
}

/// Whether the masters keep their logs for as long as a slave may need them.
pub fn retention(cluster: &Cluster) -> Check {
    let mut check = Check::new("retention").saying("logs are kept for longer than any slave lags");
    let late = links(cluster)
        .map(|(member, _, link)| (link.lag.unwrap_or(0).max(link.channel.delay), member.name()));
    let (lag, latest) = late.max().unwrap_or((0, ""));
    for (member, seen) in cluster.seen_masters() {
        let Some(kept) = kept(seen) else { continue };
        let name = member.name();
        let wanted = DAY.max(lag.saturating_mul(2));
        if kept >= wanted {
            continue;
        }
        let reason = if lag.saturating_mul(2) > DAY {
            format!("{latest} is {lag} s behind")
        } else {
            "a host that is away for longer must be rebuilt".into()
        };
        let text = format!("{name} deletes its logs after {kept} s: {reason}");
        let statement = if seen.number("binlog_expire_logs_seconds").is_some() {
            format!("SET GLOBAL binlog_expire_logs_seconds = {}", wanted.max(7 * DAY))
        } else {
            format!("SET GLOBAL expire_logs_days = {}", wanted.div_ceil(DAY).max(7))
        };
        let cure = [sql(name, statement), advice("and the same in [mysqld] of its my.cnf")];
        check.warn(Code::LogsKeptTooShort, name, text, &cure);
    }
    check
}

/// After how many seconds a server deletes its logs; `None`: never.
fn kept(seen: &Seen) -> Option<u64> {
    if !seen.is_on("log_bin") || seen.text("binlog_expire_logs_auto_purge") == "OFF" {
        return None;
    }
    let days: f64 = seen.text("expire_logs_days").parse().unwrap_or(0.0);
    // A part of a day is what MariaDB shows of seconds.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    let of_days = (days * 86400.0) as u64;
    seen.number("binlog_expire_logs_seconds")
        .filter(|seconds| *seconds > 0)
        .or(Some(of_days))
        .filter(|kept| *kept > 0)
}

/// Whether this host has tables that no rollback and no crash recovery covers.
pub fn engines(cluster: &Cluster) -> Check {
    let this = cluster.this.as_str();
    let mut check = Check::new("engines");
    let Some(server) = &cluster.machine.server else {
        check.skip();
        return check.saying("the files of this host's server cannot be read");
    };
    if !server.unsafe_tables.is_empty() {
        let tables = &server.unsafe_tables;
        let few: Vec<_> = tables.iter().take(3).map(String::as_str).collect();
        let more = if tables.len() > few.len() {
            format!(" and {} more", tables.len() - few.len())
        } else {
            String::new()
        };
        let text = format!(
            "{this} has rows in tables without transactions ({}{more}): a statement that is ended when the server is \
             closed stays half done there, and a crash damages them",
            few.join(", ")
        );
        let cure = [advice(format!("on the writer: ALTER TABLE {} ENGINE = InnoDB, and so on", few[0]))];
        check.warn(Code::TablesWithoutTransactions, this, text, &cure);
    }
    check.saying(format!("every table with rows on {this} has transactions"))
}

/// Whether an event may write on a server that is closed.
pub fn events(cluster: &Cluster) -> Check {
    let mut check = Check::new("events").saying("no event can write on a server that is closed");
    for (member, seen) in cluster.seen() {
        let (name, Some(who)) = (member.name(), &seen.events) else { continue };
        // It stops events, too; only MySQL has it.
        if cluster.closes_to_all && !seen.is_mariadb() {
            continue;
        }
        let text = format!("the event scheduler of {name} is on, and read_only may not stop {who}");
        let cure = [
            advice(format!(
                "give these events on {name} a definer without SUPER and {} (ALTER DEFINER = … EVENT …), or disable them",
                if seen.is_mariadb() { "READ_ONLY ADMIN" } else { "CONNECTION_ADMIN" }
            )),
            advice(
                "for this program and mysql_deny_write to see definers: GRANT EVENT ON *.* and SELECT ON mysql.* to the \
                 agent's account",
            ),
        ];
        check.warn(Code::EventsMayWrite, name, text, &cure);
    }
    check
}

/// Whether the helpers find a free connection.
pub fn connections(cluster: &Cluster) -> Check {
    let mut check = Check::new("connections").saying("every server has room for the helpers");
    // Each host's helpers may hold two at each server at once, and a log-in that was cut off stays for a while.
    let wanted = 2 * cluster.members.len() as u64 + 4;
    for (member, seen) in cluster.seen() {
        let (Some(most), Some(used)) = (seen.number("max_connections"), seen.number("threads_connected"))
        else {
            continue;
        };
        let free = most.saturating_sub(used);
        if free >= wanted {
            continue;
        }
        let name = member.name();
        let text = format!(
            "{name} has {free} of {most} connections free: in a failover, the helpers need up to {wanted}, and clients \
             come back all at once"
        );
        let cure = [
            sql(name, format!("SET GLOBAL max_connections = {}", used + 50.max(wanted))),
            advice("and the same in its my.cnf; see who has the connections (SHOW PROCESSLIST)"),
        ];
        check.warn(Code::ConnectionsScarce, name, text, &cure);
    }
    check
}

/// Whether a call has as much time as the command that fences a silent peer may take.
pub fn fence(cluster: &Cluster) -> Check {
    let mut check = Check::new("fence");
    let Some((limit, most)) = cluster.fence else { return check.saying("no command fences a silent peer") };
    if limit > most {
        let text = format!(
            "allow_write.fence.limit is {limit:.1?}, and of a call ({:.1?}) the command gets {most:.1?}: one that needs \
             longer is ended half-way, each time, and no writes are opened beside a silent peer",
            cluster.call_limit
        );
        let cure =
            [advice("a longer limits.call, or a shorter allow_write.fence.limit, in mmm_helpers.yaml")];
        check.warn(Code::FenceLimit, &cluster.this, text, &cure);
    }
    check.saying("a silent peer is fenced within a call")
}

/// Whether what only a slave has acknowledged is fetched from it.
pub fn survivors(cluster: &Cluster) -> Check {
    let mut check = Check::new("survivors");
    let is_on = |seen: &Seen| {
        super::super::cluster::is_on(
            seen.first(&["rpl_semi_sync_master_enabled", "rpl_semi_sync_source_enabled"]),
        )
    };
    let with: Vec<_> =
        cluster.seen_masters().filter(|(_, seen)| is_on(seen)).map(|(member, _)| member.name()).collect();
    if !cluster.takes_over && !with.is_empty() {
        let text = format!(
            "{} {} semi-synchronous, and no slave is asked for what only it has (allow_write: survivors: off, or gate: \
             false): a commit that one slave alone has acknowledged is lost with the writer",
            listed(&with),
            if with.len() == 1 { "is" } else { "are" }
        );
        let cure =
            [advice("allow_write: {gate: true, survivors: require} in mmm_helpers.yaml, on every master")];
        check.warn(Code::SurvivorsOff, "", text, &cure);
    }
    check.saying(if cluster.takes_over {
        "a new master asks the slaves for what only they have"
    } else {
        "not asked"
    })
}

#[cfg(test)]
mod tests;
