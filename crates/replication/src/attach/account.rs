//! Whether the new master lets the channel in.

use std::time::Duration;

use mmm_core::Budget;
use mmm_core::config::Host;
use mmm_core::settings::TlsMode;

use crate::errno::NO_CONNECTION_LEFT;
use crate::error::Error;
use crate::refusal::Refusal;
use crate::server::Server;
use crate::status::Channel;

/// Logs in to the new master as the channel will. If a wrong password were found only after CHANGE MASTER, it would
/// already have replaced the password with which the channel could go back.
pub(super) fn check_account(
    new_host: &Host,
    channel: &Channel,
    most: Duration,
    budget: Budget,
) -> Result<(), Error> {
    // Only the server has that, and the account may want it.
    if channel.has_certificate {
        return Ok(());
    }
    let tls = channel.tls_of_trial(&new_host.tls);
    // Without TLS, the client library would believe any key that is sent.
    if tls.mode < TlsMode::Required && !channel.key.pinned.is_empty() {
        return Ok(());
    }
    let account = Host { tls, ..new_host.as_replica() };
    match Server::connect(&account, most, budget) {
        Err(Error::Connect { user, cause: reason, code: Some(code), .. }) => {
            let new = new_host.name.to_string();
            Err(if NO_CONNECTION_LEFT.contains(&code) {
                Refusal::NoConnectionLeft { new, user, reason }.into()
            } else {
                Refusal::AccountRefused { new, user, reason }.into()
            })
        }
        // Other failures, such as a way of logging in that only servers know, need not stop the servers.
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests;
