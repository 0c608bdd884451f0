//! MariaDB: does the new master's log up to a position hold exactly the transactions that the replica has?

use mmm_core::mutant::takes_out;

use crate::binlog::located::Gap;
use crate::facts::{Facts, NewMaster, OldMaster, OwnLog};
use crate::gtid::{Gtid, GtidPosition, GtidState};
use crate::plan::behind::{known, still_applies};
use crate::plan::older::older_than_log;
use crate::position::BinlogPosition;
use crate::refusal::{Refusal, Unproved};

/// Does the new master's log up to the replica's position hold exactly the transactions that the replica has, by the
/// replica's own log or by its source's log? Only the domains of the position count: the others belong to further
/// channels. Returned are the transactions in the new master's log that are older than the log that was compared, so
/// that it cannot show them.
pub(super) fn check_groups(
    facts: &Facts,
    at: &GtidPosition,
    there: &GtidState,
    own: &OwnLog,
) -> Result<Vec<Gtid>, Refusal> {
    if takes_out("same-groups") {
        return Ok(Vec::new());
    }
    let (replica, new) = (&facts.replica, &facts.new);
    let (host, new_host) = (replica.host.clone(), new.host.clone());
    let domains: Vec<u32> = at.iter().map(|gtid| gtid.domain).collect();
    let older = older_than_log(facts, at);
    let mut untold = Vec::new();
    for theirs in there.iter().filter(|gtid| domains.contains(&gtid.domain)) {
        match own.has(theirs) {
            Some(true) => {}
            Some(false) => return Err(lacks_earlier(facts, theirs)),
            None => untold.push(theirs),
        }
    }
    for ours in own.state.iter().filter(|gtid| domains.contains(&gtid.domain)) {
        // What was written on the replica itself stays there, wherever the replica is attached.
        if u64::from(ours.server) == replica.server_id {
            continue;
        }
        let ahead = match (there.get(ours.domain, ours.server), older.get(ours.domain)) {
            (Some(sequence), _) => ours.sequence > sequence,
            (None, Some(oldest)) => ours.sequence > oldest.sequence,
            (None, None) => new.begin.highest(ours.domain).is_none_or(|begin| ours.sequence >= begin),
        };
        if ahead {
            let known = known(there, ours);
            return Err(Refusal::ReplicaAhead { host, new: new_host, gtid: ours.to_string(), known });
        }
    }
    Ok(untold)
}

fn lacks_earlier(facts: &Facts, gtid: Gtid) -> Refusal {
    let (host, new) = (facts.replica.host.clone(), facts.new.host.clone());
    Refusal::ReplicaLacksEarlier { host, new, gtid: gtid.to_string() }
}

/// Does the replica have these transactions, which the new master logged before the replica's own log was begun? They
/// came with the copy from which the replica was made, if its source had them. The source's log shows that. If that log
/// is as young, or the source is silent, the order of the new master's log shows it (see [`check_order`]).
pub(super) fn check_older(
    facts: &Facts,
    older: &[Gtid],
    of_source: Option<&OwnLog>,
    out_of_order: Option<Gtid>,
) -> Result<(), Refusal> {
    for gtid in older {
        match (of_source.and_then(|log| log.has(*gtid)), out_of_order) {
            (Some(true), _) | (None, None) => {}
            (Some(false), _) => return Err(lacks_earlier(facts, *gtid)),
            (None, Some(disorder)) => return Err(not_in_order(facts, disorder)),
        }
    }
    Ok(())
}

fn not_in_order(facts: &Facts, gtid: Gtid) -> Refusal {
    let (host, new) = (facts.replica.host.clone(), facts.new.host.clone());
    Refusal::OutOfOrder { host, new, gtid: gtid.to_string() }
}

/// The same question if the replica cannot show what it has: does the order of the new master's log answer it?
///
/// A server numbers its transaction one above the highest that it knows of the domain. If the numbers of the whole log
/// never step back, each server had seen the others' transactions when it wrote its own, so the old master had them in
/// that order, too, and the replica with it; if the new master has also executed at least as much of the old master's
/// log, the replica has nothing beyond.
pub(super) fn check_order(facts: &Facts, out_of_order: Option<Gtid>) -> Result<(), Refusal> {
    let (replica, new) = (&facts.replica, &facts.new);
    let (host, new_host) = (replica.host.clone(), new.host.clone());
    if let Some(gtid) = out_of_order {
        return Err(not_in_order(facts, gtid));
    }
    let of_new = new.channel.as_ref().and_then(|channel| channel.applied.as_ref());
    let has_executed_as_much = match (of_new, &replica.channel.applied) {
        (Some(theirs), Some(ours)) => theirs.has_reached(ours),
        _ => false,
    };
    if has_executed_as_much {
        return Ok(());
    }
    let may_pass = still_applies(new);
    let reason = format!(
        "{host} keeps no log of what it applied, and it has executed the log of {} to {}, {new_host} to {}",
        facts.old.host(),
        BinlogPosition::shown(replica.channel.applied.as_ref()),
        BinlogPosition::shown(of_new),
    );
    Err(Refusal::Unproved { host, new: new_host, cause: Unproved::KeepsNoLog, reason, may_pass })
}

/// Does the new master's log lack something from the old master that the replica still has to get?
pub(super) fn check_gaps(facts: &Facts, at: &GtidPosition, gaps: &[Gap]) -> Result<(), Refusal> {
    let new = &facts.new;
    let refused = |gtid: String| {
        Err(Refusal::LogLacks { host: facts.replica.host.clone(), new: new.host.clone(), gtid })
    };
    if !gaps_count(facts) {
        return Ok(());
    }
    if let Some(gap) = gaps.first() {
        return refused(gap.to_string());
    }
    let older = older_than_log(facts, at);
    let domains = new.executed.iter().filter(|gtid| at.get(gtid.domain).is_some());
    let is_older = |gtid: &Gtid| older.get(gtid.domain) == Some(*gtid);
    match domains.into_iter().find(|gtid| !new.state.includes(*gtid) && !is_older(gtid)) {
        Some(gtid) => refused(gtid.to_string()),
        None => Ok(()),
    }
}

/// True if a number that is missing in the new master's log is that of a transaction which it lacks.
pub fn gaps_count(facts: &Facts) -> bool {
    let channel = facts.new.channel.as_ref();
    let passes_over = channel.is_some_and(|channel| !channel.ignored_server_ids.is_empty());
    logs_all(facts) && !facts.leave_out() && !passes_over
}

/// True if the new master's log must hold whatever the new master has executed. If it logs rows for statements, it logs
/// nothing for statements without an effect and for statements on temporary tables (lab: 10.5, 10.11, 11.8).
pub(super) fn logs_all(facts: &Facts) -> bool {
    let writes_statements = matches!(&facts.old, OldMaster::Answers(old) if !old.logs_rows);
    !(facts.new.logs_rows && writes_statements)
}

/// True if the new master has since logged nothing that came by replication. Its own writes do not matter: their
/// numbers are above all that it has.
pub(super) fn has_got_no_more(searched: &GtidState, new: &NewMaster) -> bool {
    let logged = |state: &GtidState| -> GtidState {
        state.iter().filter(|gtid| u64::from(gtid.server) != new.server_id).collect()
    };
    logged(searched) == logged(&new.state)
}

/// The same, and it has executed no more of the old master's log: it may not have logged all of that.
pub(super) fn has_stood_still(
    searched: &GtidState,
    replicated: Option<&BinlogPosition>,
    new: &NewMaster,
) -> bool {
    let applied = new.channel.as_ref().and_then(|channel| channel.applied.as_ref());
    has_got_no_more(searched, new) && replicated == applied
}
