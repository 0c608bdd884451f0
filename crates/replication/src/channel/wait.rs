//! Waiting, within the budget, for a channel to apply its source's log up to a place.

use std::time::Duration;

use crate::channel::{self, settling};
use crate::error::Error;
use crate::position::BinlogPosition;
use crate::server::Server;
use crate::status::Channel;

/// Pause between two looks where the server itself cannot wait.
const PAUSE: Duration = Duration::from_millis(10);
/// The same where the server would wait for its next checkpoint, and its threads show sooner what is applied: with nothing
/// left to hand out, and before that.
const NEARLY_THERE: Duration = Duration::from_millis(4);
const ON_THE_WAY: Duration = Duration::from_millis(20);

/// What has to be left for a server to wait for a second, and to answer in time.
const LONG_ENOUGH: Duration = Duration::from_millis(1300);

/// Waits a little until a channel, last seen as `seen`, has applied up to `target`. Returns it as it is then, also if it has
/// not.
///
/// The server's own wait is only a way to wake up in time: its NULL and -1 are no success, and even its
/// "reached" says nothing of a log of another name.
pub fn a_while(server: &mut Server, seen: &Channel, target: &BinlogPosition) -> Result<Channel, Error> {
    let name = &seen.name;
    if server.dialect().shows_transactions() {
        server.budget().pause(if seen.has_applied_all() { NEARLY_THERE } else { ON_THE_WAY });
        let mut now = channel::again(server, name)?;
        settling::look_closer(server, &mut now)?;
        return Ok(now);
    }
    let mut answer = None;
    if server.budget().share(LONG_ENOUGH) == LONG_ENOUGH {
        // The file may not have been fetched yet; then the function waits for it, too.
        let row = server.one(&server.dialect().position_wait(name, target, 1))?;
        answer = row.at(0).map(str::to_string);
    }
    if answer.is_none() {
        server.budget().pause(PAUSE);
    }
    channel::again(server, name)
}
