//! Is the oracle any good? A rule is taken out of the helpers, and rounds are played until the oracle says what is lost.
//!
//! A rule is for an order of events that seldom comes. So a round's faults are those of the rule's order, at random moments;
//! the rest of the round is drawn as ever. What the oracle says counts only if the same round is right with every rule.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use serde::Deserialize;

use crate::dice::Dice;
use crate::monitor::held;
use crate::plan::{Fault, Kind, Load, Plan, Setting};
use crate::round::{self, Place};
use crate::say;

/// The rules.
const LIST: &str = include_str!("../mutants.yaml");
/// The variable that names the rule to a helper.
const VARIABLE: &str = "MMM_MUTANT";
/// How long a round goes on after its last fault, if the list does not say.
const GOES_ON: u64 = 3_000;
/// Settings that a round's faults might not go together with.
const NOT_DRAWN: [&str; 10] = [
    "gtid_strict_mode",
    "skip_slave_start",
    "log_slave_updates",
    "slave_parallel_workers",
    "rpl_semi_sync",
    "plugin_load_add",
    "loose_rpl_semi_sync",
    "binlog_ignore_db",
    "binlog_commit_wait",
    "binlog_group_commit_sync_delay",
];

/// The rule that is out.
static OUT: Mutex<Option<String>> = Mutex::new(None);

/// What a host's programs are told.
pub fn environment() -> Option<(&'static str, String)> {
    held(&OUT).clone().map(|name| (VARIABLE, name))
}

/// A rule, and the rounds in which it matters.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Mutant {
    name: String,
    rule: String,
    lost: String,
    servers: Vec<String>,
    says: Vec<String>,
    faults: Vec<(u64, u64, Fault)>,
    #[serde(default)]
    master_first: Option<bool>,
    #[serde(default)]
    delayed: bool,
    #[serde(default)]
    settings: Vec<String>,
    #[serde(default)]
    load: Vec<Load>,
    #[serde(default)]
    rest: Option<u64>,
    #[serde(default)]
    goes_on: Option<u64>,
    #[serde(default)]
    missed: Option<String>,
}

/// What came of a rule.
#[derive(Debug)]
enum Outcome {
    /// After so many rounds; what the oracle said, of which server, and the round's seed.
    Found { rounds: u64, said: String, kind: String, seed: u64 },
    /// In none of so many.
    Missed { rounds: u64 },
}

fn list() -> Result<Vec<Mutant>, String> {
    serde_yaml::from_str(LIST).map_err(|error| format!("mutants.yaml: {error}"))
}

/// Plays rounds without each of these rules, and prints a table.
pub fn run(names: &[String], rounds: u64, first: u64, helpers: &Path, repository: &Path) -> ExitCode {
    match run_all(names, rounds, first, helpers, repository) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            say(&error);
            ExitCode::FAILURE
        }
    }
}

fn run_all(
    names: &[String],
    rounds: u64,
    first: u64,
    helpers: &Path,
    repository: &Path,
) -> Result<bool, String> {
    let place = Place {
        repository: repository
            .canonicalize()
            .map_err(|error| format!("{}: {error}", repository.display()))?,
        helpers: helpers.canonicalize().map_err(|error| format!("{}: {error}", helpers.display()))?,
    };
    check_helpers(&place.helpers)?;
    let all = list()?;
    let known: BTreeSet<&str> = all.iter().map(|mutant| mutant.name.as_str()).collect();
    if let Some(name) = names.iter().find(|name| !known.contains(name.as_str())) {
        return Err(format!("there is no mutant {name}; there are {known:?}"));
    }
    let begun = Instant::now();
    let mut lines = Vec::new();
    let mut is_right = true;
    for mutant in all.iter().filter(|mutant| names.is_empty() || names.contains(&mutant.name)) {
        let begun = Instant::now();
        let outcome = hunt(&place, mutant, rounds, first);
        is_right &= matches!(outcome, Outcome::Found { .. }) || mutant.missed.is_some();
        let line = mutant.row(&outcome, begun.elapsed());
        say(&line);
        lines.push(line);
    }
    say(&format!("\n{} mutants in {} s\n", lines.len(), begun.elapsed().as_secs()));
    say("| Mutant | The rule that is out | What must be lost | Found | By what the oracle said |");
    say("|---|---|---|---|---|");
    for line in &lines {
        say(line);
    }
    Ok(is_right)
}

/// Without the feature, every mutant would be missed.
fn check_helpers(helpers: &Path) -> Result<(), String> {
    let program = helpers.join("set_active_master");
    let bytes = std::fs::read(&program).map_err(|error| format!("{}: {error}", program.display()))?;
    if bytes.windows(VARIABLE.len()).any(|window| window == VARIABLE.as_bytes()) {
        return Ok(());
    }
    Err(format!("{} was built without the feature `mutants`", program.display()))
}

/// Plays rounds without a rule until one is wrong that is right with it.
fn hunt(place: &Place, mutant: &Mutant, rounds: u64, first: u64) -> Outcome {
    say(&format!("\n=== without {}: {}", mutant.name, mutant.rule));
    for (index, seed) in (first..first + rounds).enumerate() {
        let plan = mutant.draw(seed);
        *held(&OUT) = Some(mutant.name.clone());
        let found = play(place, &plan, index);
        *held(&OUT) = None;
        let Some(said) =
            found.iter().find(|line| mutant.says.iter().any(|words| line.contains(words.as_str())))
        else {
            continue;
        };
        say("  the same round with every rule:");
        if !play(place, &plan, index).is_empty() {
            say("  it is wrong with every rule, and does not count");
            continue;
        }
        let kind = format!("{} by {}", plan.kind.server, plan.kind.mode);
        return Outcome::Found { rounds: index as u64 + 1, said: said.clone(), kind, seed };
    }
    Outcome::Missed { rounds }
}

fn play(place: &Place, plan: &Plan, index: usize) -> Vec<String> {
    round::play(place, plan, index).found
}

impl Mutant {
    /// A round in which the rule matters.
    fn draw(&self, seed: u64) -> Plan {
        let mut dice = Dice::new(seed ^ 0x6d75_7461_6e74);
        let kind = kind_of(dice.pick::<String>(&self.servers));
        let mut plan = Plan::draw(seed, &kind);
        plan.hosts = 3;
        plan.semi_sync = false;
        plan.helpers.clear();
        plan.delayed = self.delayed.then_some(2);
        plan.master_first = self.master_first.unwrap_or(plan.master_first);
        let is_set = |line: &str| {
            let name = |line: &str| line.split(' ').next().unwrap_or_default().to_string();
            self.settings.iter().any(|own| name(own) == name(line))
        };
        plan.settings.retain(|Setting { host, line }| {
            host.is_none_or(|host| host < plan.hosts)
                && !is_set(line)
                && !NOT_DRAWN.iter().any(|name| line.starts_with(name))
        });
        let own = self.settings.iter().map(|line| Setting { host: None, line: line.clone() });
        plan.settings.extend(own);
        plan.load = vec![Load::Row, Load::Rows, Load::Rollback];
        if !self.load.is_empty() {
            plan.load.clone_from(&self.load);
        }
        if let Some(rest) = self.rest {
            plan.writers = vec![rest; plan.writers.len()];
        }
        let mut at = 0;
        plan.faults.clear();
        for (least, most, fault) in &self.faults {
            at += dice.between(*least, *most);
            let fault = match fault {
                Fault::KillStopped(host, most) => Fault::KillStopped(*host, dice.below(*most)),
                other => other.clone(),
            };
            plan.faults.push((at, fault));
        }
        plan.length = at + self.goes_on.unwrap_or(GOES_ON);
        plan
    }

    /// A line of the table.
    fn row(&self, outcome: &Outcome, took: Duration) -> String {
        let Self { name, rule, lost, .. } = self;
        let (found, said) = match outcome {
            Outcome::Found { rounds, said, kind, seed } => {
                (format!("after {rounds}, seed {seed}, {kind}, {} s", took.as_secs()), said.as_str())
            }
            Outcome::Missed { rounds } => {
                let why = self.missed.as_deref().unwrap_or("nobody knows why yet");
                (format!("in none of {rounds}, {} s", took.as_secs()), why)
            }
        };
        let said = said.replace('|', "/");
        format!("| `{name}` | {rule} | {lost} | {found} | {said} |")
    }
}

/// `SERVER MODE`
fn kind_of(words: &str) -> Kind {
    let (server, mode) = words.split_once(' ').unwrap_or((words, "file"));
    Kind { server: server.into(), mode: mode.into() }
}

#[cfg(test)]
mod tests;
