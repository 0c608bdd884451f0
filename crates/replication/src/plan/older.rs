//! Transactions that are older than the new master's log (docs/FAILOVER.md, 2.3).

use crate::facts::{Facts, OldMaster};
use crate::gtid::{Gtid, GtidPosition};
use crate::status::Mode;

/// The transactions of a position that the new master has executed, and that lie right before its log: it was rebuilt,
/// and began a log of its own after them.
///
/// A log that was begun anew with `RESET MASTER` looks the same, but for its numbers: so the first transaction that it
/// has of the domain must be the next one. If `begin` does not show that, the search checks it. If the log has nothing
/// of the domain, the transaction must be the last that the new master has executed. What the new master may have
/// written itself before its log began shows only with a replica that has all of the old master's log.
pub fn older_than_log(facts: &Facts, at: &GtidPosition) -> GtidPosition {
    let new = &facts.new;
    let has_all_of_old = match &facts.old {
        OldMaster::Answers(old) => facts.replica.channel.applied == old.end,
        _ => true,
    };
    let has_written = new.state.iter().any(|gtid| u64::from(gtid.server) == new.server_id);
    let is_older = |gtid: &Gtid| {
        let executed = new.executed.get(gtid.domain);
        let Some(executed) = executed.filter(|executed| executed.server == gtid.server) else { return false };
        if new.listed.knows(gtid.domain) {
            return false;
        }
        let is_last = executed == *gtid;
        if !new.state.knows(gtid.domain) {
            return is_last && has_all_of_old && (new.read_only || has_written);
        }
        let begins_next = |first: u64| gtid.sequence.checked_add(1) == Some(first);
        // By GTID, a server sends its log from after a transaction that is not in that log only if that transaction is
        // its own position.
        executed.sequence >= gtid.sequence
            && new.begin.highest(gtid.domain).is_none_or(begins_next)
            && (is_last || facts.replica.channel.mode == Mode::FilePosition)
    };
    at.iter().filter(is_older).collect()
}
