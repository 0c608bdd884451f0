//! One helper at a time changes replication on a server, and one closes it.
//!
//! The lock lives in the server (`GET_LOCK`): it ends with the connection that holds it, and not before the
//! statement that this connection is running. So a helper that was killed in the middle of a statement keeps
//! the next one waiting until the server is done with it, which no lock file could.

use std::time::Duration;

use mmm_core::{interrupt, progress, report};

use crate::error::Error;
use crate::refusal::Refusal;
use crate::server::Server;

const REPLICATION: &str = "'mmm_agent_helpers.replication'";
const WRITES: &str = "'mmm_agent_helpers.writes'";

/// True of the statement with which a helper waits until another has closed the server.
pub(crate) fn waits_for_writes(statement: &str) -> bool {
    statement.strip_prefix(TAKE).is_some_and(|rest| rest.starts_with(WRITES))
}

const TAKE: &str = "SELECT GET_LOCK(";

/// How long another helper that changes replication is waited for.
const PATIENCE: Duration = Duration::from_secs(3);

/// Takes the lock on `server`, waiting a little for another helper.
pub fn take(server: &mut Server) -> Result<(), Error> {
    let Some(holder) = wait(server, REPLICATION, PATIENCE)? else { return Ok(()) };
    Err(Refusal::Busy { host: server.host().into(), holder }.into())
}

/// Takes the lock of those who close `server`, waiting at most `patience` (whole seconds count).
pub fn take_for_writes(server: &mut Server, patience: Duration) -> Result<(), Error> {
    let Some(holder) = wait(server, WRITES, patience)? else { return Ok(()) };
    Err(Refusal::BeingClosed { host: server.host().into(), holder }.into())
}

/// `None` when the lock was taken, else who holds it.
fn wait(server: &mut Server, name: &str, patience: Duration) -> Result<Option<String>, Error> {
    let _face = progress::waiting(format!("waiting for another helper that is at work on {}", server.host()));
    // A dry run waits for its turn and leaves at once.
    let release = if report::is_dry_run() { format!(", RELEASE_LOCK({name})") } else { String::new() };
    let end = server.budget().elapsed() + patience;
    loop {
        let seconds = server.budget().share(end.saturating_sub(server.budget().elapsed())).as_secs();
        // A server's wait cannot be interrupted, so where somebody may want to it is made of short ones.
        let at_once = if interrupt::is_attended() { seconds.min(1) } else { seconds };
        let row = server.one(&format!("{TAKE}{name}, {at_once}), IS_USED_LOCK({name}){release}"))?;
        if row.at(0) == Some("1") {
            return Ok(None);
        }
        if interrupt::is_requested() {
            let state =
                format!("another helper was waited for, and nothing was changed on {}", server.host());
            return Err(Refusal::Interrupted { state }.into());
        }
        if at_once == seconds {
            return Ok(Some(row.at(1).unwrap_or("unknown").to_string()));
        }
    }
}
