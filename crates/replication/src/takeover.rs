//! Takes over from a surviving slave what only that has of a dead master's log, before this host opens
//! (docs/FAILOVER.md, 5.2).
//!
//! This host's one channel is pointed at the survivor, executes its log to the end, and is pointed back at the old
//! master: by GTID in the mode that it had, by file and position behind what it then has. A file says so before; a
//! call that is killed leaves one of three states (not yet changed, at the survivor, changed back), and the next call
//! of any helper ends well from whichever it finds.

use std::cmp::Ordering;
use std::time::Duration;

use mmm_core::config::{Config, Host};
use mmm_core::journal::step;
use mmm_core::marker::Marker;
use mmm_core::settings::{Settings, Survivors};
use mmm_core::{Budget, progress};

use crate::attach;
use crate::attach::observe::Old;
use crate::binlog::end::log_end;
use crate::binlog::files::{FIRST_EVENT, log_files};
use crate::binlog::pages::{each_event_behind, is_of};
use crate::channel::{self, Chosen, liveness, threads};
use crate::errno::NO_EVENT_THERE;
use crate::error::Error;
use crate::facts::OldMaster;
use crate::gtid::{Gtid, GtidPosition, GtidSet, GtidState};
use crate::position::BinlogPosition;
use crate::record::Record;
use crate::refusal::Refusal;
use crate::server::dialect::{Flavour, Target, Threads};
use crate::server::patience::OTHERS_PATIENCE;
use crate::server::{Server, lock};
use crate::status::{Channel, IoThread, Mode, Place};
use crate::survivors::errand::Errand;
use crate::survivors::note::{Note, Standing, marker_of};
use crate::survivors::share::{Share, whole_tail};
use crate::survivors::{Survivor, channel_from};

pub use crate::survivors::pursuit::Pursuit;
pub use crate::survivors::seen;

/// Pause between two looks.
const PAUSE: Duration = Duration::from_millis(10);
/// How long the I/O thread may fail to reach a survivor before that is asked itself.
const LOST: Duration = Duration::from_millis(1500);
/// Pause before a survivor is asked again where its log ends.
const AGAIN: Duration = Duration::from_millis(500);
/// The least time in which to stop replication, and to start it again from the old master.
const GOING_BACK: Duration = Duration::from_millis(700);
/// Pause before it is noted again that a survivor sends.
const RENEWAL: Duration = Duration::from_secs(1);
/// A binary log that no server has.
const NO_PLACE: &str = "taken-over-in-part.000001";

/// What pursuing a survivor's tail came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// What only the survivor has is no whole transaction.
    Nothing,
    /// This host has got further meanwhile, by another call for instance: all has to be looked at again.
    Changed,
    /// This host replicates from the old master again, and has what it was to get.
    Done,
    /// It replicates from the old master again; the survivor fell silent before all had come.
    CutShort(String),
    /// The survivor fell silent while this host had only a part of it, and nothing tells where in the old master's log
    /// that ends.
    Stuck {
        /// The survivor.
        survivor: String,
        /// What became of it.
        reason: String,
    },
}

/// Lets `local` fetch from `survivor` what it lacks. `chosen` is its channel from the old master, which is silent.
/// An error that is worth another try comes as [`Refusal::StillTakingOver`].
pub fn take_over(
    local: &mut Server,
    chosen: &Chosen,
    survivor: &Survivor,
    silence: &Error,
    pursuit: Pursuit,
) -> Result<Outcome, Error> {
    let Pursuit { config, settings, budget, .. } = pursuit;
    lock::take(local)?;
    let now = channel::again(local, &chosen.channel.name)?;
    if now.source() != chosen.channel.source() {
        let state = format!("another call has pointed it at {}", now.source());
        return Err(pursuit.still(survivor.host.name.as_str(), state));
    }
    if now.applied != chosen.channel.applied {
        return Ok(Outcome::Changed);
    }
    let most = settings.limits.connect.min(OTHERS_PATIENCE);
    let mut server = Server::connect(survivor.host, most, budget)?;
    server.use_budget(budget.part(90));
    // Its own set_active_master waits meanwhile. The lock ends with this connection.
    lock::take(&mut server)?;
    let own = Share::of(local, &chosen.channel)?;
    let read = |server: &mut Server| channel::again(server, &survivor.channel.name).map(Some);
    if whole_tail(&own, &mut server, &chosen.channel.source_uuid, read)?.is_none() {
        log::info!("what only {} has is no whole transaction", survivor.host.name);
        return Ok(Outcome::Nothing);
    }
    check_not_open_since(local, &mut server, chosen, survivor, pursuit)?;
    catch_up(&mut server, chosen, survivor, pursuit)?;
    let old =
        Old::Failed(OldMaster::Silent { host: chosen.source.name.to_string(), reason: silence.to_string() });
    let this = config.this_host();
    let errand = Errand::new(survivor, chosen, pursuit);
    let (moved, errand) = attach::borrow(local, this, chosen, survivor.host, old, errand, settings, budget);
    let Some((marker, note)) = errand.and_then(Errand::into_marker) else {
        // Nothing was changed.
        return moved.map(|()| Outcome::Done);
    };
    if let Err(error) = &moved {
        log::warn!("{error}");
    }
    let outcome = finish(local, marker, note, pursuit)?;
    match (outcome, moved) {
        (Outcome::Done, Err(error)) => Err(error),
        (outcome, _) => Ok(outcome),
    }
}

/// Refuses where this host has taken writes that the survivor does not have: what that alone has is older than these, and
/// would overwrite them.
fn check_not_open_since(
    local: &mut Server,
    server: &mut Server,
    chosen: &Chosen,
    survivor: &Survivor,
    pursuit: Pursuit,
) -> Result<(), Error> {
    let (ours, theirs) =
        (local.one(&local.dialect().variables())?, server.one(&server.dialect().variables())?);
    let id = ours.number("server_id").unwrap_or(0);
    let own = match local.dialect().flavour() {
        // What was replicated after it may hide that it came after the old master's end.
        Flavour::MariaDb => match own_that_lacks(&ours, &theirs)
            .map_err(|column| server.unexpected("SELECT @@…", column))?
        {
            Some((gtid, true)) => Some(gtid.to_string()),
            Some((_, false)) => match seen::opened(pursuit.config.this_host()) {
                Some(opened) => own_behind(local, &opened.end, id)?,
                None => None,
            },
            None => None,
        },
        Flavour::MySql if ours.text("gtid_mode") == "ON" && theirs.text("gtid_mode") == "ON" => {
            let uuid = ours.text("server_uuid").to_string();
            let set = |row: &Record, server: &Server| {
                row.text("executed")
                    .parse::<GtidSet>()
                    .map_err(|_| server.unexpected("SELECT @@…", "executed"))
            };
            let own = set(&ours, local)?
                .filtered(|of| of.eq_ignore_ascii_case(&uuid))
                .without(&set(&theirs, server)?);
            (!own.is_empty()).then(|| own.to_string())
        }
        Flavour::MySql => own_since_opened(local, pursuit.config.this_host(), &chosen.channel, id)?,
    };
    let Some(own) = own else { return Ok(()) };
    let reason = format!("{} has taken writes since ({own}), which are newer", pursuit.config.this());
    Err(pursuit.unfit(survivor.host.name.as_str(), reason))
}

/// MariaDB: the last group of this host's own in a domain that the survivor, by what either says of itself, has not got;
/// and whether it is the newest there. Nothing where it has got all.
fn own_that_lacks(ours: &Record, theirs: &Record) -> Result<Option<(Gtid, bool)>, &'static str> {
    let id = ours.number("server_id").unwrap_or(0);
    let logged: GtidState = ours.parsed("binlog_state")?;
    let newest: GtidPosition = ours.parsed("binlog_pos")?;
    let replicated: GtidPosition = ours.parsed("slave_pos")?;
    let their_state: GtidState = theirs.parsed("binlog_state")?;
    let theirs: GtidPosition = theirs.parsed("slave_pos")?;
    let logs_all = ours.is_on("log_slave_updates");
    let lacks = |gtid: &Gtid| {
        // A log that was begun anew knows nothing older. The number of another server's group tells nothing of this one.
        let is_there = their_state.includes(*gtid)
            || theirs
                .get(gtid.domain)
                .is_some_and(|last| last.server == gtid.server && last.sequence >= gtid.sequence);
        u64::from(gtid.server) == id && !is_there
    };
    let is_newest = |gtid: Gtid| {
        // A host that does not log what it replicates counts it, and gives its own the next number.
        let is_followed =
            !logs_all && replicated.get(gtid.domain).is_some_and(|last| last.sequence >= gtid.sequence);
        newest.get(gtid.domain) == Some(gtid) && !is_followed
    };
    let own = logged.iter().filter(lacks).map(|gtid| (gtid, is_newest(gtid)));
    Ok(own.max_by_key(|(_, is_newest)| *is_newest))
}

/// To be called before a host is opened beside a dead master.
pub fn note_opening(local: &mut Server, config: &Config) -> Result<(), Error> {
    let applied = channel::all(local)?.into_iter().next().and_then(|channel| channel.applied);
    if let (Some(end), Some(applied)) = (log_end(local)?, applied) {
        let opened = seen::Opened { end, applied: applied.to_string() };
        seen::note_opened(config.this_host(), &opened);
    }
    Ok(())
}

/// Without GTIDs: the place of something that this host wrote itself since it was opened beside the same dead master.
fn own_since_opened(
    local: &mut Server,
    this: &Host,
    channel: &Channel,
    id: u64,
) -> Result<Option<String>, Error> {
    let is_of_this = |opened: &seen::Opened| opened.applied == Refusal::place(channel.applied.as_ref());
    let Some(seen::Opened { end, .. }) = seen::opened(this).filter(is_of_this) else { return Ok(None) };
    own_behind(local, &end, id)
}

/// The place of something that this host wrote itself after `end`; nothing where its log was begun anew since.
fn own_behind(local: &mut Server, end: &BinlogPosition, id: u64) -> Result<Option<String>, Error> {
    let mut own = None;
    let files = log_files(local)?;
    // The file may have been purged.
    let oldest = files.first().map(|file| BinlogPosition::new(file, FIRST_EVENT));
    let end = &oldest.filter(|oldest| oldest.compare(end) == Some(Ordering::Greater)).unwrap_or(end.clone());
    let read = each_event_behind(local, &files, end, "what it wrote itself", |file, row| {
        own = is_of(row, Some(id)).then(|| format!("{file}:{}", row.text("Pos")));
        own.is_some()
    });
    match read {
        Err(Error::Query { code: NO_EVENT_THERE, message, .. }) => {
            log::info!("{} was opened at {end} of another log than it has now: {message}", local.host());
            Ok(None)
        }
        read => read.map(|()| own),
    }
}

/// Lets a survivor whose SQL thread was stopped, by its own `set_active_master` for instance, apply the old master's log
/// up to where this host stands: no further, so that it can still be attached here if nothing comes of this.
fn catch_up(
    server: &mut Server,
    chosen: &Chosen,
    survivor: &Survivor,
    pursuit: Pursuit,
) -> Result<(), Error> {
    let name = &survivor.channel.name;
    let theirs = channel::again(server, name)?;
    let new = survivor.host.name.as_str();
    if theirs.delay > 0 && !theirs.has_applied_all() {
        let reason = format!("it applies with a delay of {} s (MASTER_DELAY)", theirs.delay);
        return Err(pursuit.unfit(new, reason));
    }
    if theirs.has_failed_on_data() {
        return Err(pursuit.unfit(new, theirs.what_is_wrong()));
    }
    if theirs.sql_running || theirs.has_applied_all() {
        return Ok(());
    }
    threads::check_backlog(new, &theirs, chosen.source.name.as_str(), false)?;
    let (Some(ours), Some(applied)) = (&chosen.channel.applied, &theirs.applied) else { return Ok(()) };
    if applied.has_reached(ours) {
        return Ok(());
    }
    let what = format!("let {new} apply up to {ours}");
    step(&what, || {
        let statement = server.dialect().start_until(name, Threads::Sql, ours);
        server.execute(&statement)?;
        loop {
            let now = channel::again(server, name)?;
            if now.applied.as_ref().is_some_and(|applied| applied.has_reached(ours)) {
                return Ok(());
            }
            if now.has_failed_on_data() {
                return Err(pursuit.unfit(new, now.what_is_wrong()));
            }
            if !server.budget().pause(PAUSE) {
                return Err(pursuit.still(new, format!("{new} has not yet applied the log up to {ours}")));
            }
        }
    })
}

/// True where a killed call has left something of a takeover. Costs one failed `open` where there is nothing.
pub fn is_left(this: &Host) -> bool {
    Marker::left_behind(&marker_of(this)).is_some()
}

/// Ends what a killed call has left of a takeover. Costs one failed `open` where there is nothing.
pub fn resume(local: &mut Server, pursuit: Pursuit) -> Result<Option<Outcome>, Error> {
    resume_on(local, pursuit, false)
}

/// The same on a host that has just been closed, and `was_open` before.
pub fn resume_on(local: &mut Server, pursuit: Pursuit, was_open: bool) -> Result<Option<Outcome>, Error> {
    let path = marker_of(pursuit.config.this_host());
    if Marker::is_in_use(&path) {
        // Its call holds the lock until it is done.
        lock::take(local)?;
    }
    let Some((mut marker, text)) = Marker::leftover(&path) else { return Ok(None) };
    let Some(note) = Note::from_text(&text) else {
        log::error!("{} says nothing that is understood: {text}; it is removed", path.display());
        marker.remove();
        return Ok(None);
    };
    let now = channel::all(local)?.into_iter().find(|channel| channel.name == note.channel);
    if note.is_open && now.as_ref().is_some_and(waits_nowhere) {
        drop(marker);
        return find_way_back(local, pursuit).map(|()| Some(Outcome::Done));
    }
    log::warn!("an earlier call was ended while {} took over from {}", local.host(), note.survivor);
    // This call's from now on.
    if let Err(error) = marker.write(&text) {
        log::warn!("{}: {error}", path.display());
    }
    lock::take(local)?;
    if note.is_open || was_open || !local.one("SELECT @@read_only AS read_only")?.is_on("read_only") {
        drop(marker);
        log::error!("{} was opened: what it has not taken over by now, it never will", local.host());
        abandon(local, pursuit.config)?;
        return find_way_back(local, pursuit).map(|()| Some(Outcome::Done));
    }
    finish(local, marker, note, pursuit).map(Some)
}

/// The way back by what this host executed last. The old master, which may be closed, takes nothing over from it.
fn attach_to_peer(
    local: &mut Server,
    config: &Config,
    chosen: &Chosen,
    peer: &Host,
    settings: &Settings,
    budget: Budget,
) -> Result<(), Error> {
    let mut settings = settings.clone();
    settings.allow_write.survivors = Survivors::Off;
    attach::attach(local, config.this_host(), chosen, peer, &settings, budget)
}

/// True where a channel was pointed at a place that does not exist.
fn waits_nowhere(channel: &Channel) -> bool {
    channel.applied.as_ref().is_some_and(|place| place.file == NO_PLACE)
}

/// The survivor of whose tail this host has a part, where the rest was given up for writes to be opened and its `channel`
/// waits for the old master. Costs one failed `open` where that is not so.
pub fn given_up(this: &Host, channel: &Channel) -> Option<String> {
    let note = Marker::noted(&marker_of(this)).and_then(|text| Note::from_text(&text));
    note.filter(|note| note.is_open && waits_nowhere(channel)).map(|note| note.survivor)
}

/// Where this host was opened with a part of a survivor's tail: lets its channel go on from the old master, once that
/// answers and what this host executed last tells the place in its log.
fn find_way_back(local: &mut Server, pursuit: Pursuit) -> Result<(), Error> {
    let Pursuit { config, settings, budget, .. } = pursuit;
    let Some((mut marker, text)) = Marker::leftover(&marker_of(config.this_host())) else { return Ok(()) };
    let peer = config.peer()?;
    let (Some(note), true) = (Note::from_text(&text), Server::answers(peer, OTHERS_PATIENCE, budget)) else {
        return Ok(());
    };
    let found = channel::all(local)?.into_iter().find(|channel| channel.name == note.channel);
    let (Some(channel), Some(survivor)) = (found.filter(waits_nowhere), config.host(&note.survivor)) else {
        log::warn!("somebody has set replication up again");
        marker.remove();
        return Ok(());
    };
    lock::take(local)?;
    let chosen = Chosen { channel, source: survivor };
    attach_to_peer(local, config, &chosen, peer, settings, budget)?;
    marker.remove();
    Ok(())
}

/// Gives a takeover up that a killed call or a lost survivor has left: this host is open, or about to be, and nothing of
/// the survivor's may come any more. What that was seen to have is forgotten once it is open, and not before: a call that is
/// ended in between has named it to nobody. Costs one failed `open` where there is none.
pub fn abandon(local: &mut Server, config: &Config) -> Result<(), Error> {
    let Some((mut marker, text)) = Marker::leftover(&marker_of(config.this_host())) else { return Ok(()) };
    let Some(mut note) = Note::from_text(&text) else {
        marker.remove();
        return Ok(());
    };
    let Some(now) = channel::all(local)?.into_iter().find(|channel| channel.name == note.channel) else {
        marker.remove();
        return Ok(());
    };
    if waits_nowhere(&now) {
        return Ok(());
    }
    let points_at = config.host_at(&now.source_host, now.source_port)?;
    if points_at.is_none_or(|host| host.name.as_str() != note.survivor) {
        if (&now.source_host, now.source_port) == (&note.host, note.port) {
            // A call that was going back may have been killed before this.
            if let Err(error) = start_from_old(local, config, &now) {
                log::error!("replication from the old master is not started: {error}");
            }
        }
        marker.remove();
        return Ok(());
    }
    let stopped = threads::stop(local, &note.channel)?;
    let way_back = note.way_back(&stopped, local.one(local.dialect().applied_gtids())?.text("gtids"));
    // No place is right: at one that does not exist, nothing comes, not even when the server is started anew.
    let place = way_back.unwrap_or_else(|| {
        note.is_open = true;
        log::error!(
            "{} stands at {} in the log of {}, of which it has taken over a part, and nothing tells its place in the log of \
             its old master: nothing is fetched until that answers",
            config.this(),
            Refusal::place(stopped.applied.as_ref()),
            note.survivor
        );
        Place::Position(BinlogPosition::new(NO_PLACE, 4))
    });
    if note.is_open
        && let Err(error) = marker.write(&note.to_text())
    {
        log::error!("{}: {error}", marker.path().display());
    }
    change_back(local, config, &note, &place)?;
    if !note.is_open {
        marker.remove();
    }
    Ok(())
}

/// Points the channel at the old master, and starts it.
fn change_back(local: &mut Server, config: &Config, note: &Note, place: &Place) -> Result<(), Error> {
    let peer = config.peer()?;
    let (statement, shown) = local.dialect().change(
        &note.channel,
        &Target {
            host: &note.host,
            port: note.port,
            user: &peer.replication_user,
            password: peer.replication_password.expose(),
            heartbeat: &note.heartbeat,
            fetches_key: note.fetches_key,
            place,
        },
    );
    let what = format!("went back from {} to {}", note.survivor, peer.name);
    log::info!("{shown}");
    step(&what, || {
        local.execute_as(&statement, &shown)?;
        threads::start(local, &note.channel)
    })
}

/// Starts a channel that was pointed back at the old master, unless it would throw away what that cannot send again.
fn start_from_old(local: &mut Server, config: &Config, now: &Channel) -> Result<(), Error> {
    if now.sql_running && now.io != IoThread::No {
        return Ok(());
    }
    if let Err(refusal) = threads::check_backlog(local.host(), now, config.peer()?.name.as_str(), false) {
        log::error!("{refusal}");
        return Ok(());
    }
    step("started replication from the old master", || threads::start(local, &now.name))
}

/// Waits until this host has executed the survivor's log to the end that is noted, and points it back.
fn finish(local: &mut Server, marker: Marker, note: Note, pursuit: Pursuit) -> Result<Outcome, Error> {
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
    /// True where this call has started it. What one that was found stopped says, it may say of the old master: servers
    /// keep an error over CHANGE MASTER.
    has_started: bool,
    /// True where it was told to try again, since the survivor answers.
    has_tried_again: bool,
    /// When the end of the survivor's log was last looked for again.
    looked: Option<Duration>,
    /// True where nothing comes any more over a connection that stands.
    is_silent: bool,
    /// When it was last noted that the survivor sends, and where this host stood.
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
                // The CHANGE never came, or the way back was gone. Where nothing was changed, nothing was applied.
                self.start_from_peer(&now)?;
                return Ok(Outcome::Done);
            }
            if !self.is_of(&now, self.survivor)? {
                log::warn!("{}: somebody else has pointed it at {}", now.title(), now.source());
                self.marker.remove();
                return Ok(Outcome::Done);
            }
            self.look_for_end_again(&now)?;
            let executed = self.executed()?;
            if self.note.has_all(&now, &executed) {
                seen::forget(self.pursuit.config.this_host(), &self.note.survivor);
                return self.go_back().map(|()| Outcome::Done);
            }
            self.note_sign_of_life(&now)?;
            if let Some(why) = self.is_lost(&now)? {
                return self.give_up(&now, why);
            }
            self.keep_running(&now)?;
            if self.pursuit.budget.part(85).is_spent() || !self.local.budget().pause(PAUSE) {
                return Err(self.still(format!(
                    "it has executed the log of {} to {}",
                    self.note.survivor,
                    Refusal::place(now.applied.as_ref())
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

    /// By file and position, a thread that was started anew by its server goes beyond the end that was noted. Where
    /// it then stands at the end of the survivor's log, both are again at one place in the old master's log.
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
        let no_id = Channel { source_server_id: 0, ..now.clone() };
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

    /// How long a survivor is waited for counts from when it fell silent, and not from the beginning of a long takeover.
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
        let is_applied = now.has_applied_all() && !threads::are_workers_busy(self.local, now)?;
        if !is_applied || elapsed.saturating_sub(since) < LOST.min(self.pursuit.budget.share(LOST)) {
            return Ok(None);
        }
        // It may only have been away for a moment, and this thread sleeps for a minute now.
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

    /// The survivor sends no more: back to the old master from where that is exact.
    fn give_up(&mut self, now: &Channel, why: String) -> Result<Outcome, Error> {
        log::error!("{} cannot take over more from {}: {why}", self.local.host(), self.note.survivor);
        let is_by_gtid = self.note.mode != Mode::FilePosition;
        let executed = self.executed()?;
        if is_by_gtid || self.note.standing(now, &executed) == Standing::AtBegin {
            self.go_back()?;
            return Ok(Outcome::CutShort(why));
        }
        // What it executed last tells its place in the log of the old master, if that answers by now.
        let Pursuit { config, settings, budget, .. } = self.pursuit;
        if let Some(survivor) = self.survivor
            && Server::answers(self.peer, OTHERS_PATIENCE, budget)
        {
            let chosen = Chosen { channel: now.clone(), source: survivor };
            attach_to_peer(self.local, config, &chosen, self.peer, settings, budget)?;
            self.marker.remove();
            return Ok(Outcome::CutShort(why));
        }
        Ok(Outcome::Stuck { survivor: self.note.survivor.clone(), reason: why })
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
                // Beyond that place it must not go, and the server forgets the condition with the thread.
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
        threads::check_backlog(self.local.host(), now, self.peer.name.as_str(), false)?;
        if !now.sql_running || now.io == IoThread::No {
            threads::start(self.local, &now.name)?;
        }
        self.marker.remove();
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
                Refusal::place(stopped.applied.as_ref())
            )));
        };
        change_back(self.local, self.pursuit.config, &self.note, &place)?;
        self.marker.remove();
        Ok(())
    }

    fn still(&self, state: String) -> Error {
        self.pursuit.still(&self.note.survivor, state)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_this_host_wrote_last_in_a_domain_and_a_survivor_has_not_is_newer_than_its_tail() {
        let own = |logged: &str, replicated: &str, logs: &str, state: &str, last: &str| {
            let (own_state, newest) = logged.split_once(" to ").unwrap_or((logged, logged));
            let ours: Record = [
                ("server_id", "2"),
                ("binlog_state", own_state),
                ("binlog_pos", newest),
                ("slave_pos", replicated),
                ("log_slave_updates", logs),
            ]
            .into_iter()
            .collect();
            let theirs: Record = [("binlog_state", state), ("slave_pos", last)].into_iter().collect();
            own_that_lacks(&ours, &theirs).unwrap()
        };
        for (logged, replicated, logs, state, last, why) in [
            ("0-2-9", "0-1-8", "1", "0-1-12,0-2-9", "0-1-12", "it is there"),
            ("0-2-9", "0-1-8", "1", "", "0-2-9", "it is there, and was not logged or no longer is"),
            ("1-1-30,2-2-9", "1-1-30", "1", "1-1-33", "1-1-33,2-2-9", "the same, in a domain of its own"),
            ("0-3-9", "0-1-8", "1", "0-1-12", "0-1-12", "another server's"),
            ("", "0-1-8", "1", "0-1-12", "0-1-12", "nothing was logged"),
        ] {
            assert_eq!(own(logged, replicated, logs, state, last), None, "{why}");
        }
        for (logged, replicated, logs, state, last, is_newest, why) in [
            ("0-2-9", "0-1-8", "1", "0-1-12,0-2-7", "0-1-12", true, "the tail has higher numbers"),
            ("0-2-9", "0-1-8", "0", "0-1-12", "0-1-12", true, "the same, where only its own is logged"),
            (
                "0-2-9",
                "0-1-11",
                "1",
                "0-1-12",
                "0-1-12",
                true,
                "its log was begun anew, and its numbers with it",
            ),
            ("1-1-30,0-2-9", "1-1-30", "1", "1-1-33", "1-1-33,0-2-7", true, "a domain of its own"),
            ("0-1-12,0-2-9 to 0-1-12", "0-1-12", "1", "0-1-14", "0-1-14", false, "others' followed"),
            ("0-2-9", "0-1-11", "0", "0-1-12", "0-1-12", false, "what followed is not logged"),
        ] {
            let lacks = Some(("0-2-9".parse().unwrap(), is_newest));
            assert_eq!(own(logged, replicated, logs, state, last), lacks, "{why}");
        }
    }
}
