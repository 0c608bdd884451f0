//! Why the answer is yes, and what is left behind in that case.

use std::fmt;

use crate::position::BinlogPosition;

/// Why the answer is yes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Proof {
    /// This host replicates from nobody: there is nothing to apply.
    NothingToApply {
        /// True if it has a peer, and that does not answer. Otherwise the peer is read-only.
        beside_silent: bool,
    },
    /// The peer is read-only and this host has applied its log to the end.
    AppliedToTheEnd(BinlogPosition),
    /// The peer is silent and this host has applied all it fetched.
    AppliedAllFetched(Option<BinlogPosition>),
    /// A dry run: replication would be started, and this waited for.
    ToBeApplied(Option<BinlogPosition>),
    /// The peer is silent and this host has applied all it fetched, but another slave has more, which this host could
    /// not get.
    WithoutTail {
        /// Up to where this host has applied the peer's log.
        at: Option<BinlogPosition>,
        /// What is missing, where, and why.
        lost: Lost,
    },
    /// A dry run: this would be taken over from another slave first.
    ToBeTakenOver {
        /// That slave.
        survivor: String,
        /// How much, in words.
        tail: String,
    },
}

/// What a host that opens leaves behind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lost {
    /// The host that opens.
    pub host: String,
    /// The host that has it.
    pub survivor: String,
    /// How much, in words.
    pub tail: String,
    /// Why this host could not get it.
    pub reason: String,
}

impl fmt::Display for Lost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { host, survivor, tail, reason } = self;
        write!(
            f,
            "{host} continues without {tail} that only {survivor} has ({reason}); to see and save that: mmm_difference \
             {survivor} {host}"
        )
    }
}

impl Proof {
    /// True if a peer that is silent may come back with what this host lacks.
    pub fn is_beside_silent_peer(&self) -> bool {
        matches!(self, Self::AppliedAllFetched(_) | Self::WithoutTail { .. })
    }

    /// What is left behind.
    pub fn lost(&self) -> Option<&Lost> {
        if let Self::WithoutTail { lost, .. } = self { Some(lost) } else { None }
    }
}

impl fmt::Display for Proof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NothingToApply { .. } => f.write_str("this host replicates from nobody"),
            Self::AppliedToTheEnd(end) => {
                write!(f, "the peer is read-only, its log ends at {end}, and this host has applied all of it")
            }
            Self::AppliedAllFetched(at) => write!(
                f,
                "the peer is silent, and this host has applied all that it fetched, to {}",
                BinlogPosition::shown(at.as_ref())
            ),
            Self::ToBeApplied(to) => {
                write!(
                    f,
                    "replication would be started, and waited for to {}",
                    BinlogPosition::shown(to.as_ref())
                )
            }
            Self::WithoutTail { at, lost } => write!(
                f,
                "the peer is silent, and this host has applied all that it fetched, to {}; {lost}",
                BinlogPosition::shown(at.as_ref())
            ),
            Self::ToBeTakenOver { survivor, tail } => {
                write!(f, "{tail} would be taken over from {survivor} first")
            }
        }
    }
}
