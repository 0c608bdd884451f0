//! Reads the groups of a log, from its newest file to its oldest. If a call cannot read everything in its time, the
//! next one continues.
//!
//! What an earlier call has read must still be there: the files between the newest and the one that was being read must
//! have the same sizes, and in these two files the last group must still lie at its position. What was logged since is
//! read first.

use twox_hash::XxHash3_128;

use crate::binlog::begin::Begin;
use crate::binlog::files::FIRST_EVENT;
use crate::binlog::group::Group;
use crate::binlog::logged::Logged;
use crate::binlog::reading::begun;
use crate::binlog::stream::Reader;
use crate::binlog::unfinished::{Mark, Note, Reached};
use crate::error::{Error, Told};
use crate::note::value;
use crate::position::BinlogPosition;
use crate::record::Record;
use crate::refusal::Refusal;

/// What is looked for, in words.
pub(super) const SOUGHT: &str = "its last transactions";

/// A search that is shown the files of a log from the newest to the oldest, and each file's groups forwards.
pub(super) trait ByGroup: Sized {
    /// What tells it apart from other searches of the same log.
    fn key(&self) -> String;
    /// What is known by now.
    fn to_text(&self) -> String;
    /// The search as it was noted in the file `name`; `None` if the note is of no use.
    fn resumed(&self, text: &str, name: &str) -> Option<Self>;
    /// The next older file follows.
    fn open(&mut self, name: &str);
    /// Takes the file's next group.
    fn group(&mut self, group: &Group);
    /// The file has been read.
    fn end(&mut self, begin: &Begin);
    /// True if older files cannot change the outcome.
    fn is_settled(&self) -> bool;
    /// Takes a group of a file that is newer than what was read. False if the search has to begin again.
    fn newer(&mut self, group: &Group) -> bool;
}

/// A log that is read.
pub(super) struct Backwards<'l, 'h> {
    reader: &'l Reader<'h>,
    /// Its files and their sizes; of the last one, more may be logged.
    files: Vec<(String, u64)>,
    note: Option<Note>,
    /// The newest file that was read, and its last group.
    newest: (usize, Option<Mark>),
    /// How far the search came before the last file's end.
    came: Option<(Reached, String)>,
}

/// What an earlier call has noted.
struct Noted<S> {
    search: S,
    reached: Reached,
    newest: String,
    last_of_newest: Option<Mark>,
    between: String,
}

impl<'l, 'h> Backwards<'l, 'h> {
    /// For a log that may be searched in several calls.
    pub(super) fn new(log: &'l mut Logged<'_, 'h>, search: &impl ByGroup) -> Result<Self, Error> {
        let rows = log.server.rows("SHOW BINARY LOGS")?;
        let file = |row: &Record| (row.text("Log_name").into(), row.number("File_size").unwrap_or(0));
        let files: Vec<(String, u64)> = rows.iter().map(file).collect();
        let note = log.notes.clone().map(|path| Note::new(path, log.reader.host(), &search.key()));
        let newest = (files.len().saturating_sub(1), None);
        Ok(Self { reader: &log.reader, files, note, newest, came: None })
    }

    /// Searches until it is settled, or all of the log was read.
    pub(super) fn search<S: ByGroup>(&mut self, mut search: S) -> Result<S, Error> {
        let newest = self.newest;
        if let Some(noted) = self.noted(&search) {
            log::info!("the search continues at {}, where an earlier call ended", noted.reached.place());
            match self.go_on(noted)? {
                Ok(ended) => return Ok(ended),
                Err(why) => log::info!("{} {why}: it is searched from its beginning", self.reader.host()),
            }
            self.forget();
            self.newest = newest;
        }
        self.read_down(self.files.len(), &mut search)?;
        Ok(search)
    }

    /// The search has ended.
    pub(super) fn forget(&self) {
        if let Some(note) = &self.note {
            note.forget();
        }
    }

    /// The search could not be finished in time.
    pub(super) fn keep(&self) {
        if let Some((reached, state)) = &self.came {
            self.note_down(reached, state);
        }
    }

    fn noted<S: ByGroup>(&self, search: &S) -> Option<Noted<S>> {
        let text = self.note.as_ref()?.read()?;
        let reached = Reached::from_text(&text)?;
        let search = search.resumed(&text, &reached.file)?;
        let last = value(&text, "last_of_newest")?;
        let last_of_newest = if last.is_empty() { None } else { Some(Mark::from_text(&last)?) };
        let (newest, between) = (value(&text, "newest")?, value(&text, "between")?);
        Some(Noted { search, reached, newest, last_of_newest, between })
    }

    fn note_down(&self, reached: &Reached, state: &str) {
        let (Some(note), Some(current)) = (&self.note, self.number(&reached.file)) else { return };
        let (newest, last) = self.newest;
        let (name, between) = (&self.files[newest].0, self.between(current, newest));
        let last = last.map(Mark::to_text).unwrap_or_default();
        note.keep(reached, &format!("newest={name}\tlast_of_newest={last}\tbetween={between}\t{state}"));
    }

    /// A print of the files from one up to, and without, a newer one. Nothing is logged in these files any more.
    fn between(&self, first: usize, newest: usize) -> String {
        let files = self.files[first..newest].iter().map(|(name, size)| format!("{name} {size}\n"));
        format!("{:x}", XxHash3_128::oneshot(files.collect::<String>().as_bytes()))
    }

    fn number(&self, file: &str) -> Option<usize> {
        self.files.iter().position(|(name, _)| name == file)
    }

    /// The search, ended; else why it has to begin again.
    fn go_on<S: ByGroup>(&mut self, noted: Noted<S>) -> Told<S, &'static str> {
        const ANOTHER: &str = "has another log by now";
        let Noted { mut search, reached, newest, last_of_newest, between } = noted;
        let (Some(current), Some(newest)) = (self.number(&reached.file), self.number(&newest)) else {
            return Ok(Err(ANOTHER));
        };
        if current > newest || self.between(current, newest) != between {
            return Ok(Err(ANOTHER));
        }
        self.newest = (newest, last_of_newest);
        if !self.read_newer(current, &reached, &mut search)? {
            return Ok(Err("has another log by now, or has logged what is looked for since then"));
        }
        let mut begin = begun(self.reader, &reached.file, SOUGHT)?;
        if begin.sign.as_ref() != Some(&reached.begun)
            || !self.read_file(current, &mut begin, reached.last, &mut search)?
        {
            return Ok(Err(ANOTHER));
        }
        search.end(&begin);
        if !search.is_settled() {
            self.read_down(current, &mut search)?;
        }
        Ok(Ok(search))
    }

    /// Reads the files before this one.
    fn read_down(&mut self, before: usize, search: &mut impl ByGroup) -> Result<(), Error> {
        for index in (0..before).rev() {
            let mut begin = Begin::default();
            search.open(&self.files[index].0);
            self.read_file(index, &mut begin, None, search)?;
            search.end(&begin);
            if search.is_settled() {
                break;
            }
        }
        Ok(())
    }

    /// Reads a file from its beginning, or from the group `expected` on; false if that group is not there. What the
    /// file begins with may be known.
    fn read_file(
        &mut self,
        index: usize,
        begin: &mut Begin,
        expected: Option<Mark>,
        search: &mut impl ByGroup,
    ) -> Result<bool, Error> {
        let (mut last, is_newest) = (expected, index == self.newest.0);
        let read = each_from(self.reader, &self.files[index].0, expected, begin, |group| {
            last = Some(mark(group));
            search.group(group);
            true
        });
        if is_newest {
            self.newest.1 = last;
        }
        if self.note.is_some()
            && let Some(begun) = begin.sign.clone()
            && (is_too_long(&read) || matches!(read, Ok(true)))
        {
            let reached = Reached { file: self.files[index].0.clone(), begun, last };
            self.came = Some((reached, search.to_text()));
        }
        if is_too_long(&read) {
            self.keep();
        }
        read
    }

    /// Reads what was logged in the newest file, and in newer ones, since the search was noted in the file `current`.
    /// False if the search has to begin again.
    fn read_newer(
        &mut self,
        current: usize,
        reached: &Reached,
        search: &mut impl ByGroup,
    ) -> Result<bool, Error> {
        let (newest, last) = self.newest;
        // What was logged after the position in the current file is read with that file.
        let first = if newest == current { newest + 1 } else { newest };
        for index in first..self.files.len() {
            let expected = if index == newest { last } else { None };
            let mut last = expected;
            let read =
                each_from(self.reader, &self.files[index].0, expected, &mut Begin::default(), |group| {
                    last = Some(mark(group));
                    search.newer(group)
                });
            self.newest = (index, last);
            if is_too_long(&read) {
                self.note_down(reached, &search.to_text());
            }
            if !read? {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

/// Shows `see` the groups of a file, or those after the group `expected`, as long as `see` returns true. False if it
/// returned false, or that group is not there.
pub(super) fn each_from(
    reader: &Reader,
    file: &str,
    mut expected: Option<Mark>,
    begin: &mut Begin,
    mut see: impl FnMut(&Group) -> bool,
) -> Result<bool, Error> {
    let place = BinlogPosition::new(file, expected.map_or(FIRST_EVENT, |group| group.begin));
    let mut is_well = true;
    let read = reader.each_group_from(&place, begin, |group| {
        is_well = match expected.take() {
            Some(expected) => mark(group) == expected,
            None => see(group),
        };
        !is_well
    });
    match read {
        // No event begins there any more.
        Err(Error::Query { .. } | Error::Broken { .. }) if expected.is_some() => Ok(false),
        other => other.map(|()| is_well && expected.is_none()),
    }
}

pub(super) fn mark(group: &Group) -> Mark {
    Mark { begin: group.begin, print: group.print.0 }
}

pub(super) fn is_too_long<T>(read: &Result<T, Error>) -> bool {
    matches!(read, Err(Error::Refused(refusal)) if matches!(**refusal, Refusal::SearchTooLong { .. }))
}
