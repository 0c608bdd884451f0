//! A server's threads: which must be spared when it is closed, and which are writing.
//!
//! Pure: it judges the rows of the process list, for MySQL and MariaDB alike, and asks nobody. A statement's
//! text is looked at and never shown, since it holds customers' data.

use std::fmt;

use crate::closing::statement;
use crate::record::Record;
use crate::server::lock;

/// Every thread with what [`Thread`] needs; without the PROCESS privilege only the account's own.
pub const LIST: &str = "SELECT id, user, host, command, time, state, LEFT(info, 64) AS statement \
                        FROM information_schema.processlist";

/// One row of the process list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Thread {
    /// Connection id.
    pub id: u64,
    /// Account name, or a server's word such as `system user`.
    pub user: String,
    /// `ADDRESS:PORT`, `localhost`, or nothing for a thread of the server itself.
    pub host: String,
    /// `Sleep`, `Query`, `Binlog Dump`, …
    pub command: String,
    /// Seconds since the command began.
    pub seconds: u64,
    state: String,
    statement: String,
}

impl Thread {
    /// Reads a row of [`LIST`].
    pub fn from_record(row: &Record) -> Self {
        Self {
            id: row.number("id").unwrap_or(0),
            user: row.text("user").into(),
            host: row.text("host").into(),
            command: row.text("command").into(),
            // Negative on a replica whose clock is ahead.
            seconds: row.number("time").unwrap_or(0),
            state: row.text("state").into(),
            statement: row.text("statement").into(),
        }
    }

    /// True for what goes on when the server is closed: replication in both directions, the event scheduler
    /// and other threads of the server, whoever is still logging in, and a helper of the same account that
    /// waits for its turn.
    pub fn is_spared(&self, account: &str) -> bool {
        self.is_of_the_server()
            || self.feeds_a_replica()
            || self.is_logging_in()
            || self.waits_for_its_turn(account)
    }

    /// Replication threads have the user `system user`, and so may a client; only a client has an address.
    /// `connecting host` is MySQL's for a receiver thread that has not connected yet.
    fn is_of_the_server(&self) -> bool {
        let has_no_client = self.host.is_empty() || self.host == "connecting host";
        (self.user == "system user" && has_no_client) || self.command == "Daemon"
    }

    /// `Binlog Dump`, and MySQL's `Binlog Dump GTID`: the tail of the log still has to leave through it.
    fn feeds_a_replica(&self) -> bool {
        self.command.starts_with("Binlog Dump")
    }

    /// It has done nothing yet, and once logged in finds a server that is read-only. Ended now, it would count
    /// as a connection error of its host, which the server locks out after `max_connect_errors` of them (lab,
    /// MariaDB 10.11): an application's host, or a replica's.
    fn is_logging_in(&self) -> bool {
        // MySQL 5.6 shows 16 characters of a name.
        self.user.starts_with("unauthenticated ") && self.command == "Connect" && self.statement.is_empty()
    }

    fn waits_for_its_turn(&self, account: &str) -> bool {
        let has_no_turn = self.state == "User lock" && lock::waits_for_writes(&self.statement);
        // It closes at once where another is at work, and waits for the same statements as that.
        self.user == account && (has_no_turn || statement::closes(&self.statement))
    }

    /// True while the thread executes a statement that writes or may write.
    pub fn is_writing(&self) -> bool {
        !self.is_asleep() && self.command != "Killed" && may_write(&self.statement)
    }

    /// True while the thread executes a statement that changes rows one after the other: ended then, it leaves
    /// half of them changed where its tables have no transactions. What defines tables is not logged then.
    pub fn may_leave_half(&self) -> bool {
        self.is_writing() && changes_rows(&self.statement) && !self.waits_outside()
    }

    /// True for a statement that may fill one table from others.
    pub fn inserts(&self) -> bool {
        words(&self.statement).next().is_none_or(|word| !["UPDATE", "DELETE"].contains(&&*word))
    }

    /// It waits for its tables and has changed nothing yet; or has changed all, and is logged.
    fn waits_outside(&self) -> bool {
        let Some(what) = self.state.strip_prefix("Waiting for ") else { return false };
        what.ends_with(" metadata lock")
            || what.starts_with("semi-sync ACK")
            || ["global read lock", "backup lock", "table level lock", "table flush"].contains(&what)
    }

    /// True for a session that waits for its client. One in a transaction may write again.
    pub fn is_asleep(&self) -> bool {
        self.command == "Sleep"
    }
}

impl fmt::Display for Thread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let host = if self.host.is_empty() { "server" } else { &self.host };
        write!(f, "{}@{host} ({}, {} s)", self.user, self.command, self.seconds)
    }
}

/// Names a few threads and counts the others.
pub fn name_some(threads: &[&Thread]) -> String {
    const NAMED: usize = 3;
    let mut words: Vec<String> = threads.iter().take(NAMED).map(ToString::to_string).collect();
    if threads.len() > NAMED {
        words.push(format!("{} more", threads.len() - NAMED));
    }
    words.join(", ")
}

/// First words of statements that change nothing which another host would need.
const HARMLESS: [&str; 31] = [
    "ANALYZE",
    "BEGIN",
    "CHANGE",
    "CHECK",
    "CHECKSUM",
    "DEALLOCATE",
    "DESC",
    "DESCRIBE",
    "DO",
    "EXPLAIN",
    "FLUSH",
    "HANDLER",
    "HELP",
    "KILL",
    "PREPARE",
    "PURGE",
    "RELEASE",
    "RESET",
    "ROLLBACK",
    "SAVEPOINT",
    "SELECT",
    "SET",
    "SHOW",
    "START",
    "STOP",
    "TABLE",
    "UNLOCK",
    "USE",
    "VALUES",
    "WITH",
    "BACKUP",
];

/// First words of statements that change rows of tables.
const CHANGING_ROWS: [&str; 9] =
    ["ANALYZE", "CALL", "DELETE", "EXECUTE", "INSERT", "LOAD", "REPLACE", "SET", "UPDATE"];

/// Whether a statement that may write changes rows: one does whose beginning cannot be read.
fn changes_rows(statement: &str) -> bool {
    words(statement).next().is_none_or(|word| CHANGING_ROWS.contains(&word.as_str()))
}

/// Whether a statement may write, by its beginning: everything does that is not known to do no harm.
fn may_write(statement: &str) -> bool {
    if statement.trim().is_empty() {
        return false;
    }
    let mut words = words(statement);
    match words.next() {
        None => true,
        // SET STATEMENT variable = value FOR INSERT …
        Some(word) if word == "SET" => words.next().is_some_and(|second| second == "STATEMENT"),
        // MariaDB executes what it analyzes: ANALYZE UPDATE …; ANALYZE TABLE is none of ours.
        Some(word) if word == "ANALYZE" => words
            .next()
            .is_none_or(|second| ["INSERT", "UPDATE", "DELETE", "REPLACE", "FORMAT"].contains(&&*second)),
        Some(word) => !HARMLESS.contains(&word.as_str()),
    }
}

/// The words of a statement in capitals, past comments and opening brackets. A comment that servers execute
/// (`/*!50100 …*/`, `/*M!100100 …*/`) is no comment.
fn words(statement: &str) -> impl Iterator<Item = String> {
    let mut rest = statement;
    std::iter::from_fn(move || {
        loop {
            rest = rest.trim_start_matches(|c: char| c.is_whitespace() || c == '(');
            rest = if let Some(code) = rest.strip_prefix("/*!").or_else(|| rest.strip_prefix("/*M!")) {
                code.trim_start_matches(|c: char| c.is_ascii_digit())
            } else if let Some(comment) = rest.strip_prefix("/*") {
                &comment[comment.find("*/")? + 2..]
            } else if let Some(comment) = rest.strip_prefix('#').or_else(|| rest.strip_prefix("-- ")) {
                &comment[comment.find('\n')?..]
            } else {
                break;
            };
        }
        let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(rest.len());
        let word;
        (word, rest) = rest.split_at(end);
        (!word.is_empty()).then(|| word.to_ascii_uppercase())
    })
}

#[cfg(test)]
mod tests {
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
}
