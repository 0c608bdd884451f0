//! What is done about the replica before it is judged.

use mmm_core::journal::step;
use mmm_core::mutant::takes_out;

use crate::attach::moving::{Move, Observed, Progress, Tail};
use crate::binlog::resend::check_source;
use crate::channel::{self, liveness, threads, workers};
use crate::error::Error;
use crate::facts::{Facts, OldMaster};
use crate::position::BinlogPosition;
use crate::refusal::Refusal;
use crate::server::Server;
use crate::server::dialect::Threads;
use crate::server::patience::OTHERS_PATIENCE;
use crate::status::{Channel, IoThread};
use crate::survivors::no_channel_from;
use crate::survivors::share::{Share, whole_tail};

impl Move<'_> {
    /// Starts threads that a killed call left stopped, or stops a thread that must not continue.
    pub(super) fn prepare(&mut self) -> Result<Observed, Error> {
        let (facts, is_moving) = self.observe()?;
        let stays = self.leave_tail_to_new(&facts)?.map(Error::from);
        let channel = &facts.replica.channel;
        let old_is_gone = matches!(facts.old, OldMaster::Silent { .. });
        // If the old master is dead, the replica applies nothing more until it is judged: what it alone fetched would
        // put it ahead of the new master for ever (docs/ORDERS.md, A10). Its I/O thread continues, because by GTID a
        // start of both threads would discard that backlog.
        if old_is_gone && !channel.has_applied_all() {
            self.is_held_back = true;
            if channel.sql_running {
                log::warn!(
                    "{} is unreachable: what was fetched from it is applied no further for now",
                    self.old_host.name
                );
                self.begin(Progress::Stopped);
                let statement = self.replica.dialect().stop(&self.channel, Threads::Sql);
                self.replica.execute(&statement)?;
                return stays.map_or_else(|| self.observe(), Err);
            }
            return stays.map_or(Ok((facts, is_moving)), Err);
        }
        if let Some(stays) = stays {
            return Err(stays);
        }
        // All is applied, so a start would only begin another relay log and remove this one. After a restart of the
        // server, this relay log may be all that shows what was executed.
        if old_is_gone {
            return Ok((facts, is_moving));
        }
        // It may answer and not be able to send its log any more. Then a start would throw away what was fetched.
        // Planning refuses to go on beside it, or lets the replica get that from a new master that has it.
        if channel.would_discard() {
            let most = self.connect.min(OTHERS_PATIENCE);
            let sends = if matches!(facts.old, OldMaster::Answers(_)) {
                check_source(self.replica, channel, Some(self.old_host), most, self.budget)
            } else {
                threads::silent()
            };
            // This question is no part of the patience with replication.
            self.waits_since = self.budget.elapsed();
            if let Err(reason) = sends {
                self.does_not_send = Some(reason);
                return Ok((facts, is_moving));
            }
        }
        // An error that stopped a thread may have passed; if not, it shows again at once.
        if !channel.sql_running || channel.io == IoThread::No {
            log::info!("{}: {}", channel.title(), channel.what_is_wrong());
            step("started replication from the old master", || threads::start(self.replica, &self.channel))?;
            return self.observe();
        }
        if matches!(facts.old, OldMaster::Answers(_))
            && liveness::is_missed(self.replica, channel, self.old_host)?
        {
            step("connected to the old master again", || threads::fetch_again(self.replica, channel))?;
            return self.observe();
        }
        Ok((facts, is_moving))
    }

    /// Refuses if this replica has fetched more of a dead master's log than a new master that is still closed. The new
    /// master will take that over from the replica. If the replica were moved now, it would discard that. Nothing is
    /// stopped meanwhile. From a replica without a log nobody can take it over: that refusal is returned, and its SQL
    /// thread is to be stopped before, as it would be ahead of the new master for ever.
    pub(super) fn leave_tail_to_new(&mut self, facts: &Facts) -> Result<Option<Refusal>, Error> {
        let OldMaster::Silent { host: old, .. } = &facts.old else { return Ok(None) };
        let (replica, new) = (&facts.replica, &facts.new);
        if self.tail == Tail::GivenUp || takes_out("tail-left") {
            return Ok(None);
        }
        self.tail = Tail::Judged;
        if self.errand.is_some() {
            return Ok(None);
        }
        let Some(theirs) = &new.channel else { return self.leave_tail_beside(facts, old) };
        // If the new master has only half of it, it does not have it.
        let has_new = Share::up_to(&mut self.new, theirs, theirs.has_half())?;
        let name = self.channel.clone();
        let read = |server: &mut Server| channel::again(server, &name).map(Some);
        let tail = whole_tail(&has_new, self.replica, &replica.channel.source_uuid, read)?;
        let Some(tail) = tail else { return Ok(None) };
        if self.is_position_sure(&replica.channel) && replica.channel.fetched == replica.channel.applied {
            // Planning judges what it has executed.
            return Ok(None);
        }
        if !new.read_only {
            log::warn!(
                "{} takes writes already; {tail} that only {} has fetched are given up",
                new.host,
                replica.host
            );
            return Ok(None);
        }
        let more = format!(
            "{tail} of {old} (fetched to {})",
            BinlogPosition::shown(replica.channel.fetched.as_ref())
        );
        let known = format!("has fetched to {}", BinlogPosition::shown(theirs.fetched.as_ref()));
        let (host, new) = (replica.host.clone(), new.host.clone());
        if replica.logs_updates {
            return Err(Refusal::NotTakenOverYet { host, new, more, known }.into());
        }
        // It stays until the new master has opened and said what it opens without.
        let start = self.replica.dialect().start(&self.channel, Threads::Sql);
        let why = format!("{host} keeps no log from which {new} could take that over");
        Ok(Some(Refusal::TailOnlyFetched { host, new, more, known, why, start }))
    }

    /// False if equal positions do not show that all is applied: somebody may apply the relay log by hand.
    fn is_position_sure(&self, channel: &Channel) -> bool {
        !workers::may_show_too_much(self.replica, channel) || channel.says_all_is_read()
    }

    /// The same if the new master has no channel from the old one: it takes nothing over.
    fn leave_tail_beside(&mut self, facts: &Facts, old: &str) -> Result<Option<Refusal>, Error> {
        let (replica, is_closed) = (&facts.replica, facts.new.read_only);
        let (host, new, seen) = (replica.host.clone(), facts.new.host.clone(), &replica.channel);
        let to = BinlogPosition::shown(seen.fetched.as_ref());
        let this_host = self.this_host;
        let is_other =
            |from: &Channel| (&from.source_host, from.source_port) != (&this_host.ip, this_host.mysql_port);
        let elsewhere = channel::all(&mut self.new)?.into_iter().next();
        let applies = seen.sql_running && seen.delay == 0 && !seen.has_applied_all();
        // It may replicate from another slave just now, to take over from that slave; or from this replica, and gets
        // what this replica applies.
        let waits = |from: &Channel| is_closed && (is_other(from) || applies);
        if let Some(elsewhere) = elsewhere.filter(waits) {
            let more = format!("fetched the log of {old} to {to}");
            let known = format!("replicates from {} for now", elsewhere.source());
            return Err(Refusal::NotTakenOverYet { host, new, more, known }.into());
        }
        // Planning refuses a thread that has failed.
        let is_sure = self.is_position_sure(seen);
        if is_sure && seen.has_applied_all() || seen.has_failed_on_data() {
            return Ok(None);
        }
        let has_new = Share::of(&mut self.new, &no_channel_from(self.old_host))?;
        let mut has = Share::of(self.replica, seen)?;
        has.is_partly_numbered |= !is_sure;
        if has_new.shows_all_of(&has, seen.source_server_id) {
            return Ok(None);
        }
        let from = BinlogPosition::shown(seen.applied.as_ref());
        if !is_closed {
            log::warn!(
                "{new} takes writes already; what {host} has fetched of {old} and not applied is given up: from {from} to {to}"
            );
            return Ok(None);
        }
        let more = format!("fetched the log of {old} to {to} and applied it to {from}");
        let known = format!("does not replicate from {old}");
        let why = "cannot take the rest over".into();
        let start = self.replica.dialect().start(&self.channel, Threads::Sql);
        Ok(Some(Refusal::TailOnlyFetched { host, new, more, known, why, start }))
    }
}
