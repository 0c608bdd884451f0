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
