//! A peer that lets nobody in: everything that was fetched from it must be applied.

use std::time::{Duration, Instant};

use mmm_core::config::Host;
use mmm_core::mutant::takes_out;
use mmm_core::settings::Survivors;
use mmm_core::{Budget, progress, report, unfinished};

use crate::channel::liveness::{self, Sign};
use crate::channel::threads::{self, LAST_RESORT};
use crate::channel::{self, awaited, workers};
use crate::error::Error;
use crate::gate::asking::{Gate, PAUSE};
use crate::gate::proof::Proof;
use crate::gate::question::Question;
use crate::position::BinlogPosition;
use crate::refusal::Refusal;
use crate::server::dialect::Threads;
use crate::server::{Server, lock};
use crate::status::{Channel, IoThread, Mode, Place};
use crate::survivors::dialled::Dialled;

/// How long an SQL thread that was just started may take to say that it has read its empty relay log. Before that, it
/// shows neither a position nor a state.
const BEGINNING: Duration = Duration::from_millis(500);

impl Gate<'_> {
    /// The peer lets nobody in. It may still be taking writes, as long as its replication connection brings data.
    pub(super) fn unless_alive(&mut self, error: &Error) -> Result<Option<Proof>, Error> {
        let peer = self.peer.name.as_str();
        self.check_silence(error)?;
        log::warn!("{peer}: {error}; what was fetched from it decides");
        report::observe(Some(peer), "does not answer", error);
        self.alone(error)
    }

    /// Refuses while the peer is heard over its replication connection.
    fn check_silence(&mut self, error: &Error) -> Result<(), Error> {
        if takes_out("liveness") {
            return Ok(());
        }
        let silence = self.question.settings.allow_write.silence;
        let (sign, before) = liveness::watched(self.local, &self.channel, self.peer, silence)?;
        let Some(Sign { heard, limit }) = sign else {
            self.silent = before;
            return Ok(());
        };
        let (host, peer, then) =
            (self.local.host().into(), self.peer.name.to_string(), self.question.otherwise.into());
        Err(Refusal::PeerIsAlive { peer, reason: error.to_string(), host, heard, then, limit }.into())
    }

    /// The same check again in a call that has found the peer silent. If the channel had to be watched for that, one
    /// look is enough now: a second watch would leave no time to ask other slaves.
    fn check_still_silent(&mut self, error: &Error) -> Result<(), Error> {
        if let Some(before) = &self.silent
            && liveness::is_unchanged(self.local, &self.channel, self.peer, before)?
        {
            return Ok(());
        }
        self.check_silence(error)
    }

    /// A thread that was just started shows nothing of the peer until it is let in or has an error. True if one of
    /// these has happened. If the peer does not even accept connections, this does not wait.
    fn check_connecting(&mut self, seen: &Channel, error: &Error) -> Result<bool, Error> {
        let limit = self.question.settings.allow_write.silence;
        let since = liveness::connecting_since(self.local)?;
        let Some(since) = since.filter(|since| *since < limit) else { return Ok(false) };
        if !liveness::accepts(self.peer, self.question.budget) {
            return Ok(false);
        }
        if liveness::once_connected(self.local, seen)?.is_some() {
            return Ok(true);
        }
        let sign = format!("the I/O thread of {} has been connecting for {since:.0?}", self.local.host());
        let (peer, reason) = (self.peer.name.to_string(), error.to_string());
        let then = self.question.otherwise.into();
        Err(Refusal::PeerMayBeAlive { peer, reason, sign, then, limit }.into())
    }

    /// The peer is silent: everything that was fetched must be applied, up to the last complete transaction. `None` if
    /// the peer has to be asked again.
    fn alone(&mut self, error: &Error) -> Result<Option<Proof>, Error> {
        let started = Instant::now();
        let (host, peer) = (self.local.host(), &self.peer.name);
        let mut face = progress::waiting(format!(
            "waiting for {host} to apply what it fetched from {peer}, which is unreachable"
        ));
        loop {
            if takes_out("drained") {
                return self.beside_survivors(error);
            }
            let first = channel::again(self.local, &self.channel)?;
            let idle = first.has_applied_all()
                && !workers::apply_what_is_shown(self.local, &first)?
                && !workers::are_busy(self.local, &first)?
                && !workers::may_apply_older(self.local, &first)?;
            if idle && self.dialled.is_none() && self.question.survivors() != Survivors::Off {
                // The log-ins at other slaves take no longer than the pause.
                let Question { settings, budget, .. } = self.question;
                self.dialled = Some(Dialled::start(self.config, self.peer, settings.limits.connect, budget));
            }
            self.question.budget.pause(PAUSE);
            let second = channel::again(self.local, &self.channel)?;
            face.left(awaited::bytes(second.applied.as_ref(), second.fetched.as_ref(), &[]));
            if idle && second.has_applied_all() && first.applied == second.applied {
                // It may have come back meanwhile, or only have been slow.
                if second.io == IoThread::Yes {
                    self.check_still_silent(error)?;
                }
                if liveness::is_connecting(&second) && self.check_connecting(&second, error)? {
                    continue;
                }
                let is_whole = second.fetched == second.applied || self.forget_half(&second)?;
                if is_whole {
                    return self.beside_survivors(error);
                }
                continue;
            }
            // A call that does not wait starts the threads, too, and says then what it finds.
            if self.would_wake && (self.question.wait || !second.sql_running) {
                return Ok(Some(Proof::ToBeApplied(second.fetched)));
            }
            if !second.sql_running {
                return Err(Refusal::NotRunning {
                    host: self.local.host().into(),
                    peer: self.peer.name.to_string(),
                    reason: second.what_is_wrong(),
                    then: self.question.otherwise.into(),
                }
                .into());
            }
            let is_unsure = second.fetched.is_none() || workers::shows_too_much(self.local, &second);
            let begins = is_unsure && started.elapsed() < BEGINNING;
            if !(self.question.wait || begins) || self.question.budget.is_spent() {
                let target = second.fetched.clone().unwrap_or_else(|| BinlogPosition::new("unknown", 0));
                return Err(self.not_applied(&second, "what was fetched".into(), &target));
            }
        }
    }

    /// Ends half a transaction. It would never end by itself, and its locks would keep clients from its rows. If the
    /// peer comes back, it is fetched again. False if more has come meanwhile.
    fn forget_half(&mut self, seen: &Channel) -> Result<bool, Error> {
        lock::take(self.local)?;
        self.local.use_budget(self.local.budget().uninterrupted());
        let dialect = self.local.dialect();
        if report::is_dry_run() {
            let place = Place::of(seen);
            let (stop, start) =
                (dialect.stop(&seen.name, Threads::Both), dialect.start(&seen.name, Threads::Both));
            self.local.execute_all(&[stop, dialect.rewind(&seen.name, &place), start]).1?;
            return Ok(true);
        }
        let (host, name) = (self.config.this_host().clone(), seen.name.clone());
        unfinished::begun(move || match start_anew(&host, &name) {
            Ok(()) => log::warn!("replication was started again"),
            Err(error) => log::error!("replication may be stopped ({error}): run turn_on_slave there"),
        });
        let ended = self.end_half(seen);
        if ended.is_err() {
            // Without its I/O thread, this host would get nothing from a peer that comes back.
            let restarted = start_again(self.local, &seen.name)
                .or_else(|_| start_anew(self.config.this_host(), &seen.name));
            if let Err(error) = restarted {
                log::error!("replication may be stopped ({error}): run turn_on_slave there");
            }
        }
        unfinished::done();
        ended
    }

    fn end_half(&mut self, seen: &Channel) -> Result<bool, Error> {
        let dialect = self.local.dialect();
        // First the I/O thread alone: what it has fetched completely by then will be applied.
        threads::stop_fetching(self.local, &seen.name)?;
        let is_ended = threads::end_half(self.local, &seen.name)?;
        let channel = channel::again(self.local, &seen.name)?;
        let is_whole = channel.fetched == channel.applied;
        if !is_ended && (is_whole || channel.fetched != seen.fetched || !channel.has_applied_all()) {
            threads::start(self.local, &seen.name)?;
            return Ok(is_whole);
        }
        log::warn!(
            "{} sent half a transaction before it fell silent ({} of {}); it is not applied",
            self.peer.name,
            BinlogPosition::shown(channel.applied.as_ref()),
            BinlogPosition::shown(channel.fetched.as_ref())
        );
        // Together, so that nothing stays stopped if this process is killed between them; a file and position is
        // exact only once the SQL thread has stopped.
        let mut statements = vec![dialect.stop(&seen.name, Threads::Sql)];
        let mut place = Place::Gtid(channel.mode);
        if channel.mode == Mode::FilePosition {
            self.local.execute(&statements.remove(0))?;
            place = Place::of(&channel::again(self.local, &seen.name)?);
        }
        statements.extend([dialect.rewind(&seen.name, &place), dialect.start(&seen.name, Threads::Both)]);
        self.local.execute_all(&statements).1?;
        Ok(true)
    }
}

/// Starts the threads of a channel over a connection of its own.
fn start_anew(host: &Host, channel: &str) -> Result<(), Error> {
    let mut server = Server::connect(host, LAST_RESORT, Budget::start(Some(LAST_RESORT)))?;
    start_again(&mut server, channel)
}

/// Starts the threads of a channel from a silent peer, unless that would discard what was fetched.
fn start_again(server: &mut Server, channel: &str) -> Result<(), Error> {
    let now = channel::again(server, channel)?;
    if now.has_failed_on_data() {
        threads::check_backlog(server.host(), &now, &now.source(), threads::silent())?;
    }
    threads::start(server, channel)
}
