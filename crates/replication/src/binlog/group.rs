//! From events to groups, and what identifies a group on every server that has it.
//!
//! MySQL 8.0.1 and newer stamp each group with the microsecond of its first commit, unchanged wherever it is passed on.
//! In older versions a group is recognised by its contents, without what each server writes anew: numbers of tables, of
//! files and of transactions, the time a statement took, how rows are split into events, how a transaction ends.

use std::collections::HashMap;
use std::fmt;

use twox_hash::XxHash3_128;

use crate::binlog::event::{Event, kind, number};

/// What two servers' copies of a group have in common, and no other group has, except a group that is alike in every
/// byte.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Print(pub u128);

impl fmt::Debug for Print {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:08x}", self.0 >> 96)
    }
}

/// A transaction, or a statement outside of one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Group {
    /// What identifies it.
    pub print: Print,
    /// Who wrote it first.
    pub server_id: u32,
    /// When that was, in seconds since 1970.
    pub time: u32,
    /// Offset at which it begins in its file.
    pub begin: u64,
    /// Offset at which it ends.
    pub end: u64,
}

/// Makes groups of a log's events, in their order.
#[derive(Default)]
pub struct Groups {
    open: Option<Open>,
    /// What is known of each table by the number that it has in this log.
    tables: HashMap<u64, u128>,
    /// Where the event before ended.
    end: u64,
}

/// A group of which not all events have been seen.
struct Open {
    group: Group,
    commit: Option<u64>,
    is_transaction: bool,
    has_events: bool,
    /// True if it changes anything. If it does not, some servers log it and others do not.
    has_effect: bool,
    /// If no commit timestamp identifies it: all of its contents.
    contents: Option<XxHash3_128>,
    /// What the rows just before belong to: more rows of the same kind continue them.
    rows_of: Option<u128>,
}

impl Open {
    fn at(begin: u64, event: &Event) -> Self {
        let group =
            Group { print: Print(0), server_id: event.server_id, time: event.time, begin, end: begin };
        let commit = event.original_commit();
        Self {
            group,
            commit,
            is_transaction: event.begins_transaction(),
            has_events: false,
            has_effect: false,
            contents: commit.is_none().then(|| XxHash3_128::with_seed(0)),
            rows_of: None,
        }
    }

    /// `None` if it changes nothing.
    fn finish(mut self, end: u64) -> Option<Group> {
        if !self.has_effect {
            return None;
        }
        self.group.end = end;
        let id = self.group.server_id.to_le_bytes();
        self.group.print = Print(match (self.contents, self.commit) {
            (Some(mut contents), _) => {
                contents.write(&id);
                contents.finish_128()
            }
            (None, commit) => {
                let commit = commit.unwrap_or_default().to_le_bytes();
                XxHash3_128::oneshot_with_seed(1, &[&commit[..], &id].concat())
            }
        });
        Some(self.group)
    }
}

impl Groups {
    /// Of events that begin at this offset, with a group.
    pub fn from(offset: u64) -> Self {
        Self { end: offset, ..Self::default() }
    }

    /// The event before ended here, or nothing that is shown lies between.
    pub fn end_at(&mut self, offset: u64) {
        self.end = offset;
    }

    /// Takes the next event; returns the group that ends with it, or ended before it.
    pub fn event(&mut self, event: &Event) -> Option<Group> {
        let begin = std::mem::replace(&mut self.end, event.end);
        if event.is_of_the_file() {
            if matches!(event.kind, kind::ROTATE | kind::STOP | kind::FORMAT_DESCRIPTION) {
                self.tables.clear();
                // Half a group at a file's end was never committed.
                self.open = None;
            }
            return None;
        }
        if event.begins_group() {
            let dangling = self.open.take().filter(|open| open.has_events);
            self.open = Some(Open::at(begin, event));
            return dangling.and_then(|open| open.finish(begin));
        }
        let open = self.open.get_or_insert_with(|| Open::at(begin, event));
        open.has_events = true;
        open.has_effect |= has_effect(event);
        if let Some(all) = &mut open.contents
            && !event.is_ignorable()
        {
            contents(all, &mut open.rows_of, event, &mut self.tables);
        }
        let is_last = match event.kind {
            kind::XID | kind::XA_PREPARE | kind::PAYLOAD => true,
            kind::QUERY => {
                let text = event.statement().map_or(&b""[..], |statement| statement.text);
                if text == b"BEGIN" || text.starts_with(b"XA START") {
                    open.is_transaction = true;
                }
                !open.is_transaction || matches!(text, b"COMMIT" | b"ROLLBACK") || ends_xa(text)
            }
            kind::EXECUTE_LOAD => !open.is_transaction,
            _ => false,
        };
        if is_last { self.open.take().and_then(|open| open.finish(event.end)) } else { None }
    }
}

/// True of an event that changes something, or says how.
fn has_effect(event: &Event) -> bool {
    match event.kind {
        kind::XID | kind::TABLE_MAP => false,
        kind::QUERY => event.statement().is_none_or(|statement| !is_bound(statement.text)),
        _ => !event.is_ignorable(),
    }
}

/// True of what a transaction begins and ends with, which servers write in different ways.
fn is_bound(text: &[u8]) -> bool {
    matches!(text, b"BEGIN" | b"COMMIT" | b"ROLLBACK")
}

/// True of the second phase of an XA transaction, which MariaDB logs as a transaction without a COMMIT.
fn ends_xa(text: &[u8]) -> bool {
    text.starts_with(b"XA COMMIT") || text.starts_with(b"XA ROLLBACK")
}

/// Adds to a group's contents what of `event` is the same on every server.
fn contents(
    all: &mut XxHash3_128,
    rows_of: &mut Option<u128>,
    event: &Event,
    tables: &mut HashMap<u64, u128>,
) {
    let is_rows = kind::ROWS_1.contains(&event.kind)
        || kind::ROWS_2.contains(&event.kind)
        || event.kind == kind::PARTIAL_UPDATE;
    if is_rows {
        rows(all, rows_of, event, tables);
        return;
    }
    *rows_of = None;
    match event.kind {
        kind::TABLE_MAP => {
            if let (Some(id), Some(table)) = (event.body.get(..6), event.body.get(8..)) {
                tables.insert(number(id), XxHash3_128::oneshot(table));
            }
        }
        kind::QUERY => {
            let Some(statement) = event.statement() else { return };
            if !is_bound(statement.text) {
                all.write(&[kind::QUERY]);
                all.write(&event.time.to_le_bytes());
                for part in [statement.thread, statement.error, statement.database, statement.text] {
                    all.write(&part.len().to_le_bytes());
                    all.write(part);
                }
            }
        }
        kind::EXECUTE_LOAD => {
            let Some((statement, name)) = event.load() else { return };
            all.write(&[kind::EXECUTE_LOAD]);
            all.write(&event.time.to_le_bytes());
            all.write(statement.database);
            all.write(&statement.text[..name.start]);
            all.write(&statement.text[name.end..]);
        }
        // Their data begin after the number of a file; each server cuts them at other places.
        kind::BEGIN_LOAD | kind::APPEND_BLOCK => all.write(event.body.get(4..).unwrap_or_default()),
        // A variable may be logged only because an earlier statement of the same applier set it.
        kind::XID | kind::USER_VAR => {}
        kind::INTVAR | kind::RAND | kind::PAYLOAD => {
            all.write(&[event.kind]);
            all.write(event.body);
        }
        other => {
            all.write(&[other]);
            all.write(&event.body.len().to_le_bytes());
            all.write(event.body);
        }
    }
}

/// Rows of one table and kind, as if all of them had come in one event.
fn rows(all: &mut XxHash3_128, rows_of: &mut Option<u128>, event: &Event, tables: &HashMap<u64, u128>) {
    // Kinds of version 1 lie seven below those of version 2, which have a part of variable length more.
    let (kind, extra) = if kind::ROWS_1.contains(&event.kind) {
        (event.kind + 7, 0)
    } else {
        (event.kind, event.body.get(8..10).map_or(0, |length| usize::try_from(number(length)).unwrap_or(0)))
    };
    let Some(rows) = event.body.get(8 + extra..) else { return };
    let table = event.body.get(..6).and_then(|id| tables.get(&number(id))).copied().unwrap_or(0);
    // Number of columns, one to nine bytes, then which of them are there: before and, where updated, after.
    let (columns, width) = packed(rows);
    let maps = if kind == kind::ROWS_2.start() + 1 || kind == kind::PARTIAL_UPDATE { 2 } else { 1 };
    let head = (width + columns.div_ceil(8) * maps).min(rows.len());
    let of = [&table.to_le_bytes(), &event.time.to_le_bytes()[..], &rows[..head]].concat();
    let of = XxHash3_128::oneshot_with_seed(u64::from(kind), &of);
    if *rows_of != Some(of) {
        *rows_of = Some(of);
        all.write(&of.to_le_bytes());
    }
    all.write(&rows[head..]);
}

/// A length-encoded number of at most 65,535, and how many bytes it takes.
fn packed(bytes: &[u8]) -> (usize, usize) {
    match bytes {
        [0xfc, low, high, ..] => (usize::from(*low) | usize::from(*high) << 8, 3),
        [byte, ..] => (usize::from(*byte), 1),
        [] => (0, 0),
    }
}

#[cfg(test)]
mod tests;
