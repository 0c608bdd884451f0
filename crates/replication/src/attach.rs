//! Moves a replica's channel to a new master: the half that acts.
//!
//! Everything that can be checked beforehand is checked before STOP SLAVE. After STOP SLAVE, any failure points the
//! channel back to the old source and starts the threads again. A part of the budget is reserved for that. A helper
//! that is killed leaves one of three states: running, stopped on the old source, stopped on the new one. The next call
//! starts from whichever it finds, because it believes only what the servers have executed.

mod account;
mod as_if_closed;
mod certain;
mod change;
pub mod hold;
mod locate;
mod moving;
pub(crate) mod observe;
mod prepare;
mod settle;
mod shares;
mod undo;

use std::panic;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use mmm_core::config::{Config, Host};
use mmm_core::settings::{Limits, Settings, Survivors};
use mmm_core::{Budget, report, unfinished};

use crate::attach::account::check_account;
use crate::attach::hold::LastResort;
use crate::attach::moving::{Move, Progress, Tail};
use crate::attach::observe::Old;
use crate::attach::shares::{JUDGING, LOOKING};
use crate::binlog::by_content::own_log::notes_of_tail;
use crate::binlog::unfinished::note_of;
use crate::channel::settling::Settling;
use crate::channel::{self, Chosen};
use crate::error::Error;
use crate::facts::OldMaster;
use crate::note;
use crate::refusal::Refusal;
use crate::rehearsal::{Foreseen, Rehearsal};
use crate::server::Server;
use crate::status::Channel;
use crate::survivors::errand::Errand;

/// Moves the chosen channel of `replica` to `new_host`; a dry run goes as far as that changes nothing.
pub fn attach<'a>(
    replica: &'a mut Server,
    this_host: &'a Host,
    chosen: &'a Chosen,
    new_host: &'a Host,
    settings: &'a Settings,
    budget: Budget,
) -> Result<(), Error> {
    let limits = &settings.limits;
    let old = dial_old(chosen.source, limits.connect, budget.part(LOOKING));
    let new = connect_new(&chosen.channel, new_host, limits, budget)?;
    let mut old = joined(old);
    replica.use_budget(budget.part(LOOKING));
    let silence = settings.allow_write.silence;
    old.judge(replica, &chosen.channel.name, chosen.source, silence, budget.part(JUDGING))?;
    if let Old::Failed(OldMaster::Silent { host, reason } | OldMaster::Unreadable { host, reason }) = &old {
        log::warn!("{host} does not answer: {reason}");
    }
    carry_out(replica, this_host, chosen, new_host, (new, old), None, settings, budget).0
}

/// Moves the channel to a survivor, to execute the survivor's log. `old` is silent. The errand comes back with what it
/// has noted.
#[allow(clippy::too_many_arguments)]
pub fn borrow<'a>(
    replica: &'a mut Server,
    this_host: &'a Host,
    chosen: &'a Chosen,
    survivor: &'a Host,
    old: Old,
    errand: Errand<'a>,
    settings: &'a Settings,
    budget: Budget,
) -> (Result<(), Error>, Option<Errand<'a>>) {
    let new = match connect_new(&chosen.channel, survivor, &settings.limits, budget) {
        Ok(new) => new,
        Err(error) => return (Err(error), None),
    };
    replica.use_budget(budget.part(LOOKING));
    carry_out(replica, this_host, chosen, survivor, (new, old), Some(errand), settings, budget)
}

/// Connects to the old master while the new one is dialled: the writer is closed meanwhile, and log-ins may be slow.
fn dial_old(host: &Host, most: Duration, budget: Budget) -> JoinHandle<Old> {
    let host = host.clone();
    thread::spawn(move || Old::connect(&host, most, budget))
}

/// Judges whether `replica`, the server of this host of `config`, could be moved if its master were closed now. With
/// `takes_over`, it would only fetch from `new_host` what that host alone has. With `is_here`, this process runs on the
/// replica's host.
#[allow(clippy::too_many_arguments)]
pub fn rehearse(
    rehearsal: Rehearsal,
    replica: &mut Server,
    config: &Config,
    new_host: &Host,
    takes_over: bool,
    is_here: bool,
    settings: &Settings,
    budget: Budget,
) -> Result<Foreseen, Error> {
    let limits = &settings.limits;
    let chosen = channel::choose(replica, config, |_| None)?;
    if chosen.source.name == new_host.name {
        return Ok(Foreseen::NotJudged(format!("it replicates from {} already", new_host.name)));
    }
    let old = Old::connect(chosen.source, limits.connect, budget.part(LOOKING));
    if !matches!(old, Old::Connected(_)) {
        return Ok(Foreseen::NotJudged(format!("{} does not answer", chosen.source.name)));
    }
    // Elsewhere, the account may not be let in from here.
    let new = if is_here {
        connect_new(&chosen.channel, new_host, limits, budget)
    } else {
        Server::connect(new_host, limits.connect, budget.part(LOOKING))
    };
    replica.use_budget(budget.part(LOOKING));
    let this_host = config.this_host();
    let judged = new.and_then(|new| {
        begin(replica, this_host, &chosen, new_host, (new, old), None, settings, budget)?
            .judge_as_if_closed(rehearsal, is_here, takes_over)
    });
    Ok(judged.unwrap_or_else(|error| Foreseen::failed(&error)))
}

/// Connects to the new master and tries the channel's account there, side by side.
fn connect_new(channel: &Channel, host: &Host, limits: &Limits, budget: Budget) -> Result<Server, Error> {
    let looking = budget.part(LOOKING);
    let trial = {
        let (host, channel, most) = (host.clone(), channel.clone(), limits.connect);
        thread::spawn(move || check_account(&host, &channel, most, looking))
    };
    let new = Server::connect(host, limits.connect, looking)?;
    joined(trial)?;
    Ok(new)
}

/// What the thread returns. Its panic is this thread's.
fn joined<T>(thread: JoinHandle<T>) -> T {
    thread.join().unwrap_or_else(|panic| panic::resume_unwind(panic))
}

#[allow(clippy::too_many_arguments)]
fn carry_out<'a>(
    replica: &'a mut Server,
    this_host: &'a Host,
    chosen: &'a Chosen,
    new_host: &'a Host,
    (new, old): (Server, Old),
    errand: Option<Errand<'a>>,
    settings: &'a Settings,
    budget: Budget,
) -> (Result<(), Error>, Option<Errand<'a>>) {
    let moving = begin(replica, this_host, chosen, new_host, (new, old), errand, settings, budget);
    let mut moving = match moving {
        Ok(moving) => moving,
        Err(error) => return (Err(error), None),
    };
    let mut moved = moving.carry_out();
    if moving.errand.is_some() {
        moved = moved.map_err(|error| of_takeover(error, &mut moving.new));
    }
    if moved.is_ok() {
        moving.progress = Progress::Untouched;
        unfinished::done();
        // Another method may have shown the position.
        for searched in [new_host, this_host] {
            let notes = note_of(this_host, searched.name.as_str());
            note::remove(&notes);
            note::remove(&notes_of_tail(&notes));
        }
    }
    moving.last_resort.release();
    let moved = moved.map_err(|error| if report::is_dry_run() { error } else { moving.undo(error) });
    (moving.last_resort.report(moved), moving.errand.take())
}

/// What a takeover was refused for, in its own words.
fn of_takeover(error: Error, survivor: &mut Server) -> Error {
    match error {
        Error::Refused(refusal) => {
            let asks_who = matches!(*refusal, Refusal::ReplicaLacksEarlier { .. });
            let mut id = || survivor.one("SELECT @@server_id AS id").ok()?.number("id");
            refusal.of_takeover(if asks_who { id() } else { None }).into()
        }
        other => other,
    }
}

/// A move that has done nothing yet.
#[allow(clippy::too_many_arguments)]
fn begin<'a>(
    replica: &'a mut Server,
    this_host: &'a Host,
    chosen: &'a Chosen,
    new_host: &'a Host,
    (mut new, old): (Server, Old),
    errand: Option<Errand<'a>>,
    settings: &'a Settings,
    budget: Budget,
) -> Result<Move<'a>, Error> {
    let constants = observe::constants(replica, &chosen.channel.name, &mut new)?;
    Ok(Move {
        replica,
        this_host,
        old_host: chosen.source,
        new_host,
        channel: chosen.channel.name.clone(),
        new,
        old,
        constants,
        settling: Settling::default(),
        told: None,
        budget,
        connect: settings.limits.connect,
        silence: settings.allow_write.silence,
        log_filters_agree: settings.attach.log_filters_agree,
        tail: if settings.allow_write.survivors == Survivors::Off { Tail::GivenUp } else { Tail::ToBeJudged },
        is_held_back: false,
        does_not_send: None,
        last_resort: LastResort::new([this_host, chosen.source, new_host], settings, budget),
        progress: Progress::Untouched,
        found: &chosen.channel,
        patience: settings.attach.patience,
        waits_since: budget.elapsed(),
        last_look: Duration::ZERO,
        set_back_from: None,
        errand,
    })
}
