//! The last resort if no GTIDs show a late replica's position (docs/FAILOVER.md, 2.7): the old master is alive and
//! follows the new one. While its SQL thread is paused, the end of its log and its position in the new master's log
//! describe one state. The replica is brought to that state.
//!
//! It touches another host. A file says so before: whatever ends this call, this call or the next one starts that
//! thread again.

mod approach;
mod held;
mod leftover;

pub use leftover::{left_behind, mend};

use std::time::{Duration, Instant};

use mmm_core::config::Host;
use mmm_core::journal::step;
use mmm_core::report::{self, Kind};
use mmm_core::settings::{Limits, Settings};
use mmm_core::{Budget, marker};

use crate::attach::hold::approach::Approach;
use crate::attach::hold::held::Hold;
use crate::attach::hold::leftover::{mark, marker_of};
use crate::attach::observe::{self, Old};
use crate::attach::shares::{LOOKING, WAITING_WHILE_HELD};
use crate::binlog::pages::{self, is_of};
use crate::channel::{self, threads};
use crate::error::{Error, Told};
use crate::facts::{Facts, OldMaster, OldState};
use crate::plan::by_held_master::because;
use crate::position::BinlogPosition;
use crate::refusal::{Refusal, Unproved};
use crate::server::dialect::Threads;
use crate::server::patience::OTHERS_PATIENCE;
use crate::server::{Server, lock};
use crate::status::Channel;

/// The maximum time for which the old master's SQL thread is paused, until the replica has reached the same state.
const HOLDING: Duration = Duration::from_secs(2);
/// The maximum time for the old master's SQL thread to stop.
const STOPPING: Duration = Duration::from_secs(1);
/// How much of the call's time must be left to pause it.
const ENOUGH: Duration = Duration::from_millis(1500);

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
    /// In a dry run that would pause the old master's SQL thread, the statement that starts it again.
    planned: Option<String>,
    failure: Option<Error>,
}

impl<'a> LastResort<'a> {
    /// Nothing is paused yet.
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

    /// False if the settings forbid it.
    pub fn is_allowed(&self) -> bool {
        self.is_allowed
    }

    /// Pauses the old master's SQL thread when everything is ready for it. Until then, or if that never comes, returns
    /// what prevents it.
    pub fn approach(&mut self, facts: &Facts, refusal: Refusal) -> Result<Refusal, Error> {
        let old = &self.old_host.name;
        if !self.is_allowed {
            let why = format!("{old} could show the position, but attach.touch_old_master is false");
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
        let what = format!("paused the SQL thread of {old}");
        match step(&what, || self.stop_applying(&channel.name, behind))? {
            Ok(()) if report::is_dry_run() => {
                let replica = &facts.replica.host;
                report::plan(
                    format_args!(
                        "pause the SQL thread of {old} for a moment, wait until {replica} has executed all of its log, \
                         and let {replica} continue in the log of {} at the position of {old} (below: its position \
                         now)",
                        facts.new.host
                    ),
                    format_args!("nothing else proves a position: {refusal}"),
                );
                Ok(because(refusal, &format!("the SQL thread of {old} would be paused"), true))
            }
            Ok(()) => Ok(because(refusal, &format!("the SQL thread of {old} is paused"), true)),
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

    /// Adds to the observations that the old master's SQL thread is paused.
    pub fn note(&self, facts: &mut Facts) {
        if let (Some(hold), OldMaster::Answers(old)) = (&self.hold, &mut facts.old) {
            old.held = Some(hold.behind.clone());
        }
    }

    /// True if a dry run has reached the step that would pause the old master's SQL thread.
    pub fn is_planned(&self) -> bool {
        self.planned.is_some()
    }

    /// True while the old master's SQL thread is paused: its log, and so what the replica has fetched, ends with a
    /// whole transaction.
    pub fn is_holding(&self) -> bool {
        self.hold.is_some()
    }

    /// True if the replica has been given all that the paused old master logged.
    pub fn is_reached(&self, facts: &Facts) -> bool {
        let ours = &facts.replica.channel;
        match &facts.old {
            OldMaster::Answers(old) if old.held.is_some() && old.rests => {
                ours.fetched == old.end && ours.has_applied_all()
            }
            _ => false,
        }
    }

    /// The time for every statement: while the old master's SQL thread is paused, the rest of the time for which it may
    /// be.
    pub fn limit(&self, otherwise: Budget) -> Budget {
        self.hold.as_ref().map_or(otherwise, |hold| hold.limit)
    }

    /// The time for waiting, likewise.
    pub fn patience(&self, otherwise: Budget) -> Budget {
        self.hold.as_ref().map_or(otherwise, |hold| hold.limit.part(WAITING_WHILE_HELD))
    }

    /// Checks whether the old master wrote anything itself meanwhile, as events and accounts that may ignore
    /// `read_only` do. The new master may have logged that after the old master's position, so that the replica would
    /// get it a second time.
    pub fn confirm(&self, old: &mut Old, old_end: &BinlogPosition) -> Result<(), Error> {
        let (host, new) = (self.this_host.name.to_string(), self.new_host.name.to_string());
        let unproved = |reason: String| {
            Err(Refusal::Unproved { host, new, cause: Unproved::Nothing, reason, may_pass: true }.into())
        };
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

    /// Starts the old master's SQL thread again. A failure goes into the [`LastResort::report`].
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

    /// The result of the move, and the state of the old master's SQL thread.
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
