//! `mysql_deny_write`: this host shall take no more writes, and has none under way.
//!
//! The agent runs it once when it takes the writer role away, never again, and removes the writer address whatever it
//! says (docs/CONTRACT.md, 1.2). So it does as much as it can: it sets `read_only` even if a firewall command or a
//! privilege is missing.

use std::fmt;
use std::process::ExitCode;
use std::time::Duration;

use mmm_agent_helpers::MYSQL_DENY_WRITE;
use mmm_core::config::{Blocking, Config};
use mmm_core::event::{self, Change};
use mmm_core::firewall::{self, Barrier};
use mmm_core::journal::{step, step_on, words};
use mmm_core::{Budget, Call, Coded, Verdict, interrupt, process, run};
use mmm_replication::closing::{Closed, Closing};
use mmm_replication::takeover::{self, Outcome, Pursuit};
use mmm_replication::{Error, Refusal, Server};

/// How much longer than the grace closing, and closing with unblocking, may take.
const CLOSING: Duration = Duration::from_millis(1200);
const AFTER_GRACE: Duration = Duration::from_secs(2);
/// How long a takeover that was under way may take once this host is closed: the address is removed only after that.
const ENDING: Duration = Duration::from_secs(3);
/// A longer grace is a mistake: the monitor waits for the whole of it.
const LONGEST_GRACE: i64 = 3600;

/// Why this host is not closed for certain, and what that may mean.
#[derive(Debug)]
struct Failure {
    error: Error,
    /// This host, if it may still take writes and nobody knows.
    open: Option<String>,
    /// This host, if nobody listens where its server should.
    unserved: Option<String>,
}

impl Failure {
    fn of(error: Error, host: &str) -> Self {
        let open = is_unseen(&error).then(|| host.to_string());
        let unserved = is_unserved(&error).then(|| host.to_string());
        Self { error, open, unserved }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.error.fmt(f)?;
        match (&self.open, &self.unserved) {
            (Some(host), _) => write!(f, "; {}", may_be_open(host)),
            (None, Some(host)) => {
                write!(f, "; no server listens there, so {host} takes no writes over that address")
            }
            (None, None) => Ok(()),
        }
    }
}

impl std::error::Error for Failure {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.error.source()
    }
}

impl Coded for Failure {
    fn code(&self) -> &'static str {
        self.error.code()
    }
}

/// What an operator has to know of a host that is not closed for certain.
fn may_be_open(host: &str) -> String {
    format!("{host} may still take writes; shut it down if it must not")
}

/// True if a server that was not closed may run: it refuses the log-in, or it does not answer.
fn is_unseen(error: &Error) -> bool {
    match error {
        Error::Connect { .. } => !is_unserved(error),
        Error::NotClosed { cause, state } => is_unseen(cause) && !state.ends_with("is on"),
        Error::Silent { .. } | Error::Broken { .. } | Error::Config(_) => true,
        _ => false,
    }
}

/// True if the host itself says that nobody listens there.
fn is_unserved(error: &Error) -> bool {
    matches!(error, Error::Connect { cause, answered: false, .. } if cause.contains("Connection refused"))
}

fn main() -> ExitCode {
    run(&MYSQL_DENY_WRITE, mysql_deny_write)
}

fn mysql_deny_write(call: &Call) -> Result<Verdict, Failure> {
    interrupt::attend();
    // Whatever notes there are, the host has to be closed first.
    process::hurry(true);
    call.if_given_up(may_be_open("this host"));
    let config = call.config().map_err(|error| Failure::of(error.into(), "this host"))?;
    deny_write(call, &config).map_err(|error| Failure::of(error, config.this().as_str()))
}

fn deny_write(call: &Call, config: &Config) -> Result<Verdict, Error> {
    let host = config.this_host();
    call.if_given_up(may_be_open(host.name.as_str()));
    let (budget, whole, grace) = time(call, config);
    firewall::remove_leftover(host);
    let is_soft = matches!(config.blocking, Blocking::Soft { .. });
    let mut closing = Closing::begin(host, &call.settings, budget, is_soft.then_some(grace))?;
    let mut barrier = Barrier::default();
    let raised = barrier.raise(host, &config.blocking);
    if raised.is_ok() && is_soft {
        // A failure here will also make closing fail, and is reported there.
        let _ = step("gave running writes time", || closing.give_time(grace));
    }
    // What was taken over by then is older than what clients wrote.
    let left = takeover::is_left(host).then(|| !closing.is_read_only().unwrap_or(false));
    let closed = close(&mut closing).map_err(|failure| closing.explain(failure));
    if closed.is_ok() {
        call.if_given_up(format!("{} is closed", host.name));
        process::hurry(false);
    }
    let lowered = barrier.lower();
    let Closed { prepared, cut } = closed?;
    drop(closing);
    if let Some(was_open) = left {
        end_takeover(call, config, whole, was_open);
    }
    let name = host.name.to_string();
    raised.and(lowered).map_err(|failure| Error::Firewall { failure, host: name.clone() })?;
    if let Blocking::Unknown(word) = &config.blocking {
        return Err(Refusal::UnknownBlocking { word: word.clone(), host: name }.into());
    }
    let mut remarks = Vec::new();
    if !cut.is_empty() {
        event::note(|| Change::WritesCut { sessions: cut.join("; ") });
        remarks.push(format!("ended in the middle, and replicas may stop on it: {}", cut.join("; ")));
    }
    if prepared > 0 {
        remarks.push(format!("prepared XA transactions left: {prepared}, see XA RECOVER"));
    }
    Ok(if remarks.is_empty() { Verdict::ok() } else { Verdict::ok_because(remarks.join("; ")) })
}

fn close(closing: &mut Closing) -> Result<Closed, Error> {
    step_on(words::SET_READ_ONLY, "read_only", || closing.set_read_only())?;
    step_on("ended all client sessions", "client sessions", || closing.end_clients())?;
    step_on("confirmed that nothing is written", "what is written", || closing.confirm())
}

/// The agent does not call `mysql_allow_write` on a host without the role, so no other helper would complete a takeover
/// there.
fn end_takeover(call: &Call, config: &Config, whole: Budget, was_open: bool) {
    let host = config.this_host();
    let budget = Budget::start(Some(whole.part(95).share(ENDING)));
    let (settings, otherwise) =
        (&call.settings, "this host is closed, and the next call of turn_on_slave continues");
    let ended = Server::connect(host, settings.limits.connect, budget).and_then(|mut local| {
        takeover::resume_on(&mut local, Pursuit { config, settings, budget, otherwise }, was_open)
    });
    match ended {
        Ok(Some(Outcome::Stuck { survivor, reason })) => log::error!("taking over from {survivor}: {reason}"),
        Ok(_) => {}
        Err(error) => log::error!("{error}"),
    }
}

/// The time for closing, the time of the call, and until when a write that is under way may continue.
fn time(call: &Call, config: &Config) -> (Budget, Budget, Duration) {
    let seconds = config.max_kill_retries.clamp(0, LONGEST_GRACE);
    let grace = Duration::from_secs(seconds.unsigned_abs());
    let is_soft = matches!(config.blocking, Blocking::Soft { .. });
    if is_soft && call.arguments.wait.is_none() {
        let budget = call.with_limit(grace + AFTER_GRACE);
        return (budget.relimited(grace + CLOSING), budget, grace);
    }
    // The rest is needed to find out what to report.
    (call.budget.part(95), call.budget, grace)
}
