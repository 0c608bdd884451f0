//! A log by SHOW BINLOG EVENTS (privilege BINLOG MONITOR, which REPLICATION CLIENT is since MariaDB 10.5.2; REPLICATION
//! SLAVE on MySQL), page by page: what a file begins with, and what lies behind a place where nobody may dump.

use mmm_core::progress::{self, Left, Waiting};

use super::scan::Beginning;
use crate::error::Error;
use crate::gtid::{Gtid, parse_list};
use crate::position::BinlogPosition;
use crate::record::Record;
use crate::refusal::Refusal;
use crate::server::Server;

/// Events per page: large enough to cost little, small enough to keep memory and each answer short.
const PAGE: usize = 4000;
/// As much of a statement as is kept of a few events.
const STATEMENT: usize = 1024;
/// Where the events of every log file begin, behind its magic number.
pub(crate) const FIRST_EVENT: u64 = 4;

pub(crate) fn log_files(server: &mut Server) -> Result<Vec<String>, Error> {
    let statement = "SHOW BINARY LOGS";
    Ok(server.rows(statement)?.iter().map(|row| row.text("Log_name").to_string()).collect())
}

/// The files of a server's log and their sizes, where a person sees what is left; empty where nobody may ask.
pub(crate) fn log_sizes(server: &mut Server, face: &Waiting) -> Vec<(String, u64)> {
    if !face.is_seen() {
        return Vec::new();
    }
    let rows = server.rows("SHOW BINARY LOGS").unwrap_or_default();
    rows.iter().map(|row| (row.text("Log_name").into(), row.number("File_size").unwrap_or(0))).collect()
}

/// A wait for the reading of a file, and the size of that.
pub(crate) fn reading(server: &mut Server, file: &str) -> (Waiting, Option<u64>) {
    let face = progress::waiting(format!("reading {file} of {}", server.host()));
    let sizes = log_sizes(server, &face);
    (face, sizes.into_iter().find(|(name, _)| name == file).map(|(_, size)| size))
}

pub(crate) fn page(server: &mut Server, file: &str, from: u64, most: usize) -> Result<Vec<Record>, Error> {
    let mut rows = Vec::new();
    each_of_page(server, file, from, most, |row| {
        // Statements are long, and nobody reads them; lists of GTIDs are long, too.
        let is_list = row.text("Event_type").to_ascii_lowercase().contains("gtid");
        rows.push(if is_list { row } else { row.cut("Info", STATEMENT) });
        false
    })?;
    Ok(rows)
}

/// Shows `see` each event of a page, as [`Server::each_row`].
pub(super) fn each_of_page(
    server: &mut Server,
    file: &str,
    from: u64,
    most: usize,
    see: impl FnMut(Record) -> bool,
) -> Result<bool, Error> {
    let statement = format!("SHOW BINLOG EVENTS IN {} FROM {from} LIMIT {most}", server.quoted(file));
    server.each_row(&statement, see)
}

/// The `Gtid_list` at a file's beginning.
pub(crate) fn beginning(server: &mut Server, file: &str) -> Result<Beginning, Error> {
    let rows = page(server, file, FIRST_EVENT, 4)?;
    let list =
        rows.iter().find(|row| row.text("Event_type") == "Gtid_list").map_or("", |row| row.text("Info"));
    let gtids =
        parse_list(list).map_err(|_| server.unexpected("SHOW BINLOG EVENTS", "a readable Gtid_list"))?;
    Ok(Beginning { state: gtids.iter().copied().collect(), position: gtids.into_iter().collect() })
}

/// Reads a file's events from `place` on until `see` says that it has seen enough; true then. `what` is looked
/// for, in words.
pub(crate) fn each_event(
    server: &mut Server,
    place: &BinlogPosition,
    what: &str,
    mut see: impl FnMut(&Record) -> bool,
) -> Result<bool, Error> {
    let (mut from, mut known) = (place.offset, None);
    let (mut face, size) = reading(server, &place.file);
    loop {
        let (mut count, mut last) = (0, None);
        let is_enough = each_of_page(server, &place.file, from, PAGE, |row| {
            count += 1;
            last = row.number("Pos");
            // The last one of the page before.
            known != last && see(&row)
        });
        if is_enough.map_err(|error| explain(server.host(), what, error))? {
            return Ok(true);
        }
        if count < PAGE || last == known {
            return Ok(false);
        }
        // Not where that event ends: MariaDB 11.4 and later do not tell that within a transaction.
        (known, from) = (last, last.unwrap_or(u64::MAX));
        face.left(size.map(|size| Left::Bytes(size.saturating_sub(from))));
        if server.budget().is_spent() {
            return Err(too_long(server.host(), what));
        }
    }
}

/// Reads the events of these files from `place` on, whose file is one of them, until `see` says that it has seen enough.
pub(crate) fn each_event_behind(
    server: &mut Server,
    files: &[String],
    place: &BinlogPosition,
    what: &str,
    mut see: impl FnMut(&str, &Record) -> bool,
) -> Result<(), Error> {
    for file in files.iter().skip_while(|file| **file != place.file) {
        let from = if *file == place.file { place.offset } else { FIRST_EVENT };
        if each_event(server, &BinlogPosition::new(file, from), what, |row| see(file, row))? {
            break;
        }
    }
    Ok(())
}

pub(crate) fn too_long(host: &str, what: &str) -> Error {
    Refusal::SearchTooLong { new: host.into(), what: what.into() }.into()
}

pub(super) fn explain(host: &str, what: &str, error: Error) -> Error {
    if let Error::Silent { .. } = error { too_long(host, what) } else { error }
}

/// The id that a `Gtid` event gives its group.
pub(super) fn gtid_of(row: &Record) -> Option<Gtid> {
    if row.text("Event_type") != "Gtid" {
        return None;
    }
    // `BEGIN GTID 0-1-5`, `GTID 0-1-5 cid=7`, `XA START … GTID 0-1-5`
    let (_, id) = row.text("Info").rsplit_once("GTID ")?;
    id.split_whitespace().next()?.parse().ok()
}
