//! A file of a server's log over the replication protocol, as a replica reads it.
//!
//! Read under server id 0, which is no replica's: the server ends at the end of its log instead of waiting for
//! more, and ends no other connection that has the same id (MySQL manual, "mysqlbinlog").

use std::io;
use std::time::{Duration, Instant};

use mmm_core::Budget;
use mmm_core::config::Host;
use mmm_core::progress::Left;
use mysql::binlog::events;
use mysql::{BinlogDumpFlags, BinlogRequest};

use crate::binlog::event::{Event, kind};
use crate::binlog::group::{Group, Groups};
use crate::dialect::Flavour;
use crate::error::Error;
use crate::gtid::GtidPosition;
use crate::gtid_set::GtidSet;
use crate::history::{FIRST_EVENT, reading};
use crate::patience;
use crate::refusal::Refusal;
use crate::server::{Server, failed, survive};

/// What every event has, in bytes.
const HEADER: u32 = 19;
/// Events between two looks at the time.
const BATCH: usize = 500;
/// Most time for one event, in so far as the budget says nothing.
const FOREVER: Duration = Duration::from_secs(3600);

/// Where the reading of a file begins, and what the server need not send of it.
#[derive(Clone, Copy, Debug)]
pub enum Start<'s> {
    /// At its first event.
    First,
    /// At the event that begins at this offset; the file's first event comes before it.
    At(u64),
    /// MySQL's: at its first event, without the groups of this set.
    Without(&'s GtidSet),
    /// MariaDB's: behind this GTID position, where the server finds that in the file; else nothing is shown.
    Behind(&'s GtidPosition),
}

/// Reads a host's log.
#[derive(Clone, Debug)]
pub struct Reader<'h> {
    host: &'h Host,
    most: Duration,
    budget: Budget,
}

impl<'h> Reader<'h> {
    /// For the log of `host`, within `budget`; `most` is for each connection.
    pub fn new(host: &'h Host, most: Duration, budget: Budget) -> Self {
        Self { host, most, budget }
    }

    /// With the account that replicas have for it, else with the agent's.
    fn connect(&self) -> Result<Server, Error> {
        match Server::connect(&self.host.as_replica(), self.most, self.budget) {
            Err(Error::Connect { answered: true, cause, .. }) => {
                log::info!("{} is read with the agent's account: {cause}", self.host.name);
                Server::connect(self.host, self.most, self.budget)
            }
            other => other,
        }
    }

    /// Shows `see` every event of `file`, up to where the log ends now.
    pub fn each_event(&self, file: &str, mut see: impl FnMut(&Event)) -> Result<(), Error> {
        self.each_until(file, Start::First, |event, _| {
            see(event);
            false
        })?;
        Ok(())
    }

    /// Shows `see` the events of `file`, each also as it was sent, until that has seen enough. False where the file does
    /// not begin as [`Start::Behind`] wants it.
    pub fn each_until(
        &self,
        file: &str,
        start: Start,
        mut see: impl FnMut(&Event, &events::Event) -> bool,
    ) -> Result<bool, Error> {
        let mut server = self.connect()?;
        if server.dialect().flavour() == Flavour::MariaDb {
            // Otherwise it rewrites events as those of older servers.
            server.set("@mariadb_slave_capability = 4")?;
        }
        if let Start::Behind(position) = start {
            let position = server.quoted(&position.to_string());
            server.set("@slave_gtid_strict_mode = 0, @slave_gtid_ignore_duplicates = 0")?;
            server.set(&format!("@slave_connect_state = {position}"))?;
        }
        let (mut face, size) = reading(&mut server, file);
        let (host, conn, budget) = server.into_parts();
        let (what, started) = (format!("reading {file}"), Instant::now());
        let too_long = || Refusal::SearchTooLong { new: host.clone(), what: "its last transactions".into() };
        let socket =
            patience::socket(&conn).map_err(|error| failed(&host, error.into(), &what, started.elapsed()))?;
        let deadline = patience::limit_answer(&socket, budget.share(FOREVER));
        let failed = |error| {
            if deadline.is_over() {
                too_long().into()
            } else {
                failed(&host, error, &what, started.elapsed())
            }
        };
        let request = BinlogRequest::new(0)
            .with_filename(file.as_bytes())
            .with_pos(FIRST_EVENT)
            .with_flags(BinlogDumpFlags::BINLOG_DUMP_NON_BLOCK);
        let (request, begin) = match start {
            // The server's command has 32 bits for it.
            Start::At(offset) if u32::try_from(offset).is_ok() => (request.with_pos(offset), offset),
            Start::First | Start::At(_) | Start::Behind(_) => (request, FIRST_EVENT),
            Start::Without(set) => {
                // It is read back as it is written: what were not would only be sent for nothing.
                let set = set.to_string();
                let sources = set.split(',').filter_map(|source| source.parse().ok()).collect::<Vec<_>>();
                (request.with_use_gtid(true).with_sids(sources), FIRST_EVENT)
            }
        };
        let (mut end, mut has_begun) = (begin, false);
        let mut stream = survive(|| conn.get_binlog_stream(request)).map_err(failed)?;
        let mut count = 0;
        while let Some(sent) = survive(|| stream.next().transpose()).map_err(failed)? {
            count += 1;
            if count % BATCH == 1 {
                if budget.is_spent() {
                    return Err(too_long().into());
                }
                patience::limit_socket(&socket, budget.share(FOREVER));
                face.left(size.map(|size| Left::Bytes(size.saturating_sub(end))));
            }
            let header = sent.header();
            // The library takes it for one without a body.
            if header.event_size() < HEADER {
                return Err(failed(
                    io::Error::other("it sent an event that is shorter than its header").into(),
                ));
            }
            let mut event = Event {
                time: header.timestamp(),
                kind: header.event_type_raw(),
                server_id: header.server_id(),
                flags: header.flags_raw(),
                end,
                body: sent.data(),
            };
            if !event.is_real() {
                if !has_begun && matches!(start, Start::Behind(_)) && names_another(&event, file) {
                    return Ok(false);
                }
                // Announces the next file, where this one ended without a word.
                if has_begun && event.kind == kind::ROTATE {
                    break;
                }
                continue;
            }
            has_begun = true;
            // What describes the events is sent first, wherever the reading begins.
            let is_ahead = event.kind == kind::FORMAT_DESCRIPTION && header.log_pos() == 0;
            if !is_ahead {
                end = end_of(end, header.event_size(), header.log_pos());
            }
            event.end = end;
            if see(&event, &sent) || event.kind == kind::ROTATE {
                break;
            }
        }
        log::debug!("{host}: read {file} to {end}: {:.1?}", started.elapsed());
        Ok(true)
    }

    /// Shows `see` every group of `file`.
    pub fn each_group(&self, file: &str, mut see: impl FnMut(&Group)) -> Result<(), Error> {
        let mut groups = Groups::default();
        self.each_event(file, |event| {
            if let Some(group) = groups.event(event) {
                see(&group);
            }
        })
    }
}

/// True of an event that names another file than this. Nothing has said by then whether events have checksums.
fn names_another(event: &Event, file: &str) -> bool {
    const CHECKSUM: usize = 4;
    let behind = event.body.get(8..).and_then(|name| name.strip_prefix(file.as_bytes()));
    event.kind == kind::ROTATE && behind.is_none_or(|rest| !rest.is_empty() && rest.len() != CHECKSUM)
}

/// Where an event of `size` bytes ends that comes next after what ended at `before`. The server `told` the last 32 bits
/// of that (0: nothing); events that it does not send, such as MariaDB's of kind 160, may lie in between.
fn end_of(before: u64, size: u32, told: u32) -> u64 {
    let next = before + u64::from(size);
    if told == 0 {
        return next;
    }
    #[allow(clippy::cast_possible_truncation)]
    let between = told.wrapping_sub(next as u32);
    next + u64::from(between)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_known_by_its_name_whether_a_checksum_follows_or_not() {
        for (kind, body, is_another) in [
            (kind::ROTATE, &b"12345678bin.000001"[..], false),
            (kind::ROTATE, b"12345678bin.000001\x01\x02\x03\x04", false),
            (kind::ROTATE, b"12345678bin.0000010", true),
            (kind::ROTATE, b"12345678bin.000002", true),
            (kind::ROTATE, b"", true),
            (kind::FORMAT_DESCRIPTION, b"12345678bin.000002", false),
        ] {
            let event = Event { time: 0, kind, server_id: 1, flags: 0x20, end: 4, body };
            assert_eq!(names_another(&event, "bin.000001"), is_another, "{body:?}");
        }
    }

    #[test]
    fn an_event_ends_where_the_server_says_in_files_of_any_size() {
        const LARGE: u64 = 5 << 32;
        for (before, size, told, end) in [
            (4, 100, 104, 104),
            (4, 100, 150, 150),
            (4, 100, 0, 104),
            (LARGE - 50, 100, 50, LARGE + 50),
            (LARGE - 50, 30, 20, LARGE + 20),
            (LARGE + 4, 100, 104, LARGE + 104),
        ] {
            assert_eq!(end_of(before, size, told), end, "{before} {size} {told}");
        }
    }
}
