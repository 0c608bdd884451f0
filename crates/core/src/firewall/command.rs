//! A command of the configuration, run with a time limit: the only thing that is ever given to a shell, and
//! only where it has what only a shell understands.

use std::io::{self, PipeReader, Read};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{self, Child, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;

use super::marker::Marker;

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
        /// `: ` and the first line that it wrote to stderr.
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

/// A command as the configuration has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Command {
    text: String,
    words: Vec<String>,
}

impl Command {
    /// A command by its text; runs nothing.
    pub fn new(text: &str) -> Self {
        let words = if text.contains(needs_shell) {
            ["/bin/sh", "-c", text].map(String::from).into()
        } else {
            text.split_ascii_whitespace().map(String::from).collect()
        };
        Self { text: text.into(), words }
    }

    /// The command that asks whether the rule is there which this command deletes: `iptables -C …`, which
    /// exits with 1 where it is not. `None` for anything but a plain call of iptables.
    pub fn question(&self) -> Option<Self> {
        let program = self.words.first()?.rsplit('/').next()?;
        if !program.starts_with("iptables") && !program.starts_with("ip6tables") {
            return None;
        }
        let is_delete = |word: &String| word == "-D" || word == "--delete";
        if self.words.iter().filter(|word| is_delete(word)).count() != 1 {
            return None;
        }
        let words: Vec<String> =
            self.words.iter().map(|word| if is_delete(word) { "-C".into() } else { word.clone() }).collect();
        Some(Self { text: words.join(" "), words })
    }

    /// Runs it, at most for `limit`, with `marker` as its stdin, which holds the marker's lock.
    pub fn run(&self, marker: &mut Marker, limit: Duration) -> Result<(), CommandError> {
        let started = Instant::now();
        let not_started = |error: io::Error| CommandError::NotStarted {
            command: self.text.clone(),
            reason: error.to_string(),
        };
        let program = self.words.first().ok_or_else(|| not_started(io::ErrorKind::InvalidInput.into()))?;
        let (mut stderr, writer) = io::pipe().map_err(not_started)?;
        let mut child = process::Command::new(program)
            .args(&self.words[1..])
            .stdin(marker.as_stdin().map_err(not_started)?)
            .stdout(Stdio::null())
            .stderr(writer)
            // A group of its own, so that what it starts can be ended with it.
            .process_group(0)
            .spawn()
            .map_err(not_started)?;
        marker.note_child(child.id());
        let status = wait(&mut child, started, limit);
        marker.forget_child();
        let Some(status) = status else {
            return Err(CommandError::Hung { command: self.text.clone(), limit });
        };
        log::info!("{}: {status}, {:.1} ms", self.text, started.elapsed().as_secs_f64() * 1000.0);
        match (status.code(), status.signal()) {
            (Some(0), _) => Ok(()),
            (Some(code), _) => {
                let said = first_line(&mut stderr).map_or_else(String::new, |line| format!(": {line}"));
                Err(CommandError::Failed { command: self.text.clone(), code, said })
            }
            (None, signal) => {
                Err(CommandError::Ended { command: self.text.clone(), signal: signal.unwrap_or(0) })
            }
        }
    }
}

/// What Perl's `system` takes for a shell's business.
fn needs_shell(c: char) -> bool {
    "$&*(){}[]'\";\\|?<>~`\n".contains(c)
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
            let _ = child.wait();
            return None;
        }
        thread::sleep(pause.min(left));
        pause = (pause * 2).min(Duration::from_millis(5));
    }
}

/// Kills a command and what it started.
pub fn end_group(id: u32) {
    if let Ok(id) = i32::try_from(id)
        && id > 1
    {
        // Gone already is as good.
        let _ = killpg(Pid::from_raw(id), Signal::SIGKILL);
    }
}

/// What a command that has ended wrote; something that it left running may hold the pipe open.
fn first_line(stderr: &mut PipeReader) -> Option<String> {
    use std::os::fd::AsFd;
    let mut ready = [PollFd::new(stderr.as_fd(), PollFlags::POLLIN)];
    if poll(&mut ready, PollTimeout::ZERO) != Ok(1) {
        return None;
    }
    let mut bytes = [0; 1024];
    let length = stderr.read(&mut bytes).ok()?;
    let text = String::from_utf8_lossy(&bytes[..length]).into_owned();
    let line = text.lines().map(str::trim).find(|line| !line.is_empty())?;
    Some(line.into())
}
