//! The way to the state in which the old master may be paused.

use std::time::{Duration, Instant};

use crate::facts::{Facts, OldMaster, OldState};
use crate::plan::by_held_master::not_executed;
use crate::position::BinlogPosition;
use crate::status::Channel;

/// How near the replica must have come to the old master before the old master is paused.
const NEAR: Duration = Duration::from_millis(500);

/// What was seen on the way to the state in which the old master may be paused.
#[derive(Debug, Default)]
pub(super) struct Approach {
    /// End of the old master's log while the old master took no writes.
    pub(super) old_end: Option<BinlogPosition>,
    /// End of the new master's log once it had executed all up to `old_end`: what comes after it is the new master's
    /// own.
    pub(super) new_end: Option<BinlogPosition>,
    /// A later end of the old master's log, and when it was seen.
    pub(super) near: Option<(BinlogPosition, Instant)>,
}

impl Approach {
    /// The position after which nothing of the old master's comes, once the old master is beyond it and the replica is
    /// close to the old master; else what is waited for.
    pub(super) fn advance(&mut self, facts: &Facts) -> Result<BinlogPosition, String> {
        let (replica, new) = (&facts.replica, &facts.new);
        let OldMaster::Answers(OldState { host: old, end: Some(old_end), from_new, .. }) = &facts.old else {
            return Err(format!("{} has fallen silent", facts.old.host()));
        };
        let has = |host: &str, channel: Option<&Channel>, source: &str, target: &BinlogPosition| {
            let applied = channel.and_then(|channel| channel.applied.as_ref());
            let is_there = applied.is_some_and(|applied| applied.has_reached(target));
            if is_there { Ok(()) } else { Err(not_executed(host, applied, source, target)) }
        };
        let target = self.old_end.get_or_insert_with(|| old_end.clone());
        has(&new.host, new.channel.as_ref(), old, target)?;
        if self.new_end.is_none() {
            self.new_end.clone_from(&new.end);
        }
        let Some(behind) = &self.new_end else { return Err(format!("{} has no binary log", new.host)) };
        has(old, from_new.as_ref(), &new.host, behind)?;
        let (target, seen) = self.near.get_or_insert_with(|| (old_end.clone(), Instant::now()));
        has(&replica.host, Some(&replica.channel), old, target)?;
        if seen.elapsed() > NEAR {
            self.near = Some((old_end.clone(), Instant::now()));
            return Err(format!("{} is too far behind {old}", replica.host));
        }
        Ok(behind.clone())
    }
}
