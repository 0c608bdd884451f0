//! What a look comes to, in words: the cluster as a tree, what is wrong with its cure, what is well. Every view for
//! people shows these lines; which colours and marks they get is the view's business.

use mmm_core::escape::line as safe;

use super::super::finding::{Finding, Severity};
use super::piece::{Line, What};
use super::report::{HostRow, Report, SourceRow};
use crate::terminal::LongWord;

/// Where the text of a finding begins, and that of a check that is well.
const FINDING: usize = 9;
const CHECK: usize = 20;
/// However narrow a terminal is, lines have so many columns, and are cut.
const NARROW: usize = 12;

/// Lines of so many columns.
#[derive(Clone, Copy, Debug)]
pub struct Page {
    pub width: usize,
    /// [`LongWord::Whole`] also keeps a shell's command in one line.
    pub long_word: LongWord,
}

/// Who looks, or else "this host".
pub fn looker(report: &Report) -> &str {
    report.host.as_deref().unwrap_or("this host")
}

/// One sentence for all of it.
pub fn verdict(report: &Report) -> Line {
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
            format!(
                "GOOD: a failover would work, as far as {} can tell. Look from every host.",
                looker(report)
            )
        }
        Severity::Warning => format!("{counts}: a failover would work, but not as well as it should."),
        Severity::Failure => {
            format!("{counts}: a failover would fail or do harm; cure from the top.")
        }
        Severity::Unknown => "Nothing could be seen, so the answer is unknown.".into(),
    };
    Line::default().toned(text, report.result)
}

/// What is shown of a host in lines of so many columns.
pub fn describe(report: &Report, host: &HostRow, width: usize) -> Vec<Line> {
    let is_this = if host.this { " (this host)" } else { "" };
    let port = if host.port == 3306 { String::new() } else { format!(":{}", host.port) };
    let (state, tone) = match host.read_only {
        None if host.refuses => ("LOG-IN REFUSED", Some(Severity::Failure)),
        None => ("NO ANSWER", Some(Severity::Failure)),
        Some(true) => ("read-only", None),
        Some(false) => ("takes writes", None),
    };
    let mut first = Line::plain(format!("{}{is_this}, {}{port}, {}, ", host.name, host.ip, host.mode)).fact(
        &host.name,
        What::State,
        state,
        tone,
    );
    if let Some(product) = &host.product {
        first = first.and(", ").fact(&host.name, What::Product, safe(product), None);
    }
    let mut lines = vec![first];
    if let Some(source) = &host.replicates_from {
        lines.push(follows(host, source));
    } else if host.answers && !host.replication_known {
        let unknown = "not known (privileges)";
        lines.push(Line::plain("follows: ").fact(&host.name, What::Source, unknown, None));
    } else if host.answers {
        lines.push(Line::plain("follows ").fact(&host.name, What::Source, "nobody", None));
    }
    let end = host
        .log_end
        .as_ref()
        .map(|end| Line::plain("log ends at ").fact(&host.name, What::LogEnd, safe(end), None));
    let held = report.addresses.iter().filter(|address| host.addresses.contains(&address.ip));
    let held = held.fold(None, |held: Option<Line>, address| {
        let line = held.map_or_else(|| Line::plain("holds "), |held| held.and(", "));
        let what = What::Address(address.ip.clone());
        Some(line.fact(&host.name, what, format!("{} {}", address.role, address.ip), None))
    });
    match (end, held) {
        (Some(end), Some(held)) if end.text().len() + held.text().len() + 10 < width => {
            lines.push(end.and("; ").then(held));
        }
        (end, held) => lines.extend(end.into_iter().chain(held)),
    }
    lines
}

fn follows(host: &HostRow, source: &SourceRow) -> Line {
    let fact = |line: Line, what, text: String, tone| line.fact(&host.name, what, text, tone);
    let name = safe(source.host.as_deref().unwrap_or(&source.address));
    let mode = if source.mode == "gtid" { "GTID" } else { "position" };
    let tone = (source.state != "running").then_some(Severity::Failure);
    let line = fact(Line::plain("follows "), What::Source, name, None);
    let line = fact(line.and(" by "), What::Mode, mode.into(), None);
    let mut line = fact(line.and(": "), What::Threads, source.state.into(), tone);
    if let Some(lag) = source.lag_seconds {
        line = fact(line.and(", "), What::Lag, format!("{lag} s behind"), None);
    }
    if let Some(bytes) = source.backlog_bytes.filter(|bytes| *bytes > 0) {
        line = fact(line.and(", "), What::Backlog, format!("{bytes} bytes to apply"), None);
    }
    if let Some(applied) = &source.applied {
        line = fact(line.and(", at "), What::Applied, safe(applied), None);
    }
    line
}

impl Page {
    /// The writer, or else the first host, with those that replicate from it below; then all other hosts. `more` is
    /// what a view adds to a host's lines.
    pub fn tree(self, report: &Report, more: &dyn Fn(&HostRow) -> Option<Line>) -> Vec<Line> {
        let mut left: Vec<&HostRow> = report.hosts.iter().collect();
        // The writer comes first, then the other masters, then the slaves.
        left.sort_by_key(|host| (host.read_only != Some(false), host.mode != "master"));
        let mut lines = Vec::new();
        while !left.is_empty() {
            let root = left.remove(0);
            self.branch(report, more, root, &mut left, ("", ""), &mut lines);
        }
        lines
    }

    fn branch(
        self,
        report: &Report,
        more: &dyn Fn(&HostRow) -> Option<Line>,
        host: &HostRow,
        left: &mut Vec<&HostRow>,
        (first, rest): (&str, &str),
        lines: &mut Vec<Line>,
    ) {
        let is_child = |other: &&HostRow| {
            other.replicates_from.as_ref().and_then(|source| source.host.as_deref()) == Some(&host.name)
        };
        let children: Vec<&HostRow> = left.iter().copied().filter(is_child).collect();
        left.retain(|other| !is_child(other));
        let below = format!("{rest}{}", if children.is_empty() { "    " } else { "|   " });
        let described = describe(report, host, self.width).into_iter().chain(more(host));
        let described = described.flat_map(|line| self.wrapped(&line, below.len()));
        for (place, line) in described.enumerate() {
            lines.push(Line::plain(if place == 0 { first } else { &below }).then(line));
        }
        for (place, child) in children.iter().enumerate() {
            let (corner, bar) = if place + 1 == children.len() { ("`-- ", "    ") } else { ("|-- ", "|   ") };
            let before = (&*format!("{rest}{corner}"), &*format!("{rest}{bar}"));
            self.branch(report, more, child, left, before, lines);
        }
    }

    /// What is wrong, with its cure.
    pub fn finding(self, finding: &Finding, is_new: bool) -> Vec<Line> {
        let word = match finding.severity {
            Severity::Skipped | Severity::Ok => "ok",
            Severity::Warning => "WARNING",
            Severity::Failure => "FAILURE",
            Severity::Unknown => "UNKNOWN",
        };
        let head = Line::default().toned(word, finding.severity).and(" ".repeat(FINDING - word.len()));
        let text = if is_new { Line::default().news("new", None).and(" ") } else { Line::default() };
        let mut lines = self.hanging(head, &text.and(said(finding)), FINDING);
        for (place, step) in finding.cure.iter().enumerate() {
            let head = Line::plain(if place == 0 { "  cure:  " } else { "         " });
            // A shell's command has to stay in one line.
            if self.long_word == LongWord::Whole && step.contains(", shell: ") {
                lines.push(head.and(step));
            } else {
                lines.extend(self.hanging(head, &Line::plain(step), FINDING));
            }
        }
        lines
    }

    /// What is no longer wrong.
    pub fn gone(self, finding: &Finding) -> Vec<Line> {
        let head = Line::default().news("gone", Some(Severity::Ok)).and(" ".repeat(FINDING - "gone".len()));
        self.hanging(head, &Line::plain(said(finding)), FINDING)
    }

    /// One line each if all is well; otherwise their names only.
    pub fn checks(self, report: &Report, is_all_well: bool) -> Vec<Line> {
        let good: Vec<_> = report.checks.iter().filter(|check| check.state == Severity::Ok).collect();
        if good.is_empty() {
            return Vec::new();
        }
        let ok = || Line::default().toned("ok", Severity::Ok);
        let mut lines = Vec::new();
        if is_all_well {
            for check in good {
                let head = ok().and(format!("  {:<16}", check.name));
                lines.extend(self.hanging(head, &Line::plain(&check.text), CHECK));
            }
        } else {
            let names: Vec<_> = good.iter().map(|check| check.name).collect();
            lines.extend(self.hanging(ok().and("       "), &Line::plain(names.join(", ")), FINDING));
        }
        let skipped = report.checks.iter().filter(|check| check.state == Severity::Skipped);
        let skipped: Vec<_> = skipped.map(|check| check.name).collect();
        if !skipped.is_empty() {
            lines.push(Line::plain(format!("skipped  {}", skipped.join(", "))));
        }
        lines
    }

    /// `head`, then `text` in lines that begin below its first word.
    fn hanging(self, head: Line, text: &Line, indent: usize) -> Vec<Line> {
        let mut head = Some(head);
        let lines = self
            .wrapped(text, indent)
            .into_iter()
            .map(|line| head.take().unwrap_or_else(|| Line::plain(" ".repeat(indent))).then(line));
        lines.collect()
    }

    /// In what is left of the width behind so many columns.
    fn wrapped(self, text: &Line, taken: usize) -> Vec<Line> {
        text.wrapped(self.width.saturating_sub(taken).max(NARROW), self.long_word)
    }
}

/// A finding's text, with the code by which documents and programs know it.
fn said(finding: &Finding) -> String {
    format!("{} [{}]", finding.text, finding.code)
}
