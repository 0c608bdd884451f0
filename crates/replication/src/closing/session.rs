//! A server's sessions: which must be spared when it is closed, and which are writing.
//!
//! Pure: it judges the rows of the process list, for MySQL and MariaDB alike, and asks nobody. A statement's
//! text is looked at and never shown, since it holds customers' data.

use std::fmt;

use crate::closing::statement;
use crate::record::Record;
use crate::server::lock;

/// Every session with what [`Session`] needs; without the PROCESS privilege only the account's own.
pub const LIST: &str = "SELECT id, user, host, command, time, state, LEFT(info, 64) AS statement \
                        FROM information_schema.processlist";

/// One row of the process list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Session {
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

impl Session {
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

    /// True for sessions that continue when the server is closed: replication in both directions, the event scheduler
    /// and other threads of the server, clients that are still logging in, and a helper of the same account that waits
    /// for its turn.
    pub fn is_spared(&self, account: &str) -> bool {
        self.is_of_the_server()
            || self.feeds_a_replica()
            || self.is_logging_in()
            || self.waits_for_its_turn(account)
    }

    /// Replication threads have the user `system user`. A client may have that name, too, but only a client has an
    /// address. `connecting host` is MySQL's for a receiver thread that has not connected yet.
    fn is_of_the_server(&self) -> bool {
        let has_no_client = self.host.is_empty() || self.host == "connecting host";
        (self.user == "system user" && has_no_client) || self.command == "Daemon"
    }

    /// `Binlog Dump`, and MySQL's `Binlog Dump GTID`: the tail of the log still has to leave through it.
    fn feeds_a_replica(&self) -> bool {
        self.command.starts_with("Binlog Dump")
    }

    /// The session has done nothing yet, and once logged in it finds a server that is read-only. If it were ended now,
    /// that would count as a connection error of its host. The server locks a host out after `max_connect_errors` of
    /// them (lab, MariaDB 10.11): an application's host, or a replica's.
    fn is_logging_in(&self) -> bool {
        // MySQL 5.6 shows 16 characters of a name.
        self.user.starts_with("unauthenticated ") && self.command == "Connect" && self.statement.is_empty()
    }

    fn waits_for_its_turn(&self, account: &str) -> bool {
        let has_no_turn = self.state == "User lock" && lock::waits_for_writes(&self.statement);
        // It closes the server at once if another helper is at work, and waits for the same statements as that helper.
        self.user == account && (has_no_turn || statement::closes(&self.statement))
    }

    /// True while the session executes a statement that writes or may write.
    pub fn is_writing(&self) -> bool {
        !self.is_asleep() && self.command != "Killed" && may_write(&self.statement)
    }

    /// True while the session executes a statement that changes rows one after the other: if it is ended then, it
    /// leaves half of them changed in tables without transactions. Statements that define tables are not logged in that
    /// case.
    pub fn may_leave_half(&self) -> bool {
        self.is_writing() && changes_rows(&self.statement) && !self.waits_outside()
    }

    /// True for a statement that may fill one table from others.
    pub fn inserts(&self) -> bool {
        words(&self.statement).next().is_none_or(|word| !["UPDATE", "DELETE"].contains(&&*word))
    }

    /// It waits for its tables and has changed nothing yet; or it has changed all its rows and is being logged.
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

impl fmt::Display for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let host = if self.host.is_empty() { "server" } else { &self.host };
        write!(f, "{}@{host} ({}, {} s)", self.user, self.command, self.seconds)
    }
}

/// Names a few sessions and counts the others.
pub fn name_some(sessions: &[&Session]) -> String {
    const NAMED: usize = 3;
    let mut words: Vec<String> = sessions.iter().take(NAMED).map(ToString::to_string).collect();
    if sessions.len() > NAMED {
        words.push(format!("{} more", sessions.len() - NAMED));
    }
    words.join(", ")
}

/// First words of statements that change nothing that another host would need.
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

/// Whether a statement that may write changes rows. If its beginning cannot be read, it counts as one that does.
fn changes_rows(statement: &str) -> bool {
    words(statement).next().is_none_or(|word| CHANGING_ROWS.contains(&word.as_str()))
}

/// Whether a statement may write, by its beginning: only statements that are known to do no harm may not.
fn may_write(statement: &str) -> bool {
    if statement.trim().is_empty() {
        return false;
    }
    let mut words = words(statement);
    match words.next() {
        None => true,
        // SET STATEMENT variable = value FOR INSERT …
        Some(word) if word == "SET" => words.next().is_some_and(|second| second == "STATEMENT"),
        // MariaDB executes what it analyzes (ANALYZE UPDATE …); ANALYZE TABLE is not meant here.
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
mod tests;
