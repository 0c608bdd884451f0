//! Observes and plans until a plan holds: before the stop, and after it.

use std::cmp::Ordering;
use std::time::{Duration, Instant};

use mmm_core::progress::{self, Waiting};
use mmm_core::{Budget, interrupt, report};

use crate::attach::moving::{Move, Observed, Settled, Tail};
use crate::attach::shares::{LOOKING, SETTLING};
use crate::binlog::located::Located;
use crate::channel::{awaited, workers};
use crate::error::{Error, Told};
use crate::facts::{Facts, OldMaster};
use crate::plan::{Decision, Plan, before_takeover, plan};
use crate::refusal::{Refusal, Unproved};
use crate::status::{Mode, Place};

/// Pause between two looks while something is waited for.
const PAUSE: Duration = Duration::from_millis(10);
/// The minimum time for a closed new master to execute what the stopped replica has.
const REST: Duration = Duration::from_millis(100);
/// How long a replica must be seen to differ from the new master before it is called different for good.
const CONFIRMATION: Duration = Duration::from_millis(200);

/// For how long a replica that applies is waited for in any case, while clients wait.
const BACKLOG: Duration = Duration::from_millis(100);
/// A replica that has ended a transaction this recently can be stopped soon: its transactions are short.
const RECENTLY: Duration = Duration::from_millis(50);

/// Whether a replica that applies ends one short transaction after another.
struct Pace {
    begin: Instant,
    applied: String,
    last: Option<Instant>,
}

impl Pace {
    fn of(facts: &Facts) -> Self {
        Self { begin: Instant::now(), applied: facts.replica.applied_gtids.clone(), last: None }
    }

    fn note(&mut self, facts: &Facts) {
        if self.applied != facts.replica.applied_gtids {
            self.applied.clone_from(&facts.replica.applied_gtids);
            self.last = Some(Instant::now());
        }
    }

    fn can_be_stopped(&self) -> bool {
        self.begin.elapsed() >= BACKLOG && self.last.is_some_and(|last| last.elapsed() < RECENTLY)
    }
}

/// A final refusal that rests on what a replica has applied. The replica's position and its log are read one after the
/// other, and one of them was once seen (MariaDB 10.11, threads just started) to change later than the other.
#[derive(Default)]
struct Doubt(Option<(Refusal, Instant)>);

impl Doubt {
    /// True until the same refusal has been repeated for a while.
    fn is_fresh(&mut self, refusal: &Refusal) -> bool {
        if !refusal.rests_on_place() {
            return false;
        }
        match &self.0 {
            Some((earlier, since)) if earlier == refusal => since.elapsed() < CONFIRMATION,
            _ => {
                self.0 = Some((refusal.clone(), Instant::now()));
                true
            }
        }
    }
}

impl Move<'_> {
    /// Observes and plans until a plan holds, within the share of the budget that is for waiting.
    ///
    /// A dry run judges a replica as it is, even while the replica applies.
    pub(super) fn settle(&mut self, first: Observed) -> Result<Settled, Error> {
        let mut located = None;
        let mut doubt = Doubt::default();
        let (mut facts, mut is_moving) = first;
        let mut pace = Pace::of(&facts);
        let mut face = self.face();
        loop {
            let patience = self.patience(&facts, self.budget.part(SETTLING));
            pace.note(&facts);
            // A search is also left to a later call, because clients wait.
            if self.is_waited_for(&facts)
                && !report::is_dry_run()
                && (is_moving || self.applies(&facts)? || outruns(&facts))
            {
                match plan(&facts, located.as_ref()) {
                    // It gets the rest from the new master, which has fetched all of that.
                    Ok(Decision::Attach(plan))
                        if plan.place == Place::Gtid(Mode::AutoPosition)
                            && pace.can_be_stopped()
                            && has_fetched_no_more(&facts) =>
                    {
                        log::info!("the replica is stopped before it has applied all that it fetched");
                        return Ok(Settled::Planned(plan, located));
                    }
                    Err(refusal)
                        if !matches!(refusal, Refusal::Unproved { .. })
                            && !refusal.rests_on_place()
                            && (!refusal.may_pass() || patience.is_spent()) =>
                    {
                        return Err(self.in_words(&facts, refusal));
                    }
                    _ if patience.is_spent() => return Err(self.too_early(&facts)),
                    _ => {}
                }
                awaited::show(&mut face, &facts, None);
                patience.pause(PAUSE);
                (facts, is_moving) = self.observe_again()?;
                continue;
            }
            let considered = self.consider(&facts, &mut located)?;
            match considered {
                // Position and log of a replica that applies meanwhile may not belong together.
                _ if is_moving
                    && considered.as_ref().err().is_none_or(Refusal::rests_on_place)
                    && !(report::is_dry_run() && patience.is_spent() && considered.is_ok()) =>
                {
                    if patience.is_spent() {
                        // If the replica were stopped for such a refusal, it would only be started again.
                        let may_pass = matches!(considered, Err(Refusal::NotInLog { .. }));
                        let is_early = may_pass || report::is_dry_run();
                        return if is_early {
                            Err(self.too_early(&facts))
                        } else {
                            Ok(Settled::Moving(located))
                        };
                    }
                    awaited::show(&mut face, &facts, None);
                }
                Ok(_) if outruns(&facts) => {
                    if patience.is_spent() {
                        return Err(self.too_early(&facts));
                    }
                    awaited::show(&mut face, &facts, None);
                }
                Err(_) if self.last_resort.is_planned() => return Ok(Settled::WouldHold),
                Ok(plan) => return Ok(Settled::Planned(plan, located)),
                // A parallel applier shows its position sooner if it is stopped.
                Err(refusal)
                    if refusal.may_pass()
                        && self.last_resort.is_reached(&facts)
                        && !workers::are_busy(self.replica, &facts.replica.channel)? =>
                {
                    return Ok(Settled::Reached);
                }
                Err(refusal) if refusal.may_pass() && !patience.is_spent() => {
                    log::debug!("waiting: {refusal}");
                    awaited::show(&mut face, &facts, Some(&refusal));
                }
                Err(refusal) if doubt.is_fresh(&refusal) && !patience.is_spent() => {
                    log::debug!("looked at again: {refusal}");
                }
                // What is not certain is no refusal for good.
                Err(refusal) if doubt.is_fresh(&refusal) && !facts.replica.channel.has_applied_all() => {
                    return Err(self.too_early(&facts));
                }
                Err(refusal) => return Err(self.in_words(&facts, refusal)),
            }
            patience.pause(PAUSE);
            (facts, is_moving) = self.observe_again()?;
        }
    }

    /// If the old master has fallen silent meanwhile, what only the replica has of its log is judged as at the
    /// beginning.
    fn observe_again(&mut self) -> Result<Observed, Error> {
        let observed = self.observe()?;
        let is_silent = matches!(observed.0.old, OldMaster::Silent { .. });
        if is_silent && self.tail == Tail::ToBeJudged { self.prepare() } else { Ok(observed) }
    }

    /// Waits until a MariaDB has applied what its positions say it has ([`workers::shows_too_much`]): somebody lets it
    /// apply its relay log by hand. A move would delete that log, and nothing would show what was missing.
    pub(super) fn wait_for_what_is_shown(&mut self, mut seen: Observed) -> Result<Observed, Error> {
        let mut has_waited = false;
        loop {
            let channel = &seen.0.replica.channel;
            if channel.fetched != channel.applied || !workers::apply_what_is_shown(self.replica, channel)? {
                break;
            }
            if !channel.sql_running {
                // Planning refuses what has failed on the data, and not on the relay log. Here that is all there is.
                let (host, error) = (self.this_host.name.to_string(), channel.what_is_wrong());
                return Err(Refusal::ApplierFailed { host, error }.into());
            }
            has_waited = true;
            if !self.patience(&seen.0, self.budget.part(SETTLING)).pause(PAUSE) {
                return Err(self.too_early(&seen.0));
            }
            seen = self.observe()?;
        }
        if !has_waited {
            return Ok(seen);
        }
        // What only this replica has was judged by the false position.
        if self.tail == Tail::Judged {
            self.tail = Tail::ToBeJudged;
        }
        self.prepare()
    }

    /// True while the replica applies what it fetched. What it delays on purpose does not count.
    fn applies(&mut self, facts: &Facts) -> Result<bool, Error> {
        let channel = &facts.replica.channel;
        if !channel.sql_running || channel.delay > 0 || channel.fetched == channel.applied {
            return Ok(false);
        }
        Ok(!channel.has_applied_all() || workers::are_busy(self.replica, channel)?)
    }

    /// Plans on the replica at rest, waiting a little longer for the new master if it must be.
    pub(super) fn decide(&mut self, mut located: Option<Located>) -> Result<(Facts, Plan), Error> {
        let otherwise = self.budget.part(LOOKING);
        // However long the call has taken, the new master gets a moment to execute what the replica has.
        let since = self.budget.elapsed().saturating_sub(self.patience.saturating_sub(REST));
        self.waits_since = self.waits_since.max(since);
        let mut doubt = Doubt::default();
        let mut face = self.face();
        loop {
            let (facts, _) = self.observe()?;
            if self.tail == Tail::ToBeJudged
                && let Some(stays) = self.leave_tail_to_new(&facts)?
            {
                return Err(stays.into());
            }
            let considered = self.consider(&facts, &mut located)?;
            let patience = self.patience(&facts, otherwise);
            match considered {
                Ok(plan) => return Ok((facts, plan)),
                Err(refusal) if (refusal.may_pass() || doubt.is_fresh(&refusal)) && patience.pause(PAUSE) => {
                    awaited::show(&mut face, &facts, Some(&refusal));
                }
                Err(refusal) => return Err(self.in_words(&facts, refusal)),
            }
        }
    }

    /// True if clients wait for this call.
    fn is_waited_for(&self, facts: &Facts) -> bool {
        facts.new.read_only && self.errand.is_none() && self.patience < Duration::MAX
    }

    fn too_early(&self, facts: &Facts) -> Error {
        let (old, new) = (&self.old_host.name, &self.new_host.name);
        if outruns(facts) {
            let reason = format!("it has fetched more of the log of {old} than {new}, and not applied it");
            return self.not_yet(&reason);
        }
        let channel = &facts.replica.channel;
        let left = awaited::bytes(channel.applied.as_ref(), channel.fetched.as_ref(), &[])
            .map_or_else(String::new, |left| format!(" ({left} left)"));
        let then = if self.is_waited_for(facts) {
            format!("open {new} first (sync_with_master, mysql_allow_write), then call this again")
        } else {
            "call this again when it is done".into()
        };
        let (host, new) = (self.this_host.name.to_string(), new.to_string());
        let reason = format!(
            "{host} still applies what it fetched from {old}{left} and stays there; {then}. SHOW FULL PROCESSLIST on \
             {host} shows what delays it"
        );
        Refusal::Unproved { host, new, cause: Unproved::ReplicaApplies, reason, may_pass: true }.into()
    }

    pub(super) fn not_yet(&self, reason: &str) -> Error {
        let (host, new) = (self.this_host.name.to_string(), self.new_host.name.to_string());
        Refusal::Unproved {
            host,
            new,
            cause: Unproved::StillApplies,
            reason: format!("{reason}; retry"),
            may_pass: true,
        }
        .into()
    }

    /// The time for waiting. While the new master is closed, clients wait for this call: agents are called one after
    /// another, and the new master's comes later. What that does not prove the next call does.
    fn patience(&self, facts: &Facts, otherwise: Budget) -> Budget {
        let patience = self.last_resort.patience(otherwise);
        let is_free = !self.is_waited_for(facts) || self.last_resort.is_holding();
        let until = self.waits_since.saturating_add(self.patience);
        if is_free || patience.limit().is_some_and(|limit| limit <= until) {
            return patience;
        }
        patience.relimited(until)
    }

    /// A refusal in words for the operator of a new master that takes over what only other hosts have.
    fn in_words(&self, facts: &Facts, refusal: Refusal) -> Error {
        let takes_over = self.tail != Tail::GivenUp && self.errand.is_none();
        if takes_over { before_takeover(facts, refusal).into() } else { refusal.into() }
    }

    fn face(&self) -> Waiting {
        progress::waiting(format!("moving {} to {}", self.this_host.name, self.new_host.name))
    }

    /// Plans on one observation, and searches the new master's log if that is needed. `located` is what the last search
    /// found; it holds as long as the replica has applied nothing more.
    fn consider(&mut self, facts: &Facts, located: &mut Option<Located>) -> Told<Plan, Refusal> {
        loop {
            if interrupt::is_requested() {
                return Err(Refusal::Interrupted { state: "nothing was decided".into() }.into());
            }
            match plan(facts, located.as_ref()) {
                Ok(Decision::Attach(plan)) => return Ok(Ok(plan)),
                Ok(Decision::Locate(wanted)) => {
                    let before = Instant::now();
                    *located = Some(self.locate(facts, &wanted, located.as_ref())?);
                    self.last_look = before.elapsed();
                }
                Ok(Decision::Hold(refusal)) => {
                    let refusal = self.last_resort.approach(facts, refusal)?;
                    self.use_budget(self.last_resort.limit(self.budget.part(LOOKING)));
                    return Ok(Err(refusal));
                }
                Err(refusal) => return Ok(Err(refusal)),
            }
        }
    }
}

/// How far a replica has fetched the old master's log, beside a new master; `None` if the two do not compare.
fn fetched_beside_new(facts: &Facts) -> Option<Ordering> {
    let ours = facts.replica.channel.fetched.as_ref()?;
    ours.compare(facts.new.channel.as_ref()?.fetched.as_ref()?)
}

/// True if a replica has fetched, and not applied, what a new master has not fetched. If it were moved now, it would
/// discard that. A new master that is open has all of the old one's log.
fn outruns(facts: &Facts) -> bool {
    let ours = &facts.replica.channel;
    facts.new.read_only
        && matches!(facts.old, OldMaster::Answers(_))
        && ours.fetched != ours.applied
        && fetched_beside_new(facts) == Some(Ordering::Greater)
}

/// True if a new master is known to have fetched all that a replica has: of what the replica discards, nothing is the
/// only copy, whatever becomes of the old master.
fn has_fetched_no_more(facts: &Facts) -> bool {
    fetched_beside_new(facts).is_some_and(Ordering::is_le)
}
