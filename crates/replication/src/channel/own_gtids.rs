//! Does a channel give GTIDs to transactions that come without one?
//!
//! Then one transaction has a different GTID on each server, and sets of different servers do not compare (MySQL manual,
//! "Replication From a Source Without GTIDs to a Replica With GTIDs").

use crate::error::Error;
use crate::server::{Server, privilege};
use crate::status::{Channel, Mode};

/// Why the set of a MySQL with `gtid_mode=ON` says nothing of what came over this channel; `None` if it does.
pub fn why_no_set(server: &mut Server, channel: &Channel) -> Result<Option<String>, Error> {
    // By auto-position, nothing comes without a GTID: the server refuses both options together.
    if channel.mode != Mode::FilePosition {
        return Ok(None);
    }
    let Some(statement) = server.dialect().gtids_given(&channel.name) else { return Ok(None) };
    let host = server.host().to_string();
    match server.row(&statement) {
        Ok(row) if row.as_ref().is_some_and(|row| row.text("given") == "OFF") => Ok(None),
        Ok(_) => Ok(Some(format!(
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
