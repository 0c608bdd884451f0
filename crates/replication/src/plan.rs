//! Where in the new master's log may this replica go on? The half of attaching that only thinks.
//!
//! From observations ([`Facts`]) to a [`Decision`] with its proof, or to a [`Refusal`]. Pure: no server is
//! asked, nothing waits. docs/ORDERS.md (what goes wrong) and docs/FAILOVER.md, 2.2 (what proves a
//! position, and which method comes first) are the source of every rule here.

pub(crate) mod by_held_master;

use std::cmp::Ordering;
use std::fmt;

use crate::binlog::located::{Found, Gap, Located};
use crate::facts::{Facts, NewMaster, OldMaster, OwnLog};
use crate::gtid::{Gtid, GtidPosition, GtidSet, GtidState};
use crate::position::BinlogPosition;
use crate::refusal::Refusal;
use crate::status::{Channel, Mode, Place};

/// What planning comes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// The replica may be attached there.
    Attach(Plan),
    /// First look for this in the new master's log, then plan again.
    Locate(Wanted),
    /// First hold the old master's applying thread, then plan again; where that may not be, this refusal stands.
    Hold(Refusal),
}

/// What has to be looked for in the new master's log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// The place of this GTID position.
    Position(GtidPosition),
    /// The same, and what had been logged before the replica's own log began, by its source's log or by the order of
    /// the new master's.
    History(GtidPosition),
    /// The end of the groups that are in this set.
    Set(GtidSet),
    /// The place of the last groups that the replica has logged, and what comes behind it.
    Logged(GtidPosition),
    /// What the replica executed last, and whether it holds groups that the new master wrote itself.
    LastGroups,
}

/// Where the replica goes on, and why nothing is lost, skipped or doubled there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// What CHANGE MASTER names.
    pub place: Place,
    /// Why it is exact.
    pub proof: Proof,
}

/// Why a place is exact.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Proof {
    /// The new master's log up to the replica's GTID position holds exactly the groups that the replica has.
    SameGroups {
        /// The replica's position.
        at: GtidPosition,
        /// The new master's binlog state there.
        state: GtidState,
    },
    /// The new master's log up to there holds exactly the groups that the replica has logged; what the replica has
    /// executed since, both leave out.
    SameLogged {
        /// The last groups that the replica has logged.
        at: GtidPosition,
        /// The last that it has executed.
        executed: GtidPosition,
    },
    /// The new master has executed all that the replica has, and what the replica lacks is in its logs.
    SameSet {
        /// What the replica has by replication.
        executed: GtidSet,
    },
    /// Old master, new master and replica stand still and each has all that the others logged (docs/ORDERS.md, B1).
    AllQuiet {
        /// End of the old master's log.
        old_end: BinlogPosition,
        /// End of the new master's log.
        new_end: BinlogPosition,
    },
    /// The old master is dead, replica and new master have executed its log up to the same place, and the new
    /// master's log holds nothing of its own (docs/ORDERS.md, B3).
    SamePosition {
        /// Their place in the old master's log.
        old: BinlogPosition,
        /// End of the new master's log.
        new_end: BinlogPosition,
    },
    /// The replica's last groups lie there in the new master's log, nowhere else, and behind all else that the
    /// replica has (docs/ORDERS.md, B4).
    SameLast(Found),
    /// The old master's applying thread stood still, and the replica had executed all of the old master's log: both
    /// had of the new master's log what lies before one place (docs/ORDERS.md, B2).
    SameAsOld {
        /// End of the old master's log.
        old_end: BinlogPosition,
        /// The old master's place in the new master's log.
        new_place: BinlogPosition,
    },
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.proof)
    }
}

impl fmt::Display for Proof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::SameGroups { at, .. } if at.is_empty() => {
                f.write_str("nobody has logged anything yet, neither the new master nor the replica")
            }
            Self::SameGroups { at, state } => write!(
                f,
                "the new master's log up to {at} holds exactly what the replica has executed (state there: {state})"
            ),
            Self::SameLogged { at, executed } => write!(
                f,
                "the new master's log up to {at} holds exactly what the replica has logged; what the replica has \
                 executed since, to {executed}, both leave out by equal filters"
            ),
            Self::SameSet { executed } if executed.is_empty() => f.write_str(
                "the replica has executed nothing by replication, and the new master's logs are whole",
            ),
            Self::SameSet { executed } => {
                write!(f, "the new master has executed all that the replica has ({executed})")
            }
            Self::AllQuiet { old_end, new_end } => write!(
                f,
                "all is quiet, and all three have executed the old master's log to {old_end} and the new one's to \
                 {new_end}"
            ),
            Self::SamePosition { old, new_end } => write!(
                f,
                "the old master is gone, replica and new master have both executed its log to {old}, and the new \
                 one's log ends there at {new_end}"
            ),
            Self::SameLast(Found { position, same, last, last_of_replica }) => write!(
                f,
                "the last {same} transactions before it are the replica's last ones; the very last is at \
                 {last_of_replica} of the replica's log, and from {last} to {} of the new master's {} (to compare \
                 them: mysqlbinlog -v)",
                position.offset, position.file
            ),
            Self::SameAsOld { old_end, new_place } => write!(
                f,
                "the old master, held while it had executed the new one's log to {new_place}, had logged up to \
                 {old_end}, which is what the replica has executed"
            ),
        }
    }
}

/// Plans the attaching of a replica; `located` is what [`crate::history`] found for what an earlier
/// [`Decision::Locate`] asked for.
pub fn plan(facts: &Facts, located: Option<&Located>) -> Result<Decision, Refusal> {
    check_servers(facts)?;
    let by_gtid = if facts.replica.sets.is_some() || facts.replica.channel.mode == Mode::AutoPosition {
        by_set(facts, located)?
    } else {
        by_gtid(facts, located)?
    };
    match by_gtid {
        ByGtid::Decided(decision) => Ok(decision),
        ByGtid::Unusable(reason) => by_position(facts, located, &reason)
            .or_else(|refusal| by_content(facts, located, &reason, refusal))
            .or_else(|refusal| by_held_master::plan(facts, refusal)),
    }
}

/// What must hold whatever the method.
fn check_servers(facts: &Facts) -> Result<(), Refusal> {
    let (replica, new) = (&facts.replica, &facts.new);
    let (host, new_host) = (replica.host.clone(), new.host.clone());
    let Some(_) = new.end else { return Err(Refusal::NoBinlog { new: new_host }) };
    if replica.server_id == new.server_id {
        return Err(Refusal::SameServerId { host, new: new_host, id: new.server_id });
    }
    if replica.channel.ignored_server_ids.contains(&new.server_id) {
        return Err(Refusal::IgnoresNewMaster { host, new: new_host, id: new.server_id });
    }
    // A filter that both have in common loses nothing that the replica would have kept.
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

/// True where the replica's temporary tables will never be used again: the sessions of the old master that had them
/// are gone with it, and the replica has executed all statements of theirs that anybody has.
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
    // A new master that still receives shows that the old one lives.
    !theirs.is_receiving() && theirs.has_applied_all() && by_place && by_set && by_gtid
}

/// Does the new master's log hold all that the replica has to get from it, but for what nobody gets?
///
/// What the old master left out of its log, the replica has never got and never will. So the two masters' filters are
/// compared with each other; what the replica leaves out of its own log is another matter. An old master that does
/// not answer is not taken for equal: then the new one's filters are harmless only where nothing of the old one's is
/// still to come by way of it.
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
            applied: Refusal::place(ours.as_ref()),
            fetched: Refusal::place(fetched),
            may_pass: replica.channel.sql_running && !replica.channel.has_applied_all(),
        }),
    }
}

enum ByGtid {
    Decided(Decision),
    /// GTIDs say nothing here; the reason goes into a refusal if positions prove nothing either.
    Unusable(String),
}

/// MySQL's sets: which groups a server has executed is exactly known, in whatever order they came.
fn by_set(facts: &Facts, located: Option<&Located>) -> Result<ByGtid, Refusal> {
    let (replica, new) = (&facts.replica, &facts.new);
    let (host, new_host) = (replica.host.clone(), new.host.clone());
    let by_file = replica.channel.mode == Mode::FilePosition;
    if !new.log_slave_updates {
        if by_file {
            return Ok(ByGtid::Unusable(format!("{new_host} does not log what it replicates")));
        }
        return Err(Refusal::NoSlaveUpdates { host, new: new_host });
    }
    let (Some(ours), Some(theirs)) = (&replica.sets, &new.sets) else {
        let reason = format!("gtid_mode is not ON on both {host} and {new_host}");
        if by_file {
            return Ok(ByGtid::Unusable(reason));
        }
        return Err(Refusal::Unproved { host, new: new_host, reason, may_pass: false });
    };
    // Groups of other channels are none of the new master's business.
    let source = &replica.channel.source_uuid;
    let concerns = |uuid: &str| {
        !replica.other_channels || theirs.executed.knows(uuid) || uuid.eq_ignore_ascii_case(source)
    };
    let executed = ours.replicated().filtered(concerns);
    let lacking = executed.without(&theirs.executed);
    if !lacking.is_empty() {
        let known = theirs.executed.filtered(|uuid| lacking.knows(uuid));
        let known = if known.is_empty() { "nothing of it".into() } else { known.to_string() };
        return Err(behind(facts, lacking.to_string(), known));
    }
    let purged = theirs.purged.without(&ours.executed);
    if !purged.is_empty() {
        return Err(Refusal::Purged { host, new: new_host, gtid: purged.to_string() });
    }
    let place = if by_file {
        match (located, &new.end) {
            (_, Some(end))
                if facts.quiet && !theirs.is_committing && theirs.executed.is_within(&ours.executed) =>
            {
                Place::Position(end.clone())
            }
            (Some(Located::Prefix { of, position, before }), _) if *of == ours.executed => {
                // From MySQL 5.7 on, no log names what came with a backup, and none that is there holds it.
                if !executed.is_within(&before.with(&theirs.purged)) {
                    return Err(Refusal::NoSinglePosition { host, new: new_host });
                }
                Place::Position(position.clone())
            }
            (Some(Located::Unnamed(position)), _) => {
                let reason = format!("its log holds transactions without a GTID, such as that at {position}");
                return Err(Refusal::Unproved { host, new: new_host, reason, may_pass: false });
            }
            (Some(Located::PurgedOfSet { of, gone }), _) if *of == ours.executed => {
                return Err(Refusal::Purged { host, new: new_host, gtid: gone.to_string() });
            }
            _ => return Ok(ByGtid::Decided(Decision::Locate(Wanted::Set(ours.executed.clone())))),
        }
    } else {
        Place::Gtid(Mode::AutoPosition)
    };
    Ok(ByGtid::Decided(Decision::Attach(Plan { place, proof: Proof::SameSet { executed } })))
}

fn by_gtid(facts: &Facts, located: Option<&Located>) -> Result<ByGtid, Refusal> {
    let (replica, new) = (&facts.replica, &facts.new);
    let (host, new_host) = (replica.host.clone(), new.host.clone());
    if !new.log_slave_updates {
        if replica.channel.mode == Mode::FilePosition {
            return Ok(ByGtid::Unusable(format!("{new_host} does not log what it replicates")));
        }
        return Err(Refusal::NoSlaveUpdates { host, new: new_host });
    }
    // The position is the server's, not the channel's: domains of other channels are none of the new
    // master's business, but with a single channel every domain came from the old master.
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
    // What both leave out is in neither log: then the place is behind the last that the replica has logged.
    let sought = match facts.log_of_everything() {
        Some(log) if facts.leave_out() && !replica.other_channels => log.last_up_to(&at, replica.server_id),
        _ => at.clone(),
    };
    if let Some(gtid) = sought.iter().find(|gtid| !new.state.includes(*gtid)) {
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
        // Not looked for yet, or the replica moved on since.
        _ if sought != at => return Ok(ByGtid::Decided(Decision::Locate(Wanted::Logged(sought)))),
        _ => return Ok(ByGtid::Decided(Decision::Locate(Wanted::Position(at)))),
    };
    // By position, what lies before it is skipped; by GTID, a new master sends a domain that the replica does not know
    // from its first group in the oldest log on. A domain that begins behind the place is sent whole either way.
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

/// What a replica comes to that has executed nothing by GTID.
fn without_position(facts: &Facts) -> Result<ByGtid, Refusal> {
    let (replica, new) = (&facts.replica, &facts.new);
    let (host, new_host) = (replica.host.clone(), new.host.clone());
    let mode = replica.channel.mode;
    if mode == Mode::FilePosition {
        return Ok(ByGtid::Unusable(format!("{host} has no GTID position")));
    }
    // A cluster in which nobody has written yet: whatever the new master logs, the replica will lack.
    let is_new = |state: &GtidState| state.iter().next().is_none();
    if is_new(&new.state) && is_new(&new.begin) && replica.log.as_ref().is_none_or(|log| is_new(&log.state)) {
        let proof = Proof::SameGroups { at: GtidPosition::default(), state: GtidState::default() };
        return Ok(ByGtid::Decided(Decision::Attach(Plan { place: Place::Gtid(mode), proof })));
    }
    let reason = "the replica's GTID position is empty".into();
    Err(Refusal::Unproved { host, new: new_host, reason, may_pass: false })
}

/// Does what was found prove the place? Otherwise what is to be done instead.
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

/// Only the order of the new master's log could tell what the replica has; numbers that are left out hide a step back.
fn left_out(facts: &Facts) -> Result<ByGtid, Refusal> {
    let (host, new) = (facts.replica.host.clone(), facts.new.host.clone());
    let reason = format!("filters leave out some of what the log of {new} would have to show");
    if facts.replica.channel.mode == Mode::FilePosition {
        return Ok(ByGtid::Unusable(reason));
    }
    Err(Refusal::Unproved { host, new, reason, may_pass: false })
}

/// Does the new master's log hold, up to the last that the replica has logged, exactly what the replica has, though
/// the replica has executed `at`? Then what it has not logged, both leave out: the new master must have executed it,
/// too, and what it logged behind that place must have later numbers. Otherwise the replica's log may have lost what the
/// new master has yet to log.
fn check_logged(
    facts: &Facts,
    at: &GtidPosition,
    logged: &GtidPosition,
    there: &GtidState,
    next: &GtidPosition,
) -> Result<(), Refusal> {
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
            "the log of {new} has {gtid} behind {logged}, the last that {host} has logged, which has executed {at}"
        ),
        // The server would go on from what it has executed, which the new master's log cannot tell.
        None if facts.replica.channel.mode == Mode::CurrentPos => {
            format!("{host}, which uses current_pos, has executed {at}, which {new} has not logged")
        }
        None => return Ok(()),
    };
    Err(Refusal::Unproved { host, new, reason, may_pass: false })
}

/// Has the new master executed all that the replica has? Both by the place in the old master's log and by GTID: after a
/// crash the place of either may be an old one, and by file and position a GTID position may be that of what was fetched.
fn check_executed(facts: &Facts, at: &GtidPosition) -> Result<(), Refusal> {
    let (replica, new) = (&facts.replica, &facts.new);
    let (ours, theirs) =
        (&replica.channel.applied, new.channel.as_ref().and_then(|channel| channel.applied.as_ref()));
    let by_place = match (theirs, ours) {
        (Some(theirs), Some(ours)) => theirs.has_reached(ours),
        // By GTID, a channel that was changed knows no place until its source has answered.
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
        Refusal::place(theirs),
        Refusal::place(ours.as_ref()),
    );
    let may_pass = still_applies(new) || matches!(facts.old, OldMaster::Answers(_));
    Err(Refusal::Unproved { host, new: new_host, reason, may_pass })
}

/// True where the replica's log has something of every server in that state. With filters, what its log begins with
/// may come long after the beginning of it, and does not tell what is older.
fn knows_all(facts: &Facts, log: &OwnLog, there: &GtidState) -> bool {
    let replica = &facts.replica;
    let mut concerns = there.iter().filter(|gtid| {
        replica.gtid_position.get(gtid.domain).is_some() && u64::from(gtid.server) != replica.server_id
    });
    !facts.leave_out() || concerns.all(|gtid| log.state.get(gtid.domain, gtid.server).is_some())
}

/// Does the old master, asked for what comes behind the last that the replica has logged, send only what the replica
/// drops? What the replica executed and a filter of its log left out, an old master with the same filter did not log
/// either; of a silent one nobody knows its filters. By file and position, the replica's GTID position is not asked for.
fn check_set_back(facts: &Facts, at: &GtidPosition, logged: &GtidPosition) -> Result<(), Refusal> {
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
    Err(Refusal::Unproved { host, new: new_host, reason, may_pass: false })
}

/// True where the new master's log may lack a group only because of filters that the replica shares, and positions
/// may tell more than a replica without a log of its own.
fn is_dropped_by_both(facts: &Facts) -> bool {
    facts.leave_out()
        && facts.share_filters()
        && facts.replica.log.is_none()
        && facts.replica.channel.mode == Mode::FilePosition
}

/// What a state says of the server and domain of a group, for people.
fn known(state: &GtidState, gtid: Gtid) -> String {
    state
        .get(gtid.domain, gtid.server)
        .map_or_else(|| "nothing of it".into(), |sequence| Gtid { sequence, ..gtid }.to_string())
}

/// The new master lacks what the replica has: does it still come, or never?
fn behind(facts: &Facts, gtid: String, known: String) -> Refusal {
    let (host, new) = (facts.replica.host.clone(), facts.new.host.clone());
    if still_applies(&facts.new) || matches!(facts.old, OldMaster::Answers(_)) {
        Refusal::NewMasterBehind { host, new, gtid, known }
    } else {
        Refusal::ReplicaAhead { host, new, gtid, known }
    }
}

/// A refusal of a replica that has more of a dead master's log than the new master, in words that say what comes: the
/// new master takes that over before it opens.
pub fn before_takeover(facts: &Facts, refusal: Refusal) -> Refusal {
    let OldMaster::Silent { host: old, .. } = &facts.old else { return refusal };
    // Only its own log could give the new master what it has.
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

fn still_applies(new: &NewMaster) -> bool {
    let has_more = |channel: &Channel| !channel.has_applied_all() || !new.is_settled;
    new.channel.as_ref().is_some_and(|channel| channel.sql_running && has_more(channel))
}

/// Does the new master's log up to the replica's place hold exactly the groups that the replica has, by its own
/// log or by its source's? Only the place's domains count: the others are those of further channels. Returned are the
/// groups of the new master's log that are older than that log, so that it cannot tell.
fn check_groups(
    facts: &Facts,
    at: &GtidPosition,
    there: &GtidState,
    own: &OwnLog,
) -> Result<Vec<Gtid>, Refusal> {
    let (replica, new) = (&facts.replica, &facts.new);
    let (host, new_host) = (replica.host.clone(), new.host.clone());
    let domains: Vec<u32> = at.iter().map(|gtid| gtid.domain).collect();
    let mut older = Vec::new();
    for theirs in there.iter().filter(|gtid| domains.contains(&gtid.domain)) {
        match own.has(theirs) {
            Some(true) => {}
            Some(false) => return Err(lacks_earlier(facts, theirs)),
            None => older.push(theirs),
        }
    }
    for ours in own.state.iter().filter(|gtid| domains.contains(&gtid.domain)) {
        // What was written on the replica itself stays there wherever it is attached.
        if u64::from(ours.server) == replica.server_id {
            continue;
        }
        let ahead = match there.get(ours.domain, ours.server) {
            Some(sequence) => ours.sequence > sequence,
            None => new.begin.highest(ours.domain).is_none_or(|begin| ours.sequence >= begin),
        };
        if ahead {
            let known = known(there, ours);
            return Err(Refusal::ReplicaAhead { host, new: new_host, gtid: ours.to_string(), known });
        }
    }
    Ok(older)
}

fn lacks_earlier(facts: &Facts, gtid: Gtid) -> Refusal {
    let (host, new) = (facts.replica.host.clone(), facts.new.host.clone());
    Refusal::ReplicaLacksEarlier { host, new, gtid: gtid.to_string() }
}

/// Does the replica have these groups, which the new master logged before the replica's own log was begun? They came
/// with the copy from which the replica was made, if its source had them; the source's log tells, or where that is as
/// young or the source is silent, the order of the new master's (see [`check_order`]).
fn check_older(
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

/// True where the new master has logged nothing since that came by replication. What it writes itself takes nothing
/// back: it is numbered above all that it has.
fn has_got_no_more(searched: &GtidState, new: &NewMaster) -> bool {
    let logged = |state: &GtidState| -> GtidState {
        state.iter().filter(|gtid| u64::from(gtid.server) != new.server_id).collect()
    };
    logged(searched) == logged(&new.state)
}

/// The same, and it has executed no more of the old master's log, either: some of that it may not have logged.
fn has_stood_still(searched: &GtidState, replicated: Option<&BinlogPosition>, new: &NewMaster) -> bool {
    let applied = new.channel.as_ref().and_then(|channel| channel.applied.as_ref());
    has_got_no_more(searched, new) && replicated == applied
}

/// True where the new master's log must hold whatever it has executed. With rows for statements, nothing is logged for
/// those without an effect, and for those on temporary tables (lab: 10.5, 10.11, 11.8).
fn logs_all(facts: &Facts) -> bool {
    let writes_statements = matches!(&facts.old, OldMaster::Answers(old) if !old.logs_rows);
    !(facts.new.logs_rows && writes_statements)
}

/// True where a number that is missing in the new master's log is that of a group which it lacks.
pub fn gaps_count(facts: &Facts) -> bool {
    let channel = facts.new.channel.as_ref();
    let passes_over = channel.is_some_and(|channel| !channel.ignored_server_ids.is_empty());
    logs_all(facts) && !facts.leave_out() && !passes_over
}

/// Does the new master's log lack something of the old one's that the replica still has to get?
fn check_gaps(facts: &Facts, at: &GtidPosition, gaps: &[Gap]) -> Result<(), Refusal> {
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
    let domains = new.executed.iter().filter(|gtid| at.get(gtid.domain).is_some());
    match domains.into_iter().find(|gtid| !new.state.includes(*gtid)) {
        Some(gtid) => refused(gtid.to_string()),
        None => Ok(()),
    }
}

/// The same question where the replica cannot tell what it has: does the order of the new master's log answer?
///
/// A server numbers its group one above the highest that it knows of the domain. If the numbers of the whole
/// log never step back, each server had seen the others' groups when it wrote its own, so the old master had
/// them in that order, too, and the replica with it; if the new master has also executed at least as much of
/// the old master's log, the replica has nothing beyond.
fn check_order(facts: &Facts, out_of_order: Option<Gtid>) -> Result<(), Refusal> {
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
        Refusal::place(replica.channel.applied.as_ref()),
        Refusal::place(of_new),
    );
    Err(Refusal::Unproved { host, new: new_host, reason, may_pass })
}

/// Neither GTIDs nor what was tried in their place prove anything.
fn unproved(facts: &Facts, why_not_gtid: &str, reason: &str, may_pass: bool) -> Result<Decision, Refusal> {
    let (host, new) = (facts.replica.host.clone(), facts.new.host.clone());
    Err(Refusal::Unproved { host, new, reason: format!("{why_not_gtid}, and {reason}"), may_pass })
}

/// Exact positions where GTIDs say nothing: all quiet, or old master dead at an equal place (docs/FAILOVER.md, 2.5).
fn by_position(facts: &Facts, located: Option<&Located>, why_not_gtid: &str) -> Result<Decision, Refusal> {
    let (replica, new) = (&facts.replica, &facts.new);
    let unproved = |reason: String, may_pass: bool| unproved(facts, why_not_gtid, &reason, may_pass);
    let refuse = |reason: String| unproved(reason, false);
    let wait = |reason: String| unproved(reason, true);
    if replica.channel.mode != Mode::FilePosition {
        return refuse("its channel uses GTID".into());
    }
    let Some(new_end) = new.end.clone() else { return refuse(format!("{} has no binary log", new.host)) };
    if !new.read_only {
        return refuse(format!("{} takes writes already", new.host));
    }
    if !facts.quiet {
        return wait(format!("the log of {} still grows", new.host));
    }
    let Some(new_channel) = &new.channel else {
        return refuse(format!("{} does not replicate from {}", new.host, facts.old.host()));
    };
    let (of_replica, of_new) = (replica.channel.applied.clone(), new_channel.applied.clone());
    match &facts.old {
        OldMaster::Answers(old) => {
            let Some(old_end) = old.end.clone() else {
                return refuse(format!("{} has no binary log", old.host));
            };
            if of_new.as_ref() != Some(&old_end) {
                return wait(format!("{} has not applied {} to its end {old_end}", new.host, old.host));
            }
            match &old.from_new {
                None => return refuse(format!("{} does not replicate from {}", old.host, new.host)),
                Some(channel) if channel.applied.as_ref() != Some(&new_end) => {
                    return wait(format!("{} has not applied {} to its end {new_end}", old.host, new.host));
                }
                Some(_) => {}
            }
            if of_replica.as_ref() != Some(&old_end) {
                return wait(format!("{} has not applied {} to its end {old_end}", replica.host, old.host));
            }
            // Then what the new master wrote reached the replica only where it has it from elsewhere.
            if !facts.old_passes_on(old) {
                match lacks_own_groups(facts, located) {
                    None => return Ok(Decision::Locate(Wanted::LastGroups)),
                    Some(false) => {}
                    Some(true) => {
                        return refuse(format!(
                            "{} does not log all that it replicates, so that {} has not got what {} wrote",
                            old.host, replica.host, new.host
                        ));
                    }
                }
            }
            let proof = Proof::AllQuiet { old_end, new_end: new_end.clone() };
            Ok(Decision::Attach(Plan { place: Place::Position(new_end), proof }))
        }
        OldMaster::Silent { host: old_host, .. } => {
            let (Some(ours), Some(theirs)) = (of_replica, of_new) else {
                return refuse(format!("nothing is known of their places in the log of {old_host}"));
            };
            if !new_channel.has_applied_all() || !new.is_settled {
                return wait(format!("{} still applies what it got from {old_host}", new.host));
            }
            if ours != theirs {
                let reason = format!(
                    "{} stands at {ours} and {} at {theirs} in the log of {old_host}, which is gone",
                    replica.host, new.host
                );
                // A parallel applier is further than it says, until its next checkpoint.
                return unproved(reason, new_channel.fetched != new_channel.applied);
            }
            match lacks_own_groups(facts, located) {
                None => return Ok(Decision::Locate(Wanted::LastGroups)),
                Some(false) => {}
                Some(true) => {
                    return refuse(format!(
                        "the log of {} holds transactions of its own, which {} may lack",
                        new.host, replica.host
                    ));
                }
            }
            let proof = Proof::SamePosition { old: ours, new_end: new_end.clone() };
            Ok(Decision::Attach(Plan { place: Place::Position(new_end), proof }))
        }
        OldMaster::Unreadable { .. } => refuse("the old master cannot be read".into()),
    }
}

/// Exact where positions prove nothing, whatever the new master has written: by what the replica executed last, in
/// the new master's log (docs/FAILOVER.md, 2.6). `refusal` is what positions came to.
fn by_content(
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
    let unproved = |reason: String, may_pass: bool| unproved(facts, why_not_gtid, &reason, may_pass);
    if !new.keeps_order {
        return unproved(format!("{} logs what it replicates in any order", new.host), refusal.may_pass());
    }
    if new.other_channels {
        return unproved(format!("{} replicates from others, too", new.host), refusal.may_pass());
    }
    // Once the new master has executed as much, what it has not got it never will have. An old master that answers
    // may tell the place in its own way, and is not kept waiting for another search.
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
                    unproved(reason.clone(), may_pass)
                }
            }
        }
        _ => Ok(Decision::Locate(Wanted::LastGroups)),
    }
}

/// Whether the replica may lack groups that the new master wrote itself; `None` until its log was looked into.
fn lacks_own_groups(facts: &Facts, located: Option<&Located>) -> Option<bool> {
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

#[cfg(test)]
mod tests;
