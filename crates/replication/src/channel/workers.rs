//! What parallel appliers still have to do, and what they have applied out of order.

use std::time::Duration;

use crate::channel;
use crate::error::Error;
use crate::gtid::{Gtid, GtidPosition, GtidSet};
use crate::record::Record;
use crate::server::dialect::Flavour;
use crate::server::{Server, privilege};
use crate::status::{Channel, Mode};

/// True while parallel appliers of a channel may have something to do: they take events from the relay log before they
/// apply them. If the channel's status shows that all is applied, this is not asked.
pub fn are_busy(server: &mut Server, channel: &Channel) -> Result<bool, Error> {
    let is_told = channel.fetched.is_some() && channel.fetched == channel.applied;
    if !channel.sql_running || is_told {
        return Ok(false);
    }
    are_at_work(server, channel)
}

/// The same if the channel's position does not show it: a MariaDB that replicates by GTID applies transactions of
/// different domains out of order, and a MySQL with `GTID_ONLY` has no position after its start.
pub fn may_apply_older(server: &mut Server, channel: &Channel) -> Result<bool, Error> {
    if channel.mode == Mode::AutoPosition && (channel.fetched.is_none() || channel.applied.is_none()) {
        let statement = server.dialect().applied_gtids();
        let executed = server.one(statement)?;
        let lacks = lacks_retrieved(&executed, channel);
        return lacks.map_err(|column| server.unexpected(statement, column));
    }
    if !channel.sql_running || !matches!(channel.mode, Mode::SlavePos | Mode::CurrentPos) {
        return Ok(false);
    }
    let statement = "SELECT @@server_id AS server_id, @@GLOBAL.gtid_slave_pos AS slave_pos";
    let ours = server.one(statement)?;
    let lacks =
        is_behind_in_a_domain(&ours, channel).map_err(|column| server.unexpected(statement, column))?;
    // What filters leave out is never applied, and the appliers of another channel say nothing of this one.
    Ok(lacks && are_at_work(server, channel)?)
}

fn lacks_retrieved(executed: &Record, channel: &Channel) -> Result<bool, &'static str> {
    let retrieved: GtidSet = channel.retrieved.parse().map_err(|_| "Retrieved_Gtid_Set")?;
    Ok(!retrieved.is_within(&executed.parsed("gtids")?))
}

/// Whether the channel has fetched something of a domain that its server has not applied.
fn is_behind_in_a_domain(ours: &Record, channel: &Channel) -> Result<bool, &'static str> {
    let own = ours.number("server_id").unwrap_or(0);
    let applied: GtidPosition = ours.parsed("slave_pos")?;
    let fetched: GtidPosition = channel.fetched_gtids.parse().map_err(|_| "Gtid_IO_Pos")?;
    let is_applied = |gtid: Gtid| {
        u64::from(gtid.server) == own
            || applied.get(gtid.domain).is_some_and(|applied| applied.sequence >= gtid.sequence)
    };
    Ok(!fetched.iter().all(is_applied))
}

/// True if a MariaDB's SQL thread is at work, or has failed, although its positions say that all is applied.
///
/// Behind a CHANGE MASTER that names a place in the relay log, they say so by file and position until the SQL thread has
/// applied something; with parallel appliers, until they have applied all (10.11; the first is measured).
pub fn shows_too_much(server: &Server, channel: &Channel) -> bool {
    let is_told = channel.fetched.is_some() && channel.fetched == channel.applied;
    let rests = if channel.sql_running { channel.says_all_is_read() } else { channel.sql_error.is_none() };
    may_show_too_much(server, channel) && is_told && !rests
}

/// True of a channel whose positions may be beyond what is applied ([`shows_too_much`]).
pub fn may_show_too_much(server: &Server, channel: &Channel) -> bool {
    server.dialect().flavour() == Flavour::MariaDb && channel.mode == Mode::FilePosition
}

/// True while a MariaDB may still apply what its status shows as applied ([`shows_too_much`]). Parallel appliers are asked
/// only if there is one channel, because nothing tells whose they are.
pub fn apply_what_is_shown(server: &mut Server, channel: &Channel) -> Result<bool, Error> {
    if shows_too_much(server, channel) {
        return Ok(true);
    }
    if !may_show_too_much(server, channel) || !channel.sql_running {
        return Ok(false);
    }
    Ok(channel::all(server)?.len() == 1 && are_at_work(server, channel)?)
}

fn are_at_work(server: &mut Server, channel: &Channel) -> Result<bool, Error> {
    let statements = server.dialect().busy_workers(&channel.name);
    let told = |rows: &[Record]| rows.first()?.get("busy").map(|busy| busy != "0");
    let why = "; with several channels, nothing else shows which parallel appliers are at work";
    Ok(first_told(server, &statements, told, why)?.unwrap_or(true))
}

/// True if a channel has parallel appliers whose server does not show what they do with a transaction of which only the
/// beginning is there. Something lies between what was fetched and their position in every moment with traffic.
pub fn are_blind(server: &mut Server) -> Result<bool, Error> {
    let Some(statement) = server.dialect().blind_workers() else { return Ok(false) };
    Ok(server.one(statement)?.number("workers").unwrap_or(0) > 0)
}

/// After how long without work the position of parallel appliers covers all that they have applied.
pub fn settling_time(server: &mut Server) -> Result<Duration, Error> {
    let Some(statement) = server.dialect().checkpoint_period() else { return Ok(Duration::ZERO) };
    let period = server.one(statement)?.number("period");
    Ok(Duration::from_millis(period.unwrap_or(300)) * 2)
}

/// The result of the first of these statements that shows anything; `read` returns None if the rows do not show it. An
/// account that may not read the performance schema is refused for that, with `why`, only if nothing else shows it.
pub(super) fn first_told<T>(
    server: &mut Server,
    statements: &[String],
    read: impl Fn(&[Record]) -> Option<T>,
    why: &str,
) -> Result<Option<T>, Error> {
    let mut lacking = None;
    for statement in statements {
        match server.rows(statement) {
            Ok(rows) => {
                if let Some(told) = read(&rows) {
                    return Ok(Some(told));
                }
            }
            Err(error) if privilege::is_of_schema(&error) => lacking = Some(error),
            Err(error) => return Err(error),
        }
    }
    lacking.map_or(Ok(None), |error| Err(privilege::because(error, why)))
}

#[cfg(test)]
mod tests;
