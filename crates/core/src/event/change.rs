//! The kinds of events, each with its own fields and its sentence. docs/EVENTS.md lists them.

use std::fmt;

use serde::{Deserialize, Serialize};

/// What has changed on this host. The names in JSON are part of an interface.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Change {
    /// This host takes writes.
    WriterOpened {
        /// Why that was right.
        reason: String,
    },
    /// This host takes no more writes.
    WriterClosed {},
    /// Sessions were ended in the middle of a statement that cannot be undone.
    WritesCut {
        /// Which.
        sessions: String,
    },
    /// This host opened without transactions that only another slave has.
    TransactionsLost {
        /// The host that has them.
        survivor: String,
        /// How much, in words.
        tail: String,
        /// Why this host could not get them.
        reason: String,
    },
    /// What only a slave had of a dead master's log was taken over.
    TailFetched {
        /// The slave.
        survivor: String,
        /// How much, in words; `None` if that is not known any more.
        tail: Option<String>,
    },
    /// `allow_write.fence` has cut off or switched off the peer.
    PeerFenced {
        /// The peer.
        peer: String,
    },
    /// This host replicates from another master.
    SlaveMoved {
        /// The master before.
        from: String,
        /// The master now.
        to: String,
    },
    /// Threads that had stopped were started, and run.
    ReplicationStarted {
        /// The host that it replicates from, or its address.
        source: String,
    },
    /// Replication was stopped.
    ReplicationStopped {
        /// The host that it replicated from, or its address.
        source: String,
    },
    /// The address was added.
    AddressAdded {
        /// The interface.
        interface: String,
        /// The address.
        address: String,
    },
    /// The address was removed.
    AddressRemoved {
        /// The interface.
        interface: String,
        /// The address.
        address: String,
    },
    /// A call has failed as none before it in its row.
    Refusal {
        /// The error's stable name.
        code: String,
        /// The answer without `ERROR: `.
        reason: String,
    },
    /// The first call that worked after some that failed.
    RefusalEnded {
        /// The stable names of their errors, in the order in which they came.
        codes: Vec<String>,
        /// How many calls have failed.
        count: u64,
        /// How long it took from the first of them until now, in seconds.
        seconds: f64,
    },
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::WriterOpened { reason } => write!(f, "opened to writes: {reason}"),
            Self::WriterClosed {} => f.write_str("closed to writes"),
            Self::WritesCut { sessions } => {
                write!(f, "writes were ended in the middle, and replicas may stop on them: {sessions}")
            }
            Self::TransactionsLost { survivor, tail, reason } => {
                write!(f, "opened without {tail} that only {survivor} has: {reason}")
            }
            Self::TailFetched { survivor, tail } => {
                let tail = tail.as_deref().unwrap_or("what was missing here");
                write!(f, "took over from {survivor} {tail}")
            }
            Self::PeerFenced { peer } => write!(f, "{peer} does not answer, and was fenced"),
            Self::SlaveMoved { from, to } => write!(f, "replicates from {to}, no longer from {from}"),
            Self::ReplicationStarted { source } => write!(f, "replication from {source} was started"),
            Self::ReplicationStopped { source } => write!(f, "replication from {source} was stopped"),
            Self::AddressAdded { interface, address } => write!(f, "{address} was added to {interface}"),
            Self::AddressRemoved { interface, address } => {
                write!(f, "{address} was removed from {interface}")
            }
            Self::Refusal { reason, .. } => f.write_str(reason),
            Self::RefusalEnded { count, seconds, codes } => {
                write!(f, "works again after {count} failed calls in {seconds:.1} s ({})", codes.join(", "))
            }
        }
    }
}
