//! What a server says of a privilege that an account lacks, and how the account is written in a GRANT.

use crate::errno::{ACCESS_DENIED, COMMAND_DENIED, NOT_PERMITTED};
use crate::error::Error;
use crate::refusal::Refusal;

/// The privilege that a server's error names: the last one, where there is a choice, is the narrowest.
pub fn missing(error: &Error) -> Option<String> {
    match error {
        Error::Query { code: NOT_PERMITTED, message, .. } => {
            let named = message.split_once("(at least one of) the ")?.1.split_once(" privilege")?.0;
            Some(named.rsplit(',').next()?.rsplit(" or ").next()?.trim().to_string())
        }
        // What MySQL 5.6 says, of somebody who has logged in, instead of naming it (lab).
        Error::Query { code: ACCESS_DENIED, .. } => Some("SUPER".into()),
        // SELECT command denied to user … for table …: only of the performance schema do helpers read tables.
        Error::Query { code: COMMAND_DENIED, message, .. } if message.starts_with("SELECT command") => {
            Some("SELECT".into())
        }
        _ => None,
    }
}

/// True of the refusal to an account that may not read the performance schema.
pub fn is_of_schema(error: &Error) -> bool {
    let Error::Refused(refusal) = error else { return false };
    matches!(&**refusal, Refusal::Lacks { privilege, .. } if privilege == "SELECT")
}

/// The same refusal with what the privilege would be for.
pub fn because(mut error: Error, what_for: &str) -> Error {
    if let Error::Refused(refusal) = &mut error
        && let Refusal::Lacks { why, .. } = refusal.as_mut()
    {
        *why = what_for.into();
    }
    error
}

/// `'user'@'host'`, of `user@host`. A user's name may hold an `@`, a host's may not.
pub fn quoted(account: &str) -> String {
    account
        .rsplit_once('@')
        .map_or_else(|| format!("'{account}'"), |(user, host)| format!("'{user}'@'{host}'"))
}

#[cfg(test)]
mod tests;
