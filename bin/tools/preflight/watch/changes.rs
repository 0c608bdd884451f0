//! What has changed from look to look, and since when.
//!
//! Values are compared as they are shown, findings by what they are about: the numbers in a finding's text may change
//! with every look. A look that saw no cluster says nothing of what changed in it.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::{Duration, Instant};

use super::super::finding::Finding;
use super::super::view::page;
use super::super::view::piece::{Fact, Line, Subject, What};
use super::super::view::{HostRow, Report};

/// How long a change is marked at least, as the help says. It is marked until the next look, too, however late that is.
pub const MARKED: Duration = Duration::from_secs(15);

/// How much a change matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Weight {
    /// It changes all the time where clients write.
    Mild,
    /// Somebody or something has happened.
    Strong,
}

/// All looks up to now, as far as they are compared.
#[derive(Debug, Default)]
pub struct Changes {
    /// How many looks there were.
    looks: u64,
    facts: BTreeMap<Fact, String>,
    changed: BTreeMap<Fact, Change>,
    findings: HashMap<Key, Finding>,
    /// When a finding came.
    came: HashMap<Key, Moment>,
    /// What is no longer found, in the order in which it went.
    gone: Vec<(Key, Finding, Moment)>,
}

#[derive(Clone, Copy, Debug)]
struct Moment {
    at: Instant,
    look: u64,
}

#[derive(Debug)]
struct Change {
    moment: Moment,
    /// What it was before; `None` if there was nothing.
    before: Option<String>,
}

/// What a finding is about: its code, its host, its text without what moves, and which of several such it is.
type Key = (&'static str, Option<String>, String, usize);

impl Changes {
    /// Compares one more look with those before.
    pub fn note(&mut self, report: &Report, now: Instant) {
        self.looks += 1;
        let moment = Moment { at: now, look: self.looks };
        self.changed.retain(|_, change| is_marked(change.moment, moment));
        self.came.retain(|_, came| is_marked(*came, moment));
        self.gone.retain(|(_, _, went)| is_marked(*went, moment));
        if !report.hosts.is_empty() {
            self.note_facts(report, moment);
        }
        self.note_findings(report, moment);
    }

    fn note_facts(&mut self, report: &Report, moment: Moment) {
        let known: BTreeSet<&str> = self.facts.keys().map(|fact| fact.host.as_str()).collect();
        let mut seen = BTreeMap::new();
        for host in &report.hosts {
            let lines = page::describe(report, host, usize::MAX);
            for piece in lines.into_iter().flat_map(|line| line.0) {
                if let Subject::Fact(fact) = piece.sense.subject {
                    seen.insert(fact, piece.text);
                }
            }
        }
        for (fact, text) in &seen {
            let before = self.facts.get(fact);
            if known.contains(fact.host.as_str()) && before != Some(text) {
                self.changed.insert(fact.clone(), Change { moment, before: before.cloned() });
            }
        }
        for (fact, text) in std::mem::take(&mut self.facts) {
            if seen.contains_key(&fact) {
                continue;
            }
            if is_known(report, &fact.what) {
                self.changed.insert(fact, Change { moment, before: Some(text) });
            } else {
                seen.insert(fact, text);
            }
        }
        self.facts = seen;
    }

    fn note_findings(&mut self, report: &Report, moment: Moment) {
        let found: HashMap<_, _> =
            keyed(report).into_iter().map(|(key, finding)| (key, finding.clone())).collect();
        // Before the first look, nothing was known.
        if moment.look > 1 {
            let new = found.keys().filter(|key| !self.findings.contains_key(*key));
            self.came.extend(new.map(|key| (key.clone(), moment)));
        }
        if report.hosts.is_empty() {
            self.findings.extend(found);
            return;
        }
        self.gone.retain(|(key, _, _)| !found.contains_key(key));
        let silent: BTreeSet<&str> =
            report.hosts.iter().filter(|host| !host.answers).map(|host| host.name.as_str()).collect();
        let mut went: Vec<_> = std::mem::take(&mut self.findings)
            .into_iter()
            .filter(|(key, _)| !found.contains_key(key))
            // Of a host that does not answer, nothing else is found.
            .filter(|(_, finding)| !finding.host.as_deref().is_some_and(|host| silent.contains(host)))
            .map(|(key, finding)| (key, finding, moment))
            .collect();
        went.sort_by(|(one, ..), (other, ..)| one.cmp(other));
        self.gone.extend(went);
        self.findings = found;
    }

    /// Whether a text tells of a change, and how much that matters.
    pub fn weight(&self, subject: &Subject, now: Instant) -> Option<Weight> {
        match subject {
            Subject::Nothing => None,
            Subject::News => Some(Weight::Strong),
            Subject::Fact(fact) => {
                let change = self.changed.get(fact)?;
                self.is_marked(change.moment, now).then(|| weight(&fact.what))
            }
        }
    }

    /// What a host was before, if that matters.
    pub fn before(&self, host: &HostRow, now: Instant) -> Option<Line> {
        let changed = self
            .changed
            .iter()
            .filter(|(fact, change)| fact.host == host.name && self.is_marked(change.moment, now));
        let words: Vec<_> = changed
            .filter_map(|(fact, change)| {
                let before = change.before.as_deref()?;
                match fact.what {
                    What::Source => Some(format!("follows {before}")),
                    What::State | What::Threads => Some(before.into()),
                    What::Address(_) => Some(format!("holds {before}")),
                    _ => None,
                }
            })
            .collect();
        (!words.is_empty())
            .then(|| Line::default().news("before", None).and(format!(": {}", words.join("; "))))
    }

    /// Everything that is wrong, as the report has it, and whether it is new.
    pub fn findings<'r>(&self, report: &'r Report, now: Instant) -> Vec<(&'r Finding, bool)> {
        let is_new = |key: &Key| self.came.get(key).is_some_and(|came| self.is_marked(*came, now));
        keyed(report).into_iter().map(|(key, finding)| (finding, is_new(&key))).collect()
    }

    /// What is no longer found.
    pub fn gone(&self, now: Instant) -> impl Iterator<Item = &Finding> {
        self.gone.iter().filter(move |(_, _, went)| self.is_marked(*went, now)).map(|(_, finding, _)| finding)
    }

    fn is_marked(&self, moment: Moment, now: Instant) -> bool {
        is_marked(moment, Moment { at: now, look: self.looks })
    }
}

/// True if what happened then is marked now.
fn is_marked(then: Moment, now: Moment) -> bool {
    then.look == now.look || now.at.saturating_duration_since(then.at) < MARKED
}

fn weight(what: &What) -> Weight {
    match what {
        What::Lag | What::Backlog | What::Applied | What::LogEnd => Weight::Mild,
        What::State | What::Product | What::Source | What::Mode | What::Threads | What::Address(_) => {
            Weight::Strong
        }
    }
}

/// False for an address of which this look could not tell who holds it.
fn is_known(report: &Report, what: &What) -> bool {
    let What::Address(ip) = what else { return true };
    report.addresses.iter().any(|address| address.ip == *ip && address.held_by.is_some())
}

/// Each finding, the worst first, with what it is about.
fn keyed(report: &Report) -> Vec<(Key, &Finding)> {
    let mut counts: HashMap<_, usize> = HashMap::new();
    let keyed = report.findings().into_iter().map(|finding| {
        let words = finding.text.split_whitespace().map(|word| if moves(word) { "#" } else { word });
        let text = words.collect::<Vec<_>>().join(" ");
        let (code, host): (&'static str, _) = (finding.code.into(), finding.host.clone());
        let count = counts.entry((code, host.clone(), text.clone())).or_default();
        *count += 1;
        ((code, host, text, *count), finding)
    });
    keyed.collect()
}

/// True for a number, a position and a GTID, which change while what is wrong remains the same.
fn moves(word: &str) -> bool {
    let word = word.trim_matches(|c: char| !c.is_alphanumeric());
    let is_number = |text: &str| {
        text.starts_with(|c: char| c.is_ascii_digit())
            && text.chars().all(|c| c.is_ascii_digit() || ",-".contains(c))
    };
    is_number(word)
        || word.parse::<f64>().is_ok()
        || word.rsplit_once(':').is_some_and(|(_, end)| is_number(end))
}

#[cfg(test)]
mod tests;
