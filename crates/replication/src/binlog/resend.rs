//! Whether a source sends again what a start of replication would discard.
//!
//! A source that lets somebody in, or refuses, proves nothing: its disk may hang, its log may be unreadable, cut or
//! purged. So it is asked for its log as the I/O thread will ask for it.

use std::time::{Duration, Instant};

use mmm_core::Budget;
use mmm_core::config::Host;

use crate::binlog::files::log_files;
use crate::binlog::stream::Reader;
use crate::error::Error;
use crate::gtid::GtidPosition;
use crate::position::BinlogPosition;
use crate::server::Server;
use crate::status::{Channel, Mode};

/// How long a source may take to send the backlog.
const ASKING: Duration = Duration::from_secs(3);
/// A source that has sent one event after another for this long can send its log, whatever is left of the backlog.
const SENDING: Duration = Duration::from_secs(1);

/// True if a channel of `replica` may be started: a start discards nothing, and its source answers if that is known; or
/// its source has just sent again what a start would discard. `most` limits each connection.
pub fn can_send(
    replica: &mut Server,
    channel: &Channel,
    source: Option<&Host>,
    most: Duration,
    budget: Budget,
) -> bool {
    if !channel.would_discard() {
        return source.is_none_or(|source| Server::answers(source, most, budget));
    }
    // Nobody can ask a source that no configuration names.
    let Some(source) = source else { return false };
    let budget = Budget::start(Some(budget.share(ASKING)));
    sends_backlog(replica, channel, source, most, budget).unwrap_or_else(|error| {
        log::warn!("{} does not send its log: {error}", source.name);
        false
    })
}

/// Asks for what comes after all that the replica has applied.
fn sends_backlog(
    replica: &mut Server,
    channel: &Channel,
    source: &Host,
    most: Duration,
    budget: Budget,
) -> Result<bool, Error> {
    let Some(fetched) = &channel.fetched else { return Ok(false) };
    let name = if channel.mode == Mode::CurrentPos { "gtid_current_pos" } else { "gtid_slave_pos" };
    let statement = format!("SELECT @@{name} AS gtids");
    let applied = replica.one(&statement)?.text("gtids").parse::<GtidPosition>();
    let applied = applied.map_err(|_| replica.unexpected(&statement, name))?;
    let files = log_files(&mut Server::connect(source, most, budget)?)?;
    let reader = Reader::new(source, most, budget).seeking(format!("what {} has fetched", replica.host()));
    let (mut begun, mut is_sent) = (None, false);
    reader.each_behind(&files, &applied, false, |file, _, event| {
        let sending = begun.get_or_insert_with(Instant::now).elapsed();
        is_sent = sending >= SENDING || BinlogPosition::new(file, event.end).has_reached(fetched);
        is_sent
    })?;
    if !is_sent {
        log::warn!("the log of {} ends before {fetched}, which {} has fetched", source.name, replica.host());
    }
    Ok(is_sent)
}
