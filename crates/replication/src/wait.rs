//! Waiting, within the budget, until a channel has applied its source's log up to a place.

use std::time::Duration;

use crate::channel;
use crate::dialect;
use crate::error::Error;
use crate::position::BinlogPosition;
use crate::server::Server;
use crate::status::Channel;

/// Pause between two looks where the server itself cannot wait.
const PAUSE: Duration = Duration::from_millis(10);

/// Waits until `channel` has applied up to `target`; returns the channel as it was last seen, reached or not.
///
/// The server's own wait is only a way to wake up in time: its NULL and -1 are no success, and even its
/// "reached" is checked against the channel's position, which also catches a log of another name.
pub fn until_applied(server: &mut Server, name: &str, target: &BinlogPosition) -> Result<Channel, Error> {
    loop {
        let channel = channel::again(server, name)?;
        let reached = channel.applied.as_ref().is_some_and(|applied| applied.has_reached(target));
        if reached || server.budget().is_spent() || !channel.sql_running {
            return Ok(channel);
        }
        log::debug!("{} has applied {:?}, waiting for {target}", channel.title(), channel.applied);
        let whole_seconds = server.budget().share(Duration::from_secs(1)).as_secs();
        if whole_seconds >= 1 {
            // The file may not have been fetched yet; then the function waits for it, too.
            let wait = dialect::position_wait(server, name, &target.file, target.offset, whole_seconds);
            if server.one(&wait)?.at(0).is_some() {
                continue;
            }
        }
        server.budget().pause(PAUSE);
    }
}
