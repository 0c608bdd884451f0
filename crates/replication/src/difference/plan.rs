//! Where a difference lies.

use std::collections::BTreeSet;

use crate::binlog::event::Event;
use crate::binlog::id::Id;
use crate::binlog::stream::Start;
use crate::facts::OwnLog;
use crate::gtid::{Gtid, GtidPosition, GtidSet, GtidState};

/// How transactions are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// By their global ids.
    Gtid,
    /// By their contents.
    Content,
}

/// Where the difference lies.
#[derive(Clone, Debug)]
pub struct Plan {
    /// How it was found.
    pub method: Method,
    /// What is missing, by GTID, for a person; empty if nothing is missing, or there are no GTIDs.
    pub gtids: String,
    /// How many transactions are missing, if that is known before the log is read.
    pub count: Option<u64>,
    /// Missing, and purged from the log.
    pub purged: Option<String>,
    /// Executed, and perhaps missing, but never logged.
    pub unlogged: Option<String>,
    /// From when on the logs were compared, in seconds since 1970; `None` if all was.
    pub since: Option<u32>,
    /// The files to read, with their number among all files.
    pub(super) files: Vec<(usize, String)>,
    pub(super) wanted: Wanted,
    pub(super) skip: Skip,
}

/// What the server need not send.
#[derive(Clone, Debug)]
pub(super) enum Skip {
    /// It has to send all.
    Nothing,
    /// What lies before this offset of the first file.
    Before(u64),
    /// MySQL: these.
    Set(GtidSet),
    /// MariaDB: what lies before this position in the first file, if the position is there.
    UpTo(GtidPosition),
}

impl Skip {
    pub(super) fn start(&self, is_first: bool) -> Start<'_> {
        match self {
            Self::Set(set) => Start::Without(set),
            Self::Before(offset) if is_first => Start::At(*offset),
            Self::UpTo(position) if is_first => Start::Behind(position),
            _ => Start::First,
        }
    }
}

/// A file's number among all files, and an offset in it.
pub(super) type Place = (usize, u64);

/// What is looked for in the files. What was executed since the comparison is left out: the other may have got it.
#[derive(Clone, Debug)]
pub(super) enum Wanted {
    /// All that is in this set.
    InSet(GtidSet),
    /// All of this state that the other has not.
    NotOf { of: GtidState, other: Has },
    /// All between these positions, except what this server wrote.
    Between { begin: Place, end: Place, but: u32 },
    /// What begins at these positions.
    At(BTreeSet<Place>),
}

impl Wanted {
    pub(super) fn is(&self, place: Place, event: &Event, id: Option<&Id>) -> bool {
        match (self, id) {
            (Self::InSet(set), Some(Id::MySql(source, number))) => set.has(source, *number),
            (Self::NotOf { of, other }, Some(Id::MariaDb(gtid))) => of.includes(*gtid) && !other.has(*gtid),
            (Self::InSet(_) | Self::NotOf { .. }, _) => false,
            (Self::Between { begin, end, but }, _) => {
                (*begin..*end).contains(&place) && event.server_id != *but
            }
            (Self::At(places), _) => places.contains(&place),
        }
    }
}

/// What a MariaDB server has executed.
#[derive(Clone, Debug)]
pub struct Has {
    pub(super) log: OwnLog,
    pub(super) replicated: GtidPosition,
    pub(super) logs_updates: bool,
}

impl Has {
    /// True if it has this group. If its log was begun after the group, or does not hold what it replicates, its
    /// position in the domain shows that.
    pub fn has(&self, gtid: Gtid) -> bool {
        let is_behind = || self.replicated.get(gtid.domain).is_some_and(|at| at.sequence >= gtid.sequence);
        if self.logs_updates && self.log.state.knows(gtid.domain) {
            self.log.has(gtid).unwrap_or_else(is_behind)
        } else {
            self.log.state.includes(gtid) || is_behind()
        }
    }
}
