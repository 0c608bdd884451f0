//! By MySQL's sets (docs/FAILOVER.md, 2.4).

use mmm_core::mutant::takes_out;

use crate::binlog::located::Located;
use crate::facts::Facts;
use crate::gtid::GtidSet;
use crate::plan::behind::behind;
use crate::plan::decision::{ByGtid, Decision, Plan, Proof, Wanted};
use crate::refusal::{Refusal, Unproved};
use crate::status::{Mode, Place};

/// MySQL's sets: which transactions a server has executed is exactly known, in whatever order they came.
pub(super) fn by_set(facts: &Facts, located: Option<&Located>) -> Result<ByGtid, Refusal> {
    let (replica, new) = (&facts.replica, &facts.new);
    let (host, new_host) = (replica.host.clone(), new.host.clone());
    let by_file = replica.channel.mode == Mode::FilePosition;
    if !new.log_slave_updates {
        if by_file {
            return Ok(ByGtid::Unusable(format!("{new_host} does not log what it replicates")));
        }
        return Err(Refusal::NoSlaveUpdates { host, new: new_host });
    }
    if by_file && let Some(reason) = replica.why_no_set.as_ref().or(new.why_no_set.as_ref()) {
        return Ok(ByGtid::Unusable(reason.clone()));
    }
    let without_gtids = |reason| {
        let (host, new) = (replica.host.clone(), new.host.clone());
        Refusal::Unproved { host, new, cause: Unproved::GtidsMissing, reason, may_pass: false }
    };
    let (Some(ours), Some(theirs)) = (&replica.sets, &new.sets) else {
        let reason = format!("gtid_mode is not ON on both {host} and {new_host}");
        if by_file {
            return Ok(ByGtid::Unusable(reason));
        }
        return Err(without_gtids(reason));
    };
    // Transactions of other channels do not concern the new master.
    let source = &replica.channel.source_uuid;
    let concerns = |uuid: &str| {
        !replica.other_channels || theirs.executed.knows(uuid) || uuid.eq_ignore_ascii_case(source)
    };
    let executed =
        if takes_out("same-set") { GtidSet::default() } else { ours.replicated().filtered(concerns) };
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
                if facts.quiet
                    && (!theirs.is_committing || takes_out("nothing-under-way"))
                    && theirs.executed.is_within(&ours.executed) =>
            {
                Place::Position(end.clone())
            }
            (Some(Located::Prefix { of, position, before }), _) if *of == ours.executed => {
                // From MySQL 5.7 on, no log names what came with a backup, and no existing log holds it.
                if !executed.is_within(&before.with(&theirs.purged)) {
                    return Err(Refusal::NoSinglePosition { host, new: new_host });
                }
                Place::Position(position.clone())
            }
            (Some(Located::Unnamed(position)), _) => {
                let reason = format!("its log holds transactions without a GTID, such as that at {position}");
                return Err(without_gtids(reason));
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
