//! What a server says of a privilege that an account lacks, and how the account is written in a GRANT.

use crate::error::Error;

/// The privilege that a server's error 1227 names: the last one, where there is a choice, is the narrowest.
pub fn missing(error: &Error) -> Option<String> {
    let Error::Query { code: 1227, message, .. } = error else { return None };
    let named = message.split_once("(at least one of) the ")?.1.split_once(" privilege")?.0;
    Some(named.rsplit(',').next()?.rsplit(" or ").next()?.trim().to_string())
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
    fn an_account_is_quoted_for_a_grant() {
        assert_eq!(quoted("mmm_agent@10.77.0.%"), "'mmm_agent'@'10.77.0.%'");
        assert_eq!(quoted("a@b@localhost"), "'a@b'@'localhost'");
    }
}
