//! Where in the new master's log may this replica continue? This half of attaching only decides.
//!
//! It turns observations ([`Facts`]) into a [`Decision`] with its proof, or into a [`Refusal`]. It is pure: no server
//! is asked, nothing waits. docs/ORDERS.md (what goes wrong) and docs/FAILOVER.md, 2.2 (what proves a position, and
//! which method comes first) are the source of every rule here.

mod behind;
mod by_content;
mod by_gtid;
pub mod by_held_master;
mod by_position;
mod by_set;
mod decision;
mod groups;
mod left_out;
mod older;
mod servers;

pub use behind::before_takeover;
pub use decision::{Decision, Plan, Proof, Wanted};
pub use groups::gaps_count;
pub use older::older_than_log;

use crate::binlog::located::Located;
use crate::facts::Facts;
use crate::plan::by_content::by_content;
use crate::plan::by_gtid::by_gtid;
use crate::plan::by_position::by_position;
use crate::plan::by_set::by_set;
use crate::plan::decision::ByGtid;
use crate::plan::servers::check_servers;
use crate::refusal::Refusal;
use crate::status::Mode;

/// Plans the attaching of a replica; `located` is what [`crate::binlog`] found for what an earlier
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

#[cfg(test)]
mod tests;
