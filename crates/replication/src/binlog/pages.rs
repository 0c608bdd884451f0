//! A log by SHOW BINLOG EVENTS (privilege BINLOG MONITOR, which REPLICATION CLIENT is since MariaDB 10.5.2; REPLICATION
//! SLAVE on MySQL), page by page: what a file begins with, and what comes after a position if no account may read the
//! log as a replica does.

use mmm_core::progress::Left;

use crate::binlog::files::{FIRST_EVENT, reading};
use crate::error::Error;
use crate::position::BinlogPosition;
use crate::record::Record;
use crate::refusal::Refusal;
use crate::server::Server;

/// Events per page: large enough to cost little, small enough to keep memory and each answer short.
const PAGE: usize = 4000;
/// How much of a statement is kept when only a few events are read.
const STATEMENT: usize = 1024;
/// Events that every file has, whoever wrote in it.
const OF_THE_FILE: [&str; 7] =
    ["Format_desc", "Previous_gtids", "Rotate", "Stop", "Gtid_list", "Binlog_checkpoint", "Start_encryption"];

pub(crate) fn page(server: &mut Server, file: &str, from: u64, most: usize) -> Result<Vec<Record>, Error> {
    let mut rows = Vec::new();
    each_of_page(server, file, from, most, |row| {
        // Long statements are cut, because nobody reads them; long lists of GTIDs are needed.
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

/// Reads a file's events from `place` on until `see` returns true; true then. `what` says in words what is looked for.
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
        // This is not the event's end: within a transaction, MariaDB 11.4 and later do not send the end.
        (known, from) = (last, last.unwrap_or(u64::MAX));
        face.left(size.map(|size| Left::Bytes(size.saturating_sub(from))));
        if server.budget().is_spent() {
            return Err(too_long(server.host(), what));
        }
    }
}

/// Reads the events of these files from `place` on, whose file is one of them, until `see` returns true.
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

/// True of an event that this server wrote itself.
pub(crate) fn is_of(row: &Record, server_id: Option<u64>) -> bool {
    row.number("Server_id") == server_id && !is_of_the_file(row)
}

/// True of an event that every file has, whoever wrote in it.
pub(crate) fn is_of_the_file(row: &Record) -> bool {
    OF_THE_FILE.contains(&row.text("Event_type"))
}
