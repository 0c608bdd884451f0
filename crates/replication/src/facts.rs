//! What is observed of the three servers of a move, before anything is decided.

use crate::gtid::{GtidPosition, GtidState};
use crate::position::BinlogPosition;
use crate::status::Channel;

/// Observations of the replica R, the new master N and the old master O.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Facts {
    /// The replica that is to be moved.
    pub replica: Replica,
    /// The new master.
    pub new: NewMaster,
    /// The master it follows now.
    pub old: OldMaster,
    /// True where the logs of new and old master end where they ended at the observation before.
    pub quiet: bool,
}

/// The replica.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Replica {
    /// Its host name.
    pub host: String,
    /// `server_id`
    pub server_id: u64,
    /// The channel that is to be moved.
    pub channel: Channel,
    /// True where it has further channels.
    pub other_channels: bool,
    /// The GTID position from which the channel's mode would go on.
    pub gtid_position: GtidPosition,
    /// Its own log of what it applied; `None` without `log_bin` and `log_slave_updates`.
    pub log: Option<OwnLog>,
    /// `Slave_open_temp_tables`
    pub temporary_tables: u64,
}

impl Replica {
    /// Its own log, where that tells everything which the channel brought: with filters it leaves out what was
    /// dropped, and a log that knows nothing of a domain was begun after the last group of it.
    pub fn log_of_everything(&self) -> Option<&OwnLog> {
        self.log.as_ref().filter(|log| {
            self.channel.filters.is_empty()
                && self.gtid_position.iter().all(|gtid| log.state.knows(gtid.domain))
        })
    }
}

/// A replica's own binary log.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OwnLog {
    /// `gtid_binlog_state`
    pub state: GtidState,
    /// What its oldest log file begins with: every group with a lower number in its domain is older than the
    /// log.
    pub begin: GtidState,
}

/// The new master.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewMaster {
    /// Its host name.
    pub host: String,
    /// `server_id`
    pub server_id: u64,
    /// `read_only`
    pub read_only: bool,
    /// `log_slave_updates`
    pub log_slave_updates: bool,
    /// End of its log; `None` without a log.
    pub end: Option<BinlogPosition>,
    /// `gtid_binlog_state`
    pub state: GtidState,
    /// What its oldest log file begins with, as in [`OwnLog::begin`].
    pub begin: GtidState,
    /// Replication and binlog filters, as `name=value`.
    pub filters: Vec<String>,
    /// Its channel from the old master.
    pub channel: Option<Channel>,
    /// Whether the last group in its log is its own; `None` where that is unknown.
    pub wrote_last: Option<bool>,
}

/// The old master, as far as it can be seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OldMaster {
    /// It answers.
    Answers(OldState),
    /// It is alive but does not let itself be examined (access denied, too many connections).
    Unreadable {
        /// Its host name.
        host: String,
        /// What it answered.
        reason: String,
    },
    /// It does not answer at all.
    Silent {
        /// Its host name.
        host: String,
        /// How it failed to.
        reason: String,
    },
}

/// An old master that answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OldState {
    /// Its host name.
    pub host: String,
    /// `read_only`
    pub read_only: bool,
    /// `log_slave_updates`
    pub log_slave_updates: bool,
    /// End of its log; `None` without a log.
    pub end: Option<BinlogPosition>,
    /// Its channel from the new master.
    pub from_new: Option<Channel>,
}

impl OldMaster {
    /// Its host name.
    pub fn host(&self) -> &str {
        match self {
            Self::Answers(old) => &old.host,
            Self::Unreadable { host, .. } | Self::Silent { host, .. } => host,
        }
    }
}
