use proptest::collection::vec;
use proptest::prelude::*;

use super::super::fixture::{CLUSTER, changed, config, load};
use super::super::{Blocking, Mode};

/// What is said about a configuration with these changes.
fn error(changes: &[(&str, &str)]) -> String {
    load(changed(changes)).0.map(|_| ()).expect_err(&format!("{changes:?}"))
}

/// What is said about a configuration with these lines at its end.
fn error_with(lines: &str) -> String {
    load(CLUSTER.to_owned() + lines).0.map(|_| ()).expect_err(lines)
}

#[test]
fn a_complete_configuration_is_what_it_says() {
    let (config, warnings) = load(CLUSTER);
    let config = config.unwrap();
    assert_eq!(warnings, []);
    assert_eq!(config.this().as_str(), "db1");
    assert_eq!(config.active_master_role(), "writer");
    assert_eq!(config.max_kill_retries, 10);
    assert_eq!(config.blocking, Blocking::Hard);
    let names: Vec<_> = config.hosts().iter().map(|host| host.name.as_str()).collect();
    assert_eq!(names, ["db1", "db2", "db3"]);
    let db3 = config.host("db3").unwrap();
    assert_eq!(
        (db3.ip.as_str(), db3.mysql_port, db3.mode, &db3.peer),
        ("10.0.0.3", 3306, Mode::Slave, &None)
    );
    assert_eq!((db3.agent_user.as_str(), db3.agent_password.expose()), ("agent", "a-secret"));
    assert_eq!(
        (db3.replication_user.as_str(), db3.replication_password.expose()),
        ("replication", "r-secret")
    );
    assert_eq!(db3.cluster_interface, "eth0");
}

#[test]
fn what_an_agent_requires_is_required() {
    let table = [
        ("this db1\n", "'this' is missing; add it to 'F', as: this NAME"),
        ("active_master_role writer\n", "'active_master_role' is missing; add it to 'F'"),
        ("ips 10.0.0.100\n", "'role->writer->ips' is missing; add it to <role writer> in 'F' on line"),
        (
            "ip 10.0.0.2\n",
            "'host->db2->ip' is missing; add it to <host db2> in 'F' on line 17 or to <host default>",
        ),
        ("mode slave\n", "'host->db3->mode' is missing"),
        ("pid_path /run/mmm_agentd.pid\n", "'host->db1->pid_path' is missing"),
        ("bin_path /usr/lib/mysql-mmm\n", "'host->db1->bin_path' is missing"),
        ("cluster_interface eth0\n", "'host->db1->cluster_interface' is missing"),
        ("agent_user agent\n", "'host->db1->agent_user' is missing"),
        ("agent_password a-secret\n", "'host->db1->agent_password' is missing"),
        ("replication_user replication\n", "'host->db1->replication_user' is missing"),
        ("replication_password r-secret\n", "'host->db1->replication_password' is missing"),
    ];
    for (line, words) in table {
        let error = error(&[(line, "")]);
        assert!(error.starts_with("Required config entry ") && error.contains(words), "{line}: {error}");
    }
    let error = error(&[("peer db1\n", "")]);
    assert!(
        error.starts_with("Config entry 'host->db2->peer' is required because of 'mode master', but missing"),
        "{error}"
    );
    assert!(load("this db1\nactive_master_role writer\n").0.unwrap_err().contains("'host' is missing"));
    let roles = CLUSTER.find("<role").unwrap();
    assert!(load(&CLUSTER[..roles]).0.unwrap_err().contains("'role' is missing"));
}

#[test]
fn what_names_something_names_something_that_is_there() {
    let hosts = "allowed values are: 'db1', 'db2', 'db3' (in 'F' on line ";
    let table = [
        ("this db1", "this db4", "'this' has invalid value 'db4'", hosts),
        ("this db1", "this default", "'this' has invalid value 'default'", hosts),
        ("this db1", "this DB1", "'this' has invalid value 'DB1'", hosts),
        ("this db1", "this ", "'this' has invalid value ''", hosts),
        ("this db1", "this = db1", "'this' has invalid value '= db1'", hosts),
        ("this db1", "this \"db1\"", "'this' has invalid value '\"db1\"'", hosts),
        ("this db1", "this db1 # me", "'this' has invalid value 'db1 # me'", "own line"),
        ("peer db1", "peer db4", "'host->db2->peer' has invalid value 'db4'", hosts),
        ("hosts db1, db2", "hosts db1, db4", "'role->writer->hosts' has invalid value 'db4'", hosts),
        ("hosts db1, db2", "hosts ,db2", "'role->writer->hosts' has invalid value ''", hosts),
        ("hosts db1, db2", "hosts db1 db2", "'role->writer->hosts' has invalid value 'db1 db2'", hosts),
        ("mode exclusive", "prefer db4", "'role->writer->prefer' has invalid value 'db4'", hosts),
        (
            "active_master_role writer",
            "active_master_role reader",
            "'active_master_role' has invalid value 'reader'",
            "allowed values are: 'writer'",
        ),
        ("mode slave", "mode backup", "'host->db3->mode' has invalid value 'backup'", "'master', 'slave'"),
        ("mode slave", "mode Slave", "'host->db3->mode' has invalid value 'Slave'", "'master', 'slave'"),
        (
            "mode exclusive",
            "mode shared",
            "'role->writer->mode' has invalid value 'shared'",
            "'exclusive', 'balanced'",
        ),
    ];
    for (from, to, what, allowed) in table {
        let error = error(&[(from, to)]);
        let allowed = if allowed == "own line" { "; a comment needs a line of its own)" } else { allowed };
        assert!(error.starts_with(&format!("Config entry {what}")), "{to}: {error}");
        assert!(error.contains(allowed), "{to}: {error}");
    }
}

#[test]
fn what_only_the_monitor_and_the_tools_use_is_checked_as_well() {
    let table = [
        ("<monitor>\nmode auto\n</monitor>\n", "Config entry 'monitor->mode' has invalid value 'auto'"),
        ("<socket>\ntype tls\n</socket>\n", "Config entry 'socket->type' has invalid value 'tls'"),
        ("<check disk>\n</check>\n", "Invalid check 'disk' in configuration allowed values are: 'ping'"),
        (
            "<copy_method a>\nbackup_command b\n</copy_method>\n",
            "Required config entry 'copy_method->a->restore_command' is missing; add it to <copy_method a>",
        ),
        (
            "<copy_method a>\nrestore_command b\n</copy_method>\n",
            "Required config entry 'copy_method->a->backup_command' is missing",
        ),
        (
            "default_copy_method b\n<copy_method a>\nbackup_command b\nrestore_command c\n</copy_method>\n",
            "Config entry 'default_copy_method' has invalid value 'b' allowed values are: 'a'",
        ),
    ];
    for (lines, words) in table {
        let error = error_with(lines);
        assert!(error.starts_with(words), "{lines}: {error}");
    }
    let fine = "default_copy_method b\n\
                <monitor>\nmode passive\nping_ips 10.0.0.1, 10.0.0.2\n</monitor>\n\
                <socket>\ntype plain\n</socket>\n\
                <check default>\ncheck_period 5\n</check>\n<check rep_threads>\nmax_backlog 60\n</check>\n";
    let (config, warnings) = load(CLUSTER.to_owned() + fine);
    assert!(config.is_ok(), "{config:?}");
    assert_eq!(warnings, []);
}

#[test]
fn booleans_are_eight_words_in_any_case() {
    for word in ["true", "on", "yes", "1", "false", "off", "no", "0", "TRUE", "Yes", "oFF"] {
        assert!(load(format!("{CLUSTER}debug {word}\n")).0.is_ok(), "{word}");
    }
    for word in ["2", "y", "", "enabled", "1 # x", "00", "\"1\""] {
        let error = error_with(&format!("debug {word}\n"));
        assert!(
            error.starts_with(&format!("Config entry 'debug' has invalid value '{word}' allowed")),
            "{error}"
        );
    }
    let error = error_with("<copy_method a>\nsingle_run maybe\n</copy_method>\n");
    assert!(
        error.starts_with("Config entry 'copy_method->a->single_run' has invalid value 'maybe'"),
        "{error}"
    );
}

#[test]
fn variables_of_every_release_are_known_and_others_are_not() {
    let known = [
        "max_kill_retries 5\nclone_dirs data, include\ndefault_copy_method x\n",
        "blocking_type hard\niptables_block_cmd a\niptables_unblock_cmd b\n",
        "<host db1>\nnotify_cmd x\neni null\nmmm_channel null\nreplication_channel x\nagent_port 9989\n</host>\n",
        "<host default>\nmonitor_user m\nmonitor_password p\ntools_user t\ntools_password p\n</host>\n",
        "<host db1>\nmysql_pidfile /p\nmysql_rcscript /r\nmysql_cnf /c\nssh_user root\nssh_port 22\n\
         ssh_parameters -x\nbackup_dir /b\nrestore_dir /r\nlvm_bin_lvcreate a\nlvm_bin_lvremove b\n\
         lvm_snapshot_size 1G\nlvm_logical_volume l\nlvm_volume_group v\nlvm_mount_dir /m\nlvm_mount_opts o\n</host>\n",
        "<monitor>\nip 127.0.0.1\nport 9988\npid_path /p\nbin_path /b\nstatus_path /s\nping_interval 1\n\
         flap_duration 3600\nflap_count 3\nauto_set_online 60\nkill_host_bin k\ncareful_startup no\n\
         wait_for_other_master 120\n</monitor>\n",
        "<check mysql>\ntrap_period 10\ntimeout 2\nrestart_after 10000\n</check>\n",
        "<copy_method x>\nbackup_command b\nrestore_command r\nincremental_command i\ntrue_incremental yes\n\
         </copy_method>\n",
    ];
    for lines in known {
        let (config, _) = load(CLUSTER.to_owned() + lines);
        assert!(config.is_ok(), "{lines}: {config:?}");
    }
    let line = CLUSTER.lines().count();
    let table = [
        ("colour red\n", "Unknown variable colour in 'F' on line 1!"),
        ("This db2\n", "Unknown variable This in 'F' on line 1!"),
        ("ip 10.0.0.1\n", "Unknown variable ip in 'F' on line 1!"),
        ("<host a>\ncolour red\n</host>\n", "Unknown variable colour in 'F' on line 2!"),
        ("<host a>\nthis a\n</host>\n", "Unknown variable this in 'F' on line 2!"),
        ("<role a>\nhost b\n</role>\n", "Unknown variable host in 'F' on line 2!"),
        ("host db4\n", "'host' should be a section instead of a variable in 'F' on line 1!"),
        ("monitor x\n", "'monitor' should be a section instead of a variable in 'F' on line 1!"),
        ("<color>\n</color>\n", "Invalid section color in 'F' on line 1!"),
        ("<this a/>\n", "Invalid section this in 'F' on line 1!"),
        ("<host>\n</host>\n", "No section name specified for named section host in 'F' on line 1!"),
        ("<role/>\n", "No section name specified for named section role in 'F' on line 1!"),
        ("<monitor a>\n", "Section name specified for unique section monitor in 'F' on line 1!"),
        ("<socket a/>\n", "Section name specified for unique section socket in 'F' on line 1!"),
        (
            "<host a>\n<host b>\n",
            "Invalid section host in 'F' on line 2! The section <host> of line 1 is still open",
        ),
        ("<host a>\ninclude x\n", "Include inside a section in 'F' on line 2!"),
        ("this\n", "Invalid config line in file 'F' on line 1!"),
    ];
    for (lines, words) in table {
        let number: usize =
            words.split("on line ").nth(1).unwrap().chars().take(1).collect::<String>().parse().unwrap();
        let words = words.replacen(&format!("on line {number}!"), &format!("on line {}!", line + number), 1);
        let words = words.replace("of line 1 ", &format!("of line {} ", line + 1));
        let error = error_with(lines);
        assert!(error.starts_with(&words), "{lines}: {error}");
    }
}

#[test]
fn a_host_goes_before_the_template_even_with_an_empty_value() {
    let config = config(changed(&[("ip 10.0.0.3", "ip 10.0.0.3\nagent_user x\nagent_password ")]));
    let db3 = config.host("db3").unwrap();
    assert_eq!((db3.agent_user.as_str(), db3.agent_password.expose()), ("x", ""));
    assert_eq!(config.host("db2").unwrap().agent_user, "agent");
}

#[test]
fn a_peer_of_a_slave_is_not_looked_at_before_it_is_needed() {
    let config = config(changed(&[("this db1", "this db3"), ("mode slave", "mode slave\npeer db9")]));
    let error = config.peer().unwrap_err().to_string();
    assert!(error.starts_with("No peer connection info: the peer db9 of host db3"), "{error}");
}

#[test]
fn a_port_is_a_number() {
    for (value, port) in [("3307", 3307), ("1", 1), ("65535", 65535), ("03306", 3306)] {
        let config = config(changed(&[("mode slave", &format!("mode slave\nmysql_port {value}"))]));
        assert_eq!(config.host("db3").unwrap().mysql_port, port, "{value}");
    }
    for value in ["0", "65536", "99999999999999999999", "mysql", "-1", "# 3306", "=3306"] {
        let error = error(&[("mode slave", &format!("mode slave\nmysql_port {value}"))]);
        let words =
            format!("Config entry 'host->db3->mysql_port' has invalid value '{value}' in 'F' on line 25;");
        assert!(error.starts_with(&words), "{error}");
    }
}

#[test]
fn blocking_is_soft_only_where_it_says_so() {
    let table = [
        ("", Blocking::Hard),
        ("blocking_type hard\niptables_block_cmd x\n", Blocking::Hard),
        ("iptables_block_cmd x\niptables_unblock_cmd y\n", Blocking::Hard),
        (
            "blocking_type soft\niptables_block_cmd a b\niptables_unblock_cmd c d\n",
            Blocking::Soft { block: "a b".into(), unblock: "c d".into() },
        ),
        (
            "blocking_type hard\n<host db1>\nblocking_type soft\niptables_block_cmd a\niptables_unblock_cmd b\n</host>\n",
            Blocking::Soft { block: "a".into(), unblock: "b".into() },
        ),
        ("<host db2>\nblocking_type soft\n</host>\n", Blocking::Hard),
        ("blocking_type firm\n", Blocking::Unknown("firm".into())),
        ("blocking_type Soft\n", Blocking::Unknown("Soft".into())),
        ("blocking_type \n", Blocking::Unknown(String::new())),
    ];
    for (lines, blocking) in table {
        assert_eq!(config(CLUSTER.to_owned() + lines).blocking, blocking, "{lines}");
    }
}

#[test]
fn the_default_commands_name_the_port_of_this_host() {
    let lines = "blocking_type soft\n<host db1>\nmysql_port 3307\n</host>\n";
    let Blocking::Soft { block, unblock } = config(CLUSTER.to_owned() + lines).blocking else { panic!() };
    assert!(block.split(' ').any(|word| word == "-I") && block.contains("--dport 3307 "), "{block}");
    assert_eq!(unblock, block.replace("-I", "-D"));
}

#[test]
fn bytes_that_are_not_utf8_stop_only_who_needs_them() {
    let with = |from: &str, to: &[u8]| {
        let (before, after) = CLUSTER.split_once(from).unwrap();
        load([before.as_bytes(), to, after.as_bytes()].concat()).0
    };
    let config = with("bin_path /usr/lib/mysql-mmm", b"bin_path /usr/lib/p\xe4th");
    assert!(config.is_ok(), "{config:?}");
    let error = with("agent_password a-secret", b"agent_password gro\xdf-secret").unwrap_err();
    assert!(
        error.starts_with("Config entry 'host->db1->agent_password' in 'F' on line 8 is not UTF-8;"),
        "{error}"
    );
    assert!(!error.contains("secret"), "{error}");
    let config = with("agent_password a-secret", "agent_password groß".as_bytes()).unwrap();
    assert_eq!(config.this_host().agent_password.expose(), "groß");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_damaged_configuration_is_accepted_or_refused_with_a_place(
        edits in vec((0..CLUSTER.len(), 0..6_usize, vec(prop_oneof![any::<u8>(), Just(b'\n'), Just(b' ')], 0..8)), 1..6),
    ) {
        let mut text = CLUSTER.as_bytes().to_vec();
        for (at, removed, added) in edits {
            let at = at.min(text.len());
            let end = (at + removed).min(text.len());
            text.splice(at..end, added);
        }
        if let (Err(error), _) = load(&text) {
            prop_assert!(error.contains("'F'") || error.contains(" F "), "{}: {}", text.escape_ascii(), error);
        }
    }
}
