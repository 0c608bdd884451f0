//! One helper at a time changes replication on a server, and one closes it.
//!
//! The lock lives in the server (`GET_LOCK`): it ends with the connection that holds it, and not before the
//! statement that this connection is running. So a helper that was killed in the middle of a statement keeps
//! the next one waiting until the server is done with it, which no lock file could.

use std::time::Duration;

use mmm_core::report;

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
    let seconds = server.budget().share(patience).as_secs();
    // A dry run waits for its turn and leaves at once.
    let release = if report::is_dry_run() { format!(", RELEASE_LOCK({name})") } else { String::new() };
    let row = server.one(&format!("{TAKE}{name}, {seconds}), IS_USED_LOCK({name}){release}"))?;
    Ok((row.at(0) != Some("1")).then(|| row.at(1).unwrap_or("unknown").to_string()))
}
