//! Does a server's log stand still? Asked of one that nobody may write to any more.

use crate::dialect::OWN_WRITES;
use crate::error::Error;
use crate::gtid::{Gtid, GtidState};
use crate::observe::log_end;
use crate::position::BinlogPosition;
use crate::server::Server;

/// How far a server's log has come.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LogMark {
    end: Option<BinlogPosition>,
    /// The last group of each domain that this server wrote itself.
    own: Vec<Gtid>,
}

impl LogMark {
    /// Reads it.
    pub fn read(server: &mut Server) -> Result<Self, Error> {
        let end = log_end(server)?;
        let row = server.one(OWN_WRITES)?;
        let state: GtidState =
            row.text("binlog_state").parse().map_err(|_| server.unexpected(OWN_WRITES, "a GTID state"))?;
        let id = row.number("server_id");
        let own = state.iter().filter(|gtid| id == Some(u64::from(gtid.server))).collect();
        Ok(Self { end, own })
    }

    /// True where nothing was written here since `before`: the end is the same, or it moved only by what
    /// replication brought from elsewhere.
    pub fn stands_still_since(&self, before: &Self) -> bool {
        self.end == before.end || self.own == before.own
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mark(offset: u64, own: &str) -> LogMark {
        let own = crate::gtid::parse_list(own).unwrap();
        LogMark { end: Some(BinlogPosition::new("bin.000001", offset)), own }
    }

    #[test]
    fn only_what_is_written_here_moves_a_log_that_should_stand_still() {
        let table = [
            (mark(4, "0-1-7"), mark(4, "0-1-7"), true),
            (mark(4, "0-1-7"), mark(9, "0-1-7"), true),
            (mark(4, "0-1-7"), mark(9, "0-1-8"), false),
            (mark(4, "0-1-7,5-1-1"), mark(9, "0-1-7,5-1-2"), false),
            (mark(4, ""), mark(9, "0-1-1"), false),
            (mark(4, ""), mark(9, ""), true),
            (LogMark::default(), LogMark::default(), true),
        ];
        for (before, after, still) in table {
            assert_eq!(after.stands_still_since(&before), still, "{before:?} {after:?}");
        }
    }
}
