//! One event of a log, and which of its bytes distinguish it from others.
//!
//! The layouts are those of MySQL's binary log version 4, which every server since 5.0 writes (MySQL Internals,
//! "Binary Log Event"; the offsets of commit timestamps from MySQL 8.0.1).

use std::ops::Range;

use crate::gtid::Gtid;

/// Kinds of events, as their headers number them.
pub mod kind {
    /// A statement, or the beginning or end of a transaction.
    pub const QUERY: u8 = 2;
    /// The server ended.
    pub const STOP: u8 = 3;
    /// The log continues in another file.
    pub const ROTATE: u8 = 4;
    /// An automatic number that the next statement uses.
    pub const INTVAR: u8 = 5;
    /// Part of a file that LOAD DATA loads.
    pub const APPEND_BLOCK: u8 = 9;
    /// The seed of a random number.
    pub const RAND: u8 = 13;
    /// A user variable.
    pub const USER_VAR: u8 = 14;
    /// What every file begins with.
    pub const FORMAT_DESCRIPTION: u8 = 15;
    /// The end of a transaction.
    pub const XID: u8 = 16;
    /// The first part of a file that LOAD DATA loads.
    pub const BEGIN_LOAD: u8 = 17;
    /// The LOAD DATA itself.
    pub const EXECUTE_LOAD: u8 = 18;
    /// The table that the next rows belong to.
    pub const TABLE_MAP: u8 = 19;
    /// Rows, version 1: written, updated, deleted.
    pub const ROWS_1: std::ops::RangeInclusive<u8> = 23..=25;
    /// Nothing was written for a while.
    pub const HEARTBEAT: u8 = 27;
    /// Rows, version 2: written, updated, deleted.
    pub const ROWS_2: std::ops::RangeInclusive<u8> = 30..=32;
    /// A group with a GTID begins.
    pub const GTID: u8 = 33;
    /// A group without one begins (MySQL 5.7 and newer).
    pub const ANONYMOUS_GTID: u8 = 34;
    /// The GTIDs of earlier files.
    pub const PREVIOUS_GTIDS: u8 = 35;
    /// XA PREPARE, which ends its group.
    pub const XA_PREPARE: u8 = 38;
    /// Updated rows, with changed parts of JSON values.
    pub const PARTIAL_UPDATE: u8 = 39;
    /// A whole compressed transaction (MySQL 8.0.20).
    pub const PAYLOAD: u8 = 40;
    /// As [`HEARTBEAT`], of larger files.
    pub const HEARTBEAT_2: u8 = 41;
    /// A group with a GTID that has a tag begins (MySQL 8.3).
    pub const TAGGED_GTID: u8 = 42;
    /// MariaDB: the text of the statement that the next rows come from.
    pub const ANNOTATE_ROWS: u8 = 160;
    /// MariaDB: the oldest file that would be needed after a crash.
    pub const BINLOG_CHECKPOINT: u8 = 161;
    /// MariaDB: a group begins.
    pub const GTID_OF_MARIADB: u8 = 162;
    /// MariaDB: the GTIDs of earlier files.
    pub const GTID_LIST: u8 = 163;
    /// MariaDB: what follows in the file is encrypted.
    pub const START_ENCRYPTION: u8 = 164;
}

/// Header flag: made for this connection, and in no file.
const ARTIFICIAL: u16 = 0x20;
/// Header flag: says nothing of data.
const IGNORABLE: u16 = 0x80;

/// An event without its checksum.
#[derive(Clone, Copy, Debug)]
pub struct Event<'b> {
    /// Seconds since 1970, where it was written first.
    pub time: u32,
    /// See [`kind`].
    pub kind: u8,
    /// Who wrote it first.
    pub server_id: u32,
    /// Header flags.
    pub flags: u16,
    /// Offset at which it ends in its file.
    pub end: u64,
    /// What follows the header.
    pub body: &'b [u8],
}

/// The parts of a statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Statement<'b> {
    /// The session that ran it.
    pub thread: &'b [u8],
    /// The error that it ended with.
    pub error: &'b [u8],
    /// The default database.
    pub database: &'b [u8],
    /// Its text.
    pub text: &'b [u8],
}

impl<'b> Event<'b> {
    /// True of an event that lies in a file.
    pub fn is_real(&self) -> bool {
        self.flags & ARTIFICIAL == 0 && !matches!(self.kind, kind::HEARTBEAT | kind::HEARTBEAT_2)
    }

    /// True of an event that belongs to no group.
    pub fn is_of_the_file(&self) -> bool {
        matches!(
            self.kind,
            kind::STOP
                | kind::ROTATE
                | kind::FORMAT_DESCRIPTION
                | kind::PREVIOUS_GTIDS
                | kind::BINLOG_CHECKPOINT
                | kind::GTID_LIST
                | kind::START_ENCRYPTION
        )
    }

    /// True of an event that a server may leave out when it passes a group on.
    pub fn is_ignorable(&self) -> bool {
        self.flags & IGNORABLE != 0 || self.kind == kind::ANNOTATE_ROWS
    }

    /// True of the event that a group begins with, if servers write one.
    pub fn begins_group(&self) -> bool {
        matches!(self.kind, kind::GTID | kind::ANONYMOUS_GTID | kind::TAGGED_GTID | kind::GTID_OF_MARIADB)
    }

    /// True of a MariaDB group's first event if the group continues to a COMMIT: no statement begins it there (MariaDB
    /// knowledge base, "`GTID_EVENT`").
    pub fn begins_transaction(&self) -> bool {
        const STANDALONE: u8 = 1;
        self.kind == kind::GTID_OF_MARIADB && self.body.get(12).is_some_and(|flags| flags & STANDALONE == 0)
    }

    /// MariaDB's: the id that it gives the group that it begins.
    pub fn gtid(&self) -> Option<Gtid> {
        if self.kind != kind::GTID_OF_MARIADB {
            return None;
        }
        let domain = u32::try_from(number(self.body.get(8..12)?)).ok()?;
        Some(Gtid { domain, server: self.server_id, sequence: number(self.body.get(..8)?) })
    }

    /// True of a file's first event if the server began the file when it was started. Its time of creation is zero in
    /// files that were begun later (MySQL Internals, "`Format_description_event`").
    pub fn begins_run(&self) -> bool {
        self.kind == kind::FORMAT_DESCRIPTION && self.body.get(52..56) != Some(&[0; 4])
    }

    /// When the group was committed where it was written first, in microseconds since 1970; `None` before
    /// MySQL 8.0.1, and of a group that came through an older server.
    pub fn original_commit(&self) -> Option<u64> {
        const IMMEDIATE: Range<usize> = 42..49;
        const ORIGINAL: Range<usize> = 49..56;
        /// Set in the one timestamp if the other follows.
        const FOLLOWS: u64 = 1 << 55;
        if !matches!(self.kind, kind::GTID | kind::ANONYMOUS_GTID) {
            return None;
        }
        let immediate = number(self.body.get(IMMEDIATE)?);
        let original = if immediate & FOLLOWS == 0 { immediate } else { number(self.body.get(ORIGINAL)?) };
        (original != 0).then_some(original)
    }

    /// What a `QUERY` event holds.
    pub fn statement(&self) -> Option<Statement<'b>> {
        self.statement_behind(0)
    }

    /// What an `EXECUTE_LOAD` event holds, and where in its text the name of a file lies, which each server
    /// chooses for itself.
    pub fn load(&self) -> Option<(Statement<'b>, Range<usize>)> {
        let at = |from: usize| usize::try_from(number(self.body.get(from..from + 4)?)).ok();
        let name = at(17)?..at(21)?;
        let statement = self.statement_behind(13)?;
        (name.start <= name.end && name.end <= statement.text.len()).then_some((statement, name))
    }

    /// A statement whose fixed part has `extra` bytes more than the plain one's.
    fn statement_behind(&self, extra: usize) -> Option<Statement<'b>> {
        let body = self.body;
        let length = usize::from(*body.get(8)?);
        let variables = usize::try_from(number(body.get(11..13)?)).ok()?;
        let rest = body.get(13 + extra + variables..)?;
        Some(Statement {
            thread: body.get(..4)?,
            error: body.get(9..11)?,
            database: rest.get(..length)?,
            text: rest.get(length + 1..)?,
        })
    }
}

/// A little-endian number.
pub fn number(bytes: &[u8]) -> u64 {
    bytes.iter().rev().fold(0, |number, byte| number << 8 | u64::from(*byte))
}
