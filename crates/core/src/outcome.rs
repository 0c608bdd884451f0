//! How every helper begins and ends: the only code that writes to stdout and chooses the exit code.
//!
//! | Ending | Last line of stdout | Exit code |
//! |---|---|---|
//! | done | `OK` or `OK: …` | 0, or 1 where 1 is an answer (`check_ip`, `mysql_may_write`) |
//! | failed, refused, interrupted, bad configuration, panic, out of time | `ERROR: …` | 255 |
//! | wrong number of arguments | `Usage: …` and a blank line | 1; where 1 is an answer, `ERROR: …` and 255 |
//! | stdout cannot be written | nothing | an answer keeps its code, anything else is 2 |
//!
//! A dry run has the ending that the call itself would have; `--format` puts a document in place of the line.
//!
//! The last row exists because an agent that reads 255 beside an empty stdout dies of it (docs/CONTRACT.md, 1.1).

mod worker;

use std::any::Any;
use std::error::Error;
use std::ffi::OsString;
use std::panic::{self, AssertUnwindSafe};
use std::process::ExitCode;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::budget::Budget;
use crate::config::{self, Config};
use crate::contract::{CallResult, ERROR, FAILED, MISUSED, OK_BECAUSE, UNHEARD};
use crate::error::{CallError, Coded};
use crate::escape;
use crate::event;
use crate::invocation::{Invocation, Program, Shape};
use crate::journal::{self, terminal, words};
use crate::process;
use crate::report;
use crate::settings::Settings;
use worker::Patience;

/// A helper's success: its line after `OK` and its exit code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    text: String,
    code: u8,
}

impl Verdict {
    /// `OK`, exit code 0.
    pub fn ok() -> Self {
        Self { text: String::new(), code: 0 }
    }

    /// `OK: text`, exit code 0.
    pub fn ok_because(text: impl Into<String>) -> Self {
        Self { text: text.into(), code: 0 }
    }

    /// `OK: text`, exit code 1: the second answer of `check_ip` and `mysql_may_write`.
    pub fn second_answer(text: impl Into<String>) -> Self {
        Self { text: text.into(), code: 1 }
    }
}

/// One call of a helper: what it was asked, what it may use, how long it may take.
#[derive(Debug)]
pub struct Call {
    /// The program that was called.
    pub program: &'static Program,
    /// The arguments.
    pub arguments: Invocation,
    /// This project's own settings.
    pub settings: Settings,
    /// The time of this call.
    pub budget: Budget,
    patience: Patience,
    /// Why the settings, or a part of them, were not used.
    unused: Mutex<Option<String>>,
}

impl Call {
    /// Reads the agent's configuration that the arguments name, and adds how the settings reach each host.
    pub fn config(&self) -> Result<Config, config::ConfigError> {
        let mut config = config::load(&self.arguments.config)?;
        if let Err(error) = config.adopt(&self.settings) {
            if !self.program.works_without_settings {
                return Err(error);
            }
            self.note_unused(&error);
            config = config::load(&self.arguments.config)?;
        }
        report::host(config.this());
        log::info!("{}{}", words::THIS_HOST_IS, config.this());
        Ok(config)
    }

    /// Says that the settings, or a part of them, are not used.
    fn note_unused(&self, error: &(impl Error + Coded)) {
        let text = format!("mmm_helpers.yaml was not used, which has an error: {}", explain(error));
        log::warn!("{text}; continuing with the defaults");
        *self.unused.lock().unwrap_or_else(PoisonError::into_inner) = Some(text);
    }

    /// What is said of a success: also that the settings were not used.
    fn with_unused(&self, verdict: Verdict) -> Verdict {
        let unused = self.unused.lock().unwrap_or_else(PoisonError::into_inner).take();
        // What the agent and others compare with the words of check_ip and its kind stays as it is.
        match unused.filter(|_| self.program.shape != Shape::Address) {
            None => verdict,
            Some(unused) if verdict.text.is_empty() => Verdict { text: unused, ..verdict },
            Some(unused) => Verdict { text: format!("{}; {unused}", verdict.text), ..verdict },
        }
    }

    /// What it means for this host if the call is given up from now on.
    pub fn if_given_up(&self, meaning: impl Into<String>) {
        self.patience.mean(meaning.into());
    }

    /// Gives this call another limit than the one it began with: what `mysql_deny_write` needs, whose
    /// grace the agent's configuration sets. The time already used counts.
    #[must_use]
    pub fn with_limit(&self, limit: Duration) -> Budget {
        let extended = self.budget.relimited(limit);
        self.patience.set(&extended);
        extended
    }
}

/// How a call ended, before it is written.
enum Ending {
    Done(Verdict),
    Failed { code: &'static str, text: String },
    Misused { line: String, reason: String },
    Shown(String),
}

impl Ending {
    fn failed(error: &(impl Error + Coded)) -> Self {
        Self::Failed { code: error.code(), text: explain(error) }
    }

    /// What a command of the site may learn of it.
    fn as_event(&self) -> Option<event::Ending> {
        match self {
            Self::Done(_) if event::is_on() => Some(event::Ending::Succeeded),
            Self::Failed { code, text } if event::is_on() => {
                Some(event::Ending::Failed { code: (*code).into(), reason: text.clone() })
            }
            _ => None,
        }
    }
}

/// The whole of a helper's `main`: reads the command line, runs `work`, and ends by the contract whatever
/// happens in it.
///
/// This thread touches nothing but memory, clock and stdout. Settings, journal and `work` have threads of their own,
/// so that the caller is answered shortly after the budget's end even if something below them (a name lookup, a file
/// on a dead mount) cannot be interrupted.
pub fn run<E>(program: &'static Program, work: fn(&Call) -> Result<Verdict, E>) -> ExitCode
where
    E: Error + Coded + Send + 'static,
{
    panic::set_hook(Box::new(|info| log::error!("panic: {info}")));
    if event::is_for_this_process() {
        return event::carry_out(program);
    }
    process::prepare();
    let started = Instant::now();
    let argv: Vec<OsString> = std::env::args_os().collect();
    let ending = panic::catch_unwind(AssertUnwindSafe(|| {
        let (request, output) = program.read(&argv);
        report::begin(output);
        worker::perform(program, argv, request, work)
    }))
    .unwrap_or_else(|cause| Ending::failed(&of_panic(cause.as_ref())));
    let told = ending.as_event();
    let code = conclude(program, ending, started);
    event::tell(told);
    journal::finish();
    code
}

/// An error's own line; its causes go to the log.
fn explain(error: &dyn Error) -> String {
    let mut cause = error.source();
    while let Some(inner) = cause {
        log::error!("cause: {inner}");
        cause = inner.source();
    }
    error.to_string()
}

fn of_panic(cause: &(dyn Any + Send)) -> CallError {
    let text = cause
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| cause.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("unknown cause");
    CallError::InternalError(text.into())
}

/// Writes the result as the last line and turns it into the exit code.
fn conclude(program: &Program, ending: Ending, started: Instant) -> ExitCode {
    // The agent takes the last line only, so a result is one, whatever a server said.
    let error_line = |message: &str| format!("{ERROR}{message}\n");
    let (result, code, error, message, line) = match ending {
        Ending::Shown(text) => return write(program, &text, 0),
        Ending::Done(Verdict { text, code }) => {
            let message = of_this_run(escape::words(&text));
            let line = if message.is_empty() { "OK\n".into() } else { format!("{OK_BECAUSE}{message}\n") };
            (CallResult::Ok, code, None, message, line)
        }
        Ending::Misused { line, reason } => {
            log::warn!("wrong usage: {reason}");
            let line = escape::words(&line);
            let message = format!("{}: {line}", escape::words(&reason));
            if program.one_is_an_answer {
                let line = error_line(&message);
                (CallResult::Usage, FAILED, Some(CallResult::Usage.into()), message, line)
            } else {
                (CallResult::Usage, MISUSED, Some(CallResult::Usage.into()), message, line + "\n\n")
            }
        }
        Ending::Failed { code, text } => {
            let message = escape::words(&text);
            let line = error_line(&message);
            (CallResult::Error, FAILED, Some(code), message, line)
        }
    };
    let time = started.elapsed();
    let ending = report::Ending {
        helper: program.name,
        result,
        exit_code: code,
        message: &message,
        code: error,
        time,
    };
    let exit = write(program, &report::render(&ending, &line), code);
    // Only now: the caller gets its answer before the journal does.
    if let Some(code) = error {
        log::info!(target: journal::ANSWER, "{}{code}", words::ERROR_IS_NAMED);
    }
    let (line, milliseconds) = (line.trim_end(), time.as_secs_f64() * 1000.0);
    log::info!(target: journal::ANSWER, "{}{line:?}{}{code}, {milliseconds:.1}{}", words::ANSWERED, words::EXIT, words::IN_ALL);
    exit
}

/// What a success says. After a dry run it says that nothing was changed.
fn of_this_run(message: String) -> String {
    match (report::is_dry_run(), message.as_str()) {
        (false, _) => message,
        (true, "") => "dry run, nothing was changed".into(),
        (true, answer) => format!("dry run, nothing was changed; the call would answer '{answer}'"),
    }
}

fn write(program: &Program, text: &str, code: u8) -> ExitCode {
    if let Err(error) = terminal::answer(text) {
        log::error!("stdout cannot be written: {error}");
        let is_answer = program.one_is_an_answer && code != FAILED;
        return ExitCode::from(if is_answer { code } else { UNHEARD });
    }
    ExitCode::from(code)
}
