//! A command of the configuration, run with a time limit. Nothing else is ever given to a shell, and a command
//! only if it has characters that only a shell understands.

use std::io::{self, PipeReader, Read};
use std::os::unix::process::CommandExt;
use std::process::{self, Stdio};
use std::time::{Duration, Instant};

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

use crate::child::{self, CommandError};
use crate::marker::Marker;
use crate::report::{self, Kind};

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
    /// exits with 1 if it is not. `None` for anything but a plain call of iptables.
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
        report::change(None, Kind::Command, &self.text, || self.ask(marker, limit))
    }

    /// [`Command::run`] for one that only asks.
    pub fn ask(&self, marker: &mut Marker, limit: Duration) -> Result<(), CommandError> {
        let started = Instant::now();
        let not_started = |error: io::Error| CommandError::NotStarted {
            command: self.text.clone(),
            reason: error.to_string(),
        };
        let program = self.words.first().ok_or_else(|| not_started(io::ErrorKind::InvalidInput.into()))?;
        let (mut stderr, writer) = io::pipe().map_err(not_started)?;
        let mut command = process::Command::new(program);
        command
            .args(&self.words[1..])
            .stdin(marker.as_stdin().map_err(not_started)?)
            .stdout(Stdio::null())
            .stderr(writer)
            // A group of its own, so that what it starts can be ended with it.
            .process_group(0);
        let Some(mut child) = child::spawn(command, limit).map_err(not_started)? else {
            marker.leave_locked();
            return Err(CommandError::Hung { command: self.text.clone(), limit });
        };
        marker.note_child(child.id());
        let ended = child::finish(&mut child, &self.text, started, limit, || first_line(&mut stderr));
        // One that was killed and has not ended keeps the marker's lock, so that no later call starts another one.
        if matches!(child.try_wait(), Ok(None)) {
            marker.leave_locked();
        } else {
            marker.forget_child();
        }
        ended
    }
}

/// What Perl's `system` takes for a shell's business.
fn needs_shell(c: char) -> bool {
    "$&*(){}[]'\";\\|?<>~`\n".contains(c)
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
