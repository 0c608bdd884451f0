//! One connection to one server: made within the budget, every read and write limited by it.
//!
//! Nothing here knows what the statements mean. The client library makes no round trip of its own: its
//! `SELECT @@max_allowed_packet` and `SELECT @@socket` are switched off, TCP addresses are literal.

pub(crate) mod dial;
pub mod dialect;
pub mod events;
pub mod lock;
pub(crate) mod patience;
pub(crate) mod privilege;

use std::fmt;
use std::io;
use std::os::fd::OwnedFd;
use std::panic::{self, AssertUnwindSafe};
use std::sync::Arc;
use std::time::{Duration, Instant};

use mmm_core::Budget;
use mmm_core::config::Host;
use mmm_core::journal::words::CONNECTED_TO;
use mmm_core::report::{self, Kind};
use mysql::Conn;
use mysql::prelude::Queryable;

use crate::error::Error;
use crate::record::Record;
use crate::refusal::Refusal;
use crate::server::dialect::Dialect;
use crate::status;

/// The maximum size of all rows of one answer together. No answer that is kept as a whole comes near it.
const MOST_KEPT: usize = 256 << 20;

/// A connection to a host's server with the agent's account.
pub struct Server {
    host: String,
    address: String,
    conn: Conn,
    socket: Arc<OwnedFd>,
    budget: Budget,
    /// False once a statement was left unanswered: its answer could still arrive, and would be taken for the answer to
    /// the next one.
    in_step: bool,
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Server({} {})", self.host, self.address)
    }
}

impl Server {
    /// Connects to `host` with the agent's account, within `most` and what is left of `budget`.
    pub fn connect(host: &Host, most: Duration, budget: Budget) -> Result<Self, Error> {
        let started = Instant::now();
        let address = host.socket.as_ref().map_or_else(
            || format!("{}:{}", host.ip, host.mysql_port),
            |socket| socket.display().to_string(),
        );
        let patience = budget.share(most).max(patience::LEAST);
        let conn = dial::dial(host, patience).and_then(|conn| Ok((patience::socket(&conn)?, conn)));
        let (socket, conn) = conn.map_err(|error| Error::Connect {
            address: address.clone(),
            user: host.agent_user.clone(),
            cause: dial::describe(&error, host, started.elapsed()),
            answered: dial::is_answer(&error),
            code: if let mysql::Error::MySqlError(refused) = &error { Some(refused.code) } else { None },
        })?;
        log::info!("{CONNECTED_TO}{} ({address}): {:.1} ms", host.name, milliseconds(started));
        Ok(Self { host: host.name.to_string(), address, conn, socket, budget, in_step: true })
    }

    /// True if the host's server lets the agent in, or refuses it.
    pub fn answers(host: &Host, most: Duration, budget: Budget) -> bool {
        match Self::connect(host, most, budget) {
            Ok(_) | Err(Error::Connect { answered: true, .. }) => true,
            Err(error) => {
                log::warn!("{}: {error}", host.name);
                false
            }
        }
    }

    /// The host's name in the configuration.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// How this session wants its statements.
    pub fn dialect(&self) -> Dialect {
        Dialect::new(self.conn.server_version(), self.conn.no_backslash_escape())
    }

    /// This connection's id on the server.
    pub fn connection_id(&self) -> u32 {
        self.conn.connection_id()
    }

    /// The time this connection's statements share.
    pub fn budget(&self) -> Budget {
        self.budget
    }

    /// Lets this connection's later statements use another budget: an undo needs that when the first budget is spent.
    pub fn use_budget(&mut self, budget: Budget) {
        self.budget = budget;
    }

    /// False if this connection cannot be used any more.
    pub fn is_usable(&self) -> bool {
        self.in_step
    }

    /// Sets a variable of this session alone: `SESSION name = value`, or `@name = value`.
    pub fn set(&mut self, setting: &str) -> Result<(), Error> {
        let statement = format!("SET {setting}");
        self.timed(&statement, |conn| conn.query_drop(&statement))
    }

    /// Runs a statement that changes something and returns no rows.
    pub fn execute(&mut self, statement: &str) -> Result<(), Error> {
        self.execute_as(statement, statement)
    }

    /// Runs a statement that holds a secret; `shown` stands for it in errors and in the journal.
    pub fn execute_as(&mut self, statement: &str, shown: &str) -> Result<(), Error> {
        let host = self.host.clone();
        report::change(Some(&host), Kind::Sql, shown, || {
            self.timed(shown, |conn| conn.query_drop(statement)).map_err(|error| self.name_missing(error))
        })
    }

    /// Runs statements that return no rows in one round trip. The server stops at the first that fails. The count is of
    /// the statements before it.
    pub fn execute_all(&mut self, statements: &[String]) -> (usize, Result<(), Error>) {
        let mut done = 0;
        if report::is_dry_run() {
            self.note(statements, done);
            return (statements.len(), Ok(()));
        }
        let shown =
            format!("{} statements such as {}", statements.len(), statements.first().map_or("", |s| s));
        let result = self.timed(&shown, |conn| {
            let mut answers = conn.query_iter(statements.join(";"))?;
            while let Some(answer) = answers.iter() {
                for row in answer {
                    row?;
                }
                done += 1;
            }
            Ok(())
        });
        self.note(statements, done);
        (done, result)
    }

    fn note(&self, statements: &[String], done: usize) {
        for (index, statement) in statements.iter().enumerate() {
            let result = if index < done { Ok(()) } else { Err(()) };
            let _ = report::change(Some(&self.host), Kind::Sql, statement, || result);
        }
    }

    /// Asks something and returns the rows of the answer.
    pub fn rows(&mut self, statement: &str) -> Result<Vec<Record>, Error> {
        let (mut rows, mut size) = (Vec::new(), 0);
        let socket = Arc::clone(&self.socket);
        self.each_row(statement, |row| {
            size += row.size();
            if size > MOST_KEPT {
                log::error!("{statement}: the answer has more than {MOST_KEPT} bytes");
                patience::shut(&socket);
            } else {
                rows.push(row);
            }
            false
        })?;
        Ok(rows)
    }

    /// Asks something and shows `see` each row of the answer as it comes in, until that has seen enough; true then.
    pub fn each_row(&mut self, statement: &str, mut see: impl FnMut(Record) -> bool) -> Result<bool, Error> {
        let is_question = ["SELECT ", "SHOW ", "XA RECOVER"].iter().any(|verb| statement.starts_with(verb));
        assert!(is_question || !report::is_dry_run(), "a dry run was about to send: {statement}");
        self.timed(statement, |conn| {
            let mut is_enough = false;
            for row in conn.query_iter(statement)? {
                let row = row?;
                is_enough = is_enough || see(Record::from(row));
            }
            Ok(is_enough)
        })
        .map_err(|error| self.name_missing(error))
    }

    /// The first row of a statement's answer, if there is one.
    pub fn row(&mut self, statement: &str) -> Result<Option<Record>, Error> {
        Ok(self.rows(statement)?.into_iter().next())
    }

    /// The first row of a statement that always has one.
    pub fn one(&mut self, statement: &str) -> Result<Record, Error> {
        self.row(statement)?.ok_or_else(|| self.unexpected(statement, "a row"))
    }

    /// True if the server takes no writes of ordinary accounts.
    pub fn is_read_only(&mut self) -> Result<bool, Error> {
        Ok(self.one("SELECT @@read_only AS read_only")?.is_read_only())
    }

    /// The error for an answer that lacks `missing`.
    pub fn unexpected(&self, statement: &str, missing: &str) -> Error {
        Error::Unexpected { host: self.host.clone(), statement: statement.into(), missing: missing.into() }
    }

    /// A string literal for this session: escaped as its `sql_mode` wants it.
    pub fn quoted(&self, text: &str) -> String {
        self.dialect().quote(text)
    }

    /// The same error. If the server names a missing privilege, the error has the GRANT that fixes it.
    fn name_missing(&mut self, error: Error) -> Error {
        match privilege::missing(&error) {
            Some(privilege) => self.lacks(privilege, String::new()),
            None => error,
        }
    }

    /// The refusal because this privilege is missing; `why` says what could not be done, if the privilege does not show
    /// that.
    pub fn lacks(&mut self, privilege: String, why: String) -> Error {
        let account = match self.one("SELECT CURRENT_USER() AS account") {
            Ok(row) => row.text("account").to_string(),
            Err(error) => return error,
        };
        let on = if privilege == "SELECT" { "performance_schema.*" } else { "*.*" };
        let (host, product, account) =
            (self.host().to_string(), self.dialect().to_string(), privilege::quoted(&account));
        let all = self.dialect().privileges(&privilege);
        Refusal::Lacks { host, product, account, privilege, all, on, why }.into()
    }

    /// The connection itself, for what is not a statement, with its host's name and its budget.
    pub(crate) fn into_parts(self) -> (String, Conn, Budget) {
        (self.host, self.conn, self.budget)
    }

    fn timed<T>(&mut self, shown: &str, run: impl FnOnce(&mut Conn) -> mysql::Result<T>) -> Result<T, Error> {
        let started = Instant::now();
        if !self.in_step {
            let cause = "an earlier statement was not answered".to_string();
            return Err(Error::Broken { host: self.host.clone(), statement: shown.to_string(), cause });
        }
        let deadline = patience::limit_answer(&self.socket, self.budget.share(Duration::from_secs(3600)));
        let result = survive(|| run(&mut self.conn));
        let is_late = deadline.is_over();
        log::debug!("{}: {shown}: {:.1} ms", self.host, milliseconds(started));
        if let Err(error) = &result {
            self.in_step = matches!(error, mysql::Error::MySqlError(_));
        }
        self.in_step &= !is_late;
        result.map_err(|error| {
            let error = if is_late { io::Error::from(io::ErrorKind::TimedOut).into() } else { error };
            failed(&self.host, error, shown, started.elapsed())
        })
    }
}

/// The result of a call of the client library. The library indexes and allocates as the server's bytes say. So a panic
/// in it is the server's fault and no bug, and what the caller has begun has to be undone.
pub(crate) fn survive<T>(run: impl FnOnce() -> mysql::Result<T>) -> mysql::Result<T> {
    panic::catch_unwind(AssertUnwindSafe(run)).unwrap_or_else(|_| {
        Err(io::Error::other("what it sent is not of the protocol, and the client library failed on it")
            .into())
    })
}

/// The error for what a server was asked.
pub(crate) fn failed(host: &str, error: mysql::Error, shown: &str, waited: Duration) -> Error {
    let (host, statement) = (host.to_string(), shown.to_string());
    match error {
        mysql::Error::MySqlError(refused) => {
            let message = status::without_data(refused.code.into(), &refused.message);
            Error::Query { host, code: refused.code, message, statement }
        }
        late if dial::is_timeout(&late) => {
            Error::Silent { host, waited, statement, cause: "no answer".into() }
        }
        other => Error::Broken { host, statement, cause: other.to_string() },
    }
}

fn milliseconds(since: Instant) -> f64 {
    since.elapsed().as_secs_f64() * 1000.0
}

#[cfg(test)]
mod tests;
