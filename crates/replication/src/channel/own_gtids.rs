//! Does a channel give GTIDs to transactions that come without one?
//!
//! Then one transaction has a different GTID on each server, and sets of different servers do not compare (MySQL manual,
//! "Replication From a Source Without GTIDs to a Replica With GTIDs").

use crate::error::Error;
use crate::server::{Server, privilege};
use crate::status::{Channel, Mode};

/// Why the set of a MySQL with `gtid_mode=ON` says nothing of what came over this channel; `None` if it does.
pub fn why_no_set(server: &mut Server, channel: &Channel) -> Result<Option<String>, Error> {
    let host = server.host().to_string();
    match gives_own(server, channel) {
        Ok(false) => Ok(None),
        Ok(true) => Ok(Some(format!(
            "{host} gives GTIDs of its own to what comes without one (ASSIGN_GTIDS_TO_ANONYMOUS_TRANSACTIONS)"
        ))),
        Err(error) if privilege::is_of_schema(&error) => {
            let why = format!(
                "; without it, nobody sees whether {host} gives GTIDs of its own to what comes without one"
            );
            Ok(Some(privilege::because(error, &why).to_string()))
        }
        Err(error) => Err(error),
    }
}

/// Whether a MySQL with `gtid_mode=ON` gives GTIDs to what comes over this channel without one.
pub fn gives_own(server: &mut Server, channel: &Channel) -> Result<bool, Error> {
    // By auto-position, nothing comes without a GTID: the server refuses both options together.
    if channel.mode != Mode::FilePosition {
        return Ok(false);
    }
    let Some(statement) = server.dialect().gtids_given(&channel.name) else { return Ok(false) };
    let row = server.row(&statement)?;
    Ok(row.is_none_or(|row| row.text("given") != "OFF"))
}
