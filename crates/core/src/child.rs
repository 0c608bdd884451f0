//! A program that was started with a time limit: how it ended, and ending it together with what it started.

use std::fs;
use std::io;
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, Command, ExitStatus};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill, killpg};
use nix::unistd::{Pid, gettid};

/// How long the end of what was killed is waited for. What waits for a file that does not answer does not end; it is
/// left behind.
const DYING: Duration = Duration::from_millis(50);

/// How a command failed; begins as the originals' text does.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CommandError {
    /// It ended with another status than 0.
    #[error("'{command}' exited with {code}{said}")]
    Failed {
        /// The command.
        command: String,
        /// Its status.
        code: i32,
        /// `: ` and the line that it wrote about it.
        said: String,
    },
    /// It was ended by a signal that did not come from here.
    #[error("'{command}' was ended by signal {signal}")]
    Ended {
        /// The command.
        command: String,
        /// The signal's number.
        signal: i32,
    },
    /// It did not end in time, and was killed.
    #[error("'{command}' did not end within {limit:.1?}")]
    Hung {
        /// The command.
        command: String,
        /// How long it was waited for.
        limit: Duration,
    },
    /// There is no such program, or it may not be run.
    #[error("'{command}' could not be started: {reason}")]
    NotStarted {
        /// The command.
        command: String,
        /// What the system said.
        reason: String,
    },
}

/// Starts `command`; `None` if that takes longer than `limit`. If its program is on a mount that does not answer, that
/// takes for ever. Then what was started is killed, so that it does not run later.
pub(crate) fn spawn(mut command: Command, limit: Duration) -> io::Result<Option<Child>> {
    enum News {
        Thread(Pid),
        Started(io::Result<Child>),
    }
    let (sender, news) = mpsc::channel();
    thread::Builder::new().spawn(move || {
        let _ = sender.send(News::Thread(gettid()));
        if let Err(mpsc::SendError(News::Started(Ok(child)))) = sender.send(News::Started(command.spawn())) {
            // Too late: nobody waits for it any more.
            end_group(child.id());
        }
    })?;
    let started = Instant::now();
    let mut starting = None;
    loop {
        match news.recv_timeout(limit.saturating_sub(started.elapsed())) {
            Ok(News::Thread(id)) => starting = Some(id),
            Ok(News::Started(child)) => return child.map(Some),
            Err(mpsc::RecvTimeoutError::Disconnected) => return Err(io::ErrorKind::BrokenPipe.into()),
            Err(mpsc::RecvTimeoutError::Timeout) => {
                starting.into_iter().flat_map(children_of).for_each(|id| {
                    let _ = kill(id, Signal::SIGKILL);
                });
                return Ok(None);
            }
        }
    }
}

/// The processes that a thread of this process has started; none if the kernel does not list them.
fn children_of(thread: Pid) -> Vec<Pid> {
    let listed = fs::read_to_string(format!("/proc/self/task/{thread}/children")).unwrap_or_default();
    listed.split_ascii_whitespace().filter_map(|id| id.parse().ok().map(Pid::from_raw)).collect()
}

/// Waits for `child`, a group of its own that runs `command`, and ends the group at the limit. `said` gives
/// what it wrote, if it failed. A group that not even SIGKILL ends is left behind.
pub fn finish(
    child: &mut Child,
    command: &str,
    started: Instant,
    limit: Duration,
    said: impl FnOnce() -> Option<String>,
) -> Result<(), CommandError> {
    let command = command.to_string();
    let Some(status) = wait(child, started, limit) else {
        return Err(CommandError::Hung { command, limit });
    };
    log::info!("{command}: {status}, {:.1} ms", started.elapsed().as_secs_f64() * 1000.0);
    match (status.code(), status.signal()) {
        (Some(0), _) => Ok(()),
        (Some(code), _) => {
            let said = said().map_or_else(String::new, |line| format!(": {line}"));
            Err(CommandError::Failed { command, code, said })
        }
        (None, signal) => Err(CommandError::Ended { command, signal: signal.unwrap_or(0) }),
    }
}

/// The status, or `None` when it was killed because it did not end.
fn wait(child: &mut Child, started: Instant, limit: Duration) -> Option<ExitStatus> {
    let mut pause = Duration::from_micros(200);
    loop {
        if let Ok(Some(status)) = child.try_wait() {
            return Some(status);
        }
        let left = limit.saturating_sub(started.elapsed());
        if left.is_zero() {
            end_group(child.id());
            let killed = Instant::now();
            while matches!(child.try_wait(), Ok(None)) && killed.elapsed() < DYING {
                thread::sleep(Duration::from_millis(1));
            }
            return None;
        }
        thread::sleep(pause.min(left));
        pause = (pause * 2).min(Duration::from_millis(5));
    }
}

/// Kills a command and what it started.
pub(crate) fn end_group(id: u32) {
    if let Ok(id) = i32::try_from(id)
        && id > 1
    {
        // If it has ended already, nothing is left to do.
        let _ = killpg(Pid::from_raw(id), Signal::SIGKILL);
    }
}
