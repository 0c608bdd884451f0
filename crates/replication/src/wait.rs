//! Waiting, within the budget, for a channel to apply its source's log up to a place.

use std::time::Duration;

use crate::channel;
use crate::error::Error;
use crate::position::BinlogPosition;
use crate::server::Server;
use crate::status::Channel;

/// Pause between two looks where the server itself cannot wait.
const PAUSE: Duration = Duration::from_millis(10);

/// Waits a little for `channel` to apply up to `target`; returns the channel as it is then, reached or not.
///
/// The server's own wait is only a way to wake up in time: its NULL and -1 are no success, and even its
/// "reached" says nothing of a log of another name.
pub fn a_while(server: &mut Server, name: &str, target: &BinlogPosition) -> Result<Channel, Error> {
    let whole_seconds = server.budget().share(Duration::from_secs(1)).as_secs();
    let mut answer = None;
    if whole_seconds >= 1 {
        // The file may not have been fetched yet; then the function waits for it, too.
        let row = server.one(&server.dialect().position_wait(name, target, whole_seconds))?;
        answer = row.at(0).map(str::to_string);
    }
    if answer.is_none() {
        server.budget().pause(PAUSE);
    }
    channel::again(server, name)
}
