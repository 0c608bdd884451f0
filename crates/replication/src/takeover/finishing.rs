//! Executes a survivor's log to the noted end, and goes back to the old master.

use std::time::Duration;

use mmm_core::config::Host;
use mmm_core::event::{self, Change};
use mmm_core::marker::Marker;
use mmm_core::settings::Survivors;
use mmm_core::{Budget, progress};

use crate::binlog::end::log_end;
use crate::binlog::resend::check_source;
use crate::channel::{self, Chosen, liveness, threads, workers};
use crate::error::Error;
use crate::gtid::{GtidPosition, GtidState};
use crate::position::BinlogPosition;
use crate::server::Server;
use crate::server::dialect::Threads;
use crate::server::patience::OTHERS_PATIENCE;
use crate::status::{Channel, IoThread, Mode};
use crate::survivors::note::{Note, Standing};
use crate::survivors::pursuit::Pursuit;
use crate::survivors::{Logged, channel_from, seen};
use crate::takeover::outcome::Outcome;
use crate::takeover::way_back::{attach_to_peer, change_back};

/// Pause between two looks.
const PAUSE: Duration = Duration::from_millis(10);
/// How long the I/O thread may fail to reach a survivor before the survivor itself is asked.
const LOST: Duration = Duration::from_millis(1500);
/// Pause before a survivor is asked again where its log ends.
const AGAIN: Duration = Duration::from_millis(500);
/// The least time in which to stop replication, and to start it again from the old master.
const GOING_BACK: Duration = Duration::from_millis(700);
/// Pause before it is noted again that a survivor sends.
const RENEWAL: Duration = Duration::from_secs(1);

/// Waits until this host has executed the survivor's log to the end that is noted, and points it back.
pub(super) fn finish(
    local: &mut Server,
    marker: Marker,
    note: Note,
    pursuit: Pursuit,
) -> Result<Outcome, Error> {
    let Pursuit { config, budget, .. } = pursuit;
    local.use_budget(budget);
    let survivor = config.host(&note.survivor);
    let peer = config.peer()?;
    let mut finishing = Finishing {
        local,
        marker,
        note,
        peer,
        survivor,
        pursuit,
        lost: None,
        has_started: false,
        is_silent: false,
        has_tried_again: false,
        looked: None,
        renewed: None,
    };
    finishing.carry_out()
}

struct Finishing<'a> {
    local: &'a mut Server,
    marker: Marker,
    note: Note,
    peer: &'a Host,
    survivor: Option<&'a Host>,
    pursuit: Pursuit<'a>,
    /// Since when the I/O thread has not reached the survivor.
    lost: Option<Duration>,
    /// True if this call has started it. If the thread was found stopped, its error may be about the old master:
    /// servers keep an error over CHANGE MASTER.
    has_started: bool,
    /// True if it was told to try again, because the survivor answers.
    has_tried_again: bool,
    /// When the end of the survivor's log was last looked for again.
    looked: Option<Duration>,
    /// True if the connection still exists but nothing comes over it any more.
    is_silent: bool,
    /// When it was last noted that the survivor sends, and this host's position then.
    renewed: Option<(Duration, Option<BinlogPosition>)>,
}

impl Finishing<'_> {
    fn carry_out(&mut self) -> Result<Outcome, Error> {
        let _face = progress::waiting(format!(
            "waiting for {} to take over what only {} has",
            self.local.host(),
            self.note.survivor
        ));
        loop {
            let all = channel::all(self.local)?;
            let Some(now) = all.into_iter().find(|channel| channel.name == self.note.channel) else {
                log::warn!("somebody has removed the channel '{}'", self.note.channel);
                self.marker.remove();
                return Ok(Outcome::Done);
            };
            if self.is_of(&now, Some(self.peer))? {
                // The CHANGE was never sent, or the channel was already pointed back. If nothing was changed, nothing
                // was applied.
                self.start_from_peer(&now)?;
                return Ok(Outcome::Done);
            }
            if !self.is_of(&now, self.survivor)? {
                log::warn!("{}: somebody else has pointed it at {}", now.title(), now.source());
                self.marker.remove();
                return Ok(Outcome::Done);
            }
            if self.is_set_aside(&now) {
                // What it applies is not given up while it applies that.
                let is_at_work = !now.has_applied_all() || workers::apply_what_is_shown(self.local, &now)?;
                if now.sql_running && is_at_work {
                    return Err(self.still("it applies what it has fetched, by file and position".into()));
                }
                return Ok(self.stuck(if now.sql_running {
                    "it has applied what it had fetched; then: STOP SLAVE; CHANGE MASTER TO MASTER_USE_GTID=slave_pos".into()
                } else {
                    format!("somebody has it apply what it has fetched, by file and position: {}", now.what_is_wrong())
                }));
            }
            self.look_for_end_again(&now)?;
            let executed = self.executed()?;
            if self.note.has_all(&now, &executed) {
                return self.go_back_with_all().map(|()| Outcome::Done);
            }
            self.note_sign_of_life(&now)?;
            if let Some(why) = self.is_lost(&now)? {
                return self.give_up(&now, why);
            }
            if let Some(why) = self.why_not_start(&now) {
                return Ok(self.stuck(why));
            }
            self.keep_running(&now)?;
            if self.pursuit.budget.part(85).is_spent() || !self.local.budget().pause(PAUSE) {
                return Err(self.still(format!(
                    "it has executed the log of {} to {}",
                    self.note.survivor,
                    BinlogPosition::shown(now.applied.as_ref())
                )));
            }
        }
    }

    fn is_of(&self, channel: &Channel, host: Option<&Host>) -> Result<bool, Error> {
        let Some(host) = host else { return Ok(false) };
        let is_old = (&self.note.host, self.note.port) == (&channel.source_host, channel.source_port);
        if is_old {
            return Ok(host.name == self.peer.name);
        }
        let found = self.pursuit.config.host_at(&channel.source_host, channel.source_port)?;
        Ok(found.is_some_and(|found| found.name == host.name))
    }

    /// What this host has executed by GTID.
    fn executed(&mut self) -> Result<String, Error> {
        Ok(self.local.one(self.local.dialect().applied_gtids())?.text("gtids").into())
    }

    /// By file and position, a thread that its server restarted continues beyond the noted end. Once it has reached the
    /// end of the survivor's log, both hosts are again at one position in the old master's log.
    fn look_for_end_again(&mut self, now: &Channel) -> Result<(), Error> {
        let (Some(survivor), Some(applied), Some(end)) = (self.survivor, &now.applied, &self.note.end) else {
            return Ok(());
        };
        if self.note.mode != Mode::FilePosition || applied == end || !applied.has_reached(end) {
            return Ok(());
        }
        let elapsed = self.local.budget().elapsed();
        if self.looked.is_some_and(|looked| elapsed.saturating_sub(looked) < AGAIN) {
            return Ok(());
        }
        self.looked = Some(elapsed);
        let budget = self.pursuit.budget;
        let Ok(mut server) = Server::connect(survivor, OTHERS_PATIENCE, budget) else { return Ok(()) };
        server.use_budget(Budget::start(Some(budget.share(OTHERS_PATIENCE))));
        let before = log_end(&mut server)?;
        let no_id = Channel { source_server_id: 0, source_uuid: String::new(), ..now.clone() };
        let theirs = channel_from(&mut server, self.pursuit.config, self.peer, &no_id)?;
        let Some(theirs) = theirs else { return Ok(()) };
        let is_at_rest = theirs.fetched == theirs.applied && log_end(&mut server)? == before;
        if is_at_rest && before.as_ref() == Some(applied) {
            log::warn!("it has executed the log of {} beyond what was noted, to {applied}", survivor.name);
            self.note.end.clone_from(&before);
            self.note.back.clone_from(&theirs.applied);
            if let Err(error) = self.marker.write(&self.note.to_text()) {
                log::warn!("{}: {error}", self.marker.path().display());
            }
        }
        Ok(())
    }

    /// The time for which a survivor is waited for counts from its last sign of life, not from the beginning of a long
    /// takeover.
    fn note_sign_of_life(&mut self, now: &Channel) -> Result<(), Error> {
        let elapsed = self.pursuit.budget.elapsed();
        let earlier = self.renewed.as_ref();
        if now.io != IoThread::Yes || earlier.is_some_and(|(at, _)| elapsed.saturating_sub(*at) < RENEWAL) {
            return Ok(());
        }
        let silence = self.pursuit.settings.allow_write.silence;
        self.is_silent = match self.survivor {
            Some(host) => liveness::of_source(self.local, &now.name, host, silence)?.is_none(),
            None => false,
        };
        if self.is_silent {
            return Ok(());
        }
        let moves = earlier.is_some_and(|(_, place)| *place != now.applied);
        seen::renew(self.pursuit.config.this_host(), &self.note.survivor, moves);
        self.renewed = Some((elapsed, now.applied.clone()));
        Ok(())
    }

    /// Why nothing more will come from the survivor for now, once what came is applied.
    fn is_lost(&mut self, now: &Channel) -> Result<Option<String>, Error> {
        if now.has_failed_on_data() {
            return Ok(Some(now.what_is_wrong()));
        }
        let elapsed = self.local.budget().elapsed();
        let is_heard = if now.io == IoThread::Yes { !self.is_silent } else { now.io_error.is_none() };
        let is_found_stopped = now.io == IoThread::No && !self.has_started;
        if is_heard || is_found_stopped {
            self.lost = None;
            return Ok(None);
        }
        let since = *self.lost.get_or_insert(elapsed);
        let is_applied = now.has_applied_all() && !workers::are_busy(self.local, now)?;
        if !is_applied || elapsed.saturating_sub(since) < LOST.min(self.pursuit.budget.share(LOST)) {
            return Ok(None);
        }
        // The survivor may only have been away for a moment, but the I/O thread sleeps for a minute now.
        let answers =
            self.survivor.is_some_and(|host| Server::answers(host, OTHERS_PATIENCE, self.pursuit.budget));
        if answers && !self.has_tried_again {
            self.has_tried_again = true;
            self.lost = None;
            threads::fetch_again(self.local, now)?;
            return Ok(None);
        }
        Ok(Some(if now.io == IoThread::Yes {
            format!("{} has fallen silent", self.note.survivor)
        } else {
            now.what_is_wrong()
        }))
    }

    /// The survivor sends no more: goes back to the old master, at a position that is exact.
    fn give_up(&mut self, now: &Channel, why: String) -> Result<Outcome, Error> {
        log::error!("{} cannot take over more from {}: {why}", self.local.host(), self.note.survivor);
        let is_by_gtid = self.note.mode != Mode::FilePosition;
        let executed = self.executed()?;
        if is_by_gtid || self.note.standing(now, &executed) == Standing::AtBegin {
            self.go_back()?;
            return Ok(Outcome::CutShort(why));
        }
        // What this host executed last shows its position in the log of the old master, if the old master answers by
        // now.
        let Pursuit { config, settings, budget, .. } = self.pursuit;
        if let Some(survivor) = self.survivor
            && Server::answers(self.peer, OTHERS_PATIENCE, budget)
        {
            let chosen = Chosen { channel: now.clone(), source: survivor };
            attach_to_peer(self.local, config, &chosen, self.peer, settings, budget)?;
            self.marker.remove();
            return Ok(Outcome::CutShort(why));
        }
        Ok(self.stuck(why))
    }

    fn stuck(&self, reason: String) -> Outcome {
        Outcome::Stuck { survivor: self.note.survivor.clone(), reason }
    }

    /// True if somebody lets a MariaDB that continues by GTID apply what it has fetched, as a refusal says. From that
    /// CHANGE MASTER on, the status shows all that was fetched as applied, until the SQL thread has applied something.
    fn is_set_aside(&self, now: &Channel) -> bool {
        matches!(self.note.mode, Mode::SlavePos | Mode::CurrentPos) && now.mode == Mode::FilePosition
    }

    /// Why a start would throw away what only this host's relay log has: the survivor does not send that again.
    fn why_not_start(&mut self, now: &Channel) -> Option<String> {
        if !now.would_discard() || now.has_failed_on_data() {
            return None;
        }
        let Pursuit { settings, budget, .. } = self.pursuit;
        let most = settings.limits.connect.min(OTHERS_PATIENCE);
        let mut sends = check_source(self.local, now, self.survivor, most, budget);
        if sends.is_err() && self.is_elsewhere(now) {
            sends = Ok(());
        }
        // With the others, this host is opened without that, and what would apply it is gone with its relay log.
        if settings.allow_write.survivors != Survivors::Require {
            return sends.err();
        }
        let refused = threads::check_backlog(self.local.host(), now, &self.note.survivor, sends);
        refused.err().map(|refusal| refusal.to_string())
    }

    /// True if another slave has executed all that this host has fetched by GTID: this host can get it from there.
    fn is_elsewhere(&self, now: &Channel) -> bool {
        let Pursuit { config, settings, budget, .. } = self.pursuit;
        let fetched = now.fetched_gtids.parse::<GtidPosition>().unwrap_or_default();
        let asked_already = [config.this().as_str(), self.peer.name.as_str(), self.note.survivor.as_str()];
        let from_old = Channel {
            source_host: self.note.host.clone(),
            source_port: self.note.port,
            source_server_id: 0,
            source_uuid: String::new(),
            ..now.clone()
        };
        let has_all = |host: &Host| {
            let budget = Budget::start(Some(budget.share(OTHERS_PATIENCE)));
            let server = Server::connect(host, settings.limits.connect.min(OTHERS_PATIENCE), budget);
            // From a slave of another master nothing is taken over.
            let logged = server.and_then(|mut server| {
                let theirs = channel_from(&mut server, config, self.peer, &from_old)?;
                theirs.map(|_| Logged::of(&mut server)).transpose()
            });
            let logged = logged.ok().flatten();
            let state = logged.and_then(|logged| logged.variables.parsed::<GtidState>("binlog_state").ok());
            state.is_some_and(|state| fetched.iter().all(|gtid| state.includes(gtid)))
        };
        let mut others = config.hosts().iter().filter(|host| !asked_already.contains(&host.name.as_str()));
        !fetched.is_empty() && others.any(has_all)
    }

    /// Starts what a killed call or a restart of the server left stopped.
    fn keep_running(&mut self, now: &Channel) -> Result<(), Error> {
        if now.has_failed_on_data() || now.sql_running && now.io != IoThread::No {
            return Ok(());
        }
        if now.io == IoThread::No && now.io_error.is_some() && self.lost.is_some() {
            return Ok(());
        }
        self.has_started = true;
        let dialect = self.local.dialect();
        let start = match &self.note.end {
            Some(end) if self.note.mode == Mode::FilePosition => {
                // It must not execute anything beyond that position, and the server forgets the UNTIL condition when
                // the thread stops.
                let statement = dialect.start_until(&now.name, Threads::Both, end);
                if now.io != IoThread::No {
                    threads::stop_fetching(self.local, &now.name)?;
                }
                statement
            }
            _ => dialect.start(&now.name, Threads::Both),
        };
        self.local.execute(&start)
    }

    fn start_from_peer(&mut self, now: &Channel) -> Result<(), Error> {
        threads::check_backlog(self.local.host(), now, self.peer.name.as_str(), threads::silent())?;
        if !now.sql_running || now.io == IoThread::No {
            threads::start(self.local, &now.name)?;
        }
        self.marker.remove();
        Ok(())
    }

    fn go_back_with_all(&mut self) -> Result<(), Error> {
        let (this, survivor) = (self.pursuit.config.this_host(), self.note.survivor.clone());
        let tail = if event::is_on() { seen::read(this, &survivor).map(|seen| seen.tail) } else { None };
        seen::forget(this, &survivor);
        self.go_back()?;
        event::note(|| Change::TailFetched { survivor, tail });
        Ok(())
    }

    fn go_back(&mut self) -> Result<(), Error> {
        if self.pursuit.budget.share(GOING_BACK) < GOING_BACK {
            return Err(self.still("it has all, and too little time is left to go back".into()));
        }
        self.local.use_budget(self.pursuit.budget.uninterrupted());
        let stopped = threads::stop(self.local, &self.note.channel)?;
        let executed = self.executed()?;
        let Some(place) = self.note.way_back(&stopped, &executed) else {
            return Err(self.still(format!(
                "it has executed the log of {} to {}, which is not what was noted",
                self.note.survivor,
                BinlogPosition::shown(stopped.applied.as_ref())
            )));
        };
        change_back(self.local, self.pursuit.config, &self.note, &place)?;
        self.marker.remove();
        Ok(())
    }

    pub(super) fn still(&self, state: String) -> Error {
        self.pursuit.still(&self.note.survivor, state)
    }
}
