//! What must hold for every method.

use crate::facts::{Facts, OldMaster};
use crate::position::BinlogPosition;
use crate::refusal::Refusal;

/// What must hold for every method.
pub(super) fn check_servers(facts: &Facts) -> Result<(), Refusal> {
    let (replica, new) = (&facts.replica, &facts.new);
    let (host, new_host) = (replica.host.clone(), new.host.clone());
    let Some(_) = new.end else { return Err(Refusal::NoBinlog { new: new_host }) };
    if replica.server_id == new.server_id {
        return Err(Refusal::SameServerId { host, new: new_host, id: new.server_id });
    }
    if replica.channel.ignored_server_ids.contains(&new.server_id) {
        return Err(Refusal::IgnoresNewMaster { host, new: new_host, id: new.server_id });
    }
    // A filter that both have loses nothing that the replica would have kept.
    let own = &replica.channel.filters;
    let foreign: Vec<_> = new.filters.iter().filter(|filter| !own.contains(filter)).cloned().collect();
    if !foreign.is_empty() {
        return Err(Refusal::Filtered { host, new: new_host, filters: foreign.join(", ") });
    }
    check_log_filters(facts)?;
    if let (Some(error), true) = (&replica.channel.sql_error, replica.channel.has_failed_on_data()) {
        return Err(Refusal::ApplierFailed { host, error: error.to_string() });
    }
    match &facts.old {
        OldMaster::Answers(old) if !old.read_only => {
            return Err(Refusal::OldMasterWritable { old: old.host.clone() });
        }
        OldMaster::Unreadable { host: old, reason } => {
            return Err(Refusal::OldMasterUnreadable { old: old.clone(), reason: reason.clone() });
        }
        OldMaster::Answers(_) | OldMaster::Silent { .. } => {}
    }
    if replica.moves_itself {
        return Err(Refusal::MovesItself { host });
    }
    if replica.temporary_tables > 0 && !are_orphans(facts) {
        return Err(Refusal::TemporaryTables { host, count: replica.temporary_tables });
    }
    Ok(())
}

/// True if the replica's temporary tables will never be used again: the sessions of the old master that had them have
/// ended with it, and the replica has executed all statements of these sessions that any host has.
fn are_orphans(facts: &Facts) -> bool {
    let (replica, new) = (&facts.replica, &facts.new);
    let (OldMaster::Silent { .. }, Some(theirs)) = (&facts.old, &new.channel) else { return false };
    let ours = &replica.channel;
    let by_place = match (&ours.applied, &theirs.applied) {
        (Some(ours), Some(theirs)) => ours.has_reached(theirs),
        _ => false,
    };
    let of_old = |uuid: &str| uuid.eq_ignore_ascii_case(&ours.source_uuid);
    let by_set = match (&replica.sets, &new.sets) {
        (Some(ours), Some(theirs)) => theirs.executed.filtered(of_old).is_within(&ours.executed),
        _ => true,
    };
    let at = &replica.gtid_position;
    let mut of_old = new.state.iter().filter(|gtid| u64::from(gtid.server) == ours.source_server_id);
    let by_gtid = at.is_empty()
        || of_old.all(|gtid| at.get(gtid.domain).is_some_and(|at| at.sequence >= gtid.sequence));
    // A new master that still receives something shows that the old master is alive.
    !theirs.is_receiving() && theirs.has_applied_all() && by_place && by_set && by_gtid
}

/// Does the new master's log hold all that the replica has to get from it, except what no host gets?
///
/// The replica never got what the old master left out of its log, and never will. So the two masters' filters are
/// compared with each other; what the replica leaves out of its own log does not matter here. If the old master does
/// not answer, its filters do not count as equal. Then the new master's filters are harmless only if nothing from the
/// old master is still to come through the new one.
fn check_log_filters(facts: &Facts) -> Result<(), Refusal> {
    let (replica, new) = (&facts.replica, &facts.new);
    let (host, new_host) = (replica.host.clone(), new.host.clone());
    if new.log_rule.is_empty() {
        return Ok(());
    }
    let (ours, fetched) =
        (&replica.channel.applied, new.channel.as_ref().and_then(|channel| channel.fetched.as_ref()));
    match (&facts.old, ours, fetched) {
        (OldMaster::Answers(old), ..) if old.log_rule == new.log_rule => Ok(()),
        (OldMaster::Answers(old), ..) => {
            let filters = if old.log_rule.filters == new.log_rule.filters {
                format!("{}; {}: {}", new.log_rule, old.host, old.log_rule)
            } else {
                new.log_rule.filters.join(", ")
            };
            Err(Refusal::Filtered { host, new: new_host, filters })
        }
        (_, Some(ours), Some(fetched)) if ours.has_reached(fetched) => Ok(()),
        (OldMaster::Silent { .. }, ..) if facts.log_filters_agree => Ok(()),
        (old, ..) => Err(Refusal::OldFiltersUnknown {
            host,
            new: new_host,
            old: old.host().into(),
            filters: new.log_rule.filters.join(", "),
            applied: BinlogPosition::shown(ours.as_ref()),
            fetched: BinlogPosition::shown(fetched),
            may_pass: replica.channel.sql_running && !replica.channel.has_applied_all(),
        }),
    }
}
