//! Searches a MySQL server's binary log: where do the groups of a set end, and who wrote in the log?
//!
//! The log is read as replicas get it, from the last file whose `Previous_gtids` are all in the set. `Prefix` judges
//! the events without a server.

use crate::binlog::event::kind;
use crate::binlog::files::{FIRST_EVENT, last_that_begins, log_files};
use crate::binlog::id::Id;
use crate::binlog::located::Located;
use crate::binlog::pages::page;
use crate::binlog::reading::{ByEvent, Log, Seen, read};
use crate::error::Error;
use crate::gtid::GtidSet;
use crate::note::value;
use crate::position::BinlogPosition;
use crate::record::Record;
use crate::server::Server;

/// Enough events to see what a file begins with.
const FIRST_EVENTS: usize = 4;

/// Finds the end of the groups that are in `set`; after what was found `earlier`, if that was for a part of the set.
pub fn locate(log: &mut Log, set: &GtidSet, earlier: Option<&Located>) -> Result<Located, Error> {
    let files = log_files(log.server)?;
    if let Some(Located::Prefix { of, position, before }) = earlier
        && of.is_within(set)
        && files.contains(&position.file)
    {
        return read_on(log, &files, position, Prefix::new(set, before.clone()));
    }
    let lies_before = |file: &str| {
        let previous = previous_gtids(log.server, file)?;
        Ok(previous.is_within(set).then_some(previous))
    };
    let Some((first, before)) = last_that_begins(&files, lies_before)? else {
        let oldest = files.first().cloned().unwrap_or_default();
        let gone = previous_gtids(log.server, &oldest)?.without(set);
        return Ok(Located::PurgedOfSet { of: set.clone(), gone });
    };
    let begin = BinlogPosition::new(&files[first], FIRST_EVENT);
    read_on(log, &files, &begin, Prefix::new(set, before))
}

fn read_on(
    log: &mut Log,
    files: &[String],
    begin: &BinlogPosition,
    mut prefix: Prefix,
) -> Result<Located, Error> {
    read(log, files, begin, &mut prefix)?;
    Ok(prefix.finish())
}

/// What was logged before a file.
pub(crate) fn previous_gtids(server: &mut Server, file: &str) -> Result<GtidSet, Error> {
    let rows = page(server, file, FIRST_EVENT, FIRST_EVENTS)?;
    let previous = rows.iter().find(|row| row.text("Event_type") == "Previous_gtids");
    previous
        .map_or("", |row| row.text("Info"))
        .parse()
        .map_err(|_| server.unexpected("SHOW BINLOG EVENTS", "readable Previous_gtids"))
}

/// The groups that are read, as long as they are in the set.
#[derive(Clone, Debug)]
pub(crate) struct Prefix<'s> {
    of: &'s GtidSet,
    /// All groups that were read to their end.
    before: GtidSet,
    /// The one that is being read.
    group: Option<(String, u64)>,
    /// Where the part that was read ends, in the file that is being read.
    end: BinlogPosition,
    unnamed: Option<BinlogPosition>,
}

impl<'s> Prefix<'s> {
    pub(crate) fn new(of: &'s GtidSet, before: GtidSet) -> Self {
        Self { of, before, group: None, end: BinlogPosition::new("", 0), unnamed: None }
    }

    fn event(&mut self, row: &Record) -> bool {
        let what = match row.text("Event_type") {
            "Anonymous_Gtid" => What::Unnamed,
            // `Gtid`, and for tagged ones `Gtid_tagged`.
            kind if kind.starts_with("Gtid") => What::Group(gtid_of(row)),
            "Rotate" | "Stop" => What::End,
            _ => What::Other,
        };
        let place = |column| row.number(column).unwrap_or(FIRST_EVENT);
        self.take(what, place("Pos"), place("End_log_pos"))
    }

    fn take(&mut self, what: What, begin: u64, end: u64) -> bool {
        if !matches!(what, What::Other) {
            self.close_group();
        }
        match what {
            What::Unnamed => {
                self.unnamed = Some(BinlogPosition::new(&self.end.file, begin));
                return true;
            }
            What::Group(group) => match group {
                Some((source, number)) if self.of.has(&source, number) => {
                    self.group = Some((source, number));
                }
                _ => {
                    self.end.offset = begin;
                    return true;
                }
            },
            // After it, the reading of this file cannot continue.
            What::End => return false,
            What::Other => {}
        }
        self.end.offset = end;
        false
    }

    fn close_group(&mut self) {
        if let Some((source, number)) = self.group.take() {
            self.before.add(&source, number, number);
        }
    }

    fn finish(mut self) -> Located {
        self.close_group();
        match self.unnamed {
            Some(place) => Located::Unnamed(place),
            None => Located::Prefix { of: self.of.clone(), position: self.end, before: self.before },
        }
    }
}

impl ByEvent for Prefix<'_> {
    /// What was read before a position is of use for every set that holds it.
    fn key(&self) -> String {
        "set".into()
    }

    fn to_text(&self) -> String {
        format!("before={}", self.before)
    }

    fn resumed(&self, text: &str, place: &BinlogPosition) -> Option<Self> {
        let before: GtidSet = value(text, "before")?.parse().ok()?;
        let is_ahead = place.has_reached(&self.end) && before.is_within(self.of);
        is_ahead.then(|| Self::new(self.of, before))
    }

    fn open(&mut self, place: &BinlogPosition) {
        self.end.clone_from(place);
    }

    fn see(&mut self, seen: &Seen) -> bool {
        match seen {
            Seen::Row(row) => self.event(row),
            Seen::Event(event, sent) => {
                let what = match event.kind {
                    kind::ANONYMOUS_GTID => What::Unnamed,
                    kind::GTID | kind::TAGGED_GTID => match Id::read(event, || sent.read().ok()) {
                        Some(Id::MySql(source, number)) => What::Group(Some((source, number))),
                        _ => What::Group(None),
                    },
                    kind::ROTATE | kind::STOP => What::End,
                    _ => What::Other,
                };
                self.take(what, event.end.saturating_sub(u64::from(sent.size)), event.end)
            }
        }
    }

    fn close(&mut self) -> bool {
        self.close_group();
        false
    }

    fn wanted(&self) -> String {
        "the replica's position".into()
    }
}

/// What an event is to a prefix.
enum What {
    /// A group begins; an unreadable one is in no set, and the search ends there.
    Group(Option<(String, u64)>),
    /// A group without a GTID begins.
    Unnamed,
    /// The file ends.
    End,
    /// Anything else.
    Other,
}

/// `SET @@SESSION.GTID_NEXT= 'uuid:5'`, of tagged ones `'uuid:tag:5'`.
fn gtid_of(row: &Record) -> Option<(String, u64)> {
    let (source, number) = row.text("Info").split('\'').nth(1)?.rsplit_once(':')?;
    Some((source.to_ascii_lowercase(), number.parse().ok()?))
}

/// A log given as GTIDs alone, searched as a server's log would be: for the property tests of planning.
#[cfg(test)]
pub(crate) fn locate_in(log: &[String], set: &GtidSet) -> Located {
    let mut prefix = Prefix::new(set, GtidSet::default());
    prefix.end = BinlogPosition::new("bin.000001", 0);
    for (index, gtid) in log.iter().enumerate() {
        let row = Record::from_iter([
            ("Event_type", "Gtid".to_string()),
            ("Info", format!("SET @@SESSION.GTID_NEXT= '{gtid}'")),
            ("Pos", index.to_string()),
            ("End_log_pos", (index + 1).to_string()),
        ]);
        if prefix.event(&row) {
            break;
        }
    }
    prefix.finish()
}

#[cfg(test)]
mod tests;
