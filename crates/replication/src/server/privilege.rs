//! What a server says of a privilege that an account lacks, and how the account is written in a GRANT.

use crate::errno::{ACCESS_DENIED, COMMAND_DENIED, NOT_PERMITTED};
use crate::error::Error;
use crate::refusal::Refusal;

/// The privilege that a server's error names. If there is a choice, the last one is the narrowest.
pub fn missing(error: &Error) -> Option<String> {
    match error {
        Error::Query { code: NOT_PERMITTED, message, .. } => {
            let named = message.split_once("(at least one of) the ")?.1.split_once(" privilege")?.0;
            Some(named.rsplit(',').next()?.rsplit(" or ").next()?.trim().to_string())
        }
        // MySQL 5.6 says this to a session that has logged in, instead of naming the privilege (lab).
        Error::Query { code: ACCESS_DENIED, .. } => Some("SUPER".into()),
        // SELECT command denied to user … for table …: helpers read tables only in the performance schema.
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
