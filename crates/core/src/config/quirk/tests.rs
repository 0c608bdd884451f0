use super::super::fixture::{CLUSTER, changed, load};
use super::*;

/// The warnings about a configuration with these changes, which must be accepted; the file is `F`.
fn quirks(changes: &[(&str, &str)]) -> Vec<String> {
    let (config, warnings) = load(changed(changes));
    config.unwrap_or_else(|error| panic!("{changes:?}: {error}"));
    warnings.into_iter().map(|(line, quirk)| format!("{line}: {quirk}")).collect()
}

#[test]
fn what_is_accepted_and_not_meant_is_warned_about_with_its_line() {
    let table: &[(&str, &str, &[&str])] = &[
        (
            "mode slave",
            "mode slave\nmysql_port 3306   # db port",
            &[
                "25: the # belongs to the value of mysql_port; a comment needs a line of its own",
                "25: host->db3->mysql_port is taken as 3306; what follows the number is ignored",
            ],
        ),
        (
            "mode slave",
            "mode slave\nmysql_port 9999;mysql_socket=/x",
            &["25: host->db3->mysql_port is taken as 9999; what follows the number is ignored"],
        ),
        (
            "mode slave",
            "mode slave\nmysql_port ",
            &[
                "25: mysql_port is set to nothing",
                "25: host->db3->mysql_port has no number and is taken as 3306",
            ],
        ),
        ("mode slave", "mode slave\nagent_password ", &["25: agent_password is set to nothing"]),
        ("ip 10.0.0.3", "ip = 10.0.0.3", &["23: the = belongs to the value of ip; write: ip value"]),
        ("eth0", "\"eth0\"", &["4: the quotes belong to the value of cluster_interface"]),
        ("eth0", "'eth0'", &["4: the quotes belong to the value of cluster_interface"]),
        ("mode slave\n</host>", "mode slave\n</role>", &["25: </role> closes the section <host>"]),
        (
            "mode exclusive\n</role>",
            "mode exclusive\n</role>\n</host>\nthis nobody\nsyntax\n",
            &["31: </host> closes nothing: the rest of the file is ignored"],
        ),
        (
            "mode exclusive\n</role>\n",
            "mode exclusive\n",
            &["26: the section <role> has no end tag; the file's end ends it"],
        ),
        ("<host db3>", "< host  db3 >", &["22: the tag has more blanks than it needs"]),
        ("mode slave\n</host>", "mode slave\n</ host >", &["25: the tag has more blanks than it needs"]),
        ("10.0.0.100", "10.0.0.1,10.0.0.2,,", &["28: the list role->writer->ips has a comma too many"]),
        ("10.0.0.100", ",10.0.0.1", &["28: the list role->writer->ips has a comma too many"]),
        (
            "10.0.0.100",
            "10.0.0.1 10.0.0.2",
            &["28: an item of the list role->writer->ips holds a blank; items are separated by commas"],
        ),
        ("ips 10.0.0.100", "ips ", &["28: ips is set to nothing"]),
        (
            "<role writer>",
            "<host default>\nagent_user other\n</host>\n<role writer>",
            &[
                "26: <host default> is merged into the one in 'F' on line 3; what is set here wins",
                "27: host->default->agent_user replaces the value set in 'F' on line 7",
            ],
        ),
        (
            "mode exclusive\n",
            "mode exclusive\nhosts db1\n",
            &["30: role->writer->hosts replaces the value set in 'F' on line 27"],
        ),
        (
            "<role writer>",
            "<role default>\nips 10.0.0.200\n</role>\n<role writer>",
            &["26: <role default> is a role of that name, not a template"],
        ),
    ];
    assert_quirks(table);
}

#[test]
fn values_that_are_not_what_they_should_be_are_warned_about() {
    let table: &[(&str, &str, &[&str])] = &[
        ("peer db2", "peer db1", &["15: host db1 is its own peer"]),
        ("10.0.0.3", "::ffff:10.0.0.2", &["22: hosts db2 and db3 have the same ip and mysql_port"]),
        (
            "this db1\n",
            "this db1\nmax_kill_retries 10 # x\n",
            &[
                "2: the # belongs to the value of max_kill_retries; a comment needs a line of its own",
                "2: max_kill_retries is no whole number and is taken as 10",
            ],
        ),
        (
            "this db1\n",
            "this db1\nmax_kill_retries 2.5\n",
            &["2: max_kill_retries is no whole number and is taken as 2"],
        ),
        (
            "this db1\n",
            "this db1\nmax_kill_retries many\n",
            &["2: max_kill_retries is no whole number and is taken as 10"],
        ),
        (
            "this db1\n",
            "this db1\nblocking_type soft\niptables_block_cmd x\n",
            &["3: iptables_block_cmd is set and iptables_unblock_cmd is not: does the default undo it?"],
        ),
        (
            "this db1\n",
            "this db1\n<socket>\ntype ssl\ncert_file c\nca_file a\n</socket>\n",
            &["2: socket type ssl needs key_file"],
        ),
        ("/run/mmm_agentd.pid", "/run/a\rb", &["5: a carriage return within the line does not end it"]),
    ];
    assert_quirks(table);
}

/// Checks for each change of one line that these warnings, and no others, come of it.
fn assert_quirks(table: &[(&str, &str, &[&str])]) {
    for (from, to, expected) in table {
        let found: Vec<_> = quirks(&[(from, to)]).iter().map(|quirk| unplaced(quirk)).collect();
        assert_eq!(found, *expected, "{to:?}");
    }
}

/// Without the folder of a place.
fn unplaced(text: &str) -> String {
    match (text.find("in '/"), text.find("mmm_agent.conf'")) {
        (Some(start), Some(end)) => {
            format!("{}F{}", &text[..start + 4], &text[end + "mmm_agent.conf".len()..])
        }
        _ => text.into(),
    }
}

#[test]
fn what_is_harmless_is_not_warned_about() {
    let table = [
        // The same value twice, or a '#' that no blank precedes.
        ("this db1\n", "this db1\nthis db1\n"),
        ("a-secret", "a#secret"),
        ("a-secret", "it's \"fine\""),
        ("a-secret", "a=b"),
        ("db1, db2", "db1,db2"),
        ("db1, db2", "db1 \t,\x0b db2"),
        ("ip 10.0.0.3", "  \t ip   10.0.0.3  "),
        ("10.0.0.3", "10.0.0.2\nmysql_port 3307"),
        ("this db1\n", "this db1\nmax_kill_retries -1\n"),
        ("this db1\n", "this db1\n<monitor />\n"),
    ];
    for (from, to) in table {
        assert_eq!(quirks(&[(from, to)]), Vec::<String>::new(), "{to:?}");
    }
}

#[test]
fn windows_line_ends_are_fine_and_mentioned_once() {
    let (config, warnings) = load(CLUSTER.replace('\n', "\r\n"));
    assert_eq!(config.unwrap().this_host().agent_password.expose(), "a-secret");
    assert_eq!(warnings, [(1, Quirk::WindowsLines)]);
}

#[test]
fn a_template_after_the_hosts_applies_to_them() {
    let start = CLUSTER.find("<host default>").unwrap();
    let end = CLUSTER.find("<host db1>").unwrap();
    let text = [&CLUSTER[..start], &CLUSTER[end..], &CLUSTER[start..end]].concat();
    let (config, warnings) = load(text);
    assert_eq!(config.unwrap().this_host().agent_user, "agent");
    assert_eq!(warnings, [(22, Quirk::LateTemplate)]);
}

#[test]
fn lists_are_replaced_and_never_appended_to() {
    // One host left out of the list that counts: a wrong one in the first list is not looked at.
    let text =
        changed(&[("hosts db1, db2", "hosts nobody"), ("mode exclusive", "mode exclusive\nhosts db3")]);
    assert!(load(text).0.is_ok());
}

#[test]
fn retries_are_what_a_number_begins_with() {
    let table = [("0", 0), ("-3", -3), ("7x", 7), ("", 10), ("x7", 10), ("99999999999999999999", i64::MAX)];
    for (value, retries) in table {
        let config = load(format!("{CLUSTER}max_kill_retries {value}\n")).0.unwrap();
        assert_eq!(config.max_kill_retries, retries, "{value}");
    }
}

#[test]
fn no_message_shows_a_password() {
    const PASSWORD: &str = "Tr0ub4dor";
    let forms = [
        "agent_password PW # x",
        "agent_password \"PW\"",
        "agent_password = PW",
        "agent_password x\nagent_password PW",
        "agent_password=PW",
        "agent_password=PW x",
        "agent_password: PW",
        "agent_password:PW x",
        "agent_password=\"PW x\"",
        "agent_password\"PW\" x",
        "agent_password a\rPW",
    ];
    for form in forms {
        let line = form.replace("PW", PASSWORD);
        let (config, warnings) = load(changed(&[("agent_password a-secret", &line)]));
        let said = format!("{:?} {warnings:?}", config.as_ref().map(|_| ()));
        assert!(!said.contains(PASSWORD), "{form:?}: {said}");
        assert!(config.is_err() || !warnings.is_empty(), "{form:?} passes in silence");
        assert!(!format!("{config:?}").contains(PASSWORD), "{form:?}");
    }
}

#[test]
fn a_warning_begins_with_file_and_line() {
    let place = Place { file: std::path::Path::new("/etc/mmm_agent.conf").into(), line: 7 };
    let warning = Warning { place, quirk: Quirk::RoleDefault };
    assert!(warning.to_string().starts_with("/etc/mmm_agent.conf:7: <role default> is"));
}
