//! One transaction of a log, described for a person: when, by which server, which rows of which tables, which
//! statements.

use std::collections::HashMap;
use std::io::Read;

use mysql::binlog::events::{self, TransactionPayloadEvent};

use crate::binlog::event::{Event, Statement as Parts, kind, number};
use crate::binlog::id::Id;
use crate::binlog::packets::parsed;
use crate::difference::rows::{self, Deed, Map};
use crate::difference::statement;

/// A statement that MariaDB has packed (`log_bin_compress`).
const PACKED_QUERY: u8 = 165;
/// The text of the statement that the next rows come from (MySQL).
const ROWS_QUERY: u8 = 29;
/// Something that the server could not log.
const INCIDENT: u8 = 26;
/// How many tables and statements of one transaction are kept.
const MOST_TABLES: usize = 64;
const MOST_STATEMENTS: usize = 16;
/// No event within a packed transaction is longer than this.
const LONGEST: usize = 1 << 30;

/// A transaction that one server has executed and another has not.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Transaction {
    /// Seconds since 1970, where it was written first.
    pub time: u32,
    /// The server that wrote it first.
    pub server_id: u32,
    /// Its global id, if it has one.
    pub gtid: Option<String>,
    /// The log file in which it lies.
    pub file: String,
    /// Where it begins there.
    pub begin: u64,
    /// How long it is there.
    pub bytes: u64,
    /// Tables of which it changes rows, as far as it logs rows.
    pub tables: Vec<Table>,
    /// How many more there are.
    pub tables_left_out: usize,
    /// Its statements, for a person; statements that changed rows only if the server logs them, too.
    pub statements: Vec<Statement>,
    /// How many more there are.
    pub statements_left_out: usize,
}

/// What a transaction changes in a table.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Table {
    /// Its database.
    pub database: String,
    /// Its name.
    pub name: String,
    /// How many rows it inserts.
    pub inserted: u64,
    /// How many it updates.
    pub updated: u64,
    /// How many it deletes.
    pub deleted: u64,
    /// False if there are more that could not be counted.
    pub is_exact: bool,
}

impl Table {
    /// With the rows of another transaction.
    pub fn add(&mut self, other: &Self) {
        self.inserted += other.inserted;
        self.updated += other.updated;
        self.deleted += other.deleted;
        self.is_exact &= other.is_exact;
    }

    fn count(&mut self, deed: Deed, rows: Option<u64>) {
        let of = match deed {
            Deed::Insert => &mut self.inserted,
            Deed::Update => &mut self.updated,
            Deed::Delete => &mut self.deleted,
        };
        *of += rows.unwrap_or(0);
        self.is_exact &= rows.is_some();
    }
}

/// A statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statement {
    /// The default database; empty if there is none.
    pub database: String,
    /// Its text, shortened, without what may be a password.
    pub text: String,
}

/// Follows the events of a log and finds where its transactions begin and end.
#[derive(Debug, Default)]
pub struct Bounds {
    is_open: bool,
    is_transaction: bool,
}

/// What an event is to a transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// It belongs to the file.
    OfFile,
    /// The first of a transaction; true if it is also the last.
    First(bool),
    /// The next of a transaction; true if it is the last.
    Next(bool),
}

impl Bounds {
    /// Takes the next event.
    pub fn event(&mut self, event: &Event) -> Part {
        if event.is_of_the_file() {
            // Half a transaction at a file's end was never committed.
            *self = Self::default();
            return Part::OfFile;
        }
        let begins = event.begins_group();
        let is_first = begins || !self.is_open;
        if is_first {
            *self = Self { is_open: true, is_transaction: event.begins_transaction() };
        }
        let is_last = !begins && self.ends_with(event);
        self.is_open = !is_last;
        if is_first { Part::First(is_last) } else { Part::Next(is_last) }
    }

    fn ends_with(&mut self, event: &Event) -> bool {
        match event.kind {
            kind::XID | kind::XA_PREPARE | kind::PAYLOAD => true,
            kind::QUERY => {
                let text = event.statement().map_or(&b""[..], |statement| statement.text);
                if text == b"BEGIN" || text.starts_with(b"XA START") {
                    self.is_transaction = true;
                }
                !self.is_transaction
                    || matches!(text, b"COMMIT" | b"ROLLBACK")
                    || text.starts_with(b"XA COMMIT")
                    || text.starts_with(b"XA ROLLBACK")
            }
            kind::EXECUTE_LOAD | PACKED_QUERY | INCIDENT => !self.is_transaction,
            _ => false,
        }
    }
}

/// Makes a [`Transaction`] of its events.
#[derive(Debug, Default)]
pub struct Summary {
    of: Transaction,
    /// False if nobody will read its statements.
    in_detail: bool,
    maps: HashMap<u64, (Map, Option<usize>)>,
}

impl Summary {
    /// Begins one; `file` and `begin` say where it lies.
    pub fn begin(&mut self, event: &Event, id: Option<&Id>, file: &str, begin: u64, in_detail: bool) {
        self.maps.clear();
        self.in_detail = in_detail;
        self.of = Transaction {
            time: event.time,
            server_id: event.server_id,
            gtid: id.map(Id::shown),
            file: file.into(),
            begin,
            ..Transaction::default()
        };
    }

    /// The transaction, if its last event was the one that ended at `end`.
    pub fn end(&mut self, end: u64) -> Transaction {
        self.of.bytes = end.saturating_sub(self.of.begin);
        std::mem::take(&mut self.of)
    }

    /// The next event.
    pub fn event(&mut self, event: &Event, raw: &events::Event) {
        if event.kind == kind::PAYLOAD {
            // What it holds as far as it can be read; the rest is not counted.
            let _ = parsed(|| {
                let payload = raw.read_event::<TransactionPayloadEvent<'_>>()?;
                self.events_of(payload.decompressed()?);
                Ok(())
            });
        } else {
            self.plain(event);
        }
    }

    /// The events of a packed transaction, which have no checksums.
    fn events_of(&mut self, mut inner: impl Read) {
        const HEADER: usize = 19;
        let (mut header, mut body) = ([0; HEADER], Vec::new());
        while inner.read_exact(&mut header).is_ok() {
            let size = usize::try_from(number(&header[9..13])).unwrap_or(0);
            let Some(length) = size.checked_sub(HEADER).filter(|length| *length < LONGEST) else { return };
            body.clear();
            // No more memory than there is to read.
            let read = inner.by_ref().take(length as u64).read_to_end(&mut body);
            if !matches!(read, Ok(read) if read == length) {
                return;
            }
            self.plain(&Event { time: 0, kind: header[4], server_id: 0, flags: 0, end: 0, body: &body });
        }
    }

    fn plain(&mut self, event: &Event) {
        match event.kind {
            kind::TABLE_MAP => {
                if let Some(map) = Map::read(event.body) {
                    self.maps.insert(map.id, (map, None));
                }
            }
            kind::QUERY => {
                if let Some(parts) = event.statement() {
                    self.statement(&parts);
                }
            }
            PACKED_QUERY => {
                let text = event.statement().and_then(|parts| Some((parts, rows::unpack(parts.text)?)));
                if let Some((parts, text)) = text {
                    self.statement(&Parts { text: &text, ..parts });
                }
            }
            kind::EXECUTE_LOAD => {
                if let Some((parts, _)) = event.load() {
                    self.statement(&parts);
                }
            }
            ROWS_QUERY => self.tell(&[], event.body.get(1..).unwrap_or_default()),
            kind::ANNOTATE_ROWS => self.tell(&[], event.body),
            INCIDENT => self.tell(&[], b"(an incident: its server could not log what it did here)"),
            _ => self.rows(event),
        }
    }

    fn statement(&mut self, parts: &Parts) {
        if !matches!(parts.text, b"BEGIN" | b"COMMIT") {
            self.tell(parts.database, parts.text);
        }
    }

    fn tell(&mut self, database: &[u8], text: &[u8]) {
        if !self.in_detail || self.of.statements.len() == MOST_STATEMENTS {
            self.of.statements_left_out += 1;
            return;
        }
        let database = String::from_utf8_lossy(database).into_owned();
        self.of.statements.push(Statement { database, text: statement::shortened(text) });
    }

    fn rows(&mut self, event: &Event) {
        let Some((id, deed)) = rows::of_table(event.kind, event.body) else { return };
        let Some((map, index)) = self.maps.get_mut(&id) else { return };
        let tables = &mut self.of.tables;
        let is_it = |table: &Table| table.name == map.table && table.database == map.database;
        let index = match index.or_else(|| tables.iter().position(is_it)) {
            Some(index) => index,
            None if tables.len() == MOST_TABLES => {
                self.of.tables_left_out += 1;
                return;
            }
            None => {
                tables.push(Table {
                    database: map.database.clone(),
                    name: map.table.clone(),
                    is_exact: true,
                    ..Table::default()
                });
                tables.len() - 1
            }
        };
        tables[index].count(deed, rows::count(event.kind, event.body, map));
        if let Some((_, known)) = self.maps.get_mut(&id) {
            *known = Some(index);
        }
    }
}

#[cfg(test)]
mod tests;
