use super::super::sample::{codes, good, seen, set};
use super::*;

fn lacks(version: &str, grants: &[&str]) -> Vec<String> {
    let mut cluster = good("db1");
    set(&mut cluster, "db1", "version", version);
    let seen = seen(&mut cluster, "db1");
    let family = if version.contains("MariaDB") { (5, 5, 5) } else { (8, 0, 40) };
    seen.dialect = mmm_replication::dialect::Dialect::new(family, false);
    seen.grants = grants.iter().map(|grant| format!("GRANT {grant} TO `a`@`%`")).collect();
    privileges(&cluster).findings.into_iter().flat_map(|finding| finding.cure).collect()
}

#[test]
fn each_servers_statement_of_the_documents_is_enough_and_no_less_is() {
    let narrow = "PROCESS, BINLOG MONITOR, SLAVE MONITOR, REPLICATION SLAVE ADMIN, READ_ONLY ADMIN, CONNECTION ADMIN ON *.*";
    let dynamic =
        "REPLICATION_SLAVE_ADMIN,SYSTEM_VARIABLES_ADMIN,CONNECTION_ADMIN,SYSTEM_USER,XA_RECOVER_ADMIN ON *.*";
    let schema = "SELECT ON `performance_schema`.*";
    let table: [(&str, &[&str], &str); 11] = [
        ("11.8.6-MariaDB", &[narrow], ""),
        ("10.5.2-MariaDB", &["PROCESS, SUPER, BINLOG MONITOR ON *.*"], ""),
        ("10.11.2-MariaDB", &["PROCESS, SUPER, REPLICATION CLIENT ON *.*"], "READ_ONLY ADMIN"),
        (
            "11.4.2-MariaDB",
            &["PROCESS, SUPER, BINLOG MONITOR, READ_ONLY ADMIN, CONNECTION ADMIN, SLAVE MONITOR ON *.*"],
            "REPLICATION SLAVE ADMIN",
        ),
        ("11.4.2-MariaDB", &["ALL PRIVILEGES ON *.*"], ""),
        ("11.4.2-MariaDB", &["ALL PRIVILEGES ON `app`.*"], "PROCESS, BINLOG MONITOR"),
        ("5.6.24-log", &["PROCESS, SUPER, REPLICATION SLAVE ON *.*"], ""),
        ("5.7.24-log", &["PROCESS, SUPER, REPLICATION SLAVE ON *.*"], "GRANT SELECT ON performance_schema.*"),
        ("9.7.4", &["PROCESS, REPLICATION SLAVE, REPLICATION CLIENT ON *.*", dynamic, schema], ""),
        (
            "9.7.4",
            &["PROCESS, REPLICATION SLAVE, REPLICATION CLIENT ON *.*", dynamic],
            "GRANT SELECT ON performance_schema.* TO 'mmm_agent'@'10.0.0.%'",
        ),
        ("9.7.4", &["PROCESS, SUPER, REPLICATION SLAVE ON *.*", schema], "XA_RECOVER_ADMIN, SYSTEM_USER"),
    ];
    for (version, grants, expected) in table {
        let cures = lacks(version, grants).join("\n");
        assert!(
            cures.contains(expected) && cures.is_empty() == expected.is_empty(),
            "{version} {grants:?}: {cures}"
        );
    }
}

#[test]
fn what_a_role_may_hold_is_a_warning_only() {
    let mut cluster = good("db1");
    seen(&mut cluster, "db2").grants = vec!["GRANT `dba`@`%` TO `a`@`%`".into()];
    assert_eq!(privileges(&cluster).state, Severity::Warning);
}

#[test]
fn accounts_that_are_not_let_in_or_may_too_little_are_found() {
    let refused = || Unreached { reason: "Access denied".into(), answered: true, code: Some(1045) };
    let mut cluster = good("db1");
    assert_eq!(codes(&accounts(&cluster)), [""; 0]);
    cluster.members[1].replication = Some(Err(refused()));
    cluster.members[2].server = Err(refused());
    assert_eq!(codes(&accounts(&cluster)), ["replication-login-refused", "agent-login-refused"]);
    cluster.members[1].replication = Some(Ok(vec!["GRANT USAGE ON *.* TO `r`@`%`".into()]));
    assert_eq!(codes(&privileges(&cluster)), ["replication-privilege-missing"]);
}

#[test]
fn a_certificate_that_is_not_believed_is_told_from_a_wrong_password() {
    let mut cluster = good("db1");
    cluster.members[2].host.tls.mode = TlsMode::VerifyCa;
    for (code, of_tls, of_account) in [(None, "tls-failed", ""), (Some(1045), "", "agent-login-refused")] {
        cluster.members[2].server = Err(Unreached { reason: "no".into(), answered: true, code });
        assert_eq!(codes(&tls(&cluster)).concat(), of_tls);
        assert_eq!(codes(&accounts(&cluster)).concat(), of_account);
    }
}

#[test]
fn a_preference_for_tls_that_is_not_met_is_found() {
    let mut cluster = good("db1");
    cluster.members[2].host.tls.mode = TlsMode::Preferred;
    assert_eq!(codes(&tls(&cluster)), ["tls-not-used"]);
    seen(&mut cluster, "db3").is_encrypted = true;
    assert_eq!(codes(&tls(&cluster)), [""; 0]);
}

#[test]
fn no_account_is_changed_by_which_slaves_replicate() {
    let refused =
        || Some(Err(Unreached { reason: "Access denied".into(), answered: true, code: Some(1045) }));
    let everywhere = |cluster: &mut Cluster| {
        for member in &mut cluster.members[..2] {
            member.replication = refused();
            // Nobody replicates by this account.
            member.host.replication_user = "other".into();
        }
    };
    // db1's slaves run with this account: it is right there.
    let by_a_slave = |cluster: &mut Cluster| cluster.members[0].replication = refused();
    for damage in [&everywhere as &dyn Fn(&mut Cluster), &by_a_slave] {
        let mut cluster = good("db3");
        damage(&mut cluster);
        let check = accounts(&cluster);
        assert_eq!(codes(&check), ["replication-login-refused"]);
        let (text, cure) = (&check.findings[0].text, check.findings[0].cure.concat());
        assert!(
            text.contains("replication_password of this host's configuration is probably wrong"),
            "{text}"
        );
        assert!(!cure.contains("ALTER USER"), "{cure}");
    }
    let mut cluster = good("db3");
    cluster.members[0].replication = refused();
    for host in ["db2", "db3"] {
        seen(&mut cluster, host).links[0].channel.source_user = "another".into();
    }
    assert!(accounts(&cluster).findings[0].cure.concat().contains("ALTER USER"));
}
