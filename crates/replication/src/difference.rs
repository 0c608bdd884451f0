//! Which transactions has one server executed that another has not?
//!
//! They are compared by their global ids if both servers write them, else by their contents. [`look`] asks a server
//! what it has, [`compare`] finds out which files of the log hold what the other lacks, and [`Plan::read`] reads these
//! files. Nothing is changed on any server. The caller gets what is read transaction by transaction, and it is not
//! kept.

mod by_content;
mod by_gtid;
pub mod left_behind;
mod plan;
mod reading;
mod rows;
mod save;
mod side;
mod statement;
pub(crate) mod transaction;

pub use plan::{Method, Plan};
pub use reading::{Found, Trouble};
pub use side::{Side, look};
pub use transaction::{Statement, Table, Transaction};

use jiff::Timestamp;

use crate::binlog::logged::Logged;
use crate::difference::side::Known;
use crate::error::Told;

/// Finds out where in the log of the first server are the transactions that the other lacks; else why that cannot be
/// found. `other_is_here` says that the other is this host's, so that its relay log can be read.
pub fn compare(
    (one, side): (&mut Logged, &Side),
    (other, other_side): (&mut Logged, &Side),
    other_is_here: bool,
) -> Told<Plan> {
    match (&side.known, &other_side.known) {
        _ if side.flavour != other_side.flavour => Ok(Err(format!(
            "{} is MariaDB or MySQL, and {} the other: their logs cannot be compared",
            side.host, other_side.host
        ))),
        (Known::Sets { executed, purged }, Known::Sets { executed: theirs, .. }) => {
            by_gtid::of_sets(one.server, side, executed, purged, theirs).map(Ok)
        }
        (Known::States { log, replicated }, Known::States { .. }) => {
            by_gtid::of_states(one.server, side, log, replicated, other_side).map(Ok)
        }
        _ => by_content::find((one, side), (other, other_side), other_is_here),
    }
}

/// Seconds since 1970, in UTC.
pub fn utc(seconds: u32) -> String {
    Timestamp::from_second(seconds.into()).map_or_else(|_| seconds.to_string(), |time| time.to_string())
}
