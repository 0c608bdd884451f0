//! By MariaDB's GTID positions (docs/FAILOVER.md, 2.3).

use crate::binlog::located::Located;
use crate::facts::Facts;
use crate::gtid::{Gtid, GtidPosition, GtidState};
use crate::plan::behind::{behind, known};
use crate::plan::decision::{ByGtid, Decision, Plan, Proof, Wanted};
use crate::plan::groups::{
    check_gaps, check_groups, check_older, check_order, has_got_no_more, has_stood_still, logs_all,
};
use crate::plan::left_out::{check_logged, check_set_back, is_dropped_by_both, knows_all, left_out};
use crate::plan::older::older_than_log;
use crate::refusal::{Refusal, Unproved};
use crate::status::{Mode, Place};

pub(super) fn by_gtid(facts: &Facts, located: Option<&Located>) -> Result<ByGtid, Refusal> {
    let (replica, new) = (&facts.replica, &facts.new);
    let (host, new_host) = (replica.host.clone(), new.host.clone());
    if !new.log_slave_updates {
        if replica.channel.mode == Mode::FilePosition {
            return Ok(ByGtid::Unusable(format!("{new_host} does not log what it replicates")));
        }
        return Err(Refusal::NoSlaveUpdates { host, new: new_host });
    }
    // The position is the server's, not the channel's: domains of other channels do not concern the new master, but
    // with a single channel every domain came from the old master.
    let at = if replica.other_channels {
        replica.gtid_position.filtered(|domain| new.state.knows(domain))
    } else {
        replica.gtid_position.clone()
    };
    if at.is_empty() {
        return without_position(facts);
    }
    if replica.may_be_ahead {
        return Ok(ByGtid::Unusable(format!(
            "{host} has not applied all that it fetched, keeps no log, and its GTID position {at} may be that of what \
             it fetched"
        )));
    }
    // What both leave out is in neither log. Then the position is after the last transaction that the replica has
    // logged.
    let sought = match facts.log_of_everything() {
        Some(log) if facts.leave_out() && !replica.other_channels => log.last_up_to(&at, replica.server_id),
        _ => at.clone(),
    };
    let older = older_than_log(facts, &sought);
    let is_older = |gtid: &Gtid| older.get(gtid.domain) == Some(*gtid);
    if let Some(gtid) = sought.iter().find(|gtid| !new.state.includes(*gtid) && !is_older(gtid)) {
        if is_dropped_by_both(facts) {
            return Ok(ByGtid::Unusable(format!(
                "{new_host} has not logged {gtid}, which its filters may leave out"
            )));
        }
        if logs_all(facts)
            && new.executed.get(gtid.domain).is_some_and(|theirs| theirs.sequence >= gtid.sequence)
        {
            return Err(Refusal::LogLacks { host, new: new_host, gtid: gtid.to_string() });
        }
        return Err(behind(facts, gtid.to_string(), known(&new.state, gtid)));
    }
    if sought != at {
        check_set_back(facts, &at, &sought)?;
    }
    let (position, state) = match located {
        Some(Located::Logged { at: found, position, state, next, searched, replicated })
            if *found == sought && sought != at && has_stood_still(searched, replicated.as_ref(), new) =>
        {
            if position.is_none() {
                return Err(Refusal::NoSinglePosition { host, new: new_host });
            }
            check_logged(facts, &at, found, state, next)?;
            (position, state)
        }
        Some(found @ Located::Found { at: searched_for, position, state, searched, .. })
            if *searched_for == sought && has_got_no_more(searched, new) =>
        {
            if let Some(otherwise) = check_found(facts, &at, found)? {
                return Ok(otherwise);
            }
            (position, state)
        }
        Some(Located::Purged { at: searched_for, gtid }) if *searched_for == sought => {
            let gtid = gtid.map_or_else(String::new, |gtid| gtid.to_string());
            return Err(Refusal::Purged { host, new: new_host, gtid });
        }
        Some(Located::Missing { at: searched_for, gtid }) if *searched_for == sought => {
            if is_dropped_by_both(facts) {
                return Ok(ByGtid::Unusable(format!(
                    "{new_host} has not logged {gtid}, which its filters may leave out"
                )));
            }
            return Err(Refusal::NotInLog { host, new: new_host, gtid: gtid.to_string() });
        }
        // Not looked for yet, or the replica has applied more since.
        _ if sought != at => return Ok(ByGtid::Decided(Decision::Locate(Wanted::Logged(sought)))),
        _ => return Ok(ByGtid::Decided(Decision::Locate(Wanted::Position(at)))),
    };
    // By file and position, what lies before the position is skipped. By GTID, a new master sends a domain that the
    // replica does not know from its first transaction in the oldest log on. A domain that begins after the position is
    // sent completely either way.
    let unknown = state.iter().find(|gtid| at.get(gtid.domain).is_none());
    if let Some(Gtid { domain, .. }) = unknown {
        return Err(Refusal::UnknownDomain { host, new: new_host, domain });
    }
    let place = match (replica.channel.mode, position) {
        (Mode::FilePosition, Some(position)) => Place::Position(position.clone()),
        (mode @ (Mode::SlavePos | Mode::CurrentPos | Mode::AutoPosition), _) => Place::Gtid(mode),
        (Mode::FilePosition, None) => return Err(Refusal::NoSinglePosition { host, new: new_host }),
    };
    let proof = if sought == at {
        Proof::SameGroups { at, state: state.clone() }
    } else {
        Proof::SameLogged { at: sought, executed: at }
    };
    Ok(ByGtid::Decided(Decision::Attach(Plan { place, proof })))
}

/// The result for a replica that has executed nothing by GTID.
fn without_position(facts: &Facts) -> Result<ByGtid, Refusal> {
    let (replica, new) = (&facts.replica, &facts.new);
    let (host, new_host) = (replica.host.clone(), new.host.clone());
    let mode = replica.channel.mode;
    if mode == Mode::FilePosition {
        return Ok(ByGtid::Unusable(format!("{host} has no GTID position")));
    }
    // A cluster in which nobody has written yet: the replica lacks whatever the new master logs.
    let is_new = |state: &GtidState| state.iter().next().is_none();
    if is_new(&new.state) && is_new(&new.begin) && replica.log.as_ref().is_none_or(|log| is_new(&log.state)) {
        let proof = Proof::SameGroups { at: GtidPosition::default(), state: GtidState::default() };
        return Ok(ByGtid::Decided(Decision::Attach(Plan { place: Place::Gtid(mode), proof })));
    }
    let reason = "the replica's GTID position is empty".into();
    Err(Refusal::Unproved { host, new: new_host, cause: Unproved::Nothing, reason, may_pass: false })
}

/// Does what was found prove the position? If not, returns what to do instead.
fn check_found(facts: &Facts, at: &GtidPosition, found: &Located) -> Result<Option<ByGtid>, Refusal> {
    let Located::Found { state, out_of_order, gaps, of_source, looked_back, .. } = found else {
        return Ok(None);
    };
    let look_back = || Ok(Some(ByGtid::Decided(Decision::Locate(Wanted::History(at.clone())))));
    let own = facts.log_of_everything().filter(|log| knows_all(facts, log, state));
    if own.is_none() && !looked_back {
        return look_back();
    }
    let older = match own.or(of_source.as_ref()) {
        Some(has) => check_groups(facts, at, state, has)?,
        None if facts.leave_out() => return left_out(facts).map(Some),
        None => {
            check_order(facts, *out_of_order)?;
            Vec::new()
        }
    };
    if !older.is_empty() && !looked_back {
        return look_back();
    }
    let is_told = |gtid: &Gtid| of_source.as_ref().and_then(|log| log.has(*gtid)).is_some();
    if facts.leave_out() && !older.iter().all(is_told) {
        return left_out(facts).map(Some);
    }
    check_older(facts, &older, of_source.as_ref(), *out_of_order)?;
    check_gaps(facts, at, gaps)?;
    Ok(None)
}
