//! Closing a server to writes: the pieces of `mysql_deny_write`, in the order in which they are used.
//!
//! There are two connections: one may have to wait while it sets `read_only`, and the other meanwhile ends the sessions
//! for which it waits. At `max_connections` only the first gets in; then sessions are ended before `read_only` is set.

mod confirm;
mod eviction;
mod failure;
mod session;
mod statement;

use std::collections::HashSet;
use std::panic;
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use mmm_core::config::Host;
use mmm_core::event::{self, Change};
use mmm_core::mutant::takes_out;
use mmm_core::settings::Settings;
use mmm_core::{Budget, interrupt, progress, report};

use crate::closing::eviction::{COPY_AGE, Eviction};
use crate::closing::session::Session;
use crate::closing::statement::{READ_ONLY, SUPER_READ_ONLY};
use crate::errno::{CROWDED, CUT_OFF, LOCK_TIMEOUT};
use crate::error::Error;
use crate::server::Server;
use crate::server::lock::{self, Turn};

/// How long `SET GLOBAL read_only` may wait for running statements before their sessions are ended. All
/// other writes wait with it, so this is a pause for everybody.
const PATIENCE: Duration = Duration::from_millis(100);
/// Pause between two looks at running statements.
const LOOK: Duration = Duration::from_millis(20);
/// How much longer than `lock_wait_timeout` an attempt may take, so that its outcome is known before the end.
const LAST_ATTEMPT: Duration = Duration::from_millis(1300);
/// How much of the budget is left when statements that cannot be undone are ended. By then `read_only` may be waiting
/// for them, or be about to be tried again.
const CUT: Duration = Duration::from_secs(2);
/// How much of the budget is kept for closing while running writes, or another helper, are given time.
const CLOSING: Duration = Duration::from_secs(1);
/// Sessions whose transaction has changed rows; needs the PROCESS privilege.
const CHANGING: &str = "SELECT trx_mysql_thread_id AS id FROM information_schema.innodb_trx \
                        WHERE trx_rows_modified > 0 AND trx_mysql_thread_id <> 0";
/// A connection that breaks within this time was ended by somebody; later, the server did not answer.
const SOON: Duration = Duration::from_millis(500);
/// Pause between two attempts to connect if clients take every free connection at once.
const KNOCK: Duration = Duration::from_millis(1);
/// How often the first connection is tried if another helper ends it.
const TRIES: usize = 5;

/// A server that is being closed.
#[derive(Debug)]
pub struct Closing<'a> {
    host: &'a Host,
    settings: &'a Settings,
    budget: Budget,
    control: Server,
    killer: Option<Server>,
    eviction: Eviction,
    /// True while no other helper closes or opens this server.
    has_turn: bool,
    copy_taken: Option<Instant>,
}

/// What was found when the server was closed for certain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Closed {
    /// XA transactions that are prepared and wait for their COMMIT or ROLLBACK.
    pub prepared: usize,
    /// Sessions that were ended in the middle of a statement which cannot be undone.
    pub cut: Vec<String>,
}

impl<'a> Closing<'a> {
    /// Opens the connections. If another helper closes or opens the same server, `read_only` is set before waiting for
    /// that helper, unless running writes are to have `grace`.
    pub fn begin(
        host: &'a Host,
        settings: &'a Settings,
        budget: Budget,
        grace: Option<Duration>,
    ) -> Result<Self, Error> {
        let mut tries = 0;
        let (control, turn) = loop {
            let mut started = Instant::now();
            let error = match Self::first_connection(host, settings, budget, grace, &mut started) {
                Ok(first) => break first,
                Err(error) => error,
            };
            // At max_connections one more connection is let in, whose account the server checks only afterwards.
            let is_crowded = matches!(error, Error::Connect { code: Some(CROWDED), .. });
            // A helper at work takes this session for a client's until this session waits: for read_only, then for the
            // lock.
            let is_ended = is_cut_off(&error) && started.elapsed() < SOON && tries < TRIES;
            tries += 1;
            if !(is_crowded || is_ended) || !budget.pause(if is_crowded { KNOCK } else { LOOK }) {
                return Err(error);
            }
        };
        let mut eviction = Eviction::new(&host.agent_user);
        eviction.spare(&control);
        let has_turn = turn == Turn::Taken;
        let mut closing =
            Self { host, settings, budget, control, killer: None, eviction, has_turn, copy_taken: None };
        closing.open_killer();
        Ok(closing)
    }

    /// `started` is set to when the last wait began.
    fn first_connection(
        host: &Host,
        settings: &Settings,
        budget: Budget,
        grace: Option<Duration>,
        started: &mut Instant,
    ) -> Result<(Server, Turn), Error> {
        let mut control = Server::connect(host, settings.limits.connect, budget)?;
        // The default is a day, and every write would wait for that long.
        control.set("SESSION lock_wait_timeout = 1")?;
        let mut turn = lock::try_to_close(&mut control)?;
        if let Turn::Held(holder) = &turn {
            log::info!("connection {holder} holds the lock of these helpers on {}", host.name);
            if grace.is_none() {
                Self::close_first(&mut control)?;
                *started = Instant::now();
            }
            let patience = budget.share(Duration::from_secs(3600)).saturating_sub(CLOSING);
            turn = lock::take_to_close(&mut control, grace.unwrap_or(patience).min(patience)).map_err(
                |error| {
                    if interrupt::is_requested() {
                        Self::interrupted_while(&mut control, &error)
                    } else {
                        error
                    }
                },
            )?;
        }
        if let Turn::Held(holder) = &turn {
            // The helper is stuck, or it is no helper but an application with the agent's account.
            log::warn!(
                "connection {holder} holds the lock of these helpers still; closing continues without it"
            );
        }
        Ok((control, turn))
    }

    /// Sets `read_only` if another helper, whose sessions must not be ended, may be about to do the same; or if another
    /// account's session has the lock, before waiting for the end of that session.
    fn close_first(control: &mut Server) -> Result<(), Error> {
        if report::is_dry_run() {
            return Ok(());
        }
        let was_open = is_open(control);
        match control.execute(READ_ONLY) {
            Err(error @ Error::Query { code: LOCK_TIMEOUT, .. }) => {
                log::warn!("read_only could not be set at once: {error}");
                Ok(())
            }
            other => other.map(|()| note_closed(was_open)),
        }
    }

    fn open_killer(&mut self) {
        match Server::connect(self.host, self.settings.limits.connect, self.budget) {
            Ok(killer) => {
                self.eviction.spare(&killer);
                self.killer = Some(killer);
            }
            Err(error) => log::warn!("no second connection, sessions are ended first: {error}"),
        }
    }

    /// Waits until no write is in progress, at most until the call is `grace` old.
    pub fn give_time(&mut self, grace: Duration) -> Result<(), Error> {
        let mut face = progress::waiting("waiting for running writes to end");
        loop {
            let clients = self.eviction.clients(&mut self.control)?;
            let mut writing: Vec<&Session> = clients.iter().filter(|session| session.is_writing()).collect();
            if writing.is_empty() {
                // Between two statements of a transaction. An abandoned transaction is not waited for.
                let changing = self.transactions()?;
                writing.extend(clients.iter().filter(|session| {
                    changing.contains(&session.id) && (!session.is_asleep() || session.seconds == 0)
                }));
            }
            if writing.is_empty() {
                return Ok(());
            }
            if report::is_dry_run() {
                report::observe(Some(self.host.name.as_str()), "writing now", session::name_some(&writing));
                return Ok(());
            }
            if self.budget.elapsed() >= grace || self.budget.share(CLOSING) < CLOSING {
                log::warn!("still writing after {grace:.1?}: {}", session::name_some(&writing));
                return Ok(());
            }
            face.turns_to(&format_args!(
                "waiting for running writes to end: {}",
                session::name_some(&writing)
            ));
            if !self.budget.pause(LOOK) {
                return Ok(());
            }
        }
    }

    /// Sets `read_only`, and `super_read_only` if that is wanted and the server knows it.
    pub fn set_read_only(&mut self) -> Result<(), Error> {
        if takes_out("read-only") {
            return Ok(());
        }
        let statement = self.statement()?;
        let host = self.host.name.as_str();
        if report::is_on() {
            report::observe(Some(host), "read_only", report::on_off(self.is_read_only()?));
        }
        report::plan(
            format_args!("close {host} to writes: {statement}, then end every client session"),
            format_args!(
                "sessions that began while {host} took writes could continue to write; replication and this account \
                 stay"
            ),
        );
        let was_open = is_open(&mut self.control);
        let _face = progress::waiting("waiting for read_only, which waits for running statements");
        loop {
            if interrupt::is_requested() {
                return Err(self.interrupted());
            }
            if self.killer.is_none() {
                let has_time = has_time(self.budget);
                if let Err(error) = self.eviction.pass(&mut self.control, has_time) {
                    log::warn!("could not end the sessions that block read_only: {error}");
                }
                self.open_killer();
            }
            match self.attempt(statement) {
                Err(Error::Query { code: LOCK_TIMEOUT, .. }) => {
                    log::warn!(
                        "read_only waited a second for other sessions and could not be set; trying again"
                    );
                }
                Ok(()) => {
                    note_closed(was_open);
                    return self.take_turn();
                }
                other => return other,
            }
            if self.budget.share(LAST_ATTEMPT) < LAST_ATTEMPT {
                return Err(self.held_back());
            }
        }
    }

    /// Now that nobody can write, tries again to take the lock: another account's session had it, and that session has
    /// ended since.
    fn take_turn(&mut self) -> Result<(), Error> {
        if !self.has_turn {
            self.has_turn = lock::take_to_close(&mut self.control, Duration::ZERO)? == Turn::Taken;
        }
        Ok(())
    }

    fn statement(&mut self) -> Result<&'static str, Error> {
        if self.settings.deny_write.super_read_only {
            if self.control.row("SHOW GLOBAL VARIABLES LIKE 'super_read_only'")?.is_some() {
                return Ok(SUPER_READ_ONLY);
            }
            log::warn!("{} has no super_read_only: read_only alone is set", self.host.name);
        }
        Ok(READ_ONLY)
    }

    /// One attempt. If it takes long, the second connection ends the sessions that block it.
    fn attempt(&mut self, statement: &str) -> Result<(), Error> {
        let Self { control, killer, eviction, budget, .. } = self;
        let Some(clearing) = killer.as_mut() else { return control.execute(statement) };
        let mut is_clearing = true;
        let result = thread::scope(|scope| {
            let (done, is_done) = mpsc::channel::<()>();
            let setting = scope.spawn(move || {
                // Dropped when the attempt is over, however it ends.
                let _done = done;
                control.execute(statement)
            });
            let mut patience = PATIENCE;
            while is_done.recv_timeout(patience) == Err(mpsc::RecvTimeoutError::Timeout) {
                if patience == PATIENCE {
                    log::info!("read_only waits for running statements: their sessions are ended");
                }
                patience = LOOK;
                if is_clearing && let Err(error) = eviction.pass(clearing, has_time(*budget)) {
                    log::warn!("could not end the sessions that block read_only: {error}");
                    is_clearing = false;
                }
            }
            setting.join().unwrap_or_else(|cause| panic::resume_unwind(cause))
        });
        if !is_clearing {
            *killer = None;
        }
        result
    }

    /// Ends every client session that began before `read_only` was set, however many new sessions come.
    pub fn end_clients(&mut self) -> Result<(), Error> {
        let mut earlier: Option<HashSet<u64>> = None;
        let mut pause = Duration::from_micros(500);
        let mut face = progress::waiting("waiting for client sessions to end");
        loop {
            let clients = self.pass()?;
            if report::is_dry_run() {
                let named = session::name_some(&clients.iter().collect::<Vec<_>>());
                let value = format!("{}{}{named}", clients.len(), if clients.is_empty() { "" } else { ": " });
                report::observe(Some(self.host.name.as_str()), "client sessions", value);
                return Ok(());
            }
            // A session that begins after this list was made has never seen the server take writes.
            let earlier = earlier.get_or_insert_with(|| clients.iter().map(|client| client.id).collect());
            let (barred, left): (Vec<&Session>, Vec<&Session>) = clients
                .iter()
                .filter(|client| earlier.contains(&client.id))
                .partition(|client| self.eviction.is_out_of_reach(client.id));
            if left.is_empty() && barred.is_empty() {
                log::info!("{} client sessions were ended", self.eviction.count());
                return Ok(());
            }
            if left.is_empty() {
                let sessions = session::name_some(&barred);
                return Err(self.barred(&sessions));
            }
            face.turns_to(&format_args!("waiting for {} client sessions to end", left.len()));
            if !self.budget.pause(pause) {
                return Err(self.still_open(&left));
            }
            pause = (pause * 2).min(Duration::from_millis(5));
        }
    }

    /// The connection that answers: the first one may still wait for its statement.
    fn server(&mut self) -> &mut Server {
        match &mut self.killer {
            Some(killer) if killer.is_usable() => killer,
            _ => &mut self.control,
        }
    }

    fn pass(&mut self) -> Result<Vec<Session>, Error> {
        let Self { control, killer, eviction, budget, .. } = self;
        let server = killer.as_mut().filter(|killer| killer.is_usable()).unwrap_or(control);
        eviction.pass(server, has_time(*budget))
    }

    /// Sessions whose open transaction has changed rows.
    fn transactions(&mut self) -> Result<HashSet<u64>, Error> {
        if let Some(taken) = self.copy_taken.max(self.eviction.asked()) {
            self.budget.pause(COPY_AGE.saturating_sub(taken.elapsed()));
        }
        let rows = self.server().rows(CHANGING)?;
        self.copy_taken = Some(Instant::now());
        Ok(rows.iter().filter_map(|row| row.number("id")).collect())
    }

    /// True if the server takes no writes of ordinary accounts.
    pub fn is_read_only(&mut self) -> Result<bool, Error> {
        self.server().is_read_only()
    }
}

/// Whether writes are open, if somebody is told of a change. That is no reason not to close.
fn is_open(server: &mut Server) -> bool {
    event::is_on() && server.is_read_only().is_ok_and(|is_closed| !is_closed)
}

fn note_closed(was_open: bool) {
    if was_open {
        event::note(|| Change::WriterClosed {});
    }
}

/// True while statements that cannot be undone may continue.
fn has_time(budget: Budget) -> bool {
    budget.share(CUT) == CUT
}

/// True if the server ended a session, rather than not answering.
fn is_cut_off(error: &Error) -> bool {
    match error {
        Error::Broken { .. } => true,
        Error::Query { code, .. } => CUT_OFF.contains(code),
        _ => false,
    }
}
