//! One helper at a time changes replication on a server, and one closes or opens it.
//!
//! The lock is in the server (`GET_LOCK`): it ends with the connection that holds it, and not before the statement that
//! this connection is running. So a helper that was killed in the middle of a statement keeps the next one waiting
//! until the server is done with it, which no lock file could.
//!
//! Any account may take a lock of any name. If another account than the helpers' has their lock, its session is ended.
//! If that does not help, the helper continues without the lock. A replicated statement takes none: in replication
//! threads, `GET_LOCK` does nothing.

use std::thread;
use std::time::{Duration, Instant};

use mmm_core::{interrupt, progress, report};

use crate::errno::GONE;
use crate::error::Error;
use crate::record::Record;
use crate::refusal::Refusal;
use crate::server::Server;

const REPLICATION: &str = "'mmm_agent_helpers.replication'";
const WRITES: &str = "'mmm_agent_helpers.writes'";

/// True of the statement with which a helper waits until another has closed the server.
pub(crate) fn waits_for_writes(statement: &str) -> bool {
    statement.strip_prefix(TAKE).is_some_and(|rest| rest.starts_with(WRITES))
}

const TAKE: &str = "SELECT GET_LOCK(";

/// How long another helper that changes replication is waited for.
const PATIENCE: Duration = Duration::from_secs(3);
/// For how long sessions of other accounts that hold the lock are ended, one after the other.
const STUBBORN: Duration = Duration::from_millis(500);
/// Pause for a session that was told to end.
const PAUSE: Duration = Duration::from_millis(5);

/// The result of trying to get a lock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Turn {
    /// It is this session's.
    Taken,
    /// Other accounts hold it and do not release it: the helper continues without it.
    PassedOver,
    /// A helper holds it; its connection's id.
    Held(String),
}

/// Takes the lock on `server`, waiting a little for another helper.
pub fn take(server: &mut Server) -> Result<(), Error> {
    match wait(server, REPLICATION, PATIENCE)? {
        Turn::Held(holder) => {
            let holder = described(server, holder);
            Err(Refusal::Busy { host: server.host().into(), holder }.into())
        }
        Turn::Taken | Turn::PassedOver => Ok(()),
    }
}

/// A connection with what it does. No more than the first two words of its statement: a later one may be a password.
fn described(server: &mut Server, id: String) -> String {
    let Ok(number) = id.parse::<u64>() else { return id };
    let asked =
        server.row(&format!("SELECT info, time FROM information_schema.processlist WHERE id = {number}"));
    let Ok(Some(row)) = asked else { return id };
    let words: Vec<_> = row.text("info").split_whitespace().take(2).collect();
    let what = if words.is_empty() { "idle".into() } else { words.join(" ") };
    match row.number("time") {
        Some(seconds) => format!("{id} ({what}, {seconds} s)"),
        None => format!("{id} ({what})"),
    }
}

/// Takes the lock of helpers that close `server` if nobody has it. If somebody has it, nothing is ended.
pub fn try_to_close(server: &mut Server) -> Result<Turn, Error> {
    let row = ask(server, WRITES, 0)?;
    Ok(if row.at(0) == Some("1") { Turn::Taken } else { held(holder(&row)) })
}

/// Takes the lock of helpers that close `server`, waiting at most `patience` (whole seconds count) for another helper.
pub fn take_to_close(server: &mut Server, patience: Duration) -> Result<Turn, Error> {
    wait(server, WRITES, patience)
}

/// The same lock for a helper that opens `server`: a helper that closes it at the same time wins.
pub fn take_to_open(server: &mut Server) -> Result<(), Error> {
    match wait(server, WRITES, Duration::ZERO)? {
        Turn::Held(holder) => Err(Refusal::BeingClosed { host: server.host().into(), holder }.into()),
        Turn::Taken | Turn::PassedOver => Ok(()),
    }
}

/// Refuses if a helper closes `server` or opens it; for a helper that will open it later. Takes no lock.
pub fn refuse_while_closing(server: &mut Server) -> Result<(), Error> {
    let row = server.one(&format!("SELECT NULL, IS_USED_LOCK({WRITES})"))?;
    match holder(&row) {
        Some(id) if stranger(server, id)?.is_none() => {
            Err(Refusal::BeingClosed { host: server.host().into(), holder: id.to_string() }.into())
        }
        _ => Ok(()),
    }
}

/// Asks for a lock: the first column says whether it was got, the second who has it.
fn ask(server: &mut Server, name: &str, seconds: u64) -> Result<Record, Error> {
    // A dry run waits for its turn and leaves at once.
    let release = if report::is_dry_run() { format!(", RELEASE_LOCK({name})") } else { String::new() };
    server.one(&format!("{TAKE}{name}, {seconds}), IS_USED_LOCK({name}){release}"))
}

fn holder(row: &Record) -> Option<u64> {
    row.at(1).and_then(|id| id.parse().ok())
}

fn held(holder: Option<u64>) -> Turn {
    Turn::Held(holder.map_or_else(|| "unknown".into(), |id| id.to_string()))
}

fn wait(server: &mut Server, name: &str, patience: Duration) -> Result<Turn, Error> {
    let _face = progress::waiting(format!("waiting for another helper that is at work on {}", server.host()));
    let (mut end, mut stubborn) = (None, None);
    // Only once it is known who holds the lock.
    let mut at_once = 0;
    loop {
        let row = ask(server, name, at_once)?;
        if row.at(0) == Some("1") {
            return Ok(Turn::Taken);
        }
        if interrupt::is_requested() {
            let state =
                format!("another helper was waited for, and nothing was changed on {}", server.host());
            return Err(Refusal::Interrupted { state }.into());
        }
        let holder = holder(&row);
        if let Some(id) = holder
            && let Some(stranger) = stranger(server, id)?
        {
            let since = *stubborn.get_or_insert_with(Instant::now);
            if !end_stranger(server, id, &stranger)? || since.elapsed() > STUBBORN {
                log::warn!("{}: continuing without the lock of these helpers", server.host());
                return Ok(Turn::PassedOver);
            }
            at_once = 0;
            continue;
        }
        let elapsed = server.budget().elapsed();
        let end = *end.get_or_insert(elapsed + patience);
        let seconds = server.budget().share(end.saturating_sub(elapsed)).as_secs();
        if seconds == 0 {
            return Ok(held(holder));
        }
        // A wait in the server cannot be interrupted. So if somebody may interrupt this call, it waits several short
        // times.
        at_once = if interrupt::is_attended() { seconds.min(1) } else { seconds };
    }
}

/// The session `id`, in words, if it belongs to another account than this connection.
fn stranger(server: &mut Server, id: u64) -> Result<Option<String>, Error> {
    let own = u64::from(server.connection_id());
    let rows = server.rows(&format!(
        "SELECT id, user, host FROM information_schema.processlist WHERE id IN ({id}, {own})"
    ))?;
    let find = |id| rows.iter().find(|row| row.number("id") == Some(id));
    Ok(match (find(id), find(own)) {
        (Some(holder), Some(own)) if holder.text("user") == own.text("user") => None,
        (Some(holder), _) => {
            Some(format!("connection {id}, {}@{}", holder.text("user"), holder.text("host")))
        }
        // It has just ended; or it is hidden because the PROCESS privilege is missing. Sessions of this account are
        // never hidden.
        (None, _) => Some(format!("connection {id}")),
    })
}

/// Tells it to end; false if that has no effect.
fn end_stranger(server: &mut Server, id: u64, stranger: &str) -> Result<bool, Error> {
    let is = if report::is_dry_run() { "would be" } else { "is" };
    log::warn!("{}: the lock of these helpers is held by {stranger}: its session {is} ended", server.host());
    match server.execute(&format!("KILL {id}")) {
        Ok(()) => {
            thread::sleep(PAUSE);
            Ok(!report::is_dry_run())
        }
        Err(Error::Query { code: GONE, .. }) => Ok(true),
        Err(error @ (Error::Query { .. } | Error::Refused(_))) => {
            log::warn!("it cannot be ended: {error}");
            Ok(false)
        }
        Err(error) => Err(error),
    }
}
