//! What a call has changed, for a command of the site (`events.command`, docs/EVENTS.md).
//!
//! The process has one collector, as `log` has. Without the setting, and in a dry run, it keeps nothing. The command is
//! run by a process of its own, which is started when the caller has its answer. That process also knows which failures
//! only repeat earlier ones (module `row`). A helper that is killed between a change and its answer tells nobody, so that
//! nothing is told twice.

mod change;
mod errand;
mod row;

use std::fs::File;
use std::io::{self, Seek, Write};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError, mpsc};
use std::thread;
use std::time::Duration;

use jiff::Timestamp;
use nix::sys::memfd::{MFdFlags, memfd_create};
use serde::{Deserialize, Serialize};

pub use change::Change;

use crate::invocation::{Invocation, Program};
use crate::process;
use crate::report;
use crate::settings::{LogSettings, Settings};

/// What the process is called with in place of the program's path. An agent always calls by path, so that no argument of
/// its own can start this.
const TITLE: &str = "mmm-events";
/// The maximum time, after the answer, to find out whether earlier calls have failed.
const LOOK: Duration = Duration::from_millis(100);

static COLLECTOR: OnceLock<Collector> = OnceLock::new();
static NOTED: Mutex<Vec<Noted>> = Mutex::new(Vec::new());

/// Whom to tell, and of which call.
struct Collector {
    outlet: Outlet,
    call: Subject,
    /// Where failed calls of this kind are remembered.
    row: PathBuf,
}

/// What the settings say.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Outlet {
    command: Vec<String>,
    limit: Duration,
    /// Why the command is not run.
    untrusted: Option<String>,
    log: LogSettings,
}

/// What was called.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Subject {
    config: String,
    interface: String,
    address: String,
}

/// A change, and when it was made.
#[derive(Debug, Serialize, Deserialize)]
struct Noted {
    time: Timestamp,
    change: Change,
}

/// How the call ended.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Ending {
    /// It did what it was asked, or answered.
    Succeeded,
    /// It answered `ERROR`.
    Failed {
        /// The error's stable name.
        code: String,
        /// The answer without `ERROR: `.
        reason: String,
    },
}

/// All that the process needs.
#[derive(Debug, Serialize, Deserialize)]
struct Errand {
    outlet: Outlet,
    call: Subject,
    caller: u32,
    row: PathBuf,
    changes: Vec<Noted>,
    ending: Option<(Timestamp, Ending)>,
}

/// Switches the collector on, if the settings have a command and this is no dry run.
pub(crate) fn begin(program: &Program, arguments: &Invocation, settings: &Settings) {
    if settings.events.command.is_empty() || report::is_dry_run() {
        return;
    }
    let call = Subject {
        config: arguments.config.clone(),
        interface: arguments.interface.clone(),
        address: arguments.address.clone(),
    };
    let row = row::path(&[program.name, &call.config, &call.interface, &call.address]);
    let outlet = Outlet {
        command: settings.events.command.clone(),
        limit: settings.events.limit,
        untrusted: settings.untrusted().map(String::from),
        log: settings.log.clone(),
    };
    // Only the first call of a process counts; there is no second.
    let _ = COLLECTOR.set(Collector { outlet, call, row });
}

/// True if somebody is told. What would cost something is found out only then.
pub fn is_on() -> bool {
    COLLECTOR.get().is_some()
}

/// Notes a change that was just made.
pub fn note(change: impl FnOnce() -> Change) {
    if is_on() {
        noted().push(Noted { time: Timestamp::now(), change: change() });
    }
}

fn noted() -> MutexGuard<'static, Vec<Noted>> {
    NOTED.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Leaves what was noted to a process of its own, now that the caller has its answer; `None`: the call was none.
pub(crate) fn tell(ending: Option<Ending>) {
    let Some(Collector { outlet, call, row }) = COLLECTOR.get() else { return };
    let changes = std::mem::take(&mut *noted());
    let ending = ending.filter(|ending| matches!(ending, Ending::Failed { .. }) || is_there(row));
    if changes.is_empty() && ending.is_none() {
        return;
    }
    let errand = Errand {
        outlet: outlet.clone(),
        call: call.clone(),
        caller: std::process::id(),
        row: row.clone(),
        changes,
        ending: ending.map(|ending| (Timestamp::now(), ending)),
    };
    if let Err(error) = start(&errand) {
        log::warn!("events.command was not run: {error}");
    }
}

/// Whether earlier calls have failed. The folder may be on a mount that does not answer, and the caller waits for the
/// end of this process.
fn is_there(row: &Path) -> bool {
    let (sender, receiver) = mpsc::channel();
    let row = row.to_path_buf();
    let looking = thread::Builder::new().spawn(move || sender.send(process::can_read(&row)));
    looking.is_ok() && receiver.recv_timeout(LOOK).unwrap_or(false)
}

/// Starts this very program again, even if its file was replaced meanwhile, and does not wait for it.
fn start(errand: &Errand) -> io::Result<()> {
    Command::new("/proc/self/exe")
        .arg0(TITLE)
        .current_dir("/")
        .stdin(in_memory(&serde_json::to_vec(errand)?)?)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .map(drop)
}

/// A file with this content, which no name leads to. Unlike a pipe, it takes everything at once.
fn in_memory(content: &[u8]) -> io::Result<File> {
    let mut file = File::from(memfd_create(c"mmm-event", MFdFlags::MFD_CLOEXEC)?);
    file.write_all(content)?;
    file.rewind()?;
    Ok(file)
}

/// True if this process was started by [`tell`].
pub(crate) fn is_for_this_process() -> bool {
    std::env::args_os().next().is_some_and(|title| title == TITLE)
}

/// All that such a process does.
pub(crate) fn carry_out(program: &'static Program) -> ExitCode {
    errand::carry_out(program)
}
