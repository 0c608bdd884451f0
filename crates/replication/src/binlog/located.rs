//! The possible results of a search of a log.

use std::fmt;

use crate::facts::OwnLog;
use crate::gtid::{Gtid, GtidPosition, GtidSet, GtidState};
use crate::position::BinlogPosition;

/// The result of a search.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Located {
    /// Every group of the position is in the log.
    Found {
        /// What was searched for.
        at: GtidPosition,
        /// The only offset before which lies every group of `at` and no later group of its domains; `None` if the
        /// domains are at different positions.
        position: Option<BinlogPosition>,
        /// For each domain, what was logged up to the group that `at` names; for domains that `at` does not
        /// name, what was logged up to `position`.
        state: GtidState,
        /// The first group seen with a number not above those logged before it in its domain.
        out_of_order: Option<Gtid>,
        /// Numbers that are missing after the position.
        gaps: Vec<Gap>,
        /// What was in the log when it was searched.
        searched: GtidState,
        /// If the replica's log does not show all that it has: its source's log up to the same position.
        of_source: Option<OwnLog>,
        /// True if `of_source` was looked for, and, if that does not show it either, `out_of_order`.
        looked_back: bool,
    },
    /// Every group of the position is in the log, and this comes after it.
    Logged {
        /// What was searched for.
        at: GtidPosition,
        /// As in `Found`.
        position: Option<BinlogPosition>,
        /// As in `Found`.
        state: GtidState,
        /// The first group after `position` of each domain of `at`.
        next: GtidPosition,
        /// As in `Found`.
        searched: GtidState,
        /// Up to where the log's server had executed the log of its source by then.
        replicated: Option<BinlogPosition>,
    },
    /// The files that held this group were deleted.
    Purged {
        /// What was searched for.
        at: GtidPosition,
        /// The first group of it.
        gtid: Option<Gtid>,
    },
    /// This group is in none of the files.
    Missing {
        /// What was searched for.
        at: GtidPosition,
        /// The first of it that is not there.
        gtid: Gtid,
    },
    /// MySQL: the files that held these groups of a set were deleted.
    PurgedOfSet {
        /// The set.
        of: GtidSet,
        /// What was deleted of it.
        gone: GtidSet,
    },
    /// MySQL: where the groups of a set end.
    Prefix {
        /// The set.
        of: GtidSet,
        /// The position before which lies no group that is not in the set.
        position: BinlogPosition,
        /// All groups that the log has before that position, or had.
        before: GtidSet,
    },
    /// MySQL: a group without a GTID lies there, among those of the set.
    Unnamed(BinlogPosition),
    /// Without GTIDs: where the replica's last groups lie.
    Groups {
        /// The replica's position in its old master's log.
        of: BinlogPosition,
        /// End of the log that was searched.
        end: Option<BinlogPosition>,
        /// The position after them, or why no position can be proved.
        found: Result<Found, String>,
        /// Whether that log holds groups of its own server; true if nobody looked.
        has_own: bool,
        /// False if the replica continued to apply meanwhile, so that the result may be different now.
        stood_still: bool,
        /// Where the replica's own log ended before all this was read; `None` if it logs no updates.
        log_of_replica: Option<BinlogPosition>,
    },
}

impl Located {
    /// With the log of the replica's source up to the same position, if that was looked for.
    #[must_use]
    pub fn beside(mut self, log: Option<OwnLog>, looked_for: bool) -> Self {
        if let Self::Found { of_source, looked_back, .. } = &mut self {
            (*of_source, *looked_back) = (log, looked_for);
        }
        self
    }
}

/// Numbers of a domain that are missing between two groups which follow each other there.
///
/// A server numbers its group one above the highest that it knows of the domain. So if both groups are of servers that
/// replicate from each other, the numbers between them belong to groups that this log lacks, unless somebody has set
/// `gtid_seq_no`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gap {
    /// The group before; `None` if the domain begins with a number above 1.
    pub after: Option<Gtid>,
    /// The group after.
    pub before: Gtid,
}

impl fmt::Display for Gap {
    /// As GTIDs of the server that wrote the group after, which need not be the server that wrote what is missing.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let of = |sequence| Gtid { sequence, ..self.after.unwrap_or(self.before) };
        let first = self.after.map_or(1, |gtid| gtid.sequence.saturating_add(1));
        let last = self.before.sequence.saturating_sub(1);
        write!(f, "{}", of(first))?;
        if first < last { write!(f, " to {}", of(last)) } else { Ok(()) }
    }
}

/// The only position after all that a replica has, and what shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// The position.
    pub position: BinlogPosition,
    /// How many groups before it are the same in both logs.
    pub same: usize,
    /// Where the last of them begins in the new master's log.
    pub last: u64,
    /// Where it begins in the replica's log.
    pub last_of_replica: BinlogPosition,
}
