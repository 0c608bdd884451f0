//! Ends a server's client sessions in several passes, because a session ends some time after it was told to, and new
//! ones come meanwhile.

use std::collections::{HashMap, HashSet};
use std::time::{Duration, Instant};

use mmm_core::report;

use crate::closing::session::{LIST, Session};
use crate::errno::{GONE, NOT_ALLOWED};
use crate::error::Error;
use crate::record::Record;
use crate::server::Server;

/// How many sessions are told at once.
const BATCH: usize = 100;
/// InnoDB answers from a copy of its transactions, and makes a new copy only when nobody has asked for 100 ms. If it is
/// asked more often, its answer never changes (lab, MariaDB 10.11).
pub(crate) const COPY_AGE: Duration = Duration::from_millis(110);
/// What the statements that are running do to InnoDB; needs the PROCESS privilege.
const RUNNING: &str = "SELECT trx_mysql_thread_id AS id, trx_tables_in_use AS tables, trx_rows_modified AS rows_changed \
                       FROM information_schema.innodb_trx WHERE trx_mysql_thread_id <> 0";
const FORMAT: &str = "SHOW GLOBAL VARIABLES LIKE 'binlog_format'";

/// Who was told to end, and who could not be.
#[derive(Debug)]
pub struct Eviction {
    account: String,
    own: HashSet<u64>,
    told: HashSet<u64>,
    not_allowed: HashSet<u64>,
    cut: Vec<String>,
    engines: Option<Engines>,
}

/// What is known of running statements that may change tables without transactions.
///
/// Ended in the middle, such a statement leaves half of its rows changed, and in statement or mixed format it
/// is logged with an error on which every replica stops. Logged as rows, it is logged as far as it came.
#[derive(Debug)]
struct Engines {
    asked: Instant,
    /// By connection: how many InnoDB tables its statement uses, and how many rows its transaction has changed.
    innodb: HashMap<u64, (u64, u64)>,
    /// True if sessions log statements, for all tables, unless they were told otherwise.
    is_statement_format: bool,
    /// Sessions that are known to log rows.
    by_row: HashSet<u64>,
}

impl Engines {
    /// Asks `server` about these sessions.
    fn ask(server: &mut Server, candidates: &[&Session]) -> Result<Self, Error> {
        let ids: Vec<String> = candidates.iter().map(|session| session.id.to_string()).collect();
        let innodb = asked(server, RUNNING)?
            .iter()
            .filter_map(|row| Some((row.number("id")?, (row.number("tables")?, row.number("rows_changed")?))))
            .collect();
        let is_statement_format =
            asked(server, FORMAT)?.iter().any(|row| row.text("Value").eq_ignore_ascii_case("STATEMENT"));
        // MySQL 5.7 and later. The server's own format is no proof: a session may have another.
        let by_row = asked(
            server,
            &format!(
                "SELECT threads.processlist_id AS id FROM performance_schema.variables_by_thread variables \
                 JOIN performance_schema.threads threads ON threads.thread_id = variables.thread_id \
                 WHERE variables.variable_name = 'binlog_format' AND variables.variable_value = 'ROW' \
                 AND threads.processlist_id IN ({})",
                ids.join(", ")
            ),
        )?
        .iter()
        .filter_map(|row| row.number("id"))
        .collect();
        Ok(Self { asked: Instant::now(), innodb, is_statement_format, by_row })
    }

    /// True if ending this statement may leave half of its rows changed here and stop the replicas.
    fn may_stop_replicas(&self, session: &Session) -> bool {
        if self.by_row.contains(&session.id) {
            return false;
        }
        match self.innodb.get(&session.id) {
            // The statement uses no table of InnoDB, whatever its transaction did before.
            None | Some((0, _)) => true,
            // The statement may only read InnoDB tables, and fill another table. In mixed format it is then logged as
            // rows.
            Some((_, 0)) => self.is_statement_format && session.inserts(),
            Some(_) => false,
        }
    }
}

/// The answer, or none if the server does not give it.
fn asked(server: &mut Server, question: &str) -> Result<Vec<Record>, Error> {
    match server.rows(question) {
        Err(error @ (Error::Query { .. } | Error::Refused(_))) => {
            log::debug!("not known: {error}");
            Ok(Vec::new())
        }
        other => other,
    }
}

impl Eviction {
    /// No session was told yet; `account` is the user of the helpers' own connections.
    pub fn new(account: &str) -> Self {
        let (own, told, not_allowed) = (HashSet::new(), HashSet::new(), HashSet::new());
        Self { account: account.into(), own, told, not_allowed, cut: Vec::new(), engines: None }
    }

    /// Spares the helper's own connection.
    pub fn spare(&mut self, own: &Server) {
        self.own.insert(u64::from(own.connection_id()));
    }

    /// How many sessions were told to end.
    pub fn count(&self) -> usize {
        self.told.len()
    }

    /// The sessions that were ended in the middle of a statement that cannot be undone.
    pub fn cut(&self) -> &[String] {
        &self.cut
    }

    /// When InnoDB's transactions were last asked for.
    pub(crate) fn asked(&self) -> Option<Instant> {
        self.engines.as_ref().map(|engines| engines.asked)
    }

    /// True for a session that may not be ended for want of a privilege.
    pub fn is_out_of_reach(&self, id: u64) -> bool {
        self.not_allowed.contains(&id)
    }

    /// Every session that is not spared, those that write first.
    pub fn clients(&self, server: &mut Server) -> Result<Vec<Session>, Error> {
        let rows = server.rows(LIST)?;
        let mut clients: Vec<Session> = rows.iter().map(Session::from_record).collect();
        clients.retain(|session| !self.own.contains(&session.id) && !session.is_spared(&self.account));
        // With thousands of idle sessions, the few that block read_only should not wait for their turn.
        clients.sort_by_key(|session| (!session.is_writing(), session.is_asleep()));
        Ok(clients)
    }

    /// Tells every client session to end that was not told before; returns all that still exist, told or not. With
    /// `has_time`, a session that runs a statement which cannot be undone may complete it.
    pub fn pass(&mut self, server: &mut Server, has_time: bool) -> Result<Vec<Session>, Error> {
        let clients = self.clients(server)?;
        let is_new =
            |client: &&Session| !self.told.contains(&client.id) && !self.not_allowed.contains(&client.id);
        let mut new: Vec<&Session> = clients.iter().filter(is_new).collect();
        let at_risk = if report::is_dry_run() { HashSet::new() } else { self.at_risk(server, &new)? };
        if has_time {
            new.retain(|client| !at_risk.contains(&client.id));
        }
        let mut rest = new.as_slice();
        while !rest.is_empty() {
            let batch = &rest[..rest.len().min(BATCH)];
            let statements: Vec<String> = batch.iter().map(|client| format!("KILL {}", client.id)).collect();
            let (told, result) = server.execute_all(&statements);
            self.told.extend(batch[..told].iter().map(|client| client.id));
            for client in batch[..told].iter().filter(|client| at_risk.contains(&client.id)) {
                let session = format!("connection {}, {client}", client.id);
                log::error!(
                    "{}: ended in the middle of a statement that may have changed tables without transactions, \
                     so replicas may stop on it: {session}",
                    server.host()
                );
                self.cut.push(session);
            }
            rest = &rest[told..];
            let Err(error) = result else { continue };
            let Some((client, others)) = rest.split_first() else { return Err(error) };
            match error {
                Error::Query { code: GONE, .. } => self.told.insert(client.id),
                Error::Query { code, message, .. } if NOT_ALLOWED.contains(&code) => {
                    log::error!("not permitted to end {client}: {message}");
                    self.not_allowed.insert(client.id)
                }
                error => return Err(error),
            };
            rest = others;
        }
        Ok(clients)
    }

    /// Those among `clients` that run a statement which cannot be undone.
    fn at_risk(&mut self, server: &mut Server, clients: &[&Session]) -> Result<HashSet<u64>, Error> {
        let candidates: Vec<&Session> =
            clients.iter().filter(|client| client.may_leave_half()).copied().collect();
        if candidates.is_empty() {
            return Ok(HashSet::new());
        }
        let engines = match self.engines.take() {
            Some(known) if known.asked.elapsed() < COPY_AGE => known,
            _ => Engines::ask(server, &candidates)?,
        };
        let engines = self.engines.insert(engines);
        Ok(candidates
            .iter()
            .filter(|client| engines.may_stop_replicas(client))
            .map(|client| client.id)
            .collect())
    }
}
