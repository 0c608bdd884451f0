//! Is what a channel tells to have applied all that its server has applied?
//!
//! The position of parallel appliers lies before what they have applied, until their next checkpoint (MySQL manual,
//! `replica_checkpoint_period`), and says nothing of what they commit out of order. If more was fetched than that position,
//! half a transaction for instance, MySQL from 8.0.1 on shows what was applied last. On others, only time tells that nothing
//! else lies between.

use std::time::{Duration, Instant};

use crate::channel::{self, workers};
use crate::error::Error;
use crate::position::BinlogPosition;
use crate::server::{Server, privilege};
use crate::status::Channel;

/// An applier that has just been given something still says that it waits.
const LEAST: Duration = Duration::from_millis(50);

/// What was seen of one channel's appliers, look by look.
#[derive(Debug, Default)]
pub struct Settling {
    /// Since when they have had nothing to do, with so much fetched and applied.
    idle: Option<(Places, Instant)>,
    /// How long that has to last.
    enough: Option<Duration>,
}

/// To where a channel has fetched and applied.
type Places = (Option<BinlogPosition>, Option<BinlogPosition>);

impl Settling {
    /// True if nothing is applied beyond the position that the channel tells, nor about to be. A channel whose SQL thread
    /// has not even read all that was fetched says so itself.
    pub fn is_settled(&mut self, server: &mut Server, channel: &Channel) -> Result<bool, Error> {
        if !channel.has_half() {
            return Ok(true);
        }
        if workers::are_busy(server, channel)? {
            self.idle = None;
            return Ok(false);
        }
        let enough = match self.enough {
            Some(enough) => enough,
            None => *self.enough.insert(workers::settling_time(server)?.max(LEAST)),
        };
        let places = (channel.fetched.clone(), channel.applied.clone());
        match &self.idle {
            Some((seen, since)) if *seen == places => Ok(since.elapsed() >= enough),
            _ => {
                self.idle = Some((places, Instant::now()));
                Ok(false)
            }
        }
    }
}

/// Looks at the threads of a channel that has half a transaction by its status: they show where that is only the place
/// that is told late, and sooner than its next checkpoint.
pub fn look_closer(server: &mut Server, channel: &mut Channel) -> Result<(), Error> {
    if !channel.has_half() || !channel.sql_running || channel.delay > 0 {
        return Ok(());
    }
    let Some(statement) = server.dialect().applied_all(&channel.name) else { return Ok(()) };
    let told = match server.row(&statement) {
        // Nothing rests on this but time.
        Err(Error::Query { .. }) => None,
        Err(error) if privilege::is_of_schema(&error) => None,
        other => other?,
    };
    if told.is_none_or(|row| row.get("applied_all") != Some("1")) {
        return Ok(());
    }
    // What has come meanwhile is not among what was looked at.
    let again = channel::again(server, &channel.name)?;
    channel.is_all_applied = again.has_applied_all() && again.fetched == channel.fetched;
    Ok(())
}
