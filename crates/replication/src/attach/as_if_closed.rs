//! Judges a move as if the old master were closed now, while it takes writes. Nothing is stopped, so the servers move
//! on between two looks: only what stays the same is a refusal.

use std::time::{Duration, Instant};

use mmm_core::Coded;

use crate::attach::moving::{Move, Observed};
use crate::attach::shares::SETTLING;
use crate::binlog::located::Located;
use crate::error::Error;
use crate::facts::{Facts, OldMaster};
use crate::plan::{Decision, Wanted, plan};
use crate::refusal::Refusal;
use crate::rehearsal::{Foreseen, Rehearsal};
use crate::status::{Channel, IoThread};

/// Pause between two looks at servers that are at work.
const PAUSE: Duration = Duration::from_millis(50);
/// How long is looked for an answer that does not change.
const PATIENCE: Duration = Duration::from_millis(1500);
/// How long the same refusal must be seen.
const CONFIRMATION: Duration = Duration::from_millis(300);
/// How often a replica is looked at for a moment in which it applies nothing.
const LOOKS: usize = 20;

/// A refusal, seen since.
struct Suspicion {
    refusal: Refusal,
    since: Instant,
}

impl Move<'_> {
    /// What `set_active_master` would come to. With `is_here`, the replica's server is this host's, and its relay log
    /// files are on this host's disk.
    pub(super) fn judge_as_if_closed(
        &mut self,
        rehearsal: Rehearsal,
        is_here: bool,
        is_errand: bool,
    ) -> Result<Foreseen, Error> {
        let until = self.budget.elapsed().saturating_add(PATIENCE);
        let patience = self.budget.part(SETTLING);
        let patience = if patience.limit().is_some_and(|limit| limit <= until) {
            patience
        } else {
            patience.relimited(until)
        };
        let (mut facts, mut is_moving) = self.look_at_rest()?;
        let mut suspicion: Option<Suspicion> = None;
        loop {
            if !matches!(facts.old, OldMaster::Answers(_)) {
                return Ok(Foreseen::NotJudged(format!("{} does not answer", self.old_host.name)));
            }
            if is_errand {
                facts.bury_old(rehearsal);
            } else {
                facts.close_old(rehearsal);
            }
            let refusal = match self.judge(&facts, is_here)? {
                Ok(foreseen) => return Ok(foreseen),
                Err(refusal) => refusal,
            };
            if is_errand && matches!(refusal, Refusal::ReplicaAhead { .. } | Refusal::NewMasterBehind { .. })
            {
                let (here, survivor) = (&self.this_host.name, &self.new_host.name);
                return Ok(Foreseen::Moving(format!(
                    "{survivor} has nothing at the moment that {here} lacks"
                )));
            }
            // What a replica has applied and what it has logged may have been read at different moments.
            let is_mixed = is_moving && refusal.rests_on_place();
            match &suspicion {
                Some(earlier) if is_same(&earlier.refusal, &refusal) => {
                    let is_old = earlier.since.elapsed() >= CONFIRMATION;
                    if is_old && !is_mixed && stays(&facts, &refusal) {
                        let refusal =
                            if is_errand { refusal.of_takeover(Some(facts.new.server_id)) } else { refusal };
                        return Ok(Foreseen::failed(&refusal.into()));
                    }
                }
                _ => suspicion = Some(Suspicion { refusal: refusal.clone(), since: Instant::now() }),
            }
            if !patience.pause(PAUSE) {
                return Ok(Foreseen::moving(&refusal));
            }
            if matches!(refusal, Refusal::NewMasterBehind { .. }) {
                // What was in flight to the new master has arrived at the next look.
                let replica = facts.replica.clone();
                facts = Facts { replica, ..self.observe()?.0 };
            } else {
                (facts, is_moving) = self.look_at_rest()?;
            }
        }
    }

    /// A look at a replica that applies nothing meanwhile, if there is such a moment.
    fn look_at_rest(&mut self) -> Result<Observed, Error> {
        let mut observed = self.observe()?;
        for _ in 0..LOOKS {
            if !observed.1 || self.budget.part(SETTLING).is_spent() {
                break;
            }
            observed = self.observe()?;
        }
        Ok(observed)
    }

    /// Plans on one observation, as a move does.
    fn judge(&mut self, facts: &Facts, is_here: bool) -> Result<Result<Foreseen, Refusal>, Error> {
        let mut located: Option<Located> = None;
        loop {
            match plan(facts, located.as_ref()) {
                Ok(Decision::Attach(plan)) => return Ok(Ok(Foreseen::Proved(plan.to_string()))),
                Ok(Decision::Locate(Wanted::LastGroups)) if !is_here => {
                    let host = &self.this_host.name;
                    return Ok(Ok(Foreseen::NotJudged(format!(
                        "without GTIDs, only mmm_preflight on {host} can tell"
                    ))));
                }
                Ok(Decision::Locate(wanted)) => {
                    located = Some(self.locate(facts, &wanted, located.as_ref())?);
                }
                // A replica that stays behind never gets where the paused thread would show its position.
                Ok(Decision::Hold(_)) if self.last_resort.is_allowed() && self.found.delay == 0 => {
                    return Ok(Ok(Foreseen::NotJudged(format!(
                        "nothing else proves a position, so set_active_master would pause the SQL thread of {} for a \
                         moment to find out",
                        self.old_host.name
                    ))));
                }
                Ok(Decision::Hold(refusal)) | Err(refusal) => return Ok(Err(refusal)),
            }
        }
    }
}

/// True if two looks have found the same. Where one position is named, it moves on with the replica; the cause stays.
fn is_same(earlier: &Refusal, now: &Refusal) -> bool {
    earlier == now || (!now.rests_on_place() && !now.may_pass() && earlier.code() == now.code())
}

/// True if nothing that is under way can end the refusal.
fn stays(facts: &Facts, refusal: &Refusal) -> bool {
    match refusal {
        Refusal::NewMasterBehind { .. } => facts.new.channel.as_ref().is_none_or(|channel| {
            !channel.sql_running || channel.has_applied_all() && !still_fetches(channel, facts)
        }),
        refusal => !refusal.may_pass(),
    }
}

/// True if the new master's I/O thread is under way to what the replica has.
fn still_fetches(channel: &Channel, facts: &Facts) -> bool {
    let replicas = facts.replica.channel.applied.as_ref();
    let is_behind =
        channel.fetched.as_ref().zip(replicas).is_some_and(|(here, there)| !here.has_reached(there));
    channel.io != IoThread::No && is_behind
}
