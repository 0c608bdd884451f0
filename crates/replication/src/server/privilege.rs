//! What a server says of a privilege that an account lacks, and how the account is written in a GRANT.

use crate::error::Error;
use crate::refusal::Refusal;

/// The privilege that a server's error names: the last one, where there is a choice, is the narrowest.
pub fn missing(error: &Error) -> Option<String> {
    match error {
        Error::Query { code: 1227, message, .. } => {
            let named = message.split_once("(at least one of) the ")?.1.split_once(" privilege")?.0;
            Some(named.rsplit(',').next()?.rsplit(" or ").next()?.trim().to_string())
        }
        // What MySQL 5.6 says, of somebody who has logged in, instead of naming it (lab).
        Error::Query { code: 1045, .. } => Some("SUPER".into()),
        // SELECT command denied to user … for table …: only of the performance schema do helpers read tables.
        Error::Query { code: 1142, message, .. } if message.starts_with("SELECT command") => {
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
mod tests {
    use super::*;

    #[test]
    fn the_missing_privilege_is_the_narrowest_that_the_server_names() {
        for (message, privilege) in [
            (
                "Access denied; you need (at least one of) the SUPER, BINLOG MONITOR privilege(s) for this operation",
                "BINLOG MONITOR",
            ),
            (
                "Access denied; you need (at least one of) the READ_ONLY ADMIN privilege(s) for this operation",
                "READ_ONLY ADMIN",
            ),
            (
                "Access denied; you need (at least one of) the SUPER or SYSTEM_VARIABLES_ADMIN privilege(s) for this operation",
                "SYSTEM_VARIABLES_ADMIN",
            ),
        ] {
            let error = Error::Query {
                host: "db1".into(),
                code: 1227,
                message: message.into(),
                statement: String::new(),
            };
            assert_eq!(missing(&error).as_deref(), Some(privilege));
        }
    }

    #[test]
    fn a_statement_denied_as_a_login_would_be_lacks_super() {
        let (host, message) = ("db3".into(), "Access denied for user 'a'@'b' (using password: YES)".into());
        let error = Error::Query { host, code: 1045, message, statement: "STOP SLAVE".into() };
        assert_eq!(missing(&error).as_deref(), Some("SUPER"));
    }

    #[test]
    fn an_account_is_quoted_for_a_grant() {
        assert_eq!(quoted("mmm_agent@10.77.0.%"), "'mmm_agent'@'10.77.0.%'");
        assert_eq!(quoted("a@b@localhost"), "'a@b'@'localhost'");
    }
}
