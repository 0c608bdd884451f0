//! The last groups of a file of a replica's own log. If reading it takes long, they are noted, and the next call reads
//! only what was logged after them.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::binlog::begin::Begin;
use crate::binlog::by_content::backwards::{SOUGHT, each_from, is_too_long, mark};
use crate::binlog::by_content::search::DEPTH;
use crate::binlog::by_content::search_note::to_print;
use crate::binlog::group::Group;
use crate::binlog::logged::Logged;
use crate::binlog::reading::begun;
use crate::binlog::stream::Reader;
use crate::binlog::unfinished::{Mark, Note, Reached};
use crate::error::Error;
use crate::note::value;

/// A file that took no longer than this may be read again.
const LONG: Duration = Duration::from_millis(500);

/// A file, as far as it was read.
#[derive(Debug, Default)]
pub(super) struct Part {
    own_id: u64,
    /// The last groups that came from elsewhere, at most [`DEPTH`].
    pub(super) groups: VecDeque<Group>,
    /// What the file begins with.
    pub(super) begin: Begin,
    /// Its last group, whoever wrote it.
    last: Option<Mark>,
}

/// Where this is noted, beside what else is searched in the same log.
pub(crate) fn notes_of_tail(notes: &Path) -> PathBuf {
    let mut path = notes.as_os_str().to_owned();
    path.push("-tail");
    path.into()
}

/// Reads a file of the log of the replica with this id.
pub(super) fn read(log: &Logged, file: &str, own_id: u64) -> Result<Part, Error> {
    let started = Instant::now();
    let path = log.notes.as_deref().map(notes_of_tail);
    let note = path.map(|path| Note::new(path, log.reader.host(), &format!("tail {own_id} {file}")));
    let mut part = Part { own_id, ..Part::default() };
    let mut read = Ok(false);
    if let Some(text) = note.as_ref().and_then(Note::read)
        && let Some(reached) = Reached::from_text(&text)
        && let Some(groups) = from_text(&text)
    {
        log::info!("{} is read on at {}, where an earlier call ended", log.reader.host(), reached.place());
        let begin = begun(&log.reader, file, SOUGHT)?;
        let is_same = begin.sign.as_ref() == Some(&reached.begun);
        part = Part { own_id, groups, begin, last: reached.last };
        if is_same {
            read = part.read_on(&log.reader, file);
        }
        if matches!(read, Ok(false)) {
            log::info!("{} has another log by now: it is read from its beginning", log.reader.host());
            part = Part { own_id, ..Part::default() };
        }
    }
    if matches!(read, Ok(false)) {
        read = part.read_on(&log.reader, file);
    }
    if let (Some(note), Some(begun), Some(_)) = (note, part.begin.sign.clone(), part.last)
        && (is_too_long(&read) || started.elapsed() > LONG)
    {
        note.keep(&Reached { file: file.into(), begun, last: part.last }, &to_text(&part.groups));
    }
    read.map(|_| part)
}

impl Part {
    /// Continues to read after the last group; false if that group is not there.
    fn read_on(&mut self, reader: &Reader, file: &str) -> Result<bool, Error> {
        let Self { own_id, groups, begin, last } = self;
        each_from(reader, file, *last, begin, |group| {
            *last = Some(mark(group));
            take(groups, group, *own_id);
            true
        })
    }
}

/// Takes the next group of a log.
pub(super) fn take(groups: &mut VecDeque<Group>, group: &Group, own_id: u64) {
    if u64::from(group.server_id) != own_id {
        if groups.len() == DEPTH {
            groups.pop_front();
        }
        groups.push_back(*group);
    }
}

/// Only the position of the last group is ever needed.
fn to_text(groups: &VecDeque<Group>) -> String {
    let place = groups.back().map(|last| format!("{}-{}", last.begin, last.end)).unwrap_or_default();
    let groups =
        groups.iter().map(|group| format!("{:x},{},{:x}", group.print.0, group.server_id, group.time));
    format!("groups={}\tplace={place}", groups.collect::<Vec<_>>().join(";"))
}

fn from_text(text: &str) -> Option<VecDeque<Group>> {
    let (groups, place) = (value(text, "groups")?, value(text, "place")?);
    let group = |text: &str| {
        let (print, rest) = text.split_once(',')?;
        let (server_id, time) = rest.split_once(',')?;
        let print = to_print(print)?;
        let (server_id, time) = (server_id.parse().ok()?, u32::from_str_radix(time, 16).ok()?);
        Some(Group { print, server_id, time, begin: 0, end: 0 })
    };
    let mut groups =
        groups.split(';').filter(|text| !text.is_empty()).map(group).collect::<Option<VecDeque<_>>>()?;
    if let Some(last) = groups.back_mut() {
        let (begin, end) = place.split_once('-')?;
        (last.begin, last.end) = (begin.parse().ok()?, end.parse().ok()?);
    }
    (groups.len() <= DEPTH).then_some(groups)
}

#[cfg(test)]
mod tests;
