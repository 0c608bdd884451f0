//! A new master that lacks what the replica has.

use std::cmp::Ordering;

use crate::facts::{Facts, NewMaster, OldMaster};
use crate::gtid::{Gtid, GtidState};
use crate::refusal::Refusal;
use crate::status::Channel;

/// The new master lacks what the replica has: will it still get that, or never?
pub(super) fn behind(facts: &Facts, gtid: String, known: String) -> Refusal {
    let (host, new) = (facts.replica.host.clone(), facts.new.host.clone());
    if still_applies(&facts.new) || matches!(facts.old, OldMaster::Answers(_)) {
        Refusal::NewMasterBehind { host, new, gtid, known }
    } else {
        Refusal::ReplicaAhead { host, new, gtid, known }
    }
}

/// What a state says of the server and domain of a transaction, for people.
pub(super) fn known(state: &GtidState, gtid: Gtid) -> String {
    state
        .get(gtid.domain, gtid.server)
        .map_or_else(|| "nothing of it".into(), |sequence| Gtid { sequence, ..gtid }.to_string())
}

pub(super) fn still_applies(new: &NewMaster) -> bool {
    let has_more = |channel: &Channel| !channel.has_applied_all() || !new.is_settled;
    new.channel.as_ref().is_some_and(|channel| channel.sql_running && has_more(channel))
}

/// A refusal for a replica that has more of a dead master's log than the new master. Its words say what comes next: the
/// new master takes that over before it opens.
pub fn before_takeover(facts: &Facts, refusal: Refusal) -> Refusal {
    let OldMaster::Silent { host: old, .. } = &facts.old else { return refusal };
    // Only the replica's own log could give the new master what the replica has.
    if !facts.new.read_only || !facts.replica.logs_updates {
        return refusal;
    }
    let (host, new) = (facts.replica.host.clone(), facts.new.host.clone());
    let theirs = facts.new.channel.as_ref().and_then(|channel| channel.fetched.as_ref());
    match (&refusal, &facts.replica.channel.fetched, theirs) {
        (Refusal::ReplicaAhead { gtid, known, .. }, ..) => {
            Refusal::NotTakenOverYet { host, new, more: gtid.clone(), known: format!("only {known}") }
        }
        (Refusal::Unproved { .. }, Some(ours), Some(theirs))
            if theirs.compare(ours) == Some(Ordering::Less) =>
        {
            let more = format!("the log of {old} to {ours}");
            Refusal::NotTakenOverYet { host, new, more, known: format!("only to {theirs}") }
        }
        _ => refusal,
    }
}
