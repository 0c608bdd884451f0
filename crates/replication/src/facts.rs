//! The observations of the three servers of a move, before anything is decided.

use std::fmt;

use mmm_core::report;

use crate::gtid::{Gtid, GtidPosition, GtidSet, GtidState};
use crate::position::BinlogPosition;
use crate::rehearsal::Rehearsal;
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
    /// True if the logs of new and old master end where they ended at the observation before.
    pub quiet: bool,
    /// True if the operator says that all hosts leave the same out of their logs (`attach.log_filters_agree`).
    pub log_filters_agree: bool,
}

/// The replica.
// Observations that have nothing to do with each other.
#[allow(clippy::struct_excessive_bools)]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Replica {
    /// Its host name.
    pub host: String,
    /// `server_id`
    pub server_id: u64,
    /// The channel that is to be moved.
    pub channel: Channel,
    /// True if it has further channels.
    pub other_channels: bool,
    /// MariaDB's: the GTID position from which the channel would continue in its mode.
    pub gtid_position: GtidPosition,
    /// True if that may be ahead of what it has executed, and nothing shows how far.
    pub may_be_ahead: bool,
    /// What it has executed by GTID, as its server writes that.
    pub applied_gtids: String,
    /// MySQL's: what it has executed by GTID; `None` without `gtid_mode=ON`.
    pub sets: Option<ReplicaSets>,
    /// By file and position: why `sets` says nothing of what came over the channel; `None` if it does.
    pub why_no_set: Option<String>,
    /// True with `log_bin` and `log_slave_updates`, if its log can be compared with the new master's.
    pub logs_updates: bool,
    /// MariaDB's: its own log of what it applied; `None` without one. A log that leaves out other databases than the
    /// new master's log proves nothing, and counts as none, here and in `logs_updates`.
    pub log: Option<OwnLog>,
    /// `Slave_open_temp_tables`
    pub temporary_tables: u64,
    /// True if the server itself moves the channel to other sources (`SOURCE_CONNECTION_AUTO_FAILOVER`).
    pub moves_itself: bool,
}

/// A MySQL replica's GTIDs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReplicaSets {
    /// `server_uuid`
    pub uuid: String,
    /// `gtid_executed`
    pub executed: GtidSet,
}

impl ReplicaSets {
    /// What came by replication. What was written on the replica itself stays there, wherever the replica is attached.
    pub fn replicated(&self) -> GtidSet {
        self.executed.filtered(|uuid| !uuid.eq_ignore_ascii_case(&self.uuid))
    }
}

/// A MySQL master's GTIDs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MasterSets {
    /// `gtid_executed`
    pub executed: GtidSet,
    /// `gtid_purged`: what is in none of its logs any more.
    pub purged: GtidSet,
    /// True if transactions that are not in `executed` yet may lie before the end of its log: they are logged first,
    /// and committed when the log is synchronised, a group is gathered or a replica has acknowledged them.
    pub is_committing: bool,
}

/// What a server leaves out of its own log. Two servers with the same rule leave out the same.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LogRule {
    /// `binlog_do_db` and `binlog_ignore_db` as `name=value`; none if it logs everything.
    pub filters: Vec<String>,
    /// With filters, `binlog_format`: of a statement they look at the session's database, of rows at the table's.
    pub format: String,
}

impl LogRule {
    /// True if nothing is left out.
    pub fn is_empty(&self) -> bool {
        self.filters.is_empty()
    }
}

impl fmt::Display for LogRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_empty() {
            return f.write_str("no filters");
        }
        write!(f, "{}, binlog_format={}", self.filters.join(", "), self.format)
    }
}

/// A replica's own binary log.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OwnLog {
    /// `gtid_binlog_state`
    pub state: GtidState,
    /// What its oldest log file begins with: every transaction with a lower number in its domain is older than the log.
    pub begin: GtidState,
}

impl OwnLog {
    /// Whether the log's server has this transaction. `None`: it is older than the log, which may have been begun anew,
    /// or on a copy of another server.
    pub fn has(&self, gtid: Gtid) -> Option<bool> {
        match self.state.get(gtid.domain, gtid.server) {
            Some(sequence) => Some(sequence >= gtid.sequence),
            None if self.begin.highest(gtid.domain).is_none_or(|begin| gtid.sequence >= begin) => Some(false),
            None => None,
        }
    }

    /// The last transactions that it holds of the domains of `at`, without those that its own server wrote: for a
    /// transaction that it does not hold, the highest number of that domain.
    pub fn last_up_to(&self, at: &GtidPosition, own_id: u64) -> GtidPosition {
        let last = |gtid: Gtid| {
            let replicated = self.state.iter().filter(|own| u64::from(own.server) != own_id);
            let last = replicated.filter(|own| own.domain == gtid.domain).max_by_key(|own| own.sequence);
            last.filter(|_| !self.state.includes(gtid)).unwrap_or(gtid)
        };
        at.iter().map(last).collect()
    }
}

/// The new master.
#[allow(clippy::struct_excessive_bools)]
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
    /// True if it logs what it replicates in the order of its source's log.
    pub keeps_order: bool,
    /// End of its log; `None` without a log.
    pub end: Option<BinlogPosition>,
    /// MariaDB's `gtid_binlog_state`
    pub state: GtidState,
    /// MariaDB's: what its oldest log file begins with, as in [`OwnLog::begin`].
    pub begin: GtidState,
    /// MariaDB's: what the `Gtid_list` of that file names, and no transaction that was logged after it.
    pub listed: GtidState,
    /// MariaDB's: what it has executed by replication, if its log has to hold that; empty if not.
    pub executed: GtidPosition,
    /// MariaDB's `gtid_slave_pos`; by file and position, it may be the position of what was only fetched.
    pub replicated: GtidPosition,
    /// True if it logs rows for statements, and so nothing for statements without an effect.
    pub logs_rows: bool,
    /// MySQL's GTIDs; `None` without `gtid_mode=ON`.
    pub sets: Option<MasterSets>,
    /// For a replica by file and position, as [`Replica::why_no_set`], of its channel from the old master.
    pub why_no_set: Option<String>,
    /// Filters of its channel from the old master, as `name=value`.
    pub filters: Vec<String>,
    /// What it leaves out of its log.
    pub log_rule: LogRule,
    /// Its channel from the old master.
    pub channel: Option<Channel>,
    /// False while its parallel appliers may have applied more than that channel shows, or are about to. Only asked if
    /// the old master does not answer.
    pub is_settled: bool,
    /// True if it has further channels.
    pub other_channels: bool,
}

/// The old master, as far as it can be seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OldMaster {
    /// It answers.
    Answers(OldState),
    /// It is alive but cannot be examined (access denied, too many connections).
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
#[allow(clippy::struct_excessive_bools)]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OldState {
    /// Its host name.
    pub host: String,
    /// `read_only`
    pub read_only: bool,
    /// `log_slave_updates`
    pub log_slave_updates: bool,
    /// As in [`NewMaster::logs_rows`].
    pub logs_rows: bool,
    /// What it leaves out of its log.
    pub log_rule: LogRule,
    /// End of its log; `None` without a log.
    pub end: Option<BinlogPosition>,
    /// True if its log ended there at the observation before.
    pub rests: bool,
    /// Its channel from the new master.
    pub from_new: Option<Channel>,
    /// While this call has paused that channel's SQL thread: a position in the new master's log after which nothing
    /// comes that is from the old master.
    pub held: Option<BinlogPosition>,
}

impl Facts {
    /// Judges the old master as if it took no writes, if it answers.
    pub(crate) fn close_old(&mut self, _: Rehearsal) {
        if let OldMaster::Answers(old) = &mut self.old {
            old.read_only = true;
        }
    }

    /// Judges as if the old master were dead, and its sessions with it.
    pub(crate) fn bury_old(&mut self, _: Rehearsal) {
        let (host, reason) = (self.old.host().to_string(), "as if it were dead".into());
        self.old = OldMaster::Silent { host, reason };
        self.replica.temporary_tables = 0;
    }

    /// True if the replica and the new master drop the same of what they get, or neither drops anything.
    pub fn share_filters(&self) -> bool {
        let (ours, theirs) = (&self.replica.channel.filters, &self.new.filters);
        ours.len() == theirs.len() && ours.iter().all(|filter| theirs.contains(filter))
    }

    /// True if some of what the old master logged may be in neither log.
    pub fn leave_out(&self) -> bool {
        !self.new.filters.is_empty() || !self.new.log_rule.is_empty()
    }

    /// The replica's own log, if it shows everything that the new master's log can hold of what the replica has: both
    /// must drop the same. A log that knows nothing of a domain was begun after the last transaction of that domain. A
    /// log without the transactions that were executed last has lost its end (a power loss, with `sync_binlog=0`).
    pub fn log_of_everything(&self) -> Option<&OwnLog> {
        let replica = &self.replica;
        replica.log.as_ref().filter(|log| {
            let has_last = |gtid: Gtid| {
                if self.leave_out() { log.state.knows(gtid.domain) } else { log.state.includes(gtid) }
            };
            self.share_filters() && replica.gtid_position.iter().all(has_last)
        })
    }

    /// True if the old master's log holds all that it got from the new master, except what the replica would drop in
    /// any case.
    pub fn old_passes_on(&self, old: &OldState) -> bool {
        let ours = &self.replica.channel.filters;
        let takes_all = |channel: &Channel| channel.filters.iter().all(|filter| ours.contains(filter));
        old.log_slave_updates
            && (old.log_rule.is_empty() || old.log_rule == self.new.log_rule)
            && old.from_new.as_ref().is_none_or(takes_all)
    }

    /// Tells a person what was seen.
    pub fn report(&self) {
        if !report::is_on() {
            return;
        }
        let (replica, new) = (&self.replica, &self.new);
        let (host, channel) = (Some(replica.host.as_str()), &replica.channel);
        let source = format_args!("{} ({}), by {}", self.old.host(), channel.source(), channel.mode);
        report::observe(host, "replicates from", source);
        report::observe(host, "threads", channel.what_is_wrong());
        report::observe(host, "has fetched to", BinlogPosition::shown(channel.fetched.as_ref()));
        report::observe(host, "has executed to", BinlogPosition::shown(channel.applied.as_ref()));
        if !replica.applied_gtids.is_empty() {
            report::observe(host, "GTIDs", &replica.applied_gtids);
        }
        let host = Some(new.host.as_str());
        report::observe(host, "read_only", report::on_off(new.read_only));
        report::observe(host, "its log ends at", BinlogPosition::shown(new.end.as_ref()));
        let sets = new.sets.as_ref().map(|sets| sets.executed.to_string());
        let gtids = sets.unwrap_or_else(|| new.state.to_string());
        if !gtids.is_empty() {
            report::observe(host, "GTIDs", gtids);
        }
        if let Some(channel) = &new.channel {
            report::observe(host, "has executed to", BinlogPosition::shown(channel.applied.as_ref()));
        }
        let host = Some(self.old.host());
        match &self.old {
            OldMaster::Answers(old) => {
                report::observe(host, "read_only", report::on_off(old.read_only));
                report::observe(host, "its log ends at", BinlogPosition::shown(old.end.as_ref()));
            }
            OldMaster::Unreadable { reason, .. } => report::observe(host, "cannot be examined", reason),
            OldMaster::Silent { reason, .. } => report::observe(host, "does not answer", reason),
        }
    }
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
