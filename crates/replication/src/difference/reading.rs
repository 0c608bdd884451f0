//! Reads what is missing.

use std::io;
use std::path::{Path, PathBuf};

use mysql::binlog::events;

use crate::binlog::event::{Event, kind};
use crate::binlog::files::FIRST_EVENT;
use crate::binlog::id::Id;
use crate::binlog::stream::{Reader, Start};
use crate::difference::plan::{Plan, Wanted};
use crate::difference::save::LogFile;
use crate::difference::transaction::{Bounds, Part, Summary, Transaction};
use crate::error::Error;

/// The result of reading.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// Transactions.
    pub transactions: u64,
    /// Bytes of them.
    pub bytes: u64,
    /// Bytes of the largest.
    pub largest: u64,
    /// The file that they were saved in, and its length.
    pub saved: Option<(PathBuf, u64)>,
}

/// Why reading failed.
#[derive(Debug, thiserror::Error)]
pub enum Trouble {
    /// The server.
    #[error(transparent)]
    Server(#[from] Error),
    /// The file.
    #[error("{} cannot be written: {source}", .path.display())]
    Save {
        /// Its name.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
}

impl Plan {
    /// Reads what is missing, shows it to `see`, and saves it where `save` says. After the first `listed` transactions,
    /// statements are skipped.
    pub fn read(
        &self,
        reader: &Reader,
        listed: u64,
        save: Option<&Path>,
        see: impl FnMut(&Transaction),
    ) -> Result<Found, Trouble> {
        let mut reading = Reading {
            wanted: &self.wanted,
            listed,
            save,
            see,
            file: (0, ""),
            format: None,
            bounds: Bounds::default(),
            is_open: false,
            end: FIRST_EVENT,
            summary: Summary::default(),
            saved: None,
            found: Found::default(),
        };
        for (number, (index, name)) in self.files.iter().enumerate() {
            reading.file = (*index, name);
            let mut failed = None;
            let mut each = |start| {
                reader.each_until(name, start, |event, sent| {
                    failed = sent.read().and_then(|sent| reading.event(event, &sent)).err();
                    failed.is_some()
                })
            };
            let start = self.skip.start(number == 0);
            match each(start) {
                Ok(true) => {}
                // The position is in another file, or nowhere: the server refuses it before it sends anything.
                Ok(false) | Err(Error::Query { .. }) if matches!(start, Start::Behind(_)) => {
                    each(Start::First)?;
                }
                other => {
                    other?;
                }
            }
            failed.map_or_else(|| reading.forget(), Err).map_err(|source| trouble(save, source))?;
        }
        reading.finish().map_err(|source| trouble(save, source))
    }
}

fn trouble(save: Option<&Path>, source: io::Error) -> Trouble {
    Trouble::Save { path: save.unwrap_or(Path::new("")).into(), source }
}

/// The reading of some files.
struct Reading<'p, S> {
    wanted: &'p Wanted,
    listed: u64,
    save: Option<&'p Path>,
    see: S,
    /// The file's number among all files, and its name.
    file: (usize, &'p str),
    /// Its first event.
    format: Option<events::Event>,
    bounds: Bounds,
    /// True within a transaction that is wanted.
    is_open: bool,
    /// Where the event before ended.
    end: u64,
    summary: Summary,
    saved: Option<LogFile>,
    found: Found,
}

impl<S: FnMut(&Transaction)> Reading<'_, S> {
    fn event(&mut self, event: &Event, sent: &events::Event) -> io::Result<()> {
        let before = std::mem::replace(&mut self.end, event.end);
        let is_last = match self.bounds.event(event) {
            Part::OfFile => {
                self.forget()?;
                if event.kind == kind::FORMAT_DESCRIPTION {
                    self.format = Some(sent.clone());
                }
                return Ok(());
            }
            Part::First(is_last) => {
                if self.is_open {
                    self.complete(before);
                }
                self.begin(event, sent)?;
                is_last
            }
            Part::Next(is_last) => is_last,
        };
        if self.is_open {
            self.summary.event(event, sent);
            if let Some(file) = &mut self.saved {
                file.event(sent)?;
            }
            if is_last {
                self.complete(event.end);
            }
        }
        Ok(())
    }

    fn begin(&mut self, event: &Event, sent: &events::Event) -> io::Result<()> {
        let id = Id::of(event, sent);
        let begin = event.end.saturating_sub(sent.header().event_size().into());
        self.is_open = self.wanted.is((self.file.0, begin), event, id.as_ref());
        if !self.is_open {
            return Ok(());
        }
        let in_detail = self.found.transactions < self.listed;
        self.summary.begin(event, id.as_ref(), self.file.1, begin, in_detail);
        if let (None, Some(path)) = (&self.saved, self.save) {
            if self.format.is_none() {
                return Err(io::Error::other("the server does not say what its events are like"));
            }
            self.saved = Some(LogFile::create(path)?);
        }
        if let (Some(file), Some(format)) = (&mut self.saved, self.format.take()) {
            file.format(&format)?;
        }
        if let Some(file) = &mut self.saved {
            file.begin();
        }
        Ok(())
    }

    fn complete(&mut self, end: u64) {
        self.is_open = false;
        let transaction = self.summary.end(end);
        self.found.transactions += 1;
        self.found.bytes += transaction.bytes;
        self.found.largest = self.found.largest.max(transaction.bytes);
        (self.see)(&transaction);
    }

    /// A transaction that does not end in its file was never committed.
    fn forget(&mut self) -> io::Result<()> {
        if std::mem::take(&mut self.is_open)
            && let Some(file) = &mut self.saved
        {
            file.forget()?;
        }
        self.bounds = Bounds::default();
        Ok(())
    }

    fn finish(mut self) -> io::Result<Found> {
        if let Some(file) = self.saved.take() {
            // There was only half a transaction.
            if self.found.transactions > 0 {
                let (path, bytes) = file.at();
                self.found.saved = Some((path.into(), bytes));
                file.finish()?;
            }
        }
        Ok(self.found)
    }
}
