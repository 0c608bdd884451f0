//! By what the replica executed last (docs/FAILOVER.md, 2.6).

use std::cmp::Ordering;

use crate::binlog::located::Located;
use crate::facts::{Facts, OldMaster};
use crate::plan::behind::still_applies;
use crate::plan::by_position::unproved;
use crate::plan::decision::{Decision, Plan, Proof, Wanted};
use crate::refusal::{Refusal, Unproved};
use crate::status::{Mode, Place};

/// Finds an exact position if positions alone prove nothing, whatever the new master has written: by what the replica
/// executed last, in the new master's log (docs/FAILOVER.md, 2.6). `refusal` is the result of judging by positions.
pub(super) fn by_content(
    facts: &Facts,
    located: Option<&Located>,
    why_not_gtid: &str,
    refusal: Refusal,
) -> Result<Decision, Refusal> {
    let (replica, new) = (&facts.replica, &facts.new);
    let (Some(applied), Refusal::Unproved { .. }) = (&replica.channel.applied, &refusal) else {
        return Err(refusal);
    };
    if replica.channel.mode != Mode::FilePosition || !new.log_slave_updates {
        return Err(refusal);
    }
    let of_new = new.channel.as_ref().and_then(|channel| channel.applied.as_ref());
    let standing = of_new.and_then(|theirs| theirs.compare(applied));
    if standing == Some(Ordering::Less) {
        return Err(refusal);
    }
    let unproved = |cause, reason: String, may_pass| unproved(facts, why_not_gtid, cause, &reason, may_pass);
    if !new.keeps_order {
        let reason = format!("{} logs what it replicates in any order", new.host);
        return unproved(Unproved::ParallelOrder, reason, refusal.may_pass());
    }
    if new.other_channels {
        let reason = format!("{} also replicates from other hosts", new.host);
        return unproved(Unproved::SeveralSources, reason, refusal.may_pass());
    }
    // Once the new master has executed as much, it will never get what it does not have by then. An old master that
    // answers may show the position in its own way, so there is no other search before that.
    let is_final = standing.is_some();
    let (is_alive, is_held) = match &facts.old {
        OldMaster::Answers(old) => (true, old.held.is_some()),
        _ => (false, false),
    };
    if is_held {
        return Err(refusal);
    }
    match located {
        Some(Located::Groups { of, end, found, stood_still, .. })
            if of == applied && (is_final || *end == new.end) || is_alive && found.is_err() =>
        {
            match found {
                Ok(found) => {
                    let place = Place::Position(found.position.clone());
                    Ok(Decision::Attach(Plan { place, proof: Proof::SameLast(found.clone()) }))
                }
                Err(reason) => {
                    let may_pass = !is_alive && (!stood_still || !is_final && still_applies(new));
                    unproved(Unproved::Nothing, reason.clone(), may_pass)
                }
            }
        }
        _ => Ok(Decision::Locate(Wanted::LastGroups)),
    }
}
