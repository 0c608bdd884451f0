//! Does a server's log still grow? Asked of a server that nobody may write to any more.

use crate::binlog::end::log_end;
use crate::binlog::pages::{each_event, is_of};
use crate::error::Error;
use crate::gtid::{Gtid, GtidSet, GtidState};
use crate::position::BinlogPosition;
use crate::record::Record;
use crate::server::Server;

/// How far a server's log has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogMark {
    end: Option<BinlogPosition>,
    server_id: Option<u64>,
    own: Own,
}

/// The part of a log that its own server wrote.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Own {
    /// MariaDB: the last group of each domain.
    Groups(Vec<Gtid>),
    /// MySQL with GTIDs: the transactions of its uuid.
    Set(GtidSet),
    /// MySQL without GTIDs: only the events themselves show it.
    Unknown,
}

impl LogMark {
    /// Reads it. What the server wrote itself after that was read lies behind the end, or before it and counts as
    /// written since.
    pub fn read(server: &mut Server) -> Result<Self, Error> {
        let row = server.one(&server.dialect().variables())?;
        let own = own_writes(&row).ok_or_else(|| server.unexpected("SELECT @@…", "readable GTIDs"))?;
        Ok(Self { end: log_end(server)?, server_id: row.number("server_id"), own })
    }

    /// Where the log ended; `None` without one.
    pub fn end(&self) -> Option<&BinlogPosition> {
        self.end.as_ref()
    }

    /// True if something was written on the server itself since `before`, and not brought by replication.
    pub fn was_written_since(&self, before: &Self, server: &mut Server) -> Result<bool, Error> {
        if self.end == before.end {
            return Ok(false);
        }
        match (&self.own, &before.end) {
            (Own::Unknown, Some(from)) => {
                each_event(server, from, "what was written last", |row| is_of(row, self.server_id))
            }
            (own, _) => Ok(*own != before.own),
        }
    }
}

fn own_writes(row: &Record) -> Option<Own> {
    if row.get("binlog_state").is_some() {
        let state: GtidState = row.text("binlog_state").parse().ok()?;
        let id = row.number("server_id");
        return Some(Own::Groups(state.iter().filter(|gtid| id == Some(u64::from(gtid.server))).collect()));
    }
    if row.text("gtid_mode") != "ON" {
        return Some(Own::Unknown);
    }
    let executed: GtidSet = row.text("executed").parse().ok()?;
    Some(Own::Set(executed.filtered(|uuid| uuid.eq_ignore_ascii_case(row.text("server_uuid")))))
}

#[cfg(test)]
mod tests;
