//! What rounds came to: a line of JSON for each, appended to a file, and the table that is made of such lines. So the
//! table of several runs is as easily had as that of one, and a run that is interrupted loses nothing.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::plan::Plan;

/// How many of a round's findings are named.
const NAMED: usize = 2;

/// What one round came to.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize)]
#[serde(default)]
pub struct Outcome {
    /// Its seed.
    pub seed: u64,
    /// The servers.
    pub server: String,
    /// `file` or `gtid`
    pub mode: String,
    /// When it began, in milliseconds since 1970.
    pub began: u64,
    /// How long it took, in milliseconds, the cluster's start and end included.
    pub took: u64,
    /// The faults that did happen, by kind.
    pub faults: BTreeMap<String, u64>,
    /// How many slaves were moved to another master.
    pub moves: u64,
    /// Refusals and errors, by helper and name (docs/ERRORS.md).
    pub refusals: BTreeMap<String, u64>,
    /// Calls, by helper.
    pub calls: BTreeMap<String, u64>,
    /// The longest call of each helper, in milliseconds.
    pub longest_calls: BTreeMap<String, u64>,
    /// The longest time in which nothing was acknowledged, in milliseconds.
    pub longest_pause: u64,
    /// How long it took after the last fault until the role was served, in milliseconds.
    pub role_after: u64,
    /// Transactions that were acknowledged.
    pub transactions: u64,
    /// Rows that were read and compared, of all hosts.
    pub rows: u64,
    /// What was wrong.
    pub found: Vec<String>,
    /// The round itself, if something was wrong.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub plan: Option<Plan>,
}

/// Adds the line of a round to a file.
pub fn append(file: &Path, outcome: &Outcome) -> Result<(), String> {
    let said = |error: &dyn std::error::Error| format!("{}: {error}", file.display());
    let line = serde_json::to_string(outcome).map_err(|error| said(&error))? + "\n";
    let opened = OpenOptions::new().create(true).append(true).open(file);
    opened.and_then(|mut opened| opened.write_all(line.as_bytes())).map_err(|error| said(&error))
}

/// The rounds of a file. A line that was cut off when the machine stopped is left out.
pub fn read(file: &Path) -> Result<Vec<Outcome>, String> {
    let text = fs::read_to_string(file).map_err(|error| format!("{}: {error}", file.display()))?;
    Ok(text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect())
}

/// The table of rounds, in Markdown.
pub fn table(outcomes: &[Outcome]) -> String {
    let mut text = String::new();
    let _ = write!(text, "{}", head(outcomes));
    let _ = write!(text, "\n{}", by_server(outcomes));
    let sum = |of: fn(&Outcome) -> &BTreeMap<String, u64>| {
        let mut all: BTreeMap<&str, u64> = BTreeMap::new();
        for (name, count) in outcomes.iter().flat_map(of) {
            *all.entry(name).or_default() += count;
        }
        all
    };
    let mut longest: BTreeMap<&str, u64> = BTreeMap::new();
    for (helper, took) in outcomes.iter().flat_map(|outcome| &outcome.longest_calls) {
        let so_far = longest.entry(helper).or_default();
        *so_far = (*so_far).max(*took);
    }
    let _ = writeln!(text, "\n| Helper | Calls | Longest call |\n|---|---|---|");
    for (helper, calls) in sum(|outcome| &outcome.calls) {
        let took = longest.get(helper).copied().unwrap_or(0);
        let _ = writeln!(text, "| `{helper}` | {calls} | {} |", seconds(took));
    }
    let _ = writeln!(text, "\n| Fault | Times |\n|---|---|");
    for (fault, times) in sum(|outcome| &outcome.faults) {
        let _ = writeln!(text, "| {fault} | {times} |");
    }
    let _ = writeln!(text, "\n| Refusal or error | Times |\n|---|---|");
    let mut refusals: Vec<(&str, u64)> = sum(|outcome| &outcome.refusals).into_iter().collect();
    refusals.sort_by_key(|(_, times)| std::cmp::Reverse(*times));
    for (refusal, times) in refusals {
        let _ = writeln!(text, "| {refusal} | {times} |");
    }
    for outcome in outcomes.iter().filter(|outcome| !outcome.found.is_empty()) {
        let _ = writeln!(
            text,
            "\nfound by seed {}, SERVER={} MODE={}:",
            outcome.seed, outcome.server, outcome.mode
        );
        for found in outcome.found.iter().take(NAMED) {
            let _ = writeln!(text, "  {found}");
        }
    }
    text
}

fn head(outcomes: &[Outcome]) -> String {
    let took: u64 = outcomes.iter().map(|outcome| outcome.took).sum();
    let count = outcomes.len() as u64;
    let failed = outcomes.iter().filter(|outcome| !outcome.found.is_empty()).count();
    let minutes = took / 60_000;
    format!(
        "{count} rounds in {} h {} min, {} an hour; {failed} found something\n",
        minutes / 60,
        minutes % 60,
        (count * 3_600_000).checked_div(took).unwrap_or(0),
    )
}

fn by_server(outcomes: &[Outcome]) -> String {
    let mut kinds: BTreeMap<(&str, &str), Vec<&Outcome>> = BTreeMap::new();
    for outcome in outcomes {
        kinds.entry((&outcome.server, &outcome.mode)).or_default().push(outcome);
    }
    let mut text = String::from(
        "| Server | Mode | Rounds | Faults | Moves | Transactions | Rows compared | Longest pause of writes \
         | Role after the last fault | Found |\n|---|---|---|---|---|---|---|---|---|---|\n",
    );
    for ((server, mode), of) in kinds {
        let sum = |what: fn(&Outcome) -> u64| of.iter().map(|outcome| what(outcome)).sum::<u64>();
        let most = |what: fn(&Outcome) -> u64| of.iter().map(|outcome| what(outcome)).max().unwrap_or(0);
        let _ = writeln!(
            text,
            "| {server} | {mode} | {} | {} | {} | {} | {} | {} | {} | {} |",
            of.len(),
            sum(|outcome| outcome.faults.values().sum()),
            sum(|outcome| outcome.moves),
            sum(|outcome| outcome.transactions),
            sum(|outcome| outcome.rows),
            seconds(most(|outcome| outcome.longest_pause)),
            seconds(most(|outcome| outcome.role_after)),
            of.iter().filter(|outcome| !outcome.found.is_empty()).count(),
        );
    }
    text
}

fn seconds(milliseconds: u64) -> String {
    format!("{}.{:02} s", milliseconds / 1000, milliseconds % 1000 / 10)
}

#[cfg(test)]
mod tests;
