//! By an old master whose SQL thread is paused (docs/FAILOVER.md, 2.7).

use mmm_core::mutant::takes_out;

use crate::facts::{Facts, OldMaster, OldState};
use crate::plan::decision::{Decision, Plan, Proof};
use crate::position::BinlogPosition;
use crate::refusal::Refusal;
use crate::status::{Channel, Mode, Place};

/// What pausing the old master's SQL thread proves, or would prove; `refusal` is the result of all other methods.
pub fn plan(facts: &Facts, refusal: Refusal) -> Result<Decision, Refusal> {
    let OldMaster::Answers(old) = &facts.old else { return Err(refusal) };
    let Refusal::Unproved { may_pass, .. } = refusal else { return Err(refusal) };
    let (Some(old_end), Some(from_new)) = (&old.end, &old.from_new) else { return Err(refusal) };
    let Some(behind) = &old.held else {
        let can_be_held = !may_pass
            && from_new.is_running()
            && facts.replica.channel.sql_running
            && tells_the_place(facts, old, from_new);
        return if can_be_held { Ok(Decision::Hold(refusal)) } else { Err(refusal) };
    };
    let unproved = |reason: String, may_pass| Err(because(refusal.clone(), &reason, may_pass));
    if from_new.sql_running || from_new.sql_error.is_some() || !tells_the_place(facts, old, from_new) {
        return unproved(format!("the SQL thread of {} did not stay paused", old.host), false);
    }
    let Some(new_place) = from_new.applied.as_ref().filter(|place| place.has_reached(behind)) else {
        let place = BinlogPosition::shown(from_new.applied.as_ref());
        return unproved(format!("{} is at {place}, which is before {behind}", old.host), false);
    };
    if !old.rests {
        return unproved(format!("the log of {} still grows", old.host), true);
    }
    let ours = facts.replica.channel.applied.as_ref();
    if ours != Some(old_end) && !takes_out("same-as-old") {
        let may_pass = facts.replica.channel.sql_running && ours.is_none_or(|ours| old_end.has_reached(ours));
        return unproved(not_executed(&facts.replica.host, ours, &old.host, old_end), may_pass);
    }
    let proof = Proof::SameAsOld { old_end: old_end.clone(), new_place: new_place.clone() };
    Ok(Decision::Attach(Plan { place: Place::Position(new_place.clone()), proof }))
}

/// True if an old master with a paused SQL thread would show the file and position of the replica: everything
/// from the new master reached the replica through it, and everything of its own reached the new master.
fn tells_the_place(facts: &Facts, old: &OldState, from_new: &Channel) -> bool {
    let ours = &facts.replica.channel;
    [ours.mode, from_new.mode].iter().all(|mode| *mode == Mode::FilePosition)
        && facts.old_passes_on(old)
        && facts.new.log_slave_updates
        && facts.new.channel.is_some()
}

/// The refusal with what would have helped.
pub fn because(refusal: Refusal, what: &str, may_pass: bool) -> Refusal {
    match refusal {
        Refusal::Unproved { host, new, cause, reason, .. } => {
            Refusal::Unproved { host, new, cause, reason: format!("{reason} ({what})"), may_pass }
        }
        other => other,
    }
}

pub fn not_executed(
    host: &str,
    applied: Option<&BinlogPosition>,
    source: &str,
    target: &BinlogPosition,
) -> String {
    let applied = BinlogPosition::shown(applied);
    format!("{host} has executed the log of {source} to {applied}, not to {target}")
}
