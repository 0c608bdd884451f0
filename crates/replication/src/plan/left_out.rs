//! MariaDB: what filters leave out of the logs.

use mmm_core::mutant::takes_out;

use crate::facts::{Facts, OldMaster, OwnLog};
use crate::gtid::{Gtid, GtidPosition, GtidState};
use crate::plan::behind::still_applies;
use crate::plan::decision::ByGtid;
use crate::plan::groups::check_groups;
use crate::position::BinlogPosition;
use crate::refusal::{Refusal, Unproved};
use crate::status::Mode;

/// Only the order of the new master's log could show what the replica has, and numbers that are left out hide a step
/// back.
pub(super) fn left_out(facts: &Facts) -> Result<ByGtid, Refusal> {
    let (host, new) = (facts.replica.host.clone(), facts.new.host.clone());
    let reason = format!("filters leave out some of what the log of {new} would have to show");
    if facts.replica.channel.mode == Mode::FilePosition {
        return Ok(ByGtid::Unusable(reason));
    }
    Err(Refusal::Unproved { host, new, cause: Unproved::FiltersHidePlace, reason, may_pass: false })
}

/// Does the new master's log hold, up to the last that the replica has logged, exactly what the replica has, though the
/// replica has executed `at`? Then both leave out what the replica has not logged: the new master must also have
/// executed it, and what the new master logged after that position must have later numbers. Otherwise the replica's log
/// may have lost what the new master has yet to log.
pub(super) fn check_logged(
    facts: &Facts,
    at: &GtidPosition,
    logged: &GtidPosition,
    there: &GtidState,
    next: &GtidPosition,
) -> Result<(), Refusal> {
    if takes_out("same-logged") {
        return Ok(());
    }
    let Some(log) = facts.log_of_everything() else { return Ok(()) };
    check_groups(facts, logged, there, log)?;
    check_executed(facts, at)?;
    let is_early = |gtid: &Gtid| at.get(gtid.domain).is_some_and(|last| gtid.sequence <= last.sequence);
    let (host, new) = (facts.replica.host.clone(), facts.new.host.clone());
    let reason = match next.iter().find(is_early) {
        _ if !knows_all(facts, log, there) => {
            format!(
                "{host} has logged nothing of some servers whose transactions {new} has logged up to {logged}"
            )
        }
        Some(gtid) => format!(
            "the log of {new} has {gtid} after {logged}, which {host} logged last, and {host} has executed {at}"
        ),
        // The server would continue from what it has executed, which the new master's log does not have.
        None if facts.replica.channel.mode == Mode::CurrentPos => {
            format!("{host}, which uses current_pos, has executed {at}, which {new} has not logged")
        }
        None => return Ok(()),
    };
    Err(Refusal::Unproved { host, new, cause: Unproved::FiltersHidePlace, reason, may_pass: false })
}

/// Has the new master executed all that the replica has? Both the position in the old master's log and the GTIDs are
/// compared: after a crash the position of either host may be an old one, and by file and position a GTID position may
/// be that of what was only fetched.
fn check_executed(facts: &Facts, at: &GtidPosition) -> Result<(), Refusal> {
    let (replica, new) = (&facts.replica, &facts.new);
    let (ours, theirs) =
        (&replica.channel.applied, new.channel.as_ref().and_then(|channel| channel.applied.as_ref()));
    let by_place = match (theirs, ours) {
        (Some(theirs), Some(ours)) => theirs.has_reached(ours),
        // By GTID, a channel that was changed knows no position until its source has answered.
        (Some(_), None) => new
            .channel
            .as_ref()
            .is_some_and(|channel| channel.mode != Mode::FilePosition || channel.fetched == channel.applied),
        (None, _) => false,
    };
    let has = |gtid: Gtid| {
        let replicated = new.replicated.get(gtid.domain).is_some_and(|last| last.sequence >= gtid.sequence);
        replicated || new.state.includes(gtid)
    };
    if by_place && at.iter().all(has) {
        return Ok(());
    }
    let (host, new_host) = (replica.host.clone(), new.host.clone());
    let reason = format!(
        "{host} has executed {at} and not logged all of that, and {new_host} has executed only {} (in the log of {}: \
         to {}, and {host} to {})",
        new.replicated,
        facts.old.host(),
        BinlogPosition::shown(theirs),
        BinlogPosition::shown(ours.as_ref()),
    );
    let may_pass = still_applies(new) || matches!(facts.old, OldMaster::Answers(_));
    Err(Refusal::Unproved { host, new: new_host, cause: Unproved::FiltersHidePlace, reason, may_pass })
}

/// True if the replica's log has something of every server in that state. With filters, the first transaction in a log
/// may come long after the log was begun, and does not show what is older.
pub(super) fn knows_all(facts: &Facts, log: &OwnLog, there: &GtidState) -> bool {
    let replica = &facts.replica;
    let mut concerns = there.iter().filter(|gtid| {
        replica.gtid_position.get(gtid.domain).is_some() && u64::from(gtid.server) != replica.server_id
    });
    !facts.leave_out() || concerns.all(|gtid| log.state.get(gtid.domain, gtid.server).is_some())
}

/// If the old master is asked for what comes after the last transaction that the replica has logged, does it send only
/// what the replica drops? An old master with the same filter also did not log what the replica executed and its filter
/// left out. Nobody knows the filters of a silent old master. By file and position, the replica's GTID position is not
/// used.
pub(super) fn check_set_back(facts: &Facts, at: &GtidPosition, logged: &GtidPosition) -> Result<(), Refusal> {
    let (replica, new) = (&facts.replica, &facts.new);
    let is_by_file = replica.channel.mode == Mode::FilePosition;
    let is_told = facts.log_filters_agree || matches!(facts.old, OldMaster::Answers(_));
    if is_by_file || new.log_rule.is_empty() || is_told {
        return Ok(());
    }
    let (host, new_host) = (replica.host.clone(), new.host.clone());
    let reason = format!(
        "{host} has executed {at} and logged only {logged}; the rest a filter of its log left out, and {}, which does \
         not answer, might send that again",
        facts.old.host()
    );
    Err(Refusal::Unproved { host, new: new_host, cause: Unproved::FiltersHidePlace, reason, may_pass: false })
}

/// True if the new master's log may lack a transaction only because of filters that the replica shares, and positions
/// may show more than a replica without a log of its own.
pub(super) fn is_dropped_by_both(facts: &Facts) -> bool {
    facts.leave_out()
        && facts.share_filters()
        && facts.replica.log.is_none()
        && facts.replica.channel.mode == Mode::FilePosition
}
