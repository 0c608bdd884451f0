//! The timeline for programs; docs/JOURNAL.md describes it. An item is written as soon as it is there.

use std::io::{self, Write};

use jiff::Timestamp;
use mmm_core::escape;
use serde::Serialize;

use super::super::calls::{Call, Event, Fate, Note};
use super::super::line::Level;
use super::super::moves::Part;
use super::super::runs::{Run, Runs};
use super::{Head, Item, Tail, View, milliseconds};

/// Of this description.
const SCHEMA: u32 = 1;

#[derive(Serialize)]
struct HeadView {
    schema: u32,
    file: String,
    since: Option<String>,
}

#[derive(Serialize)]
struct TailView<'t> {
    host: Option<&'t str>,
    unreadable_lines: u64,
}

#[derive(Serialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
enum ItemView<'t> {
    Move {
        what: &'static str,
        title: String,
        outcome: &'static str,
        started: String,
        ended: String,
        milliseconds: f64,
        calls: Vec<RunView<'t>>,
        calls_left_out: u64,
    },
    Checks {
        calls: Vec<RunView<'t>>,
        calls_left_out: u64,
    },
    Call(CallView<'t>),
    Line {
        helper: &'t str,
        process: u32,
        #[serde(flatten)]
        note: NoteView<'t>,
    },
}

/// A call that was repeated.
#[derive(Serialize)]
pub struct RunView<'t> {
    #[serde(flatten)]
    call: CallView<'t>,
    times: u64,
    last_started: String,
    slowest_milliseconds: f64,
}

#[derive(Serialize)]
struct CallView<'t> {
    started: String,
    ended: String,
    helper: &'t str,
    process: u32,
    arguments: &'t [String],
    host: Option<&'t str>,
    outcome: &'static str,
    answer: Option<&'t str>,
    code: Option<&'t str>,
    exit_code: Option<u8>,
    milliseconds: Option<f64>,
    notes: Vec<NoteView<'t>>,
    notes_left_out: u64,
}

#[derive(Serialize)]
struct NoteView<'t> {
    at: String,
    level: &'static str,
    text: &'t str,
}

/// As programs read it.
pub fn time(time: Timestamp) -> String {
    format!("{time:.3}")
}

/// As programs read it.
pub fn outcome(fate: Fate) -> &'static str {
    match fate {
        Fate::Done => "ok",
        Fate::Failed => "error",
        Fate::Misused => "usage",
        Fate::Killed => "killed",
        Fate::Running => "running",
    }
}

impl<'t> From<&'t Item> for ItemView<'t> {
    fn from(item: &'t Item) -> Self {
        match item {
            Item::Part(Part::Move(part)) => Self::Move {
                what: part.kind.name(),
                title: part.title(),
                outcome: outcome(part.outcome()),
                started: time(part.started),
                ended: time(part.ended),
                milliseconds: milliseconds(part.started.duration_until(part.ended)),
                calls: runs(&part.calls),
                calls_left_out: part.calls.left_out,
            },
            Item::Part(Part::Checks(checks)) => {
                Self::Checks { calls: runs(checks), calls_left_out: checks.left_out }
            }
            Item::Event(Event::Call(call)) => Self::Call(call.into()),
            Item::Event(Event::Line { helper, process, note }) => {
                Self::Line { helper, process: *process, note: note.into() }
            }
        }
    }
}

fn runs(runs: &Runs) -> Vec<RunView<'_>> {
    runs.runs.iter().map(RunView::from).collect()
}

impl<'t> From<&'t Run> for RunView<'t> {
    fn from(run: &'t Run) -> Self {
        Self {
            call: (&run.call).into(),
            times: run.times,
            last_started: time(run.last_started),
            slowest_milliseconds: run.slowest,
        }
    }
}

impl<'t> From<&'t Call> for CallView<'t> {
    fn from(call: &'t Call) -> Self {
        Self {
            started: time(call.started),
            ended: time(call.ended),
            helper: &call.helper,
            process: call.process,
            arguments: &call.arguments,
            host: call.host.as_deref(),
            outcome: outcome(call.fate()),
            answer: call.answer.as_ref().map(|answer| answer.text.as_str()),
            code: call.code.as_deref(),
            exit_code: call.answer.as_ref().map(|answer| answer.exit_code),
            milliseconds: call.answer.as_ref().map(|answer| answer.milliseconds),
            notes: call.notes.iter().map(NoteView::from).collect(),
            notes_left_out: call.notes_left_out,
        }
    }
}

impl<'t> From<&'t Note> for NoteView<'t> {
    fn from(note: &'t Note) -> Self {
        let level = match note.level {
            Level::Detail => "debug",
            Level::Info => "info",
            Level::Warning => "warning",
            Level::Error => "error",
        };
        Self { at: time(note.at), level, text: &note.text }
    }
}

impl From<&Head> for HeadView {
    fn from(head: &Head) -> Self {
        Self { schema: SCHEMA, file: head.file.display().to_string(), since: head.since.map(time) }
    }
}

impl<'t> From<&'t Tail> for TailView<'t> {
    fn from(tail: &'t Tail) -> Self {
        Self { host: tail.host.as_deref(), unreadable_lines: tail.unreadable_lines }
    }
}

/// JSON, an item a line.
#[derive(Debug, Default)]
pub struct Json {
    is_second: bool,
}

/// The fields of an object, without its braces.
fn fields(object: &impl Serialize) -> io::Result<String> {
    let text = escape::json(object, false).map_err(io::Error::other)?;
    Ok(text.trim_start_matches('{').trim_end_matches('}').into())
}

impl View for Json {
    fn begin(&mut self, head: &Head, out: &mut dyn Write) -> io::Result<()> {
        write!(out, "{{{},\"timeline\":[", fields(&HeadView::from(head))?)
    }

    fn item(&mut self, item: &Item, out: &mut dyn Write) -> io::Result<()> {
        out.write_all(if self.is_second { b",\n" } else { b"\n" })?;
        self.is_second = true;
        write!(out, "{}", escape::json(&ItemView::from(item), false).map_err(io::Error::other)?)
    }

    fn end(&mut self, tail: &Tail, out: &mut dyn Write) -> io::Result<()> {
        writeln!(out, "\n],{}}}", fields(&TailView::from(tail))?)
    }
}

/// YAML.
#[derive(Debug, Default)]
pub struct Yaml {
    is_second: bool,
}

fn yaml(value: &impl Serialize) -> io::Result<String> {
    escape::yaml(value).map_err(io::Error::other)
}

/// An object without objects in it, a line for each key.
fn mapping(object: &impl Serialize) -> io::Result<String> {
    let text = yaml(object)?;
    if !text.starts_with('{') {
        return Ok(text);
    }
    // Its keys and values are YAML as they stand, but may not have braces around them here.
    let lines = text.lines().filter(|line| !["{", "}"].contains(line));
    Ok(lines.fold(String::new(), |text, line| text + line.trim().trim_end_matches(',') + "\n"))
}

/// One entry of the list.
fn entry(item: &ItemView) -> io::Result<String> {
    let text = yaml(&[item])?;
    if text.starts_with('-') {
        return Ok(text);
    }
    Ok(format!("- {}\n", escape::json(item, false).map_err(io::Error::other)?))
}

impl View for Yaml {
    fn begin(&mut self, head: &Head, out: &mut dyn Write) -> io::Result<()> {
        write!(out, "{}timeline:", mapping(&HeadView::from(head))?)
    }

    fn item(&mut self, item: &Item, out: &mut dyn Write) -> io::Result<()> {
        let start = if self.is_second { "" } else { "\n" };
        self.is_second = true;
        write!(out, "{start}{}", entry(&ItemView::from(item))?)
    }

    fn end(&mut self, tail: &Tail, out: &mut dyn Write) -> io::Result<()> {
        let start = if self.is_second { "" } else { " []\n" };
        write!(out, "{start}{}", mapping(&TailView::from(tail))?)
    }
}

#[cfg(test)]
mod tests;
