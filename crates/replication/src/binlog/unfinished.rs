//! A search that a call could not finish: how far it came, so that the next call can continue there.
//!
//! The note counts only if it is of the same search, and the log is still the same: a log that was reset, rebuilt or
//! set back with its host has files of the same names. So the file in which the search ended must begin with the same
//! event as then, and the last group that was read completely must still lie at the same position.

use std::path::{Path, PathBuf};

use mmm_core::config::Host;
use mmm_core::marker::{self, Marker};
use mmm_core::report;
use twox_hash::XxHash3_128;

use crate::binlog::begin::BEGINNING;
use crate::binlog::event::Event;
use crate::binlog::files::FIRST_EVENT;
use crate::note::{FOLDER, remove, value, write};
use crate::position::BinlogPosition;

/// A longer note is not written. A search by content takes at most 33 KiB. Sets and states take some hundred bytes,
/// unless they have thousands of servers or gaps.
const LONGEST: usize = 60 << 10;

/// A large odd number, so that multiplying by it loses no bit.
const ODD: u128 = 0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835;

/// Where `this` host notes an unfinished search of a log of `other`.
pub fn note_of(this: &Host, other: &str) -> PathBuf {
    let other: String =
        other.chars().map(|c| if c.is_ascii_alphanumeric() || c == '-' { c } else { '_' }).collect();
    marker::path(Path::new(FOLDER), &format!("search-{other}"), this)
}

/// What is noted of a search, which is told apart from others.
#[derive(Debug)]
pub(crate) struct Note {
    path: PathBuf,
    search: String,
}

impl Note {
    /// A note for a search of the log of `host`.
    pub(crate) fn new(path: PathBuf, host: &str, search: &str) -> Self {
        Self { path, search: format!("{host} {search}").replace(['\t', '\n'], " ") }
    }

    /// What an earlier call has noted of the same search.
    pub(crate) fn read(&self) -> Option<String> {
        let text = Marker::noted(&self.path)?;
        (value(&text, "search")? == self.search).then_some(text)
    }

    /// Notes how far the search came.
    pub(crate) fn keep(&self, reached: &Reached, state: &str) {
        let text = format!("search={}\t{}\t{state}", self.search, reached.to_text());
        if report::is_dry_run() {
            return;
        }
        if text.len() > LONGEST {
            log::info!("how far the search came is not noted: it would take {} bytes", text.len());
            return;
        }
        match write(&self.path, &text) {
            Ok(_) => log::info!("the next call continues at {}", reached.place()),
            Err(error) => log::warn!("{error}"),
        }
    }

    /// The search has ended, or the log is another by now. What is noted of another search stays.
    pub(crate) fn forget(&self) {
        if self.read().is_some() {
            remove(&self.path);
        }
    }
}

/// Where a search ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Reached {
    /// In this file.
    pub(crate) file: String,
    /// What the file begins with.
    pub(crate) begun: String,
    /// With this group; `None` if none of the file was read to its end.
    pub(crate) last: Option<Mark>,
}

impl Reached {
    /// Where the reading continues: at the beginning of the last group, which is read again.
    pub(crate) fn place(&self) -> BinlogPosition {
        BinlogPosition::new(&self.file, self.last.map_or(FIRST_EVENT, |last| last.begin))
    }

    fn to_text(&self) -> String {
        let last = self.last.map(Mark::to_text).unwrap_or_default();
        format!("file={}\tbegun={}\tlast={last}", self.file, self.begun)
    }

    pub(crate) fn from_text(text: &str) -> Option<Self> {
        let last = value(text, "last")?;
        let last = if last.is_empty() { None } else { Some(Mark::from_text(&last)?) };
        Some(Self { file: value(text, "file")?, begun: value(text, "begun")?, last })
    }
}

/// A group in a file: where it begins, and a print of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Mark {
    pub(crate) begin: u64,
    pub(crate) print: u128,
}

impl Mark {
    pub(crate) fn to_text(self) -> String {
        format!("{}:{:x}", self.begin, self.print)
    }

    pub(crate) fn from_text(text: &str) -> Option<Self> {
        let (begin, print) = text.split_once(':')?;
        Some(Self { begin: begin.parse().ok()?, print: u128::from_str_radix(print, 16).ok()? })
    }
}

/// The groups of a file while it is read: those that begin with an event of their own.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Trail {
    open: Option<Mark>,
    /// The last one that ended.
    pub(crate) last: Option<Mark>,
}

impl Trail {
    /// The next event, of `size` bytes.
    pub(crate) fn event(&mut self, event: &Event, size: u32) {
        let begins = event.begins_group();
        if begins || event.is_of_the_file() {
            self.end();
        }
        if begins {
            self.open = Some(Mark { begin: event.end.saturating_sub(u64::from(size)), print: 0 });
        }
        if let Some(open) = &mut self.open {
            let head = [size, event.time, event.server_id, event.kind.into()];
            let head = head.iter().fold(0, |head: u128, part| head << 32 | u128::from(*part));
            let body = &event.body[..event.body.len().min(BEGINNING)];
            // Each event counts in its order.
            let events = open.print ^ XxHash3_128::oneshot(body);
            open.print = events.wrapping_mul(ODD).wrapping_add(head);
        }
    }

    /// The file ends.
    pub(crate) fn end(&mut self) {
        self.last = self.open.take().or(self.last);
    }
}

#[cfg(test)]
mod tests;
