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
//! The last row exists because an agent that reads 255 beside an empty stdout dies of it (contract 1.3).

use std::any::Any;
use std::error::Error;
use std::ffi::OsString;
use std::io::{self, Write};
use std::panic::{self, AssertUnwindSafe};
use std::process::ExitCode;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use crate::budget::Budget;
use crate::config::{self, Config};
use crate::escape;
use crate::invocation::{Invocation, Program, Request, Shape};
use crate::journal;
use crate::process;
use crate::report;
use crate::settings::{Limits, Settings, SettingsError};
use crate::unfinished;

/// Exit code of every failure but a wrong number of arguments.
const FAILED: u8 = 255;
/// Exit code of a wrong number of arguments, where 1 is no answer.
const MISUSED: u8 = 1;
/// Exit code of a result that nobody could be told.
const UNHEARD: u8 = 2;
/// How long past its budget a helper may go on undoing its work before it is answered for.
const GRACE: Duration = Duration::from_millis(700);
/// How long a call goes on before its lines are written to the journal as they come.
const BRIEF: Duration = Duration::from_millis(5);
/// How long the settings may take to be read where a call goes on without them: they are a file, or a few.
const READING: Duration = Duration::from_secs(1);

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
}

impl Call {
    /// Reads the agent's configuration that the arguments name, and adds how the settings reach each host.
    pub fn config(&self) -> Result<Config, config::ConfigError> {
        let mut config = config::load(&self.arguments.config)?;
        config.adopt(&self.settings)?;
        report::host(config.this());
        log::info!("this host is {}", config.this());
        Ok(config)
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

/// When the caller gets an answer even if the procedure has not returned.
#[derive(Clone, Debug)]
struct Patience(Arc<Mutex<Option<Instant>>>);

impl Patience {
    fn set(&self, budget: &Budget) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) =
            budget.limit().map(|limit| Instant::now() + limit.saturating_sub(budget.elapsed()) + GRACE);
    }

    fn left(&self) -> Option<Duration> {
        let end = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        end.map(|end| end.saturating_duration_since(Instant::now()))
    }
}

/// An error with a stable name, by which programs tell it from others; docs/ERRORS.md lists them all.
pub trait Coded {
    /// The name.
    fn code(&self) -> &'static str;
}

/// What goes wrong with a call whatever the helper does.
#[derive(Debug, thiserror::Error, strum::IntoStaticStr, strum::VariantNames)]
#[strum(serialize_all = "kebab-case")]
pub enum CallError {
    /// The number of arguments is right, a value is not.
    #[error("{0}")]
    UnusableArgument(String),
    /// A bug.
    #[error("internal error: {0}; please report this with the log's last lines")]
    InternalError(String),
    /// The procedure has no thread to run in.
    #[error("could not start a thread: {0}; is this host out of memory or processes?")]
    NoThread(#[source] io::Error),
    /// The procedure did not return in time.
    #[error("no answer within the time limit, the call was given up; see the log for its last step")]
    OutOfTime,
}

impl Coded for CallError {
    fn code(&self) -> &'static str {
        self.into()
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
    process::prepare();
    let started = Instant::now();
    let argv: Vec<OsString> = std::env::args_os().collect();
    let ending = panic::catch_unwind(AssertUnwindSafe(|| perform(program, argv, work)))
        .unwrap_or_else(|cause| Ending::failed(&of_panic(cause.as_ref())));
    let code = conclude(program, ending, started);
    journal::finish();
    code
}

fn perform<E>(program: &'static Program, argv: Vec<OsString>, work: fn(&Call) -> Result<Verdict, E>) -> Ending
where
    E: Error + Coded + Send + 'static,
{
    let (request, output) = program.read(&argv);
    report::begin(output);
    let wait = match &request {
        Request::Show(text) => return Ending::Shown(text.clone()),
        Request::Work(arguments) => arguments.wait,
        Request::Usage { .. } | Request::Unusable(_) => None,
    };
    let reading = time_to_read(program.shape, &request);
    let budget = Budget::start(wait.unwrap_or(Some(Limits::default().call))).interruptible();
    let patience = Patience(Arc::new(Mutex::new(None)));
    patience.set(&budget);
    let task = Task { program, argv, request, budget, patience: patience.clone(), work, mishap: None };
    // Whoever takes it does it: who has read the settings, or else who did not wait for them any longer.
    let task = Arc::new(Mutex::new(Some(task)));
    let (first, second) = (Arc::clone(&task), Arc::clone(&task));
    let read = move || {
        let settings = Settings::load();
        take(&first).map(|task| task.perform(settings))
    };
    let do_without = move || {
        let cause = io::Error::new(io::ErrorKind::TimedOut, format!("no answer within {reading:.1?}"));
        take(&second).map(|task| task.perform(Err(SettingsError::unreadable(cause))))
    };
    let (sender, receiver) = mpsc::channel();
    let late = sender.clone();
    let go_on = move || {
        unless_taken(&task, || start(late, do_without), |task, error| task.mishap = Some(error));
    };
    let mut alarms: Vec<Alarm> = vec![
        (Instant::now() + reading, Box::new(go_on)),
        (Instant::now() + BRIEF, Box::new(journal::keep_up)),
    ];

    match start(sender, read) {
        Ok(()) => attend(&patience, &receiver, &mut alarms),
        Err(error) => Ending::failed(&CallError::NoThread(error)),
    }
}

/// How long the settings may take to be read. A slow disk must not keep a server open, so whoever cannot go on without
/// them waits for as long as half of the call is left for the work.
fn time_to_read(shape: Shape, request: &Request) -> Duration {
    match request {
        Request::Work(arguments) if shape != Shape::Address => {
            let limit = arguments.wait.flatten().unwrap_or(Limits::default().call);
            (limit / 2).max(READING)
        }
        _ => READING,
    }
}

/// A call before its settings are known.
struct Task<E> {
    program: &'static Program,
    argv: Vec<OsString>,
    request: Request,
    budget: Budget,
    patience: Patience,
    work: fn(&Call) -> Result<Verdict, E>,
    /// Why nobody could do it without the settings.
    mishap: Option<io::Error>,
}

impl<E: Error + Coded> Task<E> {
    fn perform(self, settings: Result<Settings, SettingsError>) -> Ending {
        let Self { program, argv, request, budget, patience, work, mishap } = self;
        let (settings, complaint) = match settings {
            Ok(settings) => (settings, None),
            Err(error) => (Settings::default(), Some(error)),
        };
        let verbose = if let Request::Work(arguments) = &request { arguments.verbose } else { 0 };
        journal::open(program.name, &settings.log, verbose);
        log::info!("called with {:?}", argv.get(1..).unwrap_or_default());
        if let Some(error) = mishap {
            log::warn!("the settings came late, and there was no thread to go on without them: {error}");
        }
        let arguments = match request {
            Request::Work(arguments) => arguments,
            Request::Usage { line, reason } => return Ending::Misused { line, reason },
            Request::Unusable(reason) => return Ending::failed(&CallError::UnusableArgument(reason)),
            Request::Show(text) => return Ending::Shown(text),
        };
        if let Some(error) = complaint {
            // The address helpers of the originals work without any configuration; so do ours (contract 8).
            if program.shape != Shape::Address {
                return Ending::failed(&error);
            }
            log::warn!("{}; going on with the defaults", explain(&error));
        }
        let budget = if arguments.wait.is_none() { budget.relimited(settings.limits.call) } else { budget };
        patience.set(&budget);
        let call = Call { program, arguments, settings, budget, patience };
        if report::is_on() && program.shape == Shape::Address {
            // Only for this host's name: the address helpers do without a configuration.
            let _ = call.config();
        }
        match work(&call) {
            Ok(verdict) => Ending::Done(verdict),
            Err(error) => Ending::failed(&error),
        }
    }
}

/// What is done at a moment of a call, if it has not ended by then.
type Alarm = (Instant, Box<dyn FnOnce()>);

fn lock<T>(task: &Mutex<T>) -> MutexGuard<'_, T> {
    task.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The task, if nobody has it yet. It is done without the lock.
fn take<T>(task: &Mutex<Option<T>>) -> Option<T> {
    lock(task).take()
}

/// Starts another one for a task that nobody has taken. If that fails, the task waits on for the first one.
fn unless_taken<T>(
    task: &Mutex<Option<T>>,
    start: impl FnOnce() -> io::Result<()>,
    failed: impl FnOnce(&mut T, io::Error),
) {
    if lock(task).is_none() {
        return;
    }
    if let Err(error) = start()
        && let Some(task) = &mut *lock(task)
    {
        failed(task, error);
    }
}

/// Runs a procedure in its own thread; `None` says that another one answers.
fn start(
    sender: mpsc::Sender<Ending>,
    work: impl FnOnce() -> Option<Ending> + Send + 'static,
) -> io::Result<()> {
    let body = move || {
        let ending = panic::catch_unwind(AssertUnwindSafe(work))
            .unwrap_or_else(|cause| Some(Ending::failed(&of_panic(cause.as_ref()))));
        if let Some(ending) = ending {
            // The receiver is gone when the caller has been answered already.
            let _ = sender.send(ending);
        }
    };
    thread::Builder::new().spawn(body).map(drop)
}

/// Waits for a procedure's ending, or for the end of patience.
fn attend(patience: &Patience, receiver: &mpsc::Receiver<Ending>, alarms: &mut Vec<Alarm>) -> Ending {
    loop {
        let alarm = alarms.last().map(|(at, _)| at.saturating_duration_since(Instant::now()));
        let answer = match [patience.left(), alarm].into_iter().flatten().min() {
            None => receiver.recv().map_err(|_| mpsc::RecvTimeoutError::Disconnected),
            Some(left) => receiver.recv_timeout(left),
        };
        match answer {
            Ok(ending) => return ending,
            Err(mpsc::RecvTimeoutError::Disconnected) => {
                let text = "the procedure ended without a result".into();
                return Ending::failed(&CallError::InternalError(text));
            }
            Err(mpsc::RecvTimeoutError::Timeout)
                if alarms.last().is_some_and(|(at, _)| *at <= Instant::now()) =>
            {
                if let Some((_, ring)) = alarms.pop() {
                    ring();
                }
            }
            // The limit may have been extended meanwhile.
            Err(mpsc::RecvTimeoutError::Timeout) if patience.left().is_none_or(|left| !left.is_zero()) => {}
            Err(mpsc::RecvTimeoutError::Timeout) => {
                let undone = unfinished::settle(|most| receiver.recv_timeout(most).ok());
                return undone.unwrap_or_else(|| Ending::failed(&CallError::OutOfTime));
            }
        }
    }
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
    let error_line = |message: &str| format!("ERROR: {message}\n");
    let (result, code, error, message, line) = match ending {
        Ending::Shown(text) => return write(program, &text, 0),
        Ending::Done(Verdict { text, code }) => {
            let message = of_this_run(one_line(&text));
            let line = if message.is_empty() { "OK\n".into() } else { format!("OK: {message}\n") };
            ("ok", code, None, message, line)
        }
        Ending::Misused { line, reason } => {
            log::warn!("wrong usage: {reason}");
            let line = one_line(&line);
            let message = format!("{}: {line}", one_line(&reason));
            if program.one_is_an_answer {
                let line = error_line(&message);
                ("usage", FAILED, Some("usage"), message, line)
            } else {
                ("usage", MISUSED, Some("usage"), message, line + "\n\n")
            }
        }
        Ending::Failed { code, text } => {
            let message = one_line(&text);
            let line = error_line(&message);
            ("error", FAILED, Some(code), message, line)
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
    // Only now: what the caller waits for stands before what is said about it.
    log::info!("answered {:?}, exit {code}, {:.1} ms in all", line.trim_end(), time.as_secs_f64() * 1000.0);
    exit
}

/// What a success says, in a dry run that it was none.
fn of_this_run(message: String) -> String {
    match (report::is_dry_run(), message.as_str()) {
        (false, _) => message,
        (true, "") => "dry run, nothing was changed".into(),
        (true, answer) => format!("dry run, nothing was changed; the call would answer '{answer}'"),
    }
}

fn write(program: &Program, text: &str, code: u8) -> ExitCode {
    let mut stdout = io::stdout().lock();
    let written = stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush());
    if let Err(error) = written {
        log::error!("stdout cannot be written: {error}");
        let is_answer = program.one_is_an_answer && code != FAILED;
        return ExitCode::from(if is_answer { code } else { UNHEARD });
    }
    ExitCode::from(code)
}

/// The agent takes the last line only, so a result must be one.
fn one_line(text: &str) -> String {
    escape::words(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn patience(limit: Option<Duration>) -> Patience {
        let patience = Patience(Arc::new(Mutex::new(None)));
        patience.set(&Budget::start(limit));
        patience
    }

    fn await_worker(patience: &Patience, work: impl FnOnce() -> Ending + Send + 'static) -> Ending {
        let (sender, receiver) = mpsc::channel();
        start(sender, || Some(work())).unwrap();
        attend(patience, &receiver, &mut Vec::new())
    }

    #[test]
    fn a_result_is_one_line_whatever_a_server_said() {
        assert_eq!(
            one_line("You have an error\n near\t''\u{1b}[1m at line 1\n"),
            "You have an error near ''\\u{1b}[1m at line 1"
        );
    }

    #[test]
    fn a_panic_in_the_procedure_is_an_ending() {
        let ending = await_worker(&patience(None), || panic!("index out of range"));
        let Ending::Failed { text, .. } = ending else { panic!("not a failure") };
        assert!(text.contains("internal error: index out of range"), "{text}");
    }

    #[test]
    fn no_second_thread_is_needed_for_a_task_that_is_done_or_may_still_be() {
        let no_thread = || Err(io::Error::from(io::ErrorKind::WouldBlock));
        let taken = Mutex::new(None::<Option<io::ErrorKind>>);
        unless_taken(&taken, || panic!("somebody does it already"), |_, _| {});
        let waiting = Mutex::new(Some(None));
        unless_taken(&waiting, no_thread, |task, error| *task = Some(error.kind()));
        assert_eq!(*lock(&waiting), Some(Some(io::ErrorKind::WouldBlock)), "still there for the first one");
    }

    #[test]
    fn the_settings_leave_half_of_a_call_for_its_work() {
        const SHAPES: [Shape; 3] = [Shape::Plain, Shape::NewMaster, Shape::Address];
        let seconds = Duration::from_secs;
        for (wait, times) in [
            (None, [4, 4, 1]),
            (Some(None), [4, 4, 1]),
            (Some(Some(seconds(60))), [30, 30, 1]),
            (Some(Some(seconds(1))), [1, 1, 1]),
        ] {
            let request = Request::Work(Invocation { wait, ..Invocation::default() });
            assert_eq!(SHAPES.map(|shape| time_to_read(shape, &request)), times.map(seconds), "{wait:?}");
        }
    }

    #[test]
    fn a_procedure_that_never_returns_is_answered_for() {
        let ending = await_worker(&patience(Some(Duration::ZERO)), || {
            thread::sleep(Duration::from_secs(600));
            Ending::Done(Verdict::ok())
        });
        let Ending::Failed { text, .. } = ending else { panic!("not a failure") };
        assert!(text.contains("time limit"), "{text}");
    }
}
