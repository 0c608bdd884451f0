//! What a call saw, planned and changed, for a person who asked with `--dry-run` or `--format`.
//!
//! The process has one collector, as `log` has. It is switched off in every call of an agent, and then keeps
//! nothing. It also makes a dry run safe: everything that changes something outside of this process does so in
//! [`change`], which does not do it in a dry run. docs/OUTPUT.md has the document's schema.

use std::fmt::Display;
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use serde::Serialize;

use crate::contract::CallResult;
use crate::escape;

/// Number of the document's schema.
const SCHEMA: u8 = 1;

static OUTPUT: OnceLock<Output> = OnceLock::new();
static REHEARSES: OnceLock<()> = OnceLock::new();
static REPORT: Mutex<Report> = Mutex::new(Report::new());

/// What a person wants to read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Output {
    /// In which form.
    pub format: Format,
    /// True if nothing may be changed.
    pub dry_run: bool,
}

/// `--format`, of the helpers and of the tools.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, strum::EnumString, strum::VariantNames)]
#[strum(serialize_all = "lowercase")]
pub enum Format {
    /// Lines for people; a helper's last one is the agent's.
    #[default]
    Text,
    /// One JSON document.
    Json,
    /// The same as YAML.
    Yaml,
}

/// What a change is made by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// A statement.
    Sql,
    /// An address of an interface, or its announcement to the network.
    Address,
    /// A connection of another program.
    Connection,
    /// A command of the site.
    Command,
    /// A file.
    File,
}

#[derive(Debug, PartialEq, Serialize)]
struct Report {
    host: Option<String>,
    plan: Option<Plan>,
    observations: Vec<Observation>,
    steps: Vec<Step>,
    changes: Vec<Change>,
}

#[derive(Debug, PartialEq, Serialize)]
struct Plan {
    action: String,
    proof: String,
}

#[derive(Debug, PartialEq, Serialize)]
struct Observation {
    host: Option<String>,
    what: String,
    value: String,
}

#[derive(Debug, PartialEq, Serialize)]
struct Step {
    what: String,
    milliseconds: f64,
    error: Option<String>,
}

#[derive(Debug, PartialEq, Serialize)]
struct Change {
    host: Option<String>,
    kind: Kind,
    what: String,
    done: bool,
}

/// How a call ended.
#[derive(Clone, Debug)]
pub struct Ending<'a> {
    /// The helper's name.
    pub helper: &'a str,
    /// What became of it.
    pub result: CallResult,
    /// Its exit code.
    pub exit_code: u8,
    /// The text after `OK: ` or `ERROR: `.
    pub message: &'a str,
    /// The error's stable name (docs/ERRORS.md).
    pub code: Option<&'static str>,
    /// How long it took.
    pub time: Duration,
}

#[derive(Serialize)]
struct Document<'a> {
    schema: u8,
    helper: &'a str,
    version: &'static str,
    host: Option<&'a str>,
    dry_run: bool,
    result: CallResult,
    exit_code: u8,
    message: &'a str,
    code: Option<&'static str>,
    milliseconds: f64,
    plan: Option<&'a Plan>,
    observations: &'a [Observation],
    steps: &'a [Step],
    changes: &'a [Change],
}

/// Switches the collector on, if `output` is not what an agent gets.
pub fn begin(output: Output) {
    if output != Output::default() {
        // Only the first call of a process counts; there is no second.
        let _ = OUTPUT.set(output);
    }
}

/// From now on, this process changes nothing, as in a dry run, and nothing of what it sees is kept. There is no way
/// back.
pub fn only_rehearse() {
    let _ = REHEARSES.set(());
}

/// True if nothing may be changed.
pub fn is_dry_run() -> bool {
    REHEARSES.get().is_some() || OUTPUT.get().is_some_and(|output| output.dry_run)
}

/// True if somebody reads what is collected.
pub fn is_on() -> bool {
    OUTPUT.get().is_some()
}

/// Names this host.
pub fn host(name: impl Display) {
    add(|report| report.host = Some(name.to_string()));
}

/// Says what is to be done, and why that is right.
pub fn plan(action: impl Display, proof: impl Display) {
    add(|report| report.plan = Some(Plan { action: action.to_string(), proof: proof.to_string() }));
}

/// Notes what was seen on `host`; a later look at the same thing replaces an earlier one.
pub fn observe(host: Option<&str>, what: &str, value: impl Display) {
    add(|report| report.observe(host, what, value.to_string()));
}

/// A switch as servers show it.
pub fn on_off(is_on: bool) -> &'static str {
    if is_on { "on" } else { "off" }
}

/// Notes a step of the procedure.
pub fn step(what: &str, time: Duration, error: Option<&dyn Display>) {
    add(|report| {
        let error = error.map(ToString::to_string);
        report.steps.push(Step { what: what.into(), milliseconds: milliseconds(time), error });
    });
}

/// Carries out `work`, which changes something on `host`, and notes it as `what`. In a dry run it is only noted.
pub fn change<T: Default, E>(
    host: Option<&str>,
    kind: Kind,
    what: impl Display,
    work: impl FnOnce() -> Result<T, E>,
) -> Result<T, E> {
    if is_dry_run() {
        planned(host, kind, what);
        return Ok(T::default());
    }
    let result = work();
    add(|report| report.change(host, kind, what.to_string(), result.is_ok()));
    result
}

/// Notes what is not done because this is a dry run.
pub fn planned(host: Option<&str>, kind: Kind, what: impl Display) {
    add(|report| report.change(host, kind, what.to_string(), false));
}

/// How many changes this dry run has not made.
pub fn count_planned() -> usize {
    if is_dry_run() { lock().changes.len() } else { 0 }
}

/// What a call that ends with `line` writes to stdout.
pub fn render(ending: &Ending, line: &str) -> String {
    OUTPUT.get().map_or_else(|| line.into(), |output| lock().render(*output, ending, line))
}

fn add(what: impl FnOnce(&mut Report)) {
    if is_on() {
        what(&mut lock());
    }
}

fn lock() -> MutexGuard<'static, Report> {
    REPORT.lock().unwrap_or_else(PoisonError::into_inner)
}

fn milliseconds(time: Duration) -> f64 {
    (time.as_secs_f64() * 10_000.0).round() / 10.0
}

impl Report {
    const fn new() -> Self {
        Self { host: None, plan: None, observations: Vec::new(), steps: Vec::new(), changes: Vec::new() }
    }

    fn observe(&mut self, host: Option<&str>, what: &str, value: String) {
        let host = self.host_or_this(host);
        let is_same = |seen: &&mut Observation| seen.host == host && seen.what == what;
        if let Some(seen) = self.observations.iter_mut().find(is_same) {
            seen.value = value;
        } else {
            self.observations.push(Observation { host, what: what.into(), value });
        }
    }

    fn render(&self, output: Output, ending: &Ending, line: &str) -> String {
        let document = Document {
            schema: SCHEMA,
            helper: ending.helper,
            version: env!("CARGO_PKG_VERSION"),
            host: self.host.as_deref(),
            dry_run: output.dry_run,
            result: ending.result,
            exit_code: ending.exit_code,
            message: ending.message,
            code: ending.code,
            milliseconds: milliseconds(ending.time),
            plan: self.plan.as_ref(),
            observations: &self.observations,
            steps: &self.steps,
            changes: &self.changes,
        };
        let written = match output.format {
            Format::Text => return self.text(ending, line),
            Format::Json => escape::json(&document, true),
            Format::Yaml => escape::yaml(&document),
        };
        written.map_or_else(
            |error| {
                log::error!("no document: {error}");
                line.into()
            },
            |text| text.trim_end().to_string() + "\n",
        )
    }

    fn host_or_this(&self, host: Option<&str>) -> Option<String> {
        host.map(Into::into).or_else(|| self.host.clone())
    }

    fn change(&mut self, host: Option<&str>, kind: Kind, what: String, done: bool) {
        let host = self.host_or_this(host);
        self.changes.push(Change { host, kind, what, done });
    }

    /// For a person: what was seen, what would be done and why, and the answer.
    fn text(&self, ending: &Ending, line: &str) -> String {
        if ending.result == CallResult::Usage {
            return line.into();
        }
        let name = |host: &Option<String>| host.clone().unwrap_or_default();
        let longest = |texts: &mut dyn Iterator<Item = &str>| {
            texts.map(|text| text.chars().count()).max().unwrap_or_default()
        };
        let seen = self.observations.iter().map(|seen| &seen.host);
        let hosts =
            longest(&mut seen.chain(self.changes.iter().map(|change| &change.host)).flatten().map(|s| &**s));
        let whats = longest(&mut self.observations.iter().map(|seen| &*seen.what));
        let mut lines =
            vec![format!("Dry run of {} on {}", ending.helper, self.host.as_deref().unwrap_or("this host"))];
        if !self.observations.is_empty() {
            lines.push("Seen:".into());
        }
        for seen in &self.observations {
            lines.push(format!("  {:hosts$}  {:whats$}  {}", name(&seen.host), seen.what, seen.value));
        }
        if let Some(plan) = &self.plan {
            lines.push(format!("Plan: {}", plan.action));
            lines.push(format!("  because {}", plan.proof));
        }
        lines.push(if self.changes.is_empty() { "Would change nothing" } else { "Would do:" }.into());
        for change in &self.changes {
            let end = if change.kind == Kind::Sql { ";" } else { "" };
            lines.push(format!("  {:hosts$}  {}{end}", name(&change.host), change.what));
        }
        if let Some(code) = ending.code {
            lines.push(format!("Refused: {code} (docs/ERRORS.md)"));
        }
        let lines = lines.iter().map(|line| escape::line(line) + "\n");
        lines.collect::<String>() + line
    }
}

#[cfg(test)]
mod tests;
