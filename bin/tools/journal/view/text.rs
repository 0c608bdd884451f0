//! The timeline for people, 80 columns wide.

use std::collections::HashSet;
use std::fmt::Write as _;
use std::io::{self, Write};

use jiff::Timestamp;
use jiff::tz::TimeZone;
use mmm_core::contract::ERROR;
use mmm_core::escape::{escaped, is_obeyed};

use super::super::calls::{Call, Event, Fate, Note};
use super::super::line::Level;
use super::super::moves::{Move, Part};
use super::super::runs::{Run, Runs};
use super::{Head, Item, Tail, View, milliseconds};
use crate::terminal::{LongWord, counted, painted, wrapped};

/// In columns.
pub const WIDTH: usize = 80;
/// Where a call's words begin, behind its time.
const INDENT: usize = 15;

/// Text, coloured or not, in a zone's time.
#[derive(Debug)]
pub struct Text {
    is_coloured: bool,
    zone: TimeZone,
    /// Whether everything is shown, call by call.
    is_whole: bool,
    day: String,
    has_moves: bool,
}

/// The colours of a terminal.
#[derive(Clone, Copy)]
enum Colour {
    Plain,
    Bold,
    Dim,
    Green,
    Yellow,
    Red,
}

impl Text {
    /// Text for a terminal or a file; of every call, or of moves.
    pub fn new(is_coloured: bool, zone: TimeZone, is_whole: bool) -> Self {
        Self { is_coloured, zone, is_whole, day: String::new(), has_moves: false }
    }

    fn paint(&self, colour: Colour, text: &str) -> String {
        let code = match colour {
            Colour::Plain => return text.into(),
            Colour::Bold => "1",
            Colour::Dim => "2",
            Colour::Green => "32",
            Colour::Yellow => "33",
            Colour::Red => "31",
        };
        if self.is_coloured { painted(text, code) } else { text.into() }
    }

    /// A time in the zone of this text.
    pub fn time(&self, format: &str, time: Timestamp) -> String {
        time.to_zoned(self.zone.clone()).strftime(format).to_string()
    }

    /// `left` at the left and `word amount` at the right end, on one line if they fit.
    fn ends(&self, left: (Colour, &str), word: (Colour, &str), amount: &str) -> String {
        let right = word.1.chars().count() + 1 + amount.chars().count().max(8);
        let width = left.1.chars().count();
        let gap = if width + 2 + right <= WIDTH {
            " ".repeat(WIDTH - width - right)
        } else {
            format!("\n{}", " ".repeat(WIDTH - right))
        };
        format!("{}{gap}{} {amount:>8}\n", self.paint(left.0, left.1), self.paint(word.0, word.1))
    }

    fn wrapped(&self, colour: Colour, text: &str) -> String {
        let indent = " ".repeat(INDENT);
        broken(&escaped(text), WIDTH - INDENT).iter().fold(String::new(), |mut lines, line| {
            let _ = writeln!(lines, "{indent}{}", self.paint(colour, line));
            lines
        })
    }

    /// What the zone is called.
    pub fn zone_name(&self) -> String {
        self.zone.iana_name().map_or_else(|| self.time("UTC%:z", Timestamp::now()), String::from)
    }

    fn part(&mut self, part: &Part) -> String {
        match part {
            Part::Move(part) => {
                self.has_moves = true;
                self.a_move(part)
            }
            Part::Checks(runs) => self.checks(runs),
        }
    }

    fn a_move(&self, part: &Move) -> String {
        let title = format!("{}  {}", self.time("%F %T", part.started), escaped(&part.title()));
        let took = milliseconds(part.started.duration_until(part.ended));
        let mut text = self.ends((Colour::Bold, &title), word(part.outcome()), &amount(took));
        text += &self.runs(&part.calls, part.started, false);
        text
    }

    fn checks(&self, runs: &Runs) -> String {
        let Some(first) = runs.runs.first() else { return String::new() };
        let started = first.call.started;
        let calls = runs.left_out + runs.runs.iter().map(|run| run.times).sum::<u64>();
        let title = format!("{}  Asked only, nothing changed", self.time("%F %T", started));
        let calls = counted(calls, "call");
        self.ends((Colour::Bold, &title), (Colour::Plain, ""), &calls) + &self.runs(runs, started, true)
    }

    fn runs(&self, runs: &Runs, day: Timestamp, are_checks: bool) -> String {
        let mut text = String::new();
        let mut said = HashSet::new();
        for (index, run) in runs.runs.iter().enumerate() {
            if runs.left_out > 0 && index == runs.runs.len() / 2 {
                let left_out = counted(runs.left_out, "call");
                text += &self.wrapped(Colour::Dim, &format!("… {left_out} left out here; --all shows them"));
            }
            text += &self.run(run, "", day, are_checks, &mut said);
        }
        text
    }

    /// A call that was repeated; `who` stands before the helper.
    pub fn run<'c>(
        &self,
        run: &'c Run,
        who: &str,
        day: Timestamp,
        is_check: bool,
        said: &mut HashSet<&'c str>,
    ) -> String {
        let mut text = self.call(&run.call, who, is_check, said);
        if run.times > 1 {
            let is_same_day = self.time("%F", day) == self.time("%F", run.last_started);
            let until = self.time(if is_same_day { "%T" } else { "%F %T" }, run.last_started);
            let slowest = amount(run.slowest);
            let times = counted(run.times, "time");
            text += &self
                .wrapped(Colour::Dim, &format!("{times}, the same answer, until {until}; slowest {slowest}"));
        }
        text
    }

    fn call<'c>(&self, call: &'c Call, who: &str, is_check: bool, said: &mut HashSet<&'c str>) -> String {
        let mut left = format!("  {} {who}{}", self.time("%T.%3f", call.started), call.helper);
        for argument in &call.arguments {
            let is_plain =
                !argument.is_empty() && !argument.contains(|c: char| c.is_whitespace() || is_obeyed(c));
            let _ = if is_plain { write!(left, " {argument}") } else { write!(left, " {argument:?}") };
        }
        let fate = call.fate();
        let took = match &call.answer {
            Some(answer) => answer.milliseconds,
            None => milliseconds(call.started.duration_until(call.ended)),
        };
        let mut text = self.ends((Colour::Plain, &left), word(fate), &amount(took));
        if !is_check || fate != Fate::Done {
            text += &self.notes(call, said);
        }
        match &call.answer {
            Some(answer) if answer.text != "OK" => {
                let colour = if fate == Fate::Done { Colour::Plain } else { Colour::Red };
                text + &self.wrapped(colour, &answer.text)
            }
            Some(_) => text,
            None if fate == Fate::Running => {
                text + &self.wrapped(Colour::Yellow, "no answer yet: it is still running")
            }
            None => text + &self.wrapped(Colour::Red, "no answer: it was killed here, or the host went down"),
        }
    }

    /// What a call said, without what its answer says and without a warning that was shown already.
    fn notes<'c>(&self, call: &'c Call, said: &mut HashSet<&'c str>) -> String {
        let answer = call.answer.as_ref().map_or("", |answer| answer.text.trim_start_matches(ERROR));
        let mut text = String::new();
        for (index, note) in call.notes.iter().enumerate() {
            if call.notes_left_out > 0 && index == call.notes.len() / 2 {
                let left_out = counted(call.notes_left_out, "line");
                text += &self
                    .wrapped(Colour::Dim, &format!("… {left_out} left out here; they are in the journal"));
            }
            let is_news = note.level != Level::Warning || said.insert(&note.text);
            let is_answer = !answer.is_empty() && note.text.ends_with(answer);
            // The last words of a call that was killed may be any.
            if self.is_whole || call.answer.is_none() || is_news && !is_answer && !note.is_look() {
                text += &self.note(note);
            }
        }
        text
    }

    fn note(&self, note: &Note) -> String {
        match note.level {
            Level::Detail | Level::Info => self.wrapped(Colour::Dim, &note.text),
            Level::Warning => self.wrapped(Colour::Yellow, &format!("warning: {}", note.text)),
            Level::Error => self.wrapped(Colour::Red, &format!("error: {}", note.text)),
        }
    }

    fn event(&mut self, event: &Event) -> String {
        let at = match event {
            Event::Call(call) => call.started,
            Event::Line { note, .. } => note.at,
        };
        let mut text = String::new();
        let day = self.time("%F", at);
        if day != self.day {
            text = format!("{}\n", self.paint(Colour::Bold, &day));
            self.day = day;
        }
        match event {
            Event::Call(call) => text += &self.call(call, "", false, &mut HashSet::new()),
            Event::Line { helper, process, note } => {
                let _ = writeln!(text, "  {} {helper}, process {process}", self.time("%T.%3f", at));
                text += &self.note(note);
            }
        }
        text
    }
}

impl View for Text {
    fn begin(&mut self, head: &Head, out: &mut dyn Write) -> io::Result<()> {
        let what =
            head.host.as_ref().map_or("Calls".into(), |host| format!("Role moves of {}", escaped(host)));
        let since = head.since.map_or(String::new(), |since| format!(" since {}", self.time("%F %T", since)));
        let zone = self.zone_name();
        let file = escaped(&head.file.display().to_string());
        for line in broken(&format!("{what}{since}, from {file}, times in {zone}"), WIDTH) {
            writeln!(out, "{line}")?;
        }
        Ok(())
    }

    fn item(&mut self, item: &Item, out: &mut dyn Write) -> io::Result<()> {
        let text = match item {
            Item::Part(part) => format!("\n{}", self.part(part)),
            Item::Event(event) => self.event(event),
        };
        out.write_all(text.as_bytes())
    }

    fn end(&mut self, tail: &Tail, out: &mut dyn Write) -> io::Result<()> {
        if tail.calls == 0 && tail.lines > 0 {
            writeln!(out, "\nNo calls: they are in the journal if log.level is info, the default, or more.")?;
        } else if self.is_whole && tail.calls == 0 {
            writeln!(out, "\nNo calls.")?;
        } else if !self.is_whole && !self.has_moves {
            writeln!(out, "\nNo role moves.")?;
        }
        if tail.unreadable_lines > 0 {
            let lines = counted(tail.unreadable_lines, "line");
            writeln!(out, "\n{lines} of the journal could not be read.")?;
        }
        Ok(())
    }
}

fn word(fate: Fate) -> (Colour, &'static str) {
    match fate {
        Fate::Done => (Colour::Green, "OK"),
        Fate::Failed => (Colour::Red, "FAILED"),
        Fate::Misused => (Colour::Red, "USAGE"),
        Fate::Killed => (Colour::Red, "KILLED"),
        Fate::Running => (Colour::Yellow, "RUNNING"),
    }
}

/// Lines of at most so many characters.
pub fn broken(text: &str, width: usize) -> Vec<String> {
    wrapped(text.split(' '), width, LongWord::Broken)
}

/// A time as short as can be: `9.4 ms`, `8.0 s`, `20 min`.
pub fn amount(milliseconds: f64) -> String {
    match milliseconds {
        ..1000.0 => format!("{milliseconds:.1} ms"),
        ..120_000.0 => format!("{:.1} s", milliseconds / 1000.0),
        ..7_200_000.0 => format!("{:.0} min", milliseconds / 60_000.0),
        _ => format!("{:.1} h", milliseconds / 3_600_000.0),
    }
}

#[cfg(test)]
mod tests;
