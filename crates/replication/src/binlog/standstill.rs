//! Does a server's log stand still? Asked of one that nobody may write to any more.

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

/// What in a log was written on its own server.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Own {
    /// MariaDB: the last group of each domain.
    Groups(Vec<Gtid>),
    /// MySQL with GTIDs: the transactions of its uuid.
    Set(GtidSet),
    /// MySQL without: only the events themselves tell.
    Unknown,
}

impl LogMark {
    /// Reads it.
    pub fn read(server: &mut Server) -> Result<Self, Error> {
        let end = log_end(server)?;
        let row = server.one(&server.dialect().variables())?;
        let own = own_writes(&row).ok_or_else(|| server.unexpected("SELECT @@…", "readable GTIDs"))?;
        Ok(Self { end, server_id: row.number("server_id"), own })
    }

    /// True where something was written on the server itself since `before`, and not brought by replication.
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
mod tests {
    use super::*;

    const A: &str = "3e11fa47-71ca-11e1-9e33-c80aa9429562";
    const B: &str = "4e11fa47-71ca-11e1-9e33-c80aa9429562";

    #[test]
    fn what_a_server_wrote_itself_is_told_from_what_was_replicated() {
        let row = |columns: &[(&str, &str)]| own_writes(&columns.iter().copied().collect()).unwrap();
        let mariadb = |state| row(&[("server_id", "1"), ("binlog_state", state)]);
        assert_eq!(mariadb("0-1-7,0-2-9"), mariadb("0-1-7,0-2-10"));
        assert_ne!(mariadb("0-1-7,0-2-9"), mariadb("0-1-8,0-2-9"));
        assert_ne!(mariadb("0-1-7,5-1-1"), mariadb("0-1-7,5-1-2"));
        assert_ne!(mariadb(""), mariadb("0-1-1"));
        let mysql = |executed: &str| {
            row(&[("server_id", "1"), ("server_uuid", A), ("gtid_mode", "ON"), ("executed", executed)])
        };
        assert_eq!(mysql(&format!("{A}:1-7,{B}:1")), mysql(&format!("{A}:1-7,{B}:1-2")));
        assert_ne!(mysql(&format!("{A}:1-7")), mysql(&format!("{A}:1-8")));
        let anonymous = row(&[("server_id", "1"), ("gtid_mode", "OFF"), ("executed", "")]);
        assert_eq!(anonymous, Own::Unknown);
    }
}
