//! The result as a document: what the screen, the plugin's line, JSON and YAML all show (docs/PREFLIGHT.md).

use std::time::Duration;

use mmm_core::config::Mode;
use mmm_core::escape;
use mmm_replication::position::BinlogPosition;
use mmm_replication::rehearsal::Foreseen;
use mmm_replication::status::{IoThread, Mode as Place, without_data};
use serde::Serialize;

use super::super::cluster::{Cluster, Link, Member, Outcome, Rehearsed, Seen, Unreached};
use super::super::finding::{Check, Finding, Severity};

/// Version of this document's form.
const SCHEMA: u32 = 1;

/// One look.
#[derive(Debug, Serialize)]
pub struct Report {
    pub schema: u32,
    pub tool: &'static str,
    pub version: &'static str,
    /// This host; `None` if no configuration says which it is.
    pub host: Option<String>,
    /// Name of the agent's configuration.
    pub config: String,
    pub result: Severity,
    pub exit_code: u8,
    pub milliseconds: f64,
    pub hosts: Vec<HostRow>,
    pub addresses: Vec<AddressRow>,
    pub moves: Vec<MoveRow>,
    pub rehearsals: Vec<RehearsalRow>,
    pub checks: Vec<Check>,
}

/// A host of the cluster.
// Observations that have nothing to do with each other.
#[allow(clippy::struct_excessive_bools)]
#[derive(Debug, Serialize)]
pub struct HostRow {
    pub name: String,
    pub ip: String,
    pub port: u16,
    pub mode: &'static str,
    pub this: bool,
    /// True if its server answered the queries.
    pub answers: bool,
    /// True if its server turned the agent's log-in down.
    pub refuses: bool,
    pub product: Option<String>,
    pub server_id: Option<u64>,
    pub read_only: Option<bool>,
    /// `FILE:OFFSET`
    pub log_end: Option<String>,
    pub replicates_from: Option<SourceRow>,
    /// False if `replicates_from` is null because nobody may ask.
    pub replication_known: bool,
    /// Addresses of roles that it holds, as far as this host can tell.
    pub addresses: Vec<String>,
}

/// Whom a host replicates from.
#[derive(Debug, Serialize)]
pub struct SourceRow {
    /// The configured host; `None` for any other server.
    pub host: Option<String>,
    pub address: String,
    /// `position` or `gtid`
    pub mode: &'static str,
    pub io_running: &'static str,
    pub sql_running: bool,
    pub state: &'static str,
    pub lag_seconds: Option<u64>,
    /// Fetched and not applied; `None` if that is not in one file.
    pub backlog_bytes: Option<u64>,
    /// `FILE:OFFSET` in the source's log up to which it has applied.
    pub applied: Option<String>,
}

/// A role's address.
#[derive(Debug, Serialize)]
pub struct AddressRow {
    pub ip: String,
    pub role: String,
    /// Hosts, or hardware addresses of hosts that are none of the cluster's; `None` if nobody could be asked.
    pub held_by: Option<Vec<String>>,
}

/// A dry run of `set_active_master`.
#[derive(Debug, Serialize)]
pub struct MoveRow {
    pub to: String,
    pub result: &'static str,
    pub code: Option<String>,
    pub message: String,
    pub milliseconds: f64,
}

/// What a host would do in a failover, as if the writer were closed now.
#[derive(Debug, Serialize)]
pub struct RehearsalRow {
    pub host: String,
    pub deed: &'static str,
    pub other: Option<String>,
    pub result: &'static str,
    pub code: Option<String>,
    pub message: String,
    pub milliseconds: f64,
}

impl RehearsalRow {
    fn new(attempt: &Rehearsed) -> Self {
        let (result, code, message) = match &attempt.foreseen {
            Foreseen::Proved(proof) => ("proved", None, proof),
            Foreseen::Refused { code, message } => ("refused", Some(code.clone()), message),
            Foreseen::Moving(reason) => ("moving", None, reason),
            Foreseen::NotJudged(reason) => ("not-judged", None, reason),
        };
        Self {
            host: attempt.host.clone(),
            deed: attempt.deed.name(),
            other: attempt.deed.other().map(Into::into),
            result,
            code,
            message: escape::words(&without_data(0, message)),
            milliseconds: rounded(attempt.milliseconds),
        }
    }
}

impl Report {
    /// What was seen and how it was judged.
    pub fn new(cluster: &Cluster, checks: Vec<Check>, elapsed: Duration) -> Self {
        let addresses = cluster.addresses.iter().map(|address| {
            let holders = cluster.holders(address);
            let is_known = address.others.is_some() || !holders.is_empty();
            AddressRow {
                ip: address.ip.clone(),
                role: address.role.clone(),
                held_by: is_known.then_some(holders),
            }
        });
        let moves = cluster.moves.iter().map(|attempt| {
            let (result, code, message) = match &attempt.outcome {
                Outcome::Works(message) => ("ok", None, message.clone()),
                Outcome::Refused { code, message } => ("refused", code.clone(), message.clone()),
                Outcome::Unknown => {
                    ("unknown", None, "the helper has no --dry-run, or does not exist".into())
                }
                Outcome::Failed(reason) => ("failed", None, reason.clone()),
            };
            MoveRow {
                to: attempt.to.clone(),
                result,
                code,
                message,
                milliseconds: rounded(attempt.milliseconds),
            }
        });
        Self {
            host: Some(cluster.this.clone()),
            hosts: cluster.members.iter().map(|member| HostRow::new(cluster, member)).collect(),
            addresses: addresses.collect(),
            moves: moves.collect(),
            rehearsals: cluster.rehearsed.iter().map(RehearsalRow::new).collect(),
            ..Self::bare(&cluster.config, checks, elapsed)
        }
    }

    /// The report without a configuration.
    pub fn without_cluster(config: &str, check: Check, elapsed: Duration) -> Self {
        Self::bare(config, vec![check], elapsed)
    }

    fn bare(config: &str, checks: Vec<Check>, elapsed: Duration) -> Self {
        let result = checks.iter().map(|check| check.state).max().unwrap_or(Severity::Unknown);
        Self {
            schema: SCHEMA,
            tool: "mmm_preflight",
            version: env!("CARGO_PKG_VERSION"),
            host: None,
            config: config.into(),
            result,
            exit_code: result.exit_code(),
            milliseconds: rounded(elapsed.as_secs_f64() * 1000.0),
            hosts: Vec::new(),
            addresses: Vec::new(),
            moves: Vec::new(),
            rehearsals: Vec::new(),
            checks,
        }
    }

    /// Everything that is wrong, the worst first.
    pub fn findings(&self) -> Vec<&Finding> {
        let mut all: Vec<_> = self.checks.iter().flat_map(|check| &check.findings).collect();
        all.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
        all
    }

    /// How many findings are of this severity.
    pub fn count(&self, severity: Severity) -> usize {
        self.findings().iter().filter(|finding| finding.severity == severity).count()
    }
}

impl Severity {
    /// The program's exit code, which is a monitoring plugin's.
    pub fn exit_code(self) -> u8 {
        match self {
            Self::Skipped | Self::Ok => 0,
            Self::Warning => 1,
            Self::Failure => 2,
            Self::Unknown => 3,
        }
    }
}

impl HostRow {
    fn new(cluster: &Cluster, member: &Member) -> Self {
        let seen = member.seen();
        let name = member.name().to_string();
        // The channel that is meant, or else any that there is.
        let link = seen.and_then(|seen| seen.link().or(seen.links.first()));
        let held = cluster.addresses.iter().filter(|address| cluster.holders(address).contains(&name));
        Self {
            ip: member.host.ip.clone(),
            port: member.host.mysql_port,
            mode: if member.host.mode == Mode::Master { "master" } else { "slave" },
            this: name == cluster.this,
            answers: seen.is_some(),
            refuses: member.server.as_ref().is_err_and(Unreached::is_refusal),
            product: seen.map(Seen::product),
            server_id: seen.and_then(|seen| seen.number("server_id")),
            read_only: seen.map(Seen::is_read_only),
            log_end: seen.and_then(|seen| seen.log_end.as_ref()).map(ToString::to_string),
            replicates_from: link.map(SourceRow::new),
            replication_known: seen.is_some_and(|seen| seen.knows_links),
            addresses: held.map(|address| address.ip.clone()).collect(),
            name,
        }
    }
}

impl SourceRow {
    fn new(link: &Link) -> Self {
        let channel = &link.channel;
        Self {
            host: link.source.clone(),
            address: channel.source(),
            mode: if channel.mode == Place::FilePosition { "position" } else { "gtid" },
            io_running: match channel.io {
                IoThread::Yes => "yes",
                IoThread::Connecting => "connecting",
                IoThread::No => "no",
            },
            sql_running: channel.sql_running,
            state: link.state(),
            lag_seconds: link.lag,
            backlog_bytes: backlog(channel.fetched.as_ref(), channel.applied.as_ref()),
            applied: channel.applied.as_ref().map(ToString::to_string),
        }
    }
}

fn backlog(fetched: Option<&BinlogPosition>, applied: Option<&BinlogPosition>) -> Option<u64> {
    let (fetched, applied) = (fetched?, applied?);
    (fetched.file == applied.file).then(|| fetched.offset.saturating_sub(applied.offset))
}

fn rounded(milliseconds: f64) -> f64 {
    (milliseconds * 10.0).round() / 10.0
}

#[cfg(test)]
mod tests;
