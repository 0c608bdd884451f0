//! The result of planning.

use std::fmt;

use crate::binlog::located::Found;
use crate::gtid::{GtidPosition, GtidSet, GtidState};
use crate::position::BinlogPosition;
use crate::refusal::Refusal;
use crate::status::Place;

/// The result of planning.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// The replica may be attached there.
    Attach(Plan),
    /// First look for this in the new master's log, then plan again.
    Locate(Wanted),
    /// First pause the old master's SQL thread, then plan again; if that is not allowed, this refusal is the answer.
    Hold(Refusal),
}

/// What has to be looked for in the new master's log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// The file position of this GTID position.
    Position(GtidPosition),
    /// The same, and what had been logged before the replica's own log began, by its source's log or by the order of
    /// the new master's.
    History(GtidPosition),
    /// The end of the transactions that are in this set.
    Set(GtidSet),
    /// The position of the last transactions that the replica has logged, and what comes after it.
    Logged(GtidPosition),
    /// What the replica executed last, and whether it holds transactions that the new master wrote itself.
    LastGroups,
}

/// Where the replica continues, and why nothing is lost, skipped or doubled there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// What CHANGE MASTER names.
    pub place: Place,
    /// Why it is exact.
    pub proof: Proof,
}

/// Why a position is exact.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Proof {
    /// The new master's log up to the replica's GTID position holds exactly the transactions that the replica has.
    SameGroups {
        /// The replica's position.
        at: GtidPosition,
        /// The new master's binlog state there.
        state: GtidState,
    },
    /// The new master's log up to there holds exactly the transactions that the replica has logged; both leave out what
    /// the replica has executed since.
    SameLogged {
        /// The last transactions that the replica has logged.
        at: GtidPosition,
        /// The last that it has executed.
        executed: GtidPosition,
    },
    /// The new master has executed all that the replica has, and what the replica lacks is in its logs.
    SameSet {
        /// What the replica has by replication.
        executed: GtidSet,
    },
    /// Old master, new master and replica do not change, and each has all that the others logged (docs/ORDERS.md, B1).
    AllQuiet {
        /// End of the old master's log.
        old_end: BinlogPosition,
        /// End of the new master's log.
        new_end: BinlogPosition,
    },
    /// The old master is dead, replica and new master have executed its log up to the same position, and the new
    /// master's log holds nothing of its own (docs/ORDERS.md, B3).
    SamePosition {
        /// Their position in the old master's log.
        old: BinlogPosition,
        /// End of the new master's log.
        new_end: BinlogPosition,
    },
    /// The replica's last transactions lie there in the new master's log and nowhere else, and after everything else
    /// that the replica has (docs/ORDERS.md, B4).
    SameLast(Found),
    /// The old master's SQL thread was paused, and the replica had executed all of the old master's log: both had
    /// exactly the part of the new master's log before one position (docs/ORDERS.md, B2).
    SameAsOld {
        /// End of the old master's log.
        old_end: BinlogPosition,
        /// The old master's position in the new master's log.
        new_place: BinlogPosition,
    },
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.proof)
    }
}

impl fmt::Display for Proof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::SameGroups { at, .. } if at.is_empty() => {
                f.write_str("nobody has logged anything yet, neither the new master nor the replica")
            }
            Self::SameGroups { at, state } => write!(
                f,
                "the new master's log up to {at} holds exactly what the replica has executed (state there: {state})"
            ),
            Self::SameLogged { at, executed } => write!(
                f,
                "the new master's log up to {at} holds exactly what the replica has logged; what the replica has \
                 executed since, to {executed}, both leave out by equal filters"
            ),
            Self::SameSet { executed } if executed.is_empty() => f.write_str(
                "the replica has executed nothing by replication, and the new master's logs are whole",
            ),
            Self::SameSet { executed } => {
                write!(f, "the new master has executed all that the replica has ({executed})")
            }
            Self::AllQuiet { old_end, new_end } => write!(
                f,
                "all is quiet, and all three have executed the old master's log to {old_end} and the new one's to \
                 {new_end}"
            ),
            Self::SamePosition { old, new_end } => write!(
                f,
                "the old master is dead, replica and new master have both executed its log to {old}, and the new one's \
                 log ends there at {new_end}"
            ),
            Self::SameLast(Found { position, same, last, last_of_replica }) => write!(
                f,
                "the last {same} transactions before it are the replica's last ones; the very last is at \
                 {last_of_replica} of the replica's log, and from {last} to {} of the new master's {} (to compare \
                 them: mysqlbinlog -v)",
                position.offset, position.file
            ),
            Self::SameAsOld { old_end, new_place } => write!(
                f,
                "the old master, paused after it had executed the new one's log to {new_place}, had logged up to \
                 {old_end}, which is what the replica has executed"
            ),
        }
    }
}

/// The result of judging by GTIDs.
pub(super) enum ByGtid {
    Decided(Decision),
    /// GTIDs say nothing here; the reason goes into a refusal if positions prove nothing either.
    Unusable(String),
}
