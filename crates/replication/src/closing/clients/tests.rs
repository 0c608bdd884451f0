use super::*;

fn thread(user: &str, host: &str, command: &str) -> Thread {
    Thread { user: user.into(), host: host.into(), command: command.into(), ..Thread::default() }
}

#[test]
fn replication_the_server_itself_and_who_is_not_in_yet_are_spared() {
    for (server, user, host, command) in [
        ("MariaDB", "system user", "", "Slave_IO"),
        ("MariaDB", "system user", "", "Slave_SQL"),
        ("MariaDB", "system user", "", "Slave_worker"),
        ("MariaDB", "system user", "", "Daemon"),
        ("MariaDB", "event_scheduler", "localhost", "Daemon"),
        ("MariaDB", "replication", "10.0.0.2:4711", "Binlog Dump"),
        ("MySQL 5.6", "system user", "", "Connect"),
        ("MySQL 5.6", "event_scheduler", "localhost", "Daemon"),
        ("MySQL 5.6", "replication", "db3:4711", "Binlog Dump GTID"),
        ("MySQL 9", "system user", "", "Query"),
        ("MySQL 9", "system user", "connecting host", "Connect"),
        ("MySQL 9", "replication", "[::1]:4711", "Binlog Dump GTID"),
        ("MariaDB", "unauthenticated user", "10.0.0.7:4711", "Connect"),
        ("MySQL 5.6", "unauthenticated ", "10.0.0.7:4711", "Connect"),
        ("MySQL 9", "unauthenticated user", "connecting host", "Connect"),
    ] {
        assert!(thread(user, host, command).is_spared("mmm_agent"), "{server}: {user} {host} {command}");
    }
}

#[test]
fn every_client_is_ended_whatever_it_calls_itself() {
    for (user, host, command) in [
        ("app", "10.0.0.7:4711", "Sleep"),
        ("app", "localhost", "Query"),
        ("root", "localhost", "Execute"),
        ("mmm_agent", "10.0.0.1:4711", "Sleep"),
        ("replication", "10.0.0.2:4711", "Sleep"),
        ("unauthenticated user", "10.0.0.7:4711", "Sleep"),
        // An event that runs has its definer's name.
        ("root", "localhost", "Connect"),
        ("system user", "10.0.0.7:4711", "Sleep"),
        ("system user", "localhost", "Query"),
        ("event_scheduler", "10.0.0.7:4711", "Sleep"),
        ("Binlog Dump", "10.0.0.7:4711", "Sleep"),
    ] {
        assert!(!thread(user, host, command).is_spared("mmm_agent"), "{user} {host} {command}");
    }
}

#[test]
fn a_helper_that_waits_for_its_turn_is_spared_and_an_imitation_is_not() {
    let waiting = Thread {
        state: "User lock".into(),
        statement: "SELECT GET_LOCK('mmm_agent_helpers.writes', 7), IS_USED_LOCK('mmm_agent_hel".into(),
        ..thread("mmm_agent", "10.0.0.1:4711", "Query")
    };
    assert!(waiting.is_spared("mmm_agent"));
    assert!(!Thread { user: "app".into(), ..waiting.clone() }.is_spared("mmm_agent"));
    assert!(!Thread { state: "User sleep".into(), ..waiting.clone() }.is_spared("mmm_agent"));
    assert!(!Thread { statement: "SELECT GET_LOCK('x', 9)".into(), ..waiting }.is_spared("mmm_agent"));
}

#[test]
fn a_helper_that_is_setting_read_only_is_spared_and_one_that_ends_it_is_not() {
    let running = |user: &str, statement: &str| {
        let thread = thread(user, "10.0.0.1:4711", "Query");
        Thread { statement: statement.into(), ..thread }.is_spared("mmm_agent")
    };
    for statement in ["SET GLOBAL read_only = 1", "SET GLOBAL super_read_only = 1"] {
        assert!(running("mmm_agent", statement), "{statement}");
        assert!(!running("app", statement), "{statement}");
    }
    for statement in ["SET GLOBAL read_only = 0", "SET GLOBAL read_only = 1, read_only = 0", ""] {
        assert!(!running("mmm_agent", statement), "{statement}");
    }
}

#[test]
fn statements_that_may_write_are_told_from_those_that_do_not() {
    for statement in [
        "INSERT INTO t VALUES (1)",
        "  update t SET a = 1",
        "DELETE FROM t",
        "REPLACE t VALUES (1)",
        "CALL p()",
        "LOAD DATA INFILE '/x' INTO TABLE t",
        "COMMIT",
        "XA PREPARE 'x'",
        "ALTER TABLE t ADD b INT",
        "CREATE TABLE t (a INT)",
        "/* pool 7 */ UPDATE t SET a = 1",
        "/*!50100 INSERT */ INTO t VALUES (1)",
        "/*M!100100 DELETE */ FROM t",
        "-- nightly\nDELETE FROM t",
        "# nightly\nDELETE FROM t",
        "SET STATEMENT max_statement_time = 1 FOR INSERT INTO t VALUES (1)",
        "ANALYZE FORMAT=JSON UPDATE t SET a = 1",
        "LOCK TABLES t WRITE",
        "EXECUTE anything",
        "\u{1F600}",
        "/* cut off before the sta",
    ] {
        assert!(may_write(statement), "{statement}");
    }
    for statement in [
        "",
        " ",
        "SELECT 1",
        "(SELECT 1) UNION (SELECT 2)",
        "/* report */ select * from t",
        "WITH x AS (SELECT 1) SELECT * FROM x",
        "SHOW PROCESSLIST",
        "SET NAMES utf8mb4",
        "START TRANSACTION",
        "ROLLBACK",
        "ANALYZE TABLE t",
        "DO SLEEP(3)",
    ] {
        assert!(!may_write(statement), "{statement}");
    }
}

#[test]
fn a_session_writes_only_while_a_statement_runs() {
    let running = |command: &str| Thread {
        statement: "UPDATE t SET a = 1".into(),
        ..thread("app", "10.0.0.7:4711", command)
    };
    for (command, is_writing) in
        [("Query", true), ("Execute", true), ("Connect", true), ("Sleep", false), ("Killed", false)]
    {
        assert_eq!(running(command).is_writing(), is_writing, "{command}");
    }
}

#[test]
fn only_a_statement_that_changes_rows_and_is_at_it_may_leave_half_of_them() {
    for (statement, state, may) in [
        ("UPDATE t SET a = 1", "Updating", true),
        ("INSERT INTO t SELECT 1", "Sending data", true),
        ("LOAD DATA LOCAL INFILE 'x' INTO TABLE t", "Reading from net", true),
        ("CALL p()", "User sleep", true),
        ("SET STATEMENT max_statement_time = 1 FOR DELETE FROM t", "Updating", true),
        ("/* cut off before the sta", "", true),
        ("UPDATE t SET a = 1", "Waiting for global read lock", false),
        ("UPDATE t SET a = 1", "Waiting for backup lock", false),
        ("UPDATE t SET a = 1", "Waiting for table metadata lock", false),
        ("UPDATE t SET a = 1", "Waiting for table level lock", false),
        ("INSERT INTO t VALUES (1)", "Waiting for semi-sync ACK from slave", false),
        ("INSERT INTO t VALUES (1)", "Waiting for commit lock", true),
        ("ALTER TABLE t ADD b INT", "copy to tmp table", false),
        ("CREATE TABLE u SELECT * FROM t", "Sending data", false),
        ("COMMIT", "", false),
        ("SELECT SLEEP(9)", "User sleep", false),
        ("SET NAMES utf8mb4", "", false),
    ] {
        let running = Thread {
            statement: statement.into(),
            state: state.into(),
            ..thread("app", "10.0.0.7:4711", "Query")
        };
        assert_eq!(running.may_leave_half(), may, "{statement}: {state}");
        assert!(!Thread { command: "Sleep".into(), ..running }.may_leave_half(), "{statement}");
    }
}

#[test]
fn a_thread_is_shown_without_its_statement() {
    let row: Record = [
        ("ID", "17"),
        ("USER", "app"),
        ("HOST", "10.0.0.7:4711"),
        ("COMMAND", "Query"),
        ("TIME", "12"),
        ("STATE", "Updating"),
        ("statement", "UPDATE customers SET iban = 'DE02'"),
    ]
    .into_iter()
    .collect();
    let thread = Thread::from_record(&row);
    assert_eq!((thread.id, thread.to_string().as_str()), (17, "app@10.0.0.7:4711 (Query, 12 s)"));
    let many = vec![&thread; 5];
    assert!(name_some(&many).ends_with("12 s), 2 more"));
}
