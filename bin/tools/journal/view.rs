//! A timeline as it is shown: its head, its items, and its tail, each written as soon as it is known.

pub mod document;
pub mod text;

use std::io::{self, Write};
use std::path::PathBuf;

use jiff::{SignedDuration, Timestamp};

use super::calls::Event;
use super::moves::Part;

/// What is known before the first item is shown.
#[derive(Clone, Debug)]
pub struct Head {
    /// The journal.
    pub file: PathBuf,
    /// What is older was not looked at.
    pub since: Option<Timestamp>,
    /// The host by its name in the agent's configuration; not known yet if every call is shown.
    pub host: Option<String>,
}

/// What is known after the last one.
#[derive(Clone, Debug, Default)]
pub struct Tail {
    /// The host by its name in the agent's configuration.
    pub host: Option<String>,
    /// How many calls were read.
    pub calls: u64,
    /// How many lines were no lines of a journal.
    pub unreadable_lines: u64,
    /// How many lines belong to no call.
    pub lines: u64,
}

/// One item of the timeline.
#[derive(Clone, Debug)]
pub enum Item {
    /// A role move, or the checks between two.
    Part(Part),
    /// A call, or a line of none, as they come.
    Event(Event),
}

/// A way to show a timeline.
pub trait View {
    /// What comes first.
    fn begin(&mut self, head: &Head, out: &mut dyn Write) -> io::Result<()>;
    /// One item.
    fn item(&mut self, item: &Item, out: &mut dyn Write) -> io::Result<()>;
    /// What comes last.
    fn end(&mut self, tail: &Tail, out: &mut dyn Write) -> io::Result<()>;
}

/// A duration in milliseconds, rounded to a microsecond: a fraction of a second that is only multiplied shows digits that
/// nobody measured.
pub fn milliseconds(time: SignedDuration) -> f64 {
    (time.as_secs_f64() * 1e6).round() / 1e3
}

#[cfg(test)]
mod tests;
