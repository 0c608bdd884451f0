//! What a file of a MariaDB server's log begins with.

use crate::binlog::files::FIRST_EVENT;
use crate::binlog::pages::page;
use crate::error::Error;
use crate::gtid::{Gtid, GtidPosition, GtidState, parse_list};
use crate::record::Record;
use crate::server::Server;

/// Enough events of a file to see its first groups, which follow what every file begins with.
pub(super) const FIRST_EVENTS: usize = 12;

/// What a file's `Gtid_list` says of everything before it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Beginning {
    pub(crate) state: GtidState,
    pub(crate) position: GtidPosition,
}

impl Beginning {
    /// True if the file begins at or before every group of `at`.
    pub(super) fn lies_before(&self, at: &GtidPosition) -> bool {
        at.iter().all(|gtid| !self.state.includes(gtid) || self.position.get(gtid.domain) == Some(gtid))
    }

    /// This beginning with groups that are older than the log; `None` if a file begins later than their domains.
    pub(super) fn behind(mut self, older: &GtidPosition) -> Option<Self> {
        for gtid in older.iter() {
            if self.state.knows(gtid.domain) {
                return None;
            }
            self.state.log(gtid);
            self.position.advance(gtid);
        }
        Some(self)
    }

    /// For each server that wrote in a domain of `at` between this file's beginning and `end`, that domain.
    pub(super) fn writers_until(&self, end: &Self, at: &GtidPosition) -> Vec<u32> {
        let is_new = |gtid: &Gtid| self.state.get(gtid.domain, gtid.server) != Some(gtid.sequence);
        let written = end.state.iter().filter(|gtid| at.get(gtid.domain).is_some()).filter(is_new);
        written.map(|gtid| gtid.domain).collect()
    }
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

/// The id that a `Gtid` event gives its group.
pub(super) fn gtid_of(row: &Record) -> Option<Gtid> {
    if row.text("Event_type") != "Gtid" {
        return None;
    }
    // `BEGIN GTID 0-1-5`, `GTID 0-1-5 cid=7`, `XA START … GTID 0-1-5`
    let (_, id) = row.text("Info").rsplit_once("GTID ")?;
    id.split_whitespace().next()?.parse().ok()
}
