//! By exact positions (docs/FAILOVER.md, 2.5).

use mmm_core::mutant::takes_out;

use crate::binlog::located::Located;
use crate::facts::{Facts, OldMaster};
use crate::plan::decision::{Decision, Plan, Proof, Wanted};
use crate::refusal::{Refusal, Unproved};
use crate::status::{Mode, Place};

/// Exact positions if GTIDs say nothing: all is quiet, or the old master is dead and both hosts are at the same
/// position (docs/FAILOVER.md, 2.5).
pub(super) fn by_position(
    facts: &Facts,
    located: Option<&Located>,
    why_not_gtid: &str,
) -> Result<Decision, Refusal> {
    let (replica, new) = (&facts.replica, &facts.new);
    let unproved = |cause, reason: String, may_pass| unproved(facts, why_not_gtid, cause, &reason, may_pass);
    let refuse = |reason: String| unproved(Unproved::Nothing, reason, false);
    let wait = |cause, reason: String| unproved(cause, reason, true);
    if replica.channel.mode != Mode::FilePosition {
        return refuse("its channel uses GTID".into());
    }
    let Some(new_end) = new.end.clone() else { return refuse(format!("{} has no binary log", new.host)) };
    if !new.read_only {
        return refuse(format!("{} takes writes already", new.host));
    }
    if !facts.quiet {
        return wait(Unproved::LogStillGrows, format!("the log of {} still grows", new.host));
    }
    let Some(new_channel) = &new.channel else {
        return refuse(format!("{} does not replicate from {}", new.host, facts.old.host()));
    };
    let (of_replica, of_new) = (replica.channel.executed().cloned(), new_channel.applied.clone());
    match &facts.old {
        OldMaster::Answers(old) => {
            let Some(old_end) = old.end.clone() else {
                return refuse(format!("{} has no binary log", old.host));
            };
            if of_new.as_ref() != Some(&old_end) && !takes_out("all-quiet") {
                return wait(
                    Unproved::StillApplies,
                    format!("{} has not applied {} to its end {old_end}", new.host, old.host),
                );
            }
            match &old.from_new {
                None => return refuse(format!("{} does not replicate from {}", old.host, new.host)),
                Some(channel) if channel.applied.as_ref() != Some(&new_end) => {
                    return wait(
                        Unproved::StillApplies,
                        format!("{} has not applied {} to its end {new_end}", old.host, new.host),
                    );
                }
                Some(_) => {}
            }
            if of_replica.as_ref() != Some(&old_end) {
                return wait(
                    Unproved::StillApplies,
                    format!("{} has not applied {} to its end {old_end}", replica.host, old.host),
                );
            }
            // Then the replica has what the new master wrote only if it got that from elsewhere.
            if !facts.old_passes_on(old) {
                match lacks_own_groups(facts, located) {
                    None => return Ok(Decision::Locate(Wanted::LastGroups)),
                    Some(false) => {}
                    Some(true) => {
                        let (cause, _) = whose_groups(facts);
                        let reason = format!(
                            "{} does not log all that it replicates, so that {} has not got what {} wrote",
                            old.host, replica.host, new.host
                        );
                        return unproved(cause, reason, false);
                    }
                }
            }
            let proof = Proof::AllQuiet { old_end, new_end: new_end.clone() };
            Ok(Decision::Attach(Plan { place: Place::Position(new_end), proof }))
        }
        OldMaster::Silent { host: old_host, .. } => {
            let (Some(ours), Some(theirs)) = (of_replica, of_new) else {
                return refuse(format!("their positions in the log of {old_host} are not known"));
            };
            if !new_channel.has_applied_all() || !new.is_settled {
                return wait(
                    Unproved::StillApplies,
                    format!("{} still applies what it got from {old_host}", new.host),
                );
            }
            if ours != theirs && !takes_out("same-position") {
                let reason = format!(
                    "{} is at {ours} and {} is at {theirs} in the log of {old_host}, which is unreachable",
                    replica.host, new.host
                );
                // Until its next checkpoint, a parallel applier has applied more than it shows.
                return unproved(Unproved::Nothing, reason, new_channel.fetched != new_channel.applied);
            }
            match lacks_own_groups(facts, located) {
                None => return Ok(Decision::Locate(Wanted::LastGroups)),
                Some(false) => {}
                Some(true) => {
                    let (cause, whose) = whose_groups(facts);
                    let reason = format!("the log of {} {whose}, which {} may lack", new.host, replica.host);
                    return unproved(cause, reason, false);
                }
            }
            let proof = Proof::SamePosition { old: ours, new_end: new_end.clone() };
            Ok(Decision::Attach(Plan { place: Place::Position(new_end), proof }))
        }
        OldMaster::Unreadable { .. } => refuse("the old master cannot be read".into()),
    }
}

/// Neither GTIDs nor the methods without GTIDs prove anything.
pub(super) fn unproved(
    facts: &Facts,
    why_not_gtid: &str,
    cause: Unproved,
    reason: &str,
    may_pass: bool,
) -> Result<Decision, Refusal> {
    let (host, new) = (facts.replica.host.clone(), facts.new.host.clone());
    Err(Refusal::Unproved { host, new, cause, reason: format!("{why_not_gtid}, and {reason}"), may_pass })
}

/// What the replica may lack, as a cause and in words.
fn whose_groups(facts: &Facts) -> (Unproved, &'static str) {
    if facts.new.other_channels {
        (Unproved::SeveralSources, "may hold transactions of other hosts than the old master")
    } else {
        (Unproved::OwnTransactions, "holds transactions of its own")
    }
}

/// Whether the replica may lack transactions that the new master wrote itself, or got from others than the old one;
/// `None` until its log was looked into.
fn lacks_own_groups(facts: &Facts, located: Option<&Located>) -> Option<bool> {
    if facts.new.other_channels {
        return Some(true);
    }
    let state = &facts.new.state;
    if state.iter().next().is_some() {
        let log = facts.replica.log.as_ref();
        let mut own = state.iter().filter(|gtid| u64::from(gtid.server) == facts.new.server_id);
        return Some(!own.all(|gtid| log.is_some_and(|log| log.state.includes(gtid))));
    }
    match located {
        Some(Located::Groups { end, has_own, .. }) if *end == facts.new.end => Some(*has_own),
        _ => None,
    }
}
