//! Other slaves that have more of a silent peer's log than this host.

use mmm_core::config::{Config, Host};
use mmm_core::mutant::takes_out;
use mmm_core::report;
use mmm_core::settings::Survivors;

use crate::channel::{self, Chosen};
use crate::error::Error;
use crate::gate::asking::Gate;
use crate::gate::own_log::check_own_log_by;
use crate::gate::proof::{Lost, Proof};
use crate::gate::question::Question;
use crate::position::BinlogPosition;
use crate::refusal::Refusal;
use crate::server::Server;
use crate::server::patience::OTHERS_PATIENCE;
use crate::status::{Channel, IoThread};
use crate::survivors::seen::{self, Seen};
use crate::survivors::{self, Asked, Survivor, Untold, Why};
use crate::takeover::{self, Outcome};

/// How long a survivor that has fallen silent is waited for, in seconds, before writes are opened without what it has.
pub(super) const PATIENCE: u64 = 10;
/// The same for a survivor that answers, while neither host makes progress.
const APPLYING: u64 = 30;

/// The tail of a slave that could not be examined, in words.
const UNKNOWN_TAIL: &str = "an unknown number of transactions";

/// What became of one survivor's tail.
#[derive(Debug, PartialEq, Eq)]
enum Taken {
    /// It is less than a whole transaction.
    Nothing,
    /// This host has it, or is at another position by now.
    All,
    /// This host has none or a part of it. The rest may still come from a survivor that answered a moment ago.
    Later(String),
    /// This host cannot get it.
    Never(String),
    /// This host has a part of it, and is not back with its peer.
    Stuck(String),
}

pub(super) fn wait_or_lose(
    config: &Config,
    question: Question,
    lost: Lost,
    waited: u64,
    most: u64,
) -> Result<Lost, Error> {
    if question.survivors() == Survivors::Try && waited < most {
        let state = format!("{}; waited for since {waited} s, at most {most} s", lost.reason);
        return Err(question.pursuit(config).still(&lost.survivor, state));
    }
    Ok(lost)
}

pub(super) fn without(
    local: &mut Server,
    config: &Config,
    question: Question,
    lost: Lost,
    at: Option<BinlogPosition>,
) -> Result<Proof, Error> {
    if question.survivors() == Survivors::Require {
        let Lost { host, survivor, tail, reason } = lost;
        let (peer, then) = (config.peer()?.name.to_string(), question.otherwise.into());
        return Err(Refusal::TailLeft { host, survivor, peer, tail, reason, then }.into());
    }
    if question.opens {
        takeover::abandon(local, config)?;
    }
    Ok(Proof::WithoutTail { at, lost })
}

/// Why `host` cannot have a survivor's tail; an error if another try may bring it, `still` if only the time is too
/// short.
fn why_not(host: &str, error: Error, still: impl FnOnce(String) -> Error) -> Result<Taken, Error> {
    let state = error.to_string();
    match error {
        Error::Silent { host: of, .. } | Error::Broken { host: of, .. } if of != host => {
            Ok(Taken::Later(state))
        }
        // This host's own connection was there before, and the survivor let this call in a moment ago.
        Error::Connect { .. } => Ok(Taken::Later(state)),
        Error::Refused(refusal) => match *refusal {
            refusal @ (Refusal::PeerIsAlive { .. }
            | Refusal::PeerMayBeAlive { .. }
            | Refusal::NotPutBack { .. }) => Err(refusal.into()),
            Refusal::NoTimeLeft { .. } | Refusal::Interrupted { .. } => Err(still(state)),
            Refusal::StillTakingOver { state, .. } => Ok(Taken::Later(state)),
            // The next call continues the search.
            Refusal::Busy { .. }
            | Refusal::DoesNotStop { .. }
            | Refusal::NewMasterBehind { .. }
            | Refusal::SearchTooLong { .. } => Ok(Taken::Later(state)),
            refusal if refusal.may_pass() => Ok(Taken::Later(state)),
            _ => Ok(Taken::Never(state)),
        },
        Error::Query { host: ref of, .. } | Error::Unexpected { host: ref of, .. } if *of != host => {
            Ok(Taken::Never(state))
        }
        other => Err(other),
    }
}

/// This host has no channel over which it could take over what other slaves have of a silent peer's log. Only GTIDs show
/// that they have more: this host has no position in that log.
pub(super) fn without_channel_beside_survivors(
    local: &mut Server,
    config: &Config,
    peer: &Host,
    question: Question,
) -> Result<Proof, Error> {
    let opens = Proof::NothingToApply { beside_silent: true };
    if question.survivors() == Survivors::Off {
        return Ok(opens);
    }
    check_time_to_ask(config, question)?;
    let none = survivors::no_channel_from(peer);
    let most = question.settings.limits.connect;
    let asked = survivors::ask(local, config, peer, &none, None, most, question.budget)?;
    if let Some(host) = &asked.receiving {
        return Err(question.pursuit(config).is_alive(peer.name.as_str(), host));
    }
    check_own_log_by(local, &asked.logged, question)?;
    tell_of_silent(&asked, peer);
    let mut lost = None;
    for Survivor { host, channel, tail } in &asked.ahead {
        // MySQL 5.6 counts half a transaction as one.
        let is_half =
            channel.has_half() && local.dialect().counts_half_as_retrieved() && tail.count == Some(1);
        if is_half {
            continue;
        }
        let (name, tail) = (host.name.as_str(), tail.to_string());
        let to = BinlogPosition::shown(channel.fetched.as_ref());
        let applied = BinlogPosition::shown(channel.applied.as_ref());
        seen::note(config.this_host(), name, Seen::new(tail.clone(), to, applied));
        let reason = format!("{} replicates from nobody", config.this());
        lost.get_or_insert(new_lost(config, name, tail, reason));
    }
    if lost.is_none() {
        lost = seen_before(config, question, &asked, None, false)?;
    }
    match lost.or_else(|| unreadable(config, question, &asked)) {
        None => Ok(opens),
        Some(lost) => {
            let text = lost.to_string();
            let proof = without(local, config, question, lost, None)?;
            log::error!("{text}");
            Ok(proof)
        }
    }
}

fn check_time_to_ask(config: &Config, question: Question) -> Result<(), Error> {
    if question.budget.share(OTHERS_PATIENCE) < OTHERS_PATIENCE / 2 {
        let pursuit = question.pursuit(config);
        return Err(pursuit.still("other slaves", "no time is left to ask them".into()));
    }
    Ok(())
}

fn tell_of_silent(asked: &Asked, peer: &Host) {
    for Untold { host, reason, .. } in &asked.untold {
        log::warn!("nobody knows whether {host} has more of {}: {reason}", peer.name);
    }
}

fn new_lost(config: &Config, survivor: &str, tail: String, reason: String) -> Lost {
    Lost { host: config.this().to_string(), survivor: survivor.into(), tail, reason }
}

/// A slave that answers and does not show what it has, which matters if nothing may be lost. A silent slave is not waited
/// for, but a living one can be asked again.
fn unreadable(config: &Config, question: Question, asked: &Asked) -> Option<Lost> {
    if question.survivors() != Survivors::Require {
        return None;
    }
    let Untold { host, reason, .. } = asked.untold.iter().find(|untold| untold.why != Why::Silent)?;
    Some(new_lost(config, host, UNKNOWN_TAIL.into(), format!("it cannot be examined: {reason}")))
}

/// A slave that may have more, and may tell in a moment.
fn unexamined(config: &Config, question: Question, asked: &Asked) -> Result<Option<Lost>, Error> {
    let for_now = asked.untold.iter().find(|untold| untold.why == Why::ForNow);
    let Some(Untold { host, reason, .. }) = for_now else { return Ok(None) };
    let seen = seen::note_unexamined(config.this_host(), host, UNKNOWN_TAIL);
    let waited = seen.silent_for();
    let lost = new_lost(config, host, seen.tail, format!("it cannot be examined: {reason}"));
    wait_or_lose(config, question, lost, waited, PATIENCE).map(Some)
}

/// A survivor that was seen to have more, by an earlier call, and does not answer now. What is noted of others is
/// forgotten: this host has it by now, up to `applied` in the peer's log. If nothing `may_come`, it is not waited for.
fn seen_before(
    config: &Config,
    question: Question,
    asked: &Asked,
    applied: Option<&BinlogPosition>,
    may_come: bool,
) -> Result<Option<Lost>, Error> {
    let this = config.this_host();
    let mut found = None;
    for host in config.hosts() {
        let name = host.name.as_str();
        let Some(seen) = seen::read(this, name) else { continue };
        let reason = asked.untold.iter().find(|untold| untold.host == name).map(|untold| &untold.reason);
        let is_here = applied.is_some_and(|place| seen.is_reached(place));
        match reason.filter(|_| !is_here) {
            None => seen::forget(this, name),
            Some(reason) => {
                let waited = if may_come { seen.silent_for() } else { u64::MAX };
                let lost = new_lost(config, name, seen.tail, format!("it has fallen silent: {reason}"));
                found = Some(wait_or_lose(config, question, lost, waited, PATIENCE)?);
            }
        }
    }
    Ok(found)
}

impl Gate<'_> {
    /// This host has applied all that it fetched from a silent peer. Has another slave fetched more? Then this host
    /// takes that over, and all is looked at again (`None`): the peer may have come back meanwhile.
    pub(super) fn beside_survivors(&mut self, error: &Error) -> Result<Option<Proof>, Error> {
        let ours = channel::again(self.local, &self.channel)?;
        let whole = Ok(Some(Proof::AppliedAllFetched(ours.applied.clone())));
        let Question { settings, budget, .. } = self.question;
        if self.question.survivors() == Survivors::Off || takes_out("tail") {
            return whole;
        }
        check_time_to_ask(self.config, self.question)?;
        let most = settings.limits.connect;
        let dialled = self.dialled.take();
        let asked = survivors::ask(self.local, self.config, self.peer, &ours, dialled, most, budget)?;
        if let Some(host) = asked.receiving {
            return Err(self.question.pursuit(self.config).is_alive(self.peer.name.as_str(), &host));
        }
        check_own_log_by(self.local, &asked.logged, self.question)?;
        tell_of_silent(&asked, self.peer);
        let (mut lost, mut not_yet) = (self.given_up(&ours), None);
        let chosen = Chosen { channel: ours.clone(), source: self.peer };
        // A position that does not exist is not one to go back to.
        let ahead = if lost.is_none() { asked.ahead.as_slice() } else { &[] };
        for survivor in ahead {
            let (name, tail) = (survivor.host.name.to_string(), survivor.tail.to_string());
            if report::is_dry_run() {
                return Ok(Some(Proof::ToBeTakenOver { survivor: name, tail }));
            }
            let to = BinlogPosition::shown(survivor.tail.to.as_ref());
            let applied = BinlogPosition::shown(survivor.channel.applied.as_ref());
            let this = self.config.this_host();
            let idle = seen::note(this, &name, Seen::new(tail.clone(), to, applied));
            let failed = match self.take_over_from(&chosen, survivor, error)? {
                Taken::Nothing => {
                    seen::forget(this, &name);
                    continue;
                }
                Taken::All => return Ok(None),
                Taken::Later(reason) => match self.wait_or_lose(&name, tail, reason, idle, APPLYING) {
                    Ok(lost) => lost,
                    // Another slave may have as much, and give it now.
                    Err(still) => {
                        not_yet.get_or_insert(still);
                        continue;
                    }
                },
                Taken::Never(reason) => self.lost(&name, tail, reason),
                // At the present position of its channel, no other slave can be asked.
                Taken::Stuck(reason) => {
                    let waited = seen::read(this, &name).map_or(u64::MAX, |seen| seen.silent_for());
                    let lost = self.wait_or_lose(&name, tail, reason, waited, PATIENCE)?;
                    return self.without(lost, None).map(Some);
                }
            };
            log::error!("{failed}");
            lost.get_or_insert(failed);
        }
        if let Some(still) = not_yet {
            return Err(still);
        }
        if lost.is_none() {
            lost = unexamined(self.config, self.question, &asked)?;
        }
        if lost.is_none() {
            lost = seen_before(self.config, self.question, &asked, ours.applied.as_ref(), true)?;
        }
        if lost.is_none() {
            lost = unreadable(self.config, self.question, &asked);
        }
        // A takeover that brought nothing has pointed the channel back, at a new position.
        let seen = if ahead.is_empty() { ours.clone() } else { channel::again(self.local, &self.channel)? };
        if self.has_moved_since(&seen)? {
            return Ok(None);
        }
        match lost {
            None => whole,
            Some(lost) => self.without(lost, ours.applied).map(Some),
        }
    }

    /// Asking other slaves takes seconds if one does not answer. True if the peer has been heard meanwhile.
    fn has_moved_since(&mut self, seen: &Channel) -> Result<bool, Error> {
        let now = channel::again(self.local, &self.channel)?;
        let is_back = now.io == IoThread::Yes && seen.io != IoThread::Yes;
        let has_moved = is_back || (&now.fetched, &now.applied) != (&seen.fetched, &seen.applied);
        if has_moved {
            log::warn!(
                "{} was heard while other slaves were asked: everything is checked again",
                self.peer.name
            );
        }
        Ok(has_moved)
    }

    fn take_over_from(
        &mut self,
        chosen: &Chosen,
        survivor: &Survivor,
        error: &Error,
    ) -> Result<Taken, Error> {
        let name = survivor.host.name.to_string();
        if self.taken > self.config.hosts().len() {
            return Ok(Taken::Never("it still fetches more".into()));
        }
        self.taken += 1;
        log::warn!("taking over from {name} what only {name} has: {}", survivor.tail);
        let pursuit = self.question.pursuit(self.config);
        match takeover::take_over(self.local, chosen, survivor, error, pursuit) {
            Ok(Outcome::Nothing) => Ok(Taken::Nothing),
            Ok(Outcome::Done | Outcome::Changed) => Ok(Taken::All),
            Ok(Outcome::CutShort(reason)) => Ok(Taken::Later(reason)),
            Ok(Outcome::Stuck { reason, .. }) => Ok(Taken::Stuck(reason)),
            // If it is under way, the next call continues it.
            Err(error) if channel::again(self.local, &self.channel)?.source() != chosen.channel.source() => {
                Err(error)
            }
            Err(error) => why_not(self.config.this().as_str(), error, |state| pursuit.still(&name, state)),
        }
    }

    /// A part of a tail, given up by a call that may have been ended before it opened this host and reported that.
    fn given_up(&self, ours: &Channel) -> Option<Lost> {
        let this = self.config.this_host();
        let survivor = takeover::given_up(this, ours)?;
        let tail = seen::read(this, &survivor).map_or_else(|| "some transactions".into(), |seen| seen.tail);
        let reason = "a part of it was taken over, and the rest given up for writes to be opened".into();
        Some(self.lost(&survivor, tail, reason))
    }

    /// Waits, over several calls, for what may still come, before it is given up.
    fn wait_or_lose(
        &self,
        survivor: &str,
        tail: String,
        reason: String,
        waited: u64,
        most: u64,
    ) -> Result<Lost, Error> {
        wait_or_lose(self.config, self.question, self.lost(survivor, tail, reason), waited, most)
    }

    fn lost(&self, survivor: &str, tail: String, reason: String) -> Lost {
        new_lost(self.config, survivor, tail, reason)
    }

    /// Opens without what is lost, or refuses to.
    fn without(&mut self, lost: Lost, at: Option<BinlogPosition>) -> Result<Proof, Error> {
        without(self.local, self.config, self.question, lost, at)
    }
}

#[cfg(test)]
mod tests;
