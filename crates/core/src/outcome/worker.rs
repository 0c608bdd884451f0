//! The threads of a call. One reads the settings and does the work. Another one continues without the settings if they
//! do not come. The one that answers waits for the first ending, or for the end of its patience.

use std::error::Error;
use std::ffi::OsString;
use std::io;
use std::panic::{self, AssertUnwindSafe};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use super::{Call, Ending, Verdict, of_panic};
use crate::budget::Budget;
use crate::error::{CallError, Coded};
use crate::event;
use crate::invocation::{Program, Request, Shape};
use crate::journal::{self, words};
use crate::process;
use crate::report;
use crate::settings::{self, Limits, Settings, SettingsError};
use crate::unfinished;

/// How long past its budget a helper may continue to undo its work before another thread answers.
const GRACE: Duration = Duration::from_millis(700);
/// After this time, a call's lines are written to the journal as they come.
const BRIEF: Duration = Duration::from_millis(5);
/// How long reading the settings may take if a call can continue without them. They are one file, or a few.
const READING: Duration = Duration::from_secs(1);

/// When the caller gets an answer even if the procedure has not returned, and what it says beside that.
#[derive(Clone, Debug, Default)]
pub(super) struct Patience(Arc<Mutex<Waiting>>);

#[derive(Debug, Default)]
struct Waiting {
    end: Option<Instant>,
    /// What the end of patience means for this host.
    meaning: Option<String>,
}

impl Patience {
    pub(super) fn set(&self, budget: &Budget) {
        lock(&self.0).end =
            budget.limit().map(|limit| Instant::now() + limit.saturating_sub(budget.elapsed()) + GRACE);
    }

    pub(super) fn mean(&self, meaning: String) {
        lock(&self.0).meaning = Some(meaning);
    }

    fn left(&self) -> Option<Duration> {
        lock(&self.0).end.map(|end| end.saturating_duration_since(Instant::now()))
    }

    /// How a call ends that is given up.
    fn given_up(&self) -> Ending {
        let text = match (lock(&self.0).meaning.take(), journal::place()) {
            (None, _) => match process::waits_for() {
                Some(file) => format!(
                    "{} does not answer: its file system or the disk below it hangs, see the kernel's log",
                    file.display()
                ),
                None => "see the log for its last step".into(),
            },
            (Some(meaning), None) => meaning,
            (Some(meaning), Some(place)) => format!("{meaning}; its last step is in {place}"),
        };
        Ending::failed(&CallError::OutOfTime(text))
    }
}

/// Does what was asked for, and returns how it ended, at the latest when patience ends.
pub(super) fn perform<E>(
    program: &'static Program,
    argv: Vec<OsString>,
    request: Request,
    work: fn(&Call) -> Result<Verdict, E>,
) -> Ending
where
    E: Error + Coded + Send + 'static,
{
    let wait = match &request {
        Request::Show(text) => return Ending::Shown(text.clone()),
        Request::Work(arguments) => arguments.wait,
        Request::Usage { .. } | Request::Unusable(_) => None,
    };
    let reading = time_to_read(program.shape, &request);
    let budget = Budget::start(wait.unwrap_or(Some(Limits::default().call))).interruptible();
    let patience = Patience::default();
    patience.set(&budget);
    let task = Task { program, argv, request, budget, patience: patience.clone(), work, mishap: None };
    // The first thread that takes it does it: the one that has read the settings, or the one that waited long enough.
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

/// How long reading the settings may take. A slow disk must not keep a server open. So a call that needs the settings
/// waits for them during the first half of its time; the other half is for the work.
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
    /// Why the work could not be done without the settings.
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
        log::info!("{}{:?}", words::CALLED_WITH, argv.get(1..).unwrap_or_default());
        // Of others it might say anything.
        if std::env::var_os(words::CALLER).is_some_and(|caller| caller == "mmm_guard") {
            log::info!("{}mmm_guard", words::CALLED_BY);
        }
        if settings.is_dangling {
            log::warn!("{} is a link to a file that is not there: the defaults are used", settings::PATH);
        }
        if let Some(error) = mishap {
            log::warn!(
                "the settings came too late, and no thread could be started to continue without them: {error}"
            );
        }
        let arguments = match request {
            Request::Work(arguments) => arguments,
            Request::Usage { line, reason } => return Ending::Misused { line, reason },
            Request::Unusable(reason) => return Ending::failed(&CallError::UnusableArgument(reason)),
            Request::Show(text) => return Ending::Shown(text),
        };
        // The address helpers of the originals work without any configuration; so do ours (docs/CONTRACT.md, 4.1). And
        // a server that is to be closed is closed.
        if let Some(error) = complaint.as_ref().filter(|_| !program.works_without_settings) {
            return Ending::failed(error);
        }
        event::begin(program, &arguments, &settings);
        let budget = if arguments.wait.is_none() { budget.relimited(settings.limits.call) } else { budget };
        patience.set(&budget);
        let call = Call { program, arguments, settings, budget, patience, unused: Mutex::default() };
        if let Some(error) = &complaint {
            call.note_unused(error);
        }
        if report::is_on() && program.shape == Shape::Address {
            // Only for this host's name: the address helpers do without a configuration.
            let _ = call.config();
        }
        match work(&call) {
            Ok(verdict) => Ending::Done(call.with_unused(verdict)),
            Err(error) => Ending::failed(&error),
        }
    }
}

/// What is done at a moment of a call, if it has not ended by then.
type Alarm = (Instant, Box<dyn FnOnce()>);

fn lock<T>(task: &Mutex<T>) -> MutexGuard<'_, T> {
    task.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The task, if no thread has it yet. It is done without the lock.
fn take<T>(task: &Mutex<Option<T>>) -> Option<T> {
    lock(task).take()
}

/// Starts another thread for a task that no thread has taken. If that fails, the task still waits for the first one.
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
            // If the caller has been answered already, the receiver no longer exists.
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
                return undone.unwrap_or_else(|| patience.given_up());
            }
        }
    }
}

#[cfg(test)]
mod tests;
