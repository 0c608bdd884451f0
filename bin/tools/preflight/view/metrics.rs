//! Metrics for Prometheus, as `node_exporter`'s textfile collector reads them: text of `OpenMetrics`, gauges only, which is also
//! valid in Prometheus's own text format. docs/METRICS.md describes each of them.
//!
//! No label holds a text of a server or of a finding: hosts, addresses, roles, checks, codes and helpers only.

use std::collections::BTreeMap;
use std::fmt::Write;

use jiff::Timestamp;
use mmm_core::escape;

use super::super::finding::Severity;
use super::report::{HostRow, Report, SourceRow};
use crate::journal::history::History;

/// The whole of the text. Without a history, the journal could not be read.
pub fn text(report: &Report, history: Option<&History>, now: Timestamp) -> String {
    let mut text = Text::default();
    of_look(&mut text, report, now);
    of_hosts(&mut text, &report.hosts);
    of_addresses(&mut text, report);
    text.family("mmm_journal_readable", "1 if the journal of this host could be read");
    text.sample(&[], flag(history.is_some()));
    if let Some(history) = history {
        of_moves(&mut text, history);
        of_writes(&mut text, history);
        of_failures(&mut text, history);
    }
    text.written + "# EOF\n"
}

fn of_look(text: &mut Text, report: &Report, now: Timestamp) {
    text.family("mmm_preflight_version", "1, with the version of the program in a label");
    text.sample(&[("version", report.version), ("config", &report.config)], 1.0);
    text.family("mmm_preflight_timestamp_seconds", "When this was looked at, in seconds since 1970");
    text.sample(&[], seconds(now));
    text.family("mmm_preflight_look_seconds", "How long the look took");
    text.sample(&[], report.milliseconds / 1000.0);
    text.family(
        "mmm_preflight_result",
        "Would a failover work: 0 yes, 1 with warnings, 2 no, 3 the look was not possible",
    );
    text.sample(&[], f64::from(report.exit_code));
    text.family(
        "mmm_preflight_check",
        "State of a check: 0 good or left out, 1 warning, 2 failure, 3 unknown",
    );
    for check in &report.checks {
        text.sample(&[("check", check.name)], f64::from(check.state.exit_code()));
    }
    text.family(
        "mmm_preflight_findings",
        "How many findings of this code a check has, by the host that they are about",
    );
    let mut findings: BTreeMap<(&str, String, &str, &str), f64> = BTreeMap::new();
    for check in &report.checks {
        for finding in &check.findings {
            let severity = match finding.severity {
                Severity::Warning => "warning",
                Severity::Unknown => "unknown",
                Severity::Failure | Severity::Ok | Severity::Skipped => "failure",
            };
            let host = finding.host.as_deref().unwrap_or_default();
            *findings.entry((check.name, finding.code.to_string(), severity, host)).or_default() += 1.0;
        }
    }
    for ((check, code, severity, host), count) in findings {
        text.sample(&[("check", check), ("code", &code), ("severity", severity), ("host", host)], count);
    }
}

fn of_hosts(text: &mut Text, hosts: &[HostRow]) {
    text.family("mmm_host_up", "1 if the server of a host answered");
    for host in hosts {
        text.sample(&[("host", &host.name), ("mode", host.mode)], flag(host.answers));
    }
    text.family("mmm_host_read_only", "1 if read_only is on");
    for host in hosts {
        if let Some(read_only) = host.read_only {
            text.sample(&[("host", &host.name), ("mode", host.mode)], flag(read_only));
        }
    }
    let mut channel = |name, help, value: fn(&SourceRow) -> Option<f64>| {
        text.family(name, help);
        for host in hosts {
            let Some(source) = &host.replicates_from else { continue };
            if let Some(value) = value(source) {
                let from = source.host.as_ref().unwrap_or(&source.address);
                text.sample(&[("host", &host.name), ("source", from)], value);
            }
        }
    };
    channel("mmm_replication_io_running", "1 if the I/O thread is connected to the source", |source| {
        Some(flag(source.io_running == "yes"))
    });
    channel("mmm_replication_sql_running", "1 if the SQL thread runs", |source| {
        Some(flag(source.sql_running))
    });
    channel(
        "mmm_replication_lag_seconds",
        "Seconds_Behind_Master; absent if the server does not know it",
        |source| source.lag_seconds.map(number),
    );
    channel(
        "mmm_replication_backlog_bytes",
        "Fetched and not applied; absent if that is in several files",
        |source| source.backlog_bytes.map(number),
    );
}

fn of_addresses(text: &mut Text, report: &Report) {
    text.family(
        "mmm_address_holders",
        "How many hosts hold the address of a role; absent if nobody could be asked",
    );
    for address in &report.addresses {
        if let Some(held_by) = &address.held_by {
            text.sample(&[("address", &address.ip), ("role", &address.role)], number(held_by.len() as u64));
        }
    }
    text.family(
        "mmm_address_held",
        "1 for each host, or hardware address of a stranger, that holds the address",
    );
    for address in &report.addresses {
        for host in address.held_by.iter().flatten() {
            text.sample(&[("address", &address.ip), ("role", &address.role), ("host", host)], 1.0);
        }
    }
}

fn of_moves(text: &mut Text, history: &History) {
    text.family(
        "mmm_move_timestamp_seconds",
        "When the last move of a kind began, within a day, in seconds since 1970",
    );
    for (kind, last) in &history.moves {
        text.sample(&[("move", kind)], seconds(last.started));
    }
    text.family("mmm_move_duration_seconds", "From the first call of that move to the end of its last one");
    for (kind, last) in &history.moves {
        text.sample(&[("move", kind)], last.seconds);
    }
    text.family("mmm_move_worked", "1 if the last calls of that move worked");
    for (kind, last) in &history.moves {
        text.sample(&[("move", kind)], flag(last.worked));
    }
}

fn of_writes(text: &mut Text, history: &History) {
    let mut one = |name, help, value: Option<f64>| {
        text.family(name, help);
        if let Some(value) = value {
            text.sample(&[], value);
        }
    };
    one(
        "mmm_writes_closed_timestamp_seconds",
        "When a helper closed this host last, within a day, in seconds since 1970",
        history.closed.map(seconds),
    );
    one(
        "mmm_writes_opened_timestamp_seconds",
        "When a helper opened this host last, within a day, in seconds since 1970",
        history.opened.map(seconds),
    );
    one(
        "mmm_writes_opened_after_seconds",
        "How long after the first call of that move this host was opened",
        history.opened_after,
    );
}

fn of_failures(text: &mut Text, history: &History) {
    text.family(
        "mmm_refusals",
        "Failed calls of helpers on this host within an hour, by the name of the error",
    );
    for ((helper, code), count) in &history.refusals {
        text.sample(&[("helper", helper), ("code", code)], number(*count));
    }
    text.family("mmm_failures", "What helpers on this host tried besides and failed at, within an hour");
    for (what, count) in &history.failures {
        text.sample(&[("what", what)], number(*count));
    }
    text.family("mmm_fences", "How often this host fenced a silent peer within an hour");
    text.sample(&[], number(history.fences));
}

fn flag(is_so: bool) -> f64 {
    if is_so { 1.0 } else { 0.0 }
}

#[expect(clippy::cast_precision_loss, reason = "a metric is a float; nobody has 2^53 of these")]
fn number(count: u64) -> f64 {
    count as f64
}

fn seconds(time: Timestamp) -> f64 {
    time.as_duration().as_secs_f64()
}

#[derive(Default)]
struct Text {
    written: String,
    name: &'static str,
    /// What stands before the first sample of this metric.
    head: String,
}

impl Text {
    /// What follows are samples of this metric. Without any, it is absent.
    fn family(&mut self, name: &'static str, help: &str) {
        self.name = name;
        self.head = format!("# HELP {name} {}\n# TYPE {name} gauge\n", escaped(help));
    }

    fn sample(&mut self, labels: &[(&str, &str)], value: f64) {
        let labels: Vec<String> =
            labels.iter().map(|(label, value)| format!("{label}=\"{}\"", escaped(value))).collect();
        let labels = if labels.is_empty() { String::new() } else { format!("{{{}}}", labels.join(",")) };
        self.written += &std::mem::take(&mut self.head);
        let _ = writeln!(self.written, "{}{labels} {value}", self.name);
    }
}

/// A text within quotes, or behind a name, without what would end it.
fn escaped(text: &str) -> String {
    escape::escaped(text).replace('\\', "\\\\").replace('"', "\\\"")
}

#[cfg(test)]
mod tests;
