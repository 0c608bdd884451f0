//! How much is left of a wait, for a person: transactions if GTIDs show them, else bytes of a log.

use mmm_core::progress::{Left, Waiting};

use crate::facts::Facts;
use crate::gtid::Gtid;
use crate::position::BinlogPosition;
use crate::refusal::{Refusal, Unproved};

/// Shows what a move waits for: the end of this refusal, or a moment in which the replica can be judged.
pub fn show(face: &mut Waiting, facts: &Facts, refusal: Option<&Refusal>) {
    if !face.is_seen() {
        return;
    }
    face.turns_to(&match refusal {
        None => format!("waiting for {} to apply nothing for a moment", facts.replica.host),
        Some(Refusal::NewMasterBehind { host, new, .. }) => {
            format!("waiting for {new} to execute what {host} has executed")
        }
        Some(Refusal::TemporaryTables { host, count }) => {
            format!("waiting for {count} replicated temporary tables on {host} to be closed")
        }
        Some(Refusal::Unproved { host, cause: Unproved::ReplicaApplies, .. }) => {
            format!("waiting for {host} to finish what it applies")
        }
        Some(Refusal::Unproved { cause: Unproved::StillApplies, reason, .. }) => {
            format!("waiting for the end of what is applied: {reason}")
        }
        Some(Refusal::Unproved { host, new, reason, .. }) => {
            format!("waiting for a position in the log of {new} that is right for {host}: {reason}")
        }
        Some(other) => format!("waiting: {other}"),
    });
    face.left(of_move(facts));
}

/// What the new master still has to execute; if it has everything, what the replica still has to execute.
fn of_move(facts: &Facts) -> Option<Left> {
    let (replica, new) = (&facts.replica, &facts.new);
    let lacking = if let (Some(ours), Some(theirs)) = (&replica.sets, &new.sets) {
        ours.replicated().without(&theirs.executed).count()
    } else {
        let known = |gtid: Gtid| new.state.get(gtid.domain, gtid.server).unwrap_or(0);
        replica.gtid_position.iter().map(|gtid| gtid.sequence.saturating_sub(known(gtid))).sum()
    };
    if lacking > 0 {
        return Some(Left::Transactions(lacking));
    }
    let ours = &replica.channel;
    let theirs = new.channel.as_ref().and_then(|channel| channel.applied.as_ref());
    bytes(theirs, ours.applied.as_ref(), &[])
        .or_else(|| bytes(ours.applied.as_ref(), ours.fetched.as_ref(), &[]))
}

/// The bytes of a log from one position to a later one; `sizes` are its files, needed if the two positions are in
/// different files.
pub fn bytes(
    from: Option<&BinlogPosition>,
    to: Option<&BinlogPosition>,
    sizes: &[(String, u64)],
) -> Option<Left> {
    let (from, to) = (from?, to?);
    let left = if from.file == to.file {
        to.offset.checked_sub(from.offset)?
    } else {
        let place = |file: &str| sizes.iter().position(|(name, _)| name == file);
        let between = sizes.get(place(&from.file)?..place(&to.file)?)?;
        (between.iter().map(|(_, size)| size).sum::<u64>() + to.offset).checked_sub(from.offset)?
    };
    (left > 0).then_some(Left::Bytes(left))
}

#[cfg(test)]
mod tests;
