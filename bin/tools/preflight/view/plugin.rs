//! The line that Nagios and Icinga read: a word, what is wrong, and performance data behind a bar.

use super::super::checks::LATE;
use super::super::finding::Severity;
use super::report::Report;

/// How many findings are named.
const NAMED: usize = 3;

/// The line.
pub fn line(report: &Report) -> String {
    let word = match report.result {
        Severity::Skipped | Severity::Ok => "OK",
        Severity::Warning => "WARNING",
        Severity::Failure => "CRITICAL",
        Severity::Unknown => "UNKNOWN",
    };
    let findings = report.findings();
    let mut words: Vec<String> =
        findings.iter().take(NAMED).map(|finding| format!("{} [{}]", finding.text, finding.code)).collect();
    if findings.len() > NAMED {
        words.push(format!("{} more", findings.len() - NAMED));
    }
    if words.is_empty() {
        let host = report.host.as_deref().unwrap_or("this host");
        words.push(format!(
            "a failover would work, seen from {host}: {} hosts, {} checks",
            report.hosts.len(),
            report.checks.len()
        ));
    }
    // A bar would begin the performance data.
    format!("MMM {word} - {}|{}\n", words.join("; ").replace('|', "/"), performance(report))
}

fn performance(report: &Report) -> String {
    let answering = report.hosts.iter().filter(|host| host.answers).count();
    let mut data = vec![
        format!("hosts={}", report.hosts.len()),
        format!("answering={answering}"),
        format!("failures={}", report.count(Severity::Failure)),
        format!("warnings={}", report.count(Severity::Warning)),
        format!("time={:.3}s", report.milliseconds / 1000.0),
    ];
    for host in &report.hosts {
        if let Some(lag) = host.replicates_from.as_ref().and_then(|source| source.lag_seconds) {
            data.push(format!("lag_{}={lag}s;{}", host.name, LATE));
        }
    }
    data.join(" ")
}

#[cfg(test)]
mod tests;
