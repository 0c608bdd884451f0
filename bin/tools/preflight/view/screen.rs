//! The screen for people: the cluster as a tree, what is wrong with its cure, what is well; 80 columns wide.

use mmm_core::escape::line;

use super::super::finding::{Finding, Severity};
use super::report::{HostRow, Report};
use crate::terminal::{LongWord, painted, wrapped};

const WIDTH: usize = 80;
/// Where the text of a finding begins, and that of a check that is well.
const FINDING: usize = 9;
const CHECK: usize = 20;

/// The whole screen, with colour or without.
pub fn draw(report: &Report, colour: bool) -> String {
    let mut screen = Screen { text: String::new(), colour };
    let host = report.host.as_deref().unwrap_or("this host");
    screen.line(&format!("Would a failover work right now? As {host} sees it, by {}.conf:", report.config));
    screen.line("");
    if !report.hosts.is_empty() {
        screen.tree(report);
        screen.line("");
    }
    let findings = report.findings();
    for finding in &findings {
        screen.finding(finding);
    }
    screen.checks(report, findings.is_empty());
    screen.verdict(report, host);
    screen.text
}

struct Screen {
    text: String,
    colour: bool,
}

impl Screen {
    fn line(&mut self, text: &str) {
        self.text.push_str(text.trim_end());
        self.text.push('\n');
    }

    fn word(&self, word: &str, severity: Severity) -> String {
        let code = match severity {
            Severity::Skipped | Severity::Ok => "32",
            Severity::Warning => "33",
            Severity::Failure => "1;31",
            Severity::Unknown => "35",
        };
        if self.colour { painted(word, code) } else { word.into() }
    }

    /// The writer, or else the first host, with those that replicate from it below; then all other hosts.
    fn tree(&mut self, report: &Report) {
        let mut left: Vec<&HostRow> = report.hosts.iter().collect();
        // The writer comes first, then the other masters, then the slaves.
        left.sort_by_key(|host| (host.read_only != Some(false), host.mode != "master"));
        while !left.is_empty() {
            let root = left.remove(0);
            self.branch(report, root, &mut left, "", "");
        }
    }

    fn branch(&mut self, report: &Report, host: &HostRow, left: &mut Vec<&HostRow>, first: &str, rest: &str) {
        let is_child = |other: &&HostRow| {
            other.replicates_from.as_ref().and_then(|source| source.host.as_deref()) == Some(&host.name)
        };
        let children: Vec<&HostRow> = left.iter().copied().filter(is_child).collect();
        left.retain(|other| !is_child(other));
        let below = if children.is_empty() { "    " } else { "|   " };
        let below = format!("{rest}{below}");
        let lines = self.describe(report, host);
        let lines = lines.iter().flat_map(|line| whole(line, WIDTH - below.len()));
        for (place, text) in lines.enumerate() {
            let before = if place == 0 { first } else { &below };
            self.line(&format!("{before}{text}"));
        }
        for (place, child) in children.iter().enumerate() {
            let (corner, bar) = if place + 1 == children.len() { ("`-- ", "    ") } else { ("|-- ", "|   ") };
            self.branch(report, child, left, &format!("{rest}{corner}"), &format!("{rest}{bar}"));
        }
    }

    fn describe(&self, report: &Report, host: &HostRow) -> Vec<String> {
        let is_this = if host.this { " (this host)" } else { "" };
        let port = if host.port == 3306 { String::new() } else { format!(":{}", host.port) };
        let state = match host.read_only {
            None => self.word("NO ANSWER", Severity::Failure),
            Some(true) => "read-only".into(),
            Some(false) => "takes writes".into(),
        };
        let product = host.product.as_ref().map_or(String::new(), |product| format!(", {}", line(product)));
        let mut lines =
            vec![format!("{}{is_this}, {}{port}, {}, {state}{product}", host.name, host.ip, host.mode)];
        if let Some(source) = &host.replicates_from {
            let name = line(source.host.as_deref().unwrap_or(&source.address));
            let mode = if source.mode == "gtid" { "GTID" } else { "position" };
            let state = match source.state {
                "running" => source.state.into(),
                state => self.word(state, Severity::Failure),
            };
            let lag = source.lag_seconds.map_or(String::new(), |lag| format!(", {lag} s behind"));
            let backlog = match source.backlog_bytes {
                None | Some(0) => String::new(),
                Some(bytes) => format!(", {bytes} bytes to apply"),
            };
            let applied =
                source.applied.as_ref().map_or(String::new(), |place| format!(", at {}", line(place)));
            lines.push(format!("follows {name} by {mode}: {state}{lag}{backlog}{applied}"));
        } else if host.answers {
            lines.push("follows nobody".into());
        }
        let end = host.log_end.as_ref().map(|end| format!("log ends at {}", line(end)));
        let held: Vec<_> = report
            .addresses
            .iter()
            .filter(|address| host.addresses.contains(&address.ip))
            .map(|address| format!("{} {}", address.role, address.ip))
            .collect();
        let held = (!held.is_empty()).then(|| format!("holds {}", held.join(", ")));
        match (end, held) {
            (Some(end), Some(held)) if end.len() + held.len() < WIDTH - 10 => {
                lines.push(format!("{end}; {held}"));
            }
            (end, held) => lines.extend(end.into_iter().chain(held)),
        }
        lines
    }

    fn finding(&mut self, finding: &Finding) {
        let word = match finding.severity {
            Severity::Skipped | Severity::Ok => "ok",
            Severity::Warning => "WARNING",
            Severity::Failure => "FAILURE",
            Severity::Unknown => "UNKNOWN",
        };
        let head = format!("{}{}", self.word(word, finding.severity), " ".repeat(FINDING - word.len()));
        let text = format!("{} [{}]", finding.text, finding.code);
        self.hanging(&head, &text, FINDING);
        for (place, step) in finding.cure.iter().enumerate() {
            let head = if place == 0 { "  cure:  " } else { "         " };
            // A shell's command has to stay in one line.
            if step.contains(", shell: ") {
                self.line(&format!("{head}{step}"));
            } else {
                self.hanging(head, step, FINDING);
            }
        }
        self.line("");
    }

    /// One line each if all is well; otherwise their names only.
    fn checks(&mut self, report: &Report, is_all_well: bool) {
        let good: Vec<_> = report.checks.iter().filter(|check| check.state == Severity::Ok).collect();
        if good.is_empty() {
            return;
        }
        let ok = self.word("ok", Severity::Ok);
        if is_all_well {
            for check in good {
                self.hanging(&format!("{ok}  {:<16}", check.name), &check.text, CHECK);
            }
        } else {
            let names: Vec<_> = good.iter().map(|check| check.name).collect();
            self.hanging(&format!("{ok}       "), &names.join(", "), FINDING);
        }
        let skipped = report.checks.iter().filter(|check| check.state == Severity::Skipped);
        let skipped: Vec<_> = skipped.map(|check| check.name).collect();
        if !skipped.is_empty() {
            self.line(&format!("skipped  {}", skipped.join(", ")));
        }
        self.line("");
    }

    fn verdict(&mut self, report: &Report, host: &str) {
        let count = |severity, one: &str| match report.count(severity) {
            0 => None,
            1 => Some(format!("1 {one}")),
            count => Some(format!("{count} {one}s")),
        };
        let counts: Vec<_> = [count(Severity::Failure, "failure"), count(Severity::Warning, "warning")]
            .into_iter()
            .flatten()
            .collect();
        let counts = counts.join(", ");
        let text = match report.result {
            Severity::Skipped | Severity::Ok => {
                format!("GOOD: a failover would work, as far as {host} can tell. Look from every host.")
            }
            Severity::Warning => format!("{counts}: a failover would work, but not as well as it should."),
            Severity::Failure => {
                format!("{counts}: a failover would fail or do harm; cure from the top.")
            }
            Severity::Unknown => "Nothing could be seen, so the answer is unknown.".into(),
        };
        let text = self.word(&text, report.result);
        self.line(&text);
    }

    /// `head`, then `text` in lines that begin below its first word.
    fn hanging(&mut self, head: &str, text: &str, indent: usize) {
        for (place, line) in whole(text, WIDTH - indent).into_iter().enumerate() {
            let before = if place == 0 { head.to_string() } else { " ".repeat(indent) };
            self.line(&format!("{before}{line}"));
        }
    }
}

/// Lines of at most so many columns, commands and names in one piece.
fn whole(text: &str, width: usize) -> Vec<String> {
    wrapped(text.split_whitespace(), width, LongWord::Whole)
}

#[cfg(test)]
mod tests;
