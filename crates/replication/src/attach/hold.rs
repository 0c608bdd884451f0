//! The last resort where no GTIDs tell a late replica's place (docs/FAILOVER.md, 2.7): the old master is alive and
//! follows the new one. With its applying thread held, the end of its log and its place in the new master's log
//! describe one state, and the replica is brought to that.
//!
//! It touches another host, so a file says so before: whatever ends this call, it or the next one starts that
//! thread again.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use mmm_core::Budget;
use mmm_core::config::{Config, Host};
use mmm_core::journal::step;
use mmm_core::marker::{self, Marker};
use mmm_core::report::{self, Kind};
use mmm_core::settings::{Limits, Settings};

use crate::attach::observe::{self, Old};
use crate::attach::shares::{LOOKING, WAITING_WHILE_HELD};
use crate::binlog::pages::{self, is_of};
use crate::channel::{self, threads};
use crate::error::{Error, Told};
use crate::facts::{Facts, OldMaster, OldState};
use crate::note::FOLDER;
use crate::plan::by_held_master::{because, not_executed};
use crate::position::BinlogPosition;
use crate::refusal::Refusal;
use crate::server::dialect::Threads;
use crate::server::patience::OTHERS_PATIENCE;
use crate::server::{Server, lock};
use crate::status::{Channel, IoThread};

/// How near the replica must have come to the old master before that is held.
const NEAR: Duration = Duration::from_millis(500);
/// How much of the call's time must be left for that.
const ENOUGH: Duration = Duration::from_millis(1500);
/// Most time for the old master to be held, until the replica stands where it stands.
const HOLDING: Duration = Duration::from_secs(2);
/// Most time for the old master's applying thread to stop.
const STOPPING: Duration = Duration::from_secs(1);
/// Most time for it to start again, beyond the call's budget if need be.
const STARTING: Duration = Duration::from_millis(700);

/// What was seen on the way to where the old master may be held.
#[derive(Debug, Default)]
struct Approach {
    /// End of the old master's log while that took no writes.
    old_end: Option<BinlogPosition>,
    /// End of the new master's log when that had executed the former: what comes behind it is the new master's.
    new_end: Option<BinlogPosition>,
    /// A later end of the old master's log, and when it was seen.
    near: Option<(BinlogPosition, Instant)>,
}

impl Approach {
    /// The place behind which lies nothing of the old master's, when the old master is beyond it and the replica
    /// close to the old master; else what is waited for.
    fn advance(&mut self, facts: &Facts) -> Result<BinlogPosition, String> {
        let (replica, new) = (&facts.replica, &facts.new);
        let OldMaster::Answers(OldState { host: old, end: Some(old_end), from_new, .. }) = &facts.old else {
            return Err(format!("{} has fallen silent", facts.old.host()));
        };
        let has = |host: &str, channel: Option<&Channel>, source: &str, target: &BinlogPosition| {
            let applied = channel.and_then(|channel| channel.applied.as_ref());
            let is_there = applied.is_some_and(|applied| applied.has_reached(target));
            if is_there { Ok(()) } else { Err(not_executed(host, applied, source, target)) }
        };
        let target = self.old_end.get_or_insert_with(|| old_end.clone());
        has(&new.host, new.channel.as_ref(), old, target)?;
        if self.new_end.is_none() {
            self.new_end.clone_from(&new.end);
        }
        let Some(behind) = &self.new_end else { return Err(format!("{} has no binary log", new.host)) };
        has(old, from_new.as_ref(), &new.host, behind)?;
        let (target, seen) = self.near.get_or_insert_with(|| (old_end.clone(), Instant::now()));
        has(&replica.host, Some(&replica.channel), old, target)?;
        if seen.elapsed() > NEAR {
            self.near = Some((old_end.clone(), Instant::now()));
            return Err(format!("{} is too far behind {old}", replica.host));
        }
        Ok(behind.clone())
    }
}

/// What a move has of its last resort.
#[derive(Debug)]
pub struct LastResort<'a> {
    this_host: &'a Host,
    old_host: &'a Host,
    new_host: &'a Host,
    is_allowed: bool,
    limits: Limits,
    budget: Budget,
    approach: Approach,
    hold: Option<Hold<'a>>,
    /// In a dry run that would hold the old master, the statement that lets it go on.
    planned: Option<String>,
    failure: Option<Error>,
}

impl<'a> LastResort<'a> {
    /// Nothing is held yet.
    pub fn new([this_host, old_host, new_host]: [&'a Host; 3], settings: &Settings, budget: Budget) -> Self {
        Self {
            this_host,
            old_host,
            new_host,
            is_allowed: settings.attach.touch_old_master,
            limits: settings.limits.clone(),
            budget,
            approach: Approach::default(),
            hold: None,
            planned: None,
            failure: None,
        }
    }

    /// Holds the old master when the time has come for it. Returns what stands in the way until then, or for good.
    pub fn approach(&mut self, facts: &Facts, refusal: Refusal) -> Result<Refusal, Error> {
        let old = &self.old_host.name;
        if !self.is_allowed {
            let why = format!("{old} could tell the place, but attach.touch_old_master is false");
            return Ok(because(refusal, &why, false));
        }
        let behind = match self.approach.advance(facts) {
            Ok(behind) => behind,
            Err(what) => return Ok(because(refusal, &what, true)),
        };
        if self.budget.share(ENOUGH) < ENOUGH {
            return Ok(because(refusal, &format!("too little time is left to ask {old}"), false));
        }
        let OldMaster::Answers(OldState { from_new: Some(channel), .. }) = &facts.old else {
            return Ok(refusal);
        };
        let what = format!("stopped applying on {old}");
        match step(&what, || self.stop_applying(&channel.name, behind))? {
            Ok(()) if report::is_dry_run() => {
                let replica = &facts.replica.host;
                report::plan(
                    format_args!(
                        "stop applying on {old} for a moment, wait until {replica} has executed all of its log, and let \
                         {replica} go on in the log of {} where {old} then stands (below: where it stands now)",
                        facts.new.host
                    ),
                    format_args!("nothing else proves a place: {refusal}"),
                );
                Ok(because(refusal, &format!("replication on {old} would be held"), true))
            }
            Ok(()) => Ok(because(refusal, &format!("replication on {old} is held"), true)),
            Err(what) => Ok(because(refusal, &what, false)),
        }
    }

    fn stop_applying(&mut self, name: &str, behind: BinlogPosition) -> Told<()> {
        let old = self.old_host;
        let (most, part) = (self.limits.connect.min(OTHERS_PATIENCE), self.budget.part(LOOKING));
        let mut server = Server::connect(old, most, part)?;
        server.use_budget(Budget::start(Some(part.share(OTHERS_PATIENCE))));
        lock::take(&mut server)?;
        let channels = channel::all(&mut server)?;
        let is_as_seen = |channel: &Channel| channel.name == name && channel.is_running();
        if channels.len() != 1 || !channels.iter().all(is_as_seen) {
            return Ok(Err(format!("{} replicates from more than one host, or not now", old.name)));
        }
        let undo = format!("{} {}", old.name, name);
        if report::is_dry_run() {
            report::planned(None, Kind::File, marker::written(&marker_of(self.this_host), &undo));
            server.execute(&server.dialect().stop(name, Threads::Sql))?;
            self.planned = Some(server.dialect().start(name, Threads::Sql));
            return Ok(Ok(()));
        }
        let marker = match mark(self.this_host, &undo) {
            Ok(Ok(marker)) => marker,
            Ok(Err(earlier)) => {
                return Ok(Err(format!("an earlier call may have left replication stopped on {earlier}")));
            }
            Err((path, error)) => {
                return Ok(Err(format!("{} could not be written: {error}", path.display())));
            }
        };
        server.use_budget(Budget::start(Some(part.share(STOPPING))));
        let hold = self.hold.insert(Hold {
            server,
            host: old,
            channel: name.into(),
            marker,
            behind,
            limit: Budget::start(Some(part.share(HOLDING))),
            since: Instant::now(),
            is_released: false,
        });
        threads::stop_at_once(&mut hold.server, name, Threads::Sql)?;
        let count = observe::temporary_tables(&mut hold.server)?;
        if count > 0 {
            return Err(Refusal::TemporaryTables { host: old.name.to_string(), count }.into());
        }
        Ok(Ok(()))
    }

    /// Adds to what was observed that the old master is held.
    pub fn note(&self, facts: &mut Facts) {
        if let (Some(hold), OldMaster::Answers(old)) = (&self.hold, &mut facts.old) {
            old.held = Some(hold.behind.clone());
        }
    }

    /// True where a dry run has come to where the old master would be held.
    pub fn is_planned(&self) -> bool {
        self.planned.is_some()
    }

    /// True while the old master is held: its log, and so what the replica has fetched, ends with a whole group.
    pub fn is_holding(&self) -> bool {
        self.hold.is_some()
    }

    /// True where the replica has been given all of what the held old master logged.
    pub fn is_reached(&self, facts: &Facts) -> bool {
        let ours = &facts.replica.channel;
        match &facts.old {
            OldMaster::Answers(old) if old.held.is_some() && old.rests => {
                ours.fetched == old.end && ours.has_applied_all()
            }
            _ => false,
        }
    }

    /// The time for every statement: while the old master is held, that which it may be held for.
    pub fn limit(&self, otherwise: Budget) -> Budget {
        self.hold.as_ref().map_or(otherwise, |hold| hold.limit)
    }

    /// The time for waiting, likewise.
    pub fn patience(&self, otherwise: Budget) -> Budget {
        self.hold.as_ref().map_or(otherwise, |hold| hold.limit.part(WAITING_WHILE_HELD))
    }

    /// Looks at whether the old master wrote anything itself meanwhile, as events and accounts that may ignore
    /// `read_only` do: that may come behind its place in the new master's log, and so a second time.
    pub fn confirm(&self, old: &mut Old, old_end: &BinlogPosition) -> Result<(), Error> {
        let (host, new) = (self.this_host.name.to_string(), self.new_host.name.to_string());
        let unproved = |reason: String| Err(Refusal::Unproved { host, new, reason, may_pass: true }.into());
        let name = &self.old_host.name;
        let (Old::Connected(server), Some(from)) = (old, &self.approach.old_end) else {
            return unproved(format!("{name} has fallen silent"));
        };
        if from.file != old_end.file {
            return unproved(format!("{name} has begun a new log meanwhile; try again"));
        }
        let id = server.one("SELECT @@server_id AS id")?.number("id");
        if pages::each_event(server, from, "what it wrote itself", |row| is_of(row, id))? {
            return unproved(format!(
                "{name} still writes although it is read-only (an event, or an account that may ignore that?)"
            ));
        }
        Ok(())
    }

    /// Lets the old master go on. A failure goes into the [`LastResort::report`].
    pub fn release(&mut self) {
        if let Some(mut hold) = self.hold.take() {
            self.failure = hold.release().err();
        }
        if let Some(start) = self.planned.take() {
            let old = self.old_host.name.as_str();
            report::planned(Some(old), Kind::Sql, start);
            report::planned(None, Kind::File, format_args!("remove {}", marker_of(self.this_host).display()));
        }
    }

    /// What the move came to, and what became of the old master.
    pub fn report(&mut self, moved: Result<(), Error>) -> Result<(), Error> {
        let Some(failure) = self.failure.take() else { return moved };
        let reason = match &moved {
            Ok(()) => format!("{} was moved", self.this_host.name),
            Err(error) => error.to_string(),
        };
        let old = &self.old_host.name;
        let consequence = format!("replication on {old} may be stopped ({failure}): run turn_on_slave there");
        Err(Refusal::NotPutBack { reason, consequence }.into())
    }
}

/// Writes the marker; gives what it says of another host that an earlier call could not reach.
fn mark(this: &Host, undo: &str) -> Result<Result<Marker, String>, (PathBuf, std::io::Error)> {
    let path = marker_of(this);
    let write = || {
        fs::create_dir_all(FOLDER)?;
        let mut marker = Marker::create(&path)?;
        if let Some(earlier) = marker.undo()?.filter(|earlier| earlier != undo) {
            return Ok(Err(earlier));
        }
        marker.write(undo)?;
        Ok(Ok(marker))
    };
    write().map_err(|error| (path.clone(), error))
}

/// The marker of a call that was killed while it held another host's applying thread, and what it says; changes
/// nothing.
pub fn left_behind(this: &Host) -> Option<(PathBuf, String)> {
    let path = marker_of(this);
    Marker::left_behind(&path).map(|undo| (path, undo))
}

fn marker_of(this: &Host) -> PathBuf {
    marker::path(Path::new(FOLDER), "hold", this)
}

/// The old master's applying thread, stopped by this call. Whatever becomes of the call, it is started again.
#[derive(Debug)]
struct Hold<'a> {
    server: Server,
    host: &'a Host,
    channel: String,
    marker: Marker,
    behind: BinlogPosition,
    limit: Budget,
    since: Instant,
    is_released: bool,
}

impl Hold<'_> {
    fn release(&mut self) -> Result<(), Error> {
        self.is_released = true;
        let budget = Budget::start(Some(STARTING));
        // A START over a new connection is carried out behind a STOP that nobody waits for any more.
        if !self.server.is_usable() {
            self.server = Server::connect(self.host, STARTING, budget)?;
        }
        self.server.use_budget(budget);
        let what = format!("started applying on {} again", self.host.name);
        step(&what, || threads::start_applying(&mut self.server, &self.channel))?;
        self.marker.remove();
        log::info!("{} was held for {:.1?}", self.host.name, self.since.elapsed());
        Ok(())
    }
}

impl Drop for Hold<'_> {
    fn drop(&mut self) {
        if !self.is_released
            && let Err(error) = self.release()
        {
            log::error!(
                "replication on {} may be stopped ({error}): run turn_on_slave there",
                self.host.name
            );
        }
    }
}

/// Starts what a killed call has left held. Costs one failed `open` where nothing is, and never stops the caller.
pub fn mend(config: &Config, limits: &Limits, budget: Budget) {
    let Some((mut marker, undo)) = Marker::leftover(&marker_of(config.this_host())) else { return };
    let (name, channel) = undo.split_once(' ').unwrap_or((&undo, ""));
    log::warn!("an earlier call was killed while it held replication on {name}");
    let most = limits.connect.min(OTHERS_PATIENCE);
    let mended = config.host(name).map(|host| {
        let mut server = Server::connect(host, most, budget)?;
        server.use_budget(Budget::start(Some(budget.share(OTHERS_PATIENCE))));
        start_again(&mut server, channel)
    });
    match mended {
        Some(Err(error)) => log::warn!("it may still be stopped, and the next call tries again: {error}"),
        Some(Ok(())) => marker.remove(),
        None => {
            log::error!("{name} is no host of the configuration any more: see that it replicates");
            marker.remove();
        }
    }
}

/// Starts an applying thread that a killed call stopped, unless somebody else has been at it since.
fn start_again(server: &mut Server, name: &str) -> Result<(), Error> {
    lock::take(server)?;
    let found = channel::all(server)?.into_iter().find(|channel| channel.name == name);
    let Some(channel) = found.filter(|channel| !channel.sql_running) else { return Ok(()) };
    let was_stopped_whole = channel.io == IoThread::No && channel.io_error.is_none();
    if was_stopped_whole || channel.sql_error.is_some() {
        log::warn!("{} is left as it is: {}", server.host(), channel.what_is_wrong());
        return Ok(());
    }
    step(&format!("started applying on {} again", server.host()), || threads::start_applying(server, name))
}
