//! After a failure: restores the channel as it was found, as far as that loses nothing.

use std::panic::{self, AssertUnwindSafe};
use std::time::{Duration, Instant};

use mmm_core::config::Host;
use mmm_core::journal::step;
use mmm_core::mutant::takes_out;
use mmm_core::{Budget, interrupt, report, unfinished};

use crate::attach::moving::{Move, Progress};
use crate::attach::observe::Old;
use crate::attach::shares::ASKING_WHILE_UNDOING;
use crate::channel;
use crate::channel::threads::{self, LAST_RESORT};
use crate::error::Error;
use crate::facts::Facts;
use crate::gtid::{GtidPosition, GtidSet, GtidState};
use crate::position::BinlogPosition;
use crate::refusal::Refusal;
use crate::server::Server;
use crate::server::dialect::{Flavour, Target, Threads};
use crate::status::{Channel, IoThread, Place};

/// The minimum time for undoing, whatever the call has left.
const UNDOING: Duration = Duration::from_millis(600);

impl Move<'_> {
    /// Notes what has to be undone before each step, for every way in which a call can end: an error, a panic
    /// ([`Drop`]), and a thread that hangs, for which a [`Last`] will is left.
    pub(super) fn begin(&mut self, progress: Progress) {
        self.progress = progress;
        if report::is_dry_run() {
            return;
        }
        let last = Last {
            host: self.this_host.clone(),
            found: self.found.clone(),
            old_host: self.old_host.name.to_string(),
            old_sends: self.old_sends(),
            is_held_back: self.is_held_back,
            set_back_from: self.set_back_from.clone(),
        };
        unfinished::begun(move || match last.carry_out() {
            Ok(()) => log::warn!("replication was started again"),
            Err(error) => log::error!("replication may be stopped ({error}): run turn_on_slave there"),
        });
    }

    /// Puts things back as they were and returns the error to report.
    pub(super) fn undo(&mut self, error: Error) -> Error {
        log::error!("not moved: {error}");
        let error = if takes_out("undo") { error } else { self.put_back(error) };
        self.progress = Progress::Untouched;
        unfinished::done();
        error
    }

    fn put_back(&mut self, mut error: Error) -> Error {
        let left = self.budget.uninterrupted();
        let own = if left.limit().is_some() {
            Budget::start(Some(left.share(UNDOING * 10).max(UNDOING)))
        } else {
            left
        };
        let most = own.share(UNDOING) + LAST_RESORT;
        let started = Instant::now();
        unfinished::undoing(most);
        self.use_budget(own);
        // No question to another host may use the time that is needed to start replication.
        self.new.use_budget(own.part(ASKING_WHILE_UNDOING));
        self.reconnect_if_broken(own);
        let mut undone = self.take_back();
        // An answer that was none may have seemed to be one: the connection is of no use from then on. A server that does
        // not answer in time does not do so over another connection either.
        let has_failed_at_once = matches!(&undone, Err(error) if !matches!(error, Error::Silent { .. }));
        if has_failed_at_once && !self.replica.is_usable() {
            let left = most.saturating_sub(started.elapsed());
            let again = if own.limit().is_some() { Budget::start(Some(left)) } else { own };
            self.reconnect_if_broken(again);
            undone = self.take_back();
        }
        // Once the channel was changed, an interrupt does not end what is left to do.
        let is_interrupted = interrupt::is_requested() && !matches!(self.progress, Progress::Changed { .. });
        let undone = undone.and_then(|outcome| {
            // The threads that were found stopped had been started, in the hope of a position that can be proved.
            if is_interrupted && !self.found.is_running() {
                let sends = self.old_sends();
                threads::leave_as_found(self.replica, self.found, |_, _| sends)?;
                return Ok(format!("left as it was found: {}", self.found.what_is_wrong()));
            }
            Ok(outcome)
        });
        let is_put_back = undone.is_ok();
        let outcome = undone.unwrap_or_else(|failed| match failed {
            Error::Refused(refusal) => refusal.to_string(),
            other => format!("replication may be stopped ({other}): run turn_on_slave there"),
        });
        log::warn!("after the failure: {outcome}");
        match &mut error {
            _ if is_interrupted => {
                let (host, old) = (&self.this_host.name, &self.old_host.name);
                let state = format!("{host} was not moved from {old}: {outcome}");
                error = Refusal::Interrupted { state }.into();
            }
            Error::Refused(refusal) if matches!(**refusal, Refusal::DoesNotStart { .. }) => {
                if let Refusal::DoesNotStart { consequence, .. } = refusal.as_mut() {
                    *consequence = outcome;
                }
            }
            Error::Refused(refusal) if matches!(**refusal, Refusal::DoesNotStop { .. }) => {
                let mut after = "the server still carries out the STOP (SHOW PROCESSLIST)".to_string();
                if is_put_back {
                    // A START that follows a STOP is carried out after it.
                    after += ", and then starts replication again as it was: try again then";
                }
                if let Refusal::DoesNotStop { then, .. } = refusal.as_mut() {
                    *then = after;
                }
                if !is_put_back {
                    let reason = refusal.to_string();
                    error = Refusal::NotPutBack { reason, consequence: outcome }.into();
                }
            }
            // What failed because a privilege is missing need not be undone.
            other if is_put_back || other.to_string() == outcome => {}
            other => error = Refusal::NotPutBack { reason: other.to_string(), consequence: outcome }.into(),
        }
        error
    }

    /// Takes back what was done; may be repeated.
    fn take_back(&mut self) -> Result<String, Error> {
        match &self.progress {
            Progress::Untouched => {
                // It may have been found stopped, and could not be started.
                if self.does_not_send.is_some() {
                    let (host, old) = (self.replica.host(), self.old_host.name.as_str());
                    threads::check_backlog(host, self.found, old, self.old_sends())?;
                }
                Ok("nothing was changed".to_string())
            }
            Progress::Stopped => step("started replication again", || self.restart())
                .map(|()| format!("it replicates from {} as before", self.old_host.name)),
            Progress::Changed { .. } => self.change_back(),
        }
    }

    /// Whether the old master can send again what a start would discard. It was asked if this replica was found stopped.
    fn old_sends(&self) -> threads::Sends {
        match (&self.does_not_send, &self.old) {
            (Some(reason), _) => Err(reason.clone()),
            (None, Old::Connected(_)) => Ok(()),
            (None, _) => threads::silent(),
        }
    }

    /// Starts the threads again, unless that would discard what the dead old master cannot send again, or put this
    /// replica ahead of the new master for ever.
    fn restart(&mut self) -> Result<(), Error> {
        self.set_forward()?;
        let old_sends = self.old_sends();
        if old_sends.is_ok() && !self.is_held_back && !self.replica.dialect().tells_status_while_stopping() {
            return threads::start(self.replica, &self.channel);
        }
        let channel = channel::again(self.replica, &self.channel)?;
        threads::check_backlog(self.replica.host(), &channel, self.old_host.name.as_str(), old_sends)?;
        if !self.is_held_back || self.new_has_fetched(&channel) {
            return threads::start(self.replica, &self.channel);
        }
        if channel.io == IoThread::No {
            let statement = self.replica.dialect().start(&self.channel, Threads::Io);
            self.replica.execute(&statement)?;
        }
        let (host, old) = (self.replica.host().to_string(), self.old_host.name.to_string());
        Err(Refusal::AppliesNoFurther { host, old, new: self.new_host.name.to_string() }.into())
    }

    /// True if the new master has fetched all that this replica has, so that it will apply it, too.
    fn new_has_fetched(&mut self, channel: &Channel) -> bool {
        let theirs = channel::all(&mut self.new).unwrap_or_default().into_iter().find(|theirs| {
            theirs.source_host == channel.source_host && theirs.source_port == channel.source_port
        });
        match (&channel.fetched, theirs.and_then(|theirs| theirs.fetched)) {
            (Some(ours), Some(theirs)) => theirs.has_reached(ours),
            _ => false,
        }
    }

    /// A STOP that nobody waits for any more still stops the threads. If a START follows over a new connection, the
    /// server carries it out after that STOP, whether or not anybody waits.
    fn reconnect_if_broken(&mut self, own: Budget) {
        if self.replica.is_usable() || matches!(self.progress, Progress::Untouched) {
            return;
        }
        let beyond = Budget::start(Some(LAST_RESORT));
        match Server::connect(self.this_host, LAST_RESORT, beyond) {
            Ok(server) => {
                *self.replica = server;
                // What follows is a STOP, a CHANGE and a START, not only a log-in.
                self.replica.use_budget(own);
            }
            Err(error) => log::error!("{error}"),
        }
    }

    /// Points the channel at the old master again, unless it has already applied something of the new one's.
    fn change_back(&mut self) -> Result<String, Error> {
        let Progress::Changed { from, .. } = &self.progress else { return Ok(String::new()) };
        let before = from.replica.clone();
        let channel = threads::stop(self.replica, &self.channel)?;
        if channel.source() == before.channel.source() {
            // The server refused the CHANGE. Transactions without a GTID would not show that in the replica's GTIDs.
            self.restart()?;
            return Ok(format!("it replicates from {} as before", self.old_host.name));
        }
        if self.has_applied_something_new(&channel)? {
            // Back on the old master, the replica would get these transactions a second time.
            threads::start(self.replica, &self.channel)?;
            return Ok(format!(
                "it stays on {}, of which it has already applied something",
                self.new_host.name
            ));
        }
        let old = self.old_host;
        if before.channel.source_user != old.replication_user {
            log::warn!(
                "the channel used account '{}', the configuration has '{}' for {}",
                before.channel.source_user,
                old.replication_user,
                old.name
            );
        }
        self.change(&Target {
            host: &before.channel.source_host,
            port: before.channel.source_port,
            user: &old.replication_user,
            password: old.replication_password.expose(),
            heartbeat: &before.channel.heartbeat,
            fetches_key: self.names_key(&before.channel).then_some(before.channel.key.is_fetched),
            place: &Place::of(&before.channel),
        })?;
        self.set_forward()?;
        threads::start(self.replica, &self.channel)?;
        Ok(format!("it replicates from {} as before", old.name))
    }

    /// True if the replica has applied something of the new master's, once the `channel` was pointed there.
    pub(super) fn has_applied_something_new(&mut self, channel: &Channel) -> Result<bool, Error> {
        let Progress::Changed { from, to } = &self.progress else { return Ok(false) };
        let dialect = self.replica.dialect();
        let statement = dialect.applied_gtids();
        let now = self.replica.one(statement)?.text("gtids").to_string();
        if from.replica.other_channels {
            let came = came_over(dialect.flavour(), from, to, channel, &now)
                .map_err(|column| self.replica.unexpected(statement, column))?;
            return Ok(has_moved(to, channel.applied.as_ref(), came == Some(true), came.is_some()));
        }
        // If `gtid_mode` of a MySQL is off or permissive, transactions without a GTID do not change its set.
        let all_have_gtids =
            from.replica.sets.is_some() || dialect.flavour() == Flavour::MariaDb && !now.is_empty();
        let is_other_set = now != from.replica.applied_gtids;
        Ok(has_moved(to, channel.applied.as_ref(), is_other_set, all_have_gtids))
    }
}

impl Drop for Move<'_> {
    /// Every other way out has undone or finished its work by now; a panic has not.
    fn drop(&mut self) {
        if matches!(self.progress, Progress::Untouched) || report::is_dry_run() {
            return;
        }
        let undone = panic::catch_unwind(AssertUnwindSafe(|| {
            self.last_resort.release();
            let (host, old) = (&self.this_host.name, &self.old_host.name);
            let state = format!("{host} was not moved from {old}: this program failed");
            self.undo(Refusal::Interrupted { state }.into())
        }));
        if undone.is_err() {
            log::error!("replication may be stopped: run turn_on_slave there");
        }
    }
}

/// Starts replication again if the thread that stopped it hangs. It uses a connection of its own for everything.
struct Last {
    host: Host,
    found: Channel,
    old_host: String,
    old_sends: threads::Sends,
    is_held_back: bool,
    set_back_from: Option<String>,
}

impl Last {
    /// Wherever the channel points by now, it may continue from there: it points at the new master only if a position
    /// there was proved.
    pub(super) fn carry_out(&self) -> Result<(), Error> {
        let budget = Budget::start(Some(UNDOING));
        let mut replica = Server::connect(&self.host, UNDOING, budget)?;
        let channel = channel::again(&mut replica, &self.found.name)?;
        let is_old = channel.source() == self.found.source();
        let threads = if is_old && self.is_held_back { Threads::Io } else { Threads::Both };
        if is_old {
            threads::check_backlog(replica.host(), &channel, &self.old_host, self.old_sends.clone())?;
        }
        if threads == Threads::Io && channel.io != IoThread::No {
            return Ok(());
        }
        if let (Some(executed), true) = (&self.set_back_from, is_old) {
            let statement = replica.dialect().set_position(executed);
            replica.execute(&statement)?;
        }
        let statement = replica.dialect().start(&self.found.name, threads);
        replica.execute(&statement)
    }
}

/// Whether a server with several channels, which has executed `now` by GTID, has executed something that came over one
/// of them since that one was pointed `to` the new master; `None` if only the channel's position shows it. What another
/// channel applies changes what the server has executed, too.
fn came_over(
    flavour: Flavour,
    from: &Facts,
    to: &Place,
    channel: &Channel,
    now: &str,
) -> Result<Option<bool>, &'static str> {
    let replica = &from.replica;
    match (flavour, to) {
        (Flavour::MySql, _) => {
            let came = came_as_fetched(&replica.applied_gtids, now, &channel.retrieved)?;
            // What comes without a GTID is not among what was fetched, whatever GTID it is given here.
            let all_have_gtids = replica.sets.is_some() && replica.why_no_set.is_none();
            Ok((came || all_have_gtids).then_some(came))
        }
        // Channels by file and position may share a domain.
        (Flavour::MariaDb, Place::Position(_)) => Ok(None),
        (Flavour::MariaDb, Place::Gtid(_)) => {
            came_in_domains_of(&from.new.state, &replica.applied_gtids, now).map(Some)
        }
    }
}

/// MySQL: whether something new is among what the channel has fetched; CHANGE MASTER has emptied that set (manual, SHOW
/// REPLICA STATUS).
fn came_as_fetched(before: &str, now: &str, fetched: &str) -> Result<bool, &'static str> {
    let set = |text: &str| text.parse::<GtidSet>().map_err(|_| "gtid_executed");
    let fetched: GtidSet = fetched.parse().map_err(|_| "Retrieved_Gtid_Set")?;
    Ok(!set(now)?.without(&set(before)?).within(&fetched).is_empty())
}

/// MariaDB: whether a domain of the new master has gone on. A domain that the replica did not have may be one in which
/// the new master had not written yet.
fn came_in_domains_of(new: &GtidState, before: &str, now: &str) -> Result<bool, &'static str> {
    let position = |text: &str| text.parse::<GtidPosition>().map_err(|_| "gtid_slave_pos");
    let (before, now) = (position(before)?, position(now)?);
    let concerns = |domain| new.knows(domain) || before.get(domain).is_none();
    Ok(now.filtered(concerns) != before.filtered(concerns))
}

/// Whether a channel that was pointed `to` a position has applied anything there. If all transactions have GTIDs, their
/// set shows it; if not, the position shows it, too.
fn has_moved(to: &Place, applied: Option<&BinlogPosition>, is_other_set: bool, all_have_gtids: bool) -> bool {
    let is_elsewhere = match (to, applied) {
        (Place::Position(place), Some(applied)) => place != applied,
        _ => false,
    };
    is_other_set || is_elsewhere && !all_have_gtids
}

#[cfg(test)]
mod tests;
