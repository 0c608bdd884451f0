//! May this host take writes? Only when it has applied everything that its peer has written.
//!
//! `sync_with_master` asks and waits, `mysql_allow_write` asks and does not (failover section F). A peer that
//! answers must be read-only, so that the end of its log stands still; of one that is silent, everything that
//! was fetched counts, up to the last complete event group.

use std::cmp::Ordering;
use std::time::Duration;

use mmm_core::Budget;
use mmm_core::config::{Config, Host};
use mmm_core::settings::Limits;

use crate::channel;
use crate::error::Error;
use crate::gtid::GtidPosition;
use crate::observe::log_end;
use crate::position::BinlogPosition;
use crate::refusal::Refusal;
use crate::server::Server;
use crate::status::{Channel, IoThread};
use crate::threads;
use crate::wait;

/// A live peer on a local network answers in milliseconds; one lost packet costs a second.
const PEER_PATIENCE: Duration = Duration::from_millis(1500);
/// Pause between two looks.
const PAUSE: Duration = Duration::from_millis(10);

/// How a caller asks.
#[derive(Clone, Copy, Debug)]
pub struct Question<'a> {
    /// What does not happen if the answer is no, for the refusal's text.
    pub otherwise: &'a str,
    /// True to wait, within the budget, for a yes.
    pub wait: bool,
    /// Limits of the connection to the peer.
    pub limits: &'a Limits,
    /// The time of the call.
    pub budget: Budget,
}

/// Why the answer is yes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Proof {
    /// This host replicates from nobody: there is nothing to apply.
    NothingToApply,
    /// The peer is read-only and this host has applied its log to the end.
    AppliedToTheEnd(BinlogPosition),
    /// The peer is silent and this host has applied all it fetched.
    AppliedAllFetched(Option<BinlogPosition>),
}

/// Asks whether `local` has everything of its peer; refuses if not, or not in time.
pub fn ask(local: &mut Server, config: &Config, question: Question) -> Result<Proof, Error> {
    let channels = channel::all(local)?;
    if channels.is_empty() {
        log::warn!("{} replicates from nobody: there is nothing that it could lack", local.host());
        return Ok(Proof::NothingToApply);
    }
    let peer = config.peer()?;
    let chosen = channel::choose(local, config, |_| None)?;
    if chosen.source.name != peer.name {
        return Err(Refusal::WrongSource {
            host: local.host().into(),
            peer: peer.name.to_string(),
            source_address: format!("{} ({})", chosen.source.name, chosen.channel.source()),
        }
        .into());
    }
    let mut gate = Gate { local, peer, channel: chosen.channel.name.clone(), question };
    let connection = Server::connect(peer, question.limits.connect.min(PEER_PATIENCE), question.budget);
    let answers = matches!(connection, Ok(_) | Err(Error::Connect { answered: true, .. }));
    gate.wake(&chosen.channel, answers)?;
    match connection {
        Ok(mut server) => match gate.against(&mut server) {
            Err(Error::Silent { .. } | Error::Broken { .. }) => gate.alone(),
            other => other,
        },
        Err(error @ Error::Connect { answered: true, .. }) => Err(gate.unreadable(&error)),
        Err(error @ Error::Connect { .. }) => {
            log::warn!("{}: {error}; going by what was fetched from it", peer.name);
            gate.alone()
        }
        Err(error) => Err(error),
    }
}

struct Gate<'a> {
    local: &'a mut Server,
    peer: &'a Host,
    channel: String,
    question: Question<'a>,
}

impl Gate<'_> {
    /// Starts threads that stand still without an error; what they have not applied may be what is missing.
    fn wake(&mut self, channel: &Channel, peer_answers: bool) -> Result<(), Error> {
        // An I/O thread that cannot reach a dead peer has an error, and what it fetched still has to be applied.
        let io_rests = channel.io == IoThread::No && channel.io_error.is_none();
        if channel.sql_error.is_none() && (!channel.sql_running || io_rests) {
            threads::check_backlog(self.local.host(), channel, self.peer.name.as_str(), peer_answers)?;
            log::warn!("{}: {}; starting it", channel.title(), threads::what_is_wrong(channel));
            threads::start(self.local, &self.channel)?;
        }
        Ok(())
    }

    /// The peer answers: its log must stand still and be applied to the end.
    fn against(&mut self, peer: &mut Server) -> Result<Proof, Error> {
        // In this order: what was fetched before the end was read cannot lie beyond it.
        let before = channel::again(self.local, &self.channel)?;
        let end = self.closed_end(peer)?;
        let fetched = before.fetched.as_ref();
        if fetched.is_some_and(|fetched| fetched.compare(&end).is_none_or(Ordering::is_gt)) {
            return Err(Refusal::LogWasReset {
                host: self.local.host().into(),
                peer: self.peer.name.to_string(),
                end,
                fetched: before.fetched.unwrap_or_else(|| BinlogPosition::new("", 0)),
                then: self.question.otherwise.into(),
            }
            .into());
        }
        let now = if self.question.wait {
            wait::until_applied(self.local, &self.channel, &end)?
        } else {
            channel::again(self.local, &self.channel)?
        };
        if !now.applied.as_ref().is_some_and(|applied| applied.has_reached(&end)) {
            let missing = self.count_missing(peer).unwrap_or_else(|| "changes".into());
            return Err(self.not_applied(&now, missing, &end));
        }
        let again = self.closed_end(peer)?;
        if again != end {
            return Err(self.not_applied(&now, "new changes".into(), &again));
        }
        Ok(Proof::AppliedToTheEnd(end))
    }

    /// The end of the peer's log, if the peer takes no writes.
    fn closed_end(&mut self, peer: &mut Server) -> Result<BinlogPosition, Error> {
        let unreadable = |reason: String| Refusal::PeerUnreadable {
            peer: self.peer.name.to_string(),
            reason,
            then: self.question.otherwise.into(),
        };
        let closed = match peer.one("SELECT @@read_only AS read_only") {
            Ok(row) => row.is_on("read_only"),
            Err(error @ Error::Query { .. }) => return Err(unreadable(error.to_string()).into()),
            Err(other) => return Err(other),
        };
        if !closed {
            return Err(Refusal::PeerWritable {
                peer: self.peer.name.to_string(),
                then: self.question.otherwise.into(),
            }
            .into());
        }
        match log_end(peer) {
            Ok(Some(end)) => Ok(end),
            Ok(None) => Err(unreadable("it has no binary log".into()).into()),
            Err(error @ Error::Query { .. }) => Err(unreadable(error.to_string()).into()),
            Err(other) => Err(other),
        }
    }

    /// The peer is silent: everything that was fetched must be applied, up to the last complete group.
    fn alone(&mut self) -> Result<Proof, Error> {
        loop {
            let first = channel::again(self.local, &self.channel)?;
            let idle = first.has_applied_all() && !self.workers_are_busy()?;
            self.question.budget.pause(PAUSE);
            let second = channel::again(self.local, &self.channel)?;
            if idle && second.has_applied_all() && first.applied == second.applied {
                if second.fetched != second.applied {
                    log::warn!(
                        "{} sent half a transaction before it fell silent ({} of {}); it is not applied",
                        self.peer.name,
                        Refusal::place(second.applied.as_ref()),
                        Refusal::place(second.fetched.as_ref())
                    );
                }
                return Ok(Proof::AppliedAllFetched(second.applied));
            }
            if !second.sql_running {
                return Err(Refusal::NotRunning {
                    host: self.local.host().into(),
                    peer: self.peer.name.to_string(),
                    reason: threads::what_is_wrong(&second),
                    then: self.question.otherwise.into(),
                }
                .into());
            }
            if !self.question.wait || self.question.budget.is_spent() {
                let target = second.fetched.clone().unwrap_or_else(|| BinlogPosition::new("unknown", 0));
                return Err(self.not_applied(&second, "what was fetched".into(), &target));
            }
        }
    }

    /// Parallel appliers take events off the relay log before they apply them.
    fn workers_are_busy(&mut self) -> Result<bool, Error> {
        let row = self.local.one(
            "SELECT COUNT(*) FROM information_schema.processlist \
             WHERE command = 'Slave_worker' AND state NOT LIKE 'Waiting for work%'",
        )?;
        Ok(row.at(0) != Some("0"))
    }

    /// How many transactions are missing, by the numbers of their GTIDs.
    fn count_missing(&mut self, peer: &mut Server) -> Option<String> {
        let statement = "SELECT @@gtid_binlog_pos, @@gtid_current_pos";
        let theirs: GtidPosition = peer.one(statement).ok()?.at(0)?.parse().ok()?;
        let ours: GtidPosition = self.local.one(statement).ok()?.at(1)?.parse().ok()?;
        let missing: u64 = theirs
            .iter()
            .map(|gtid| gtid.sequence.saturating_sub(ours.get(gtid.domain).map_or(0, |ours| ours.sequence)))
            .sum();
        match missing {
            0 => None,
            1 => Some("1 transaction".into()),
            more => Some(format!("{more} transactions")),
        }
    }

    fn not_applied(&self, now: &Channel, missing: String, target: &BinlogPosition) -> Error {
        let stopped = !now.is_running();
        let reason = if stopped { format!(" ({})", threads::what_is_wrong(now)) } else { String::new() };
        let target_text = match &now.applied {
            Some(applied) if applied.file == target.file => target.offset.to_string(),
            _ => target.to_string(),
        };
        Refusal::NotApplied {
            peer: self.peer.name.to_string(),
            missing,
            applied: Refusal::place(now.applied.as_ref()),
            target: target_text,
            then: format!("{}{reason}", self.question.otherwise),
        }
        .into()
    }

    fn unreadable(&self, error: &Error) -> Error {
        Refusal::PeerUnreadable {
            peer: self.peer.name.to_string(),
            reason: error.to_string(),
            then: self.question.otherwise.into(),
        }
        .into()
    }
}
