//! One helper at a time changes replication on a server.
//!
//! The lock lives in the server (`GET_LOCK`): it ends with the connection that holds it, and not before the
//! statement that this connection is running. So a helper that was killed in the middle of a statement keeps
//! the next one waiting until the server is done with it, which no lock file could.

use std::time::Duration;

use crate::error::Error;
use crate::refusal::Refusal;
use crate::server::Server;

const NAME: &str = "mmm_agent_helpers.replication";

/// Takes the lock on `server`, waiting at most `patience` (whole seconds count) for another helper.
pub fn take(server: &mut Server, patience: Duration) -> Result<(), Error> {
    let seconds = server.budget().share(patience).as_secs();
    let row = server.one(&format!("SELECT GET_LOCK('{NAME}', {seconds}), IS_USED_LOCK('{NAME}')"))?;
    if row.at(0) == Some("1") {
        return Ok(());
    }
    let holder = row.at(1).unwrap_or("unknown").to_string();
    Err(Refusal::Busy { host: server.host().into(), holder }.into())
}
