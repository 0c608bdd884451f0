//! Commands of the site, for addresses that also live in a cloud's network: run without a shell, within a
//! time limit, their output in the journal. What a failure means is decided by the helper.

use std::io::{self, BufRead, BufReader, Read};
use std::net::IpAddr;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::{Duration, Instant};

use nix::errno::Errno;

use crate::budget::Budget;
use crate::child::{self, CommandError};
use crate::config::{ConfigError, Host};
use crate::error::Coded;
use crate::outcome::Call;
use crate::report::{self, Kind};
use crate::settings::{Fence, Settings, split_placeholder};

/// The maximum of a command's output that is read, in bytes.
const MOST_OUTPUT: u64 = 64 << 10;
/// How long the rest of its output is awaited after it has ended: something that it left running may hold
/// the pipe open.
const LAST_WORDS: Duration = Duration::from_millis(100);
/// Longest identifier of a network interface; Amazon's have 21 characters.
const LONGEST_ENI: usize = 64;
/// Which part of a call its hook may use, in percent: taking an address back needs the rest.
const SHARE: u32 = 80;

/// When a hook is run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// An address is on the interface now.
    Added,
    /// It is not there any more.
    Removed,
    /// Is it this host's for the cloud, too?
    Checked,
}

impl Moment {
    fn key(self) -> &'static str {
        match self {
            Self::Added => "network.hooks.added",
            Self::Removed => "network.hooks.removed",
            Self::Checked => "network.hooks.checked",
        }
    }
}

/// Why a hook did not do its work.
#[derive(Debug, thiserror::Error, strum::IntoStaticStr, strum::VariantNames)]
#[strum(serialize_all = "kebab-case", prefix = "hook-")]
pub enum HookError {
    /// It needs this host's name, which the agent's configuration does not say.
    #[error("{hook}: there is no value for {{host}}: {source}")]
    Host {
        /// Its key in the settings.
        hook: &'static str,
        /// What is wrong with the configuration.
        source: ConfigError,
    },
    /// It needs the fourth argument.
    #[error(
        "{hook}: there is no value for {{eni}}: {reason}; set eni of this host, or write it into the \
         command"
    )]
    Eni {
        /// Its key in the settings.
        hook: &'static str,
        /// What is wrong with the argument.
        reason: &'static str,
    },
    /// Somebody else could have changed its program, or the settings that name it.
    #[error("{hook}: its program is not run: {reason}")]
    Untrusted {
        /// Its key in the settings.
        hook: &'static str,
        /// Who could change it, and the cure.
        reason: String,
    },
    /// It could not be run, or failed.
    #[error("{hook}: {source}")]
    Command {
        /// Its key in the settings.
        hook: &'static str,
        /// How it ended.
        source: CommandError,
    },
}

impl Coded for HookError {
    fn code(&self) -> &'static str {
        self.into()
    }
}

impl HookError {
    /// True if the command ended with 1: asked whether the address is this host's, it said no.
    pub fn is_no(&self) -> bool {
        matches!(self, Self::Command { source: CommandError::Failed { code: 1, .. }, .. })
    }
}

/// Runs the hook of `moment`, if there is one.
pub fn run(call: &Call, moment: Moment, interface: &str, address: IpAddr) -> Result<(), HookError> {
    let hooks = &call.settings.network.hooks;
    let hook = match moment {
        Moment::Added => &hooks.added,
        Moment::Removed => &hooks.removed,
        Moment::Checked => &hooks.checked,
    };
    let key = moment.key();
    let limit = call.budget.part(SHARE).share(hook.limit);
    let ready = prepare(&call.settings, key, &hook.command, limit, |name| match name {
        "interface" => Ok(interface.into()),
        "host" => {
            let config = call.config().map_err(|source| HookError::Host { hook: key, source })?;
            Ok(config.this().to_string())
        }
        "eni" => eni(call.arguments.eni.as_deref())
            .map(String::from)
            .map_err(|reason| HookError::Eni { hook: key, reason }),
        _ => Ok(address.to_string()),
    })?;
    if moment == Moment::Checked || ready.words.is_empty() { ready.run() } else { ready.change() }
}

/// Runs `allow_write.fence` against `peer`, for `this` host.
pub fn fence(settings: &Settings, budget: Budget, this: &Host, peer: &Host) -> Result<(), HookError> {
    let fence = &settings.allow_write.fence;
    let limit = budget.share(fence.most(budget.limit()));
    let ready = prepare(settings, Fence::KEY, &fence.command, limit, |name| {
        let value = match name {
            "peer" => peer.name.as_str(),
            "peer_address" => peer.ip.as_str(),
            "host" => this.name.as_str(),
            _ => this.ip.as_str(),
        };
        Ok(value.to_string())
    })?;
    ready.change()
}

/// A command that may be run, with everything filled in.
struct Ready {
    key: &'static str,
    program: Option<PathBuf>,
    words: Vec<String>,
    limit: Duration,
}

/// Makes a command ready, if nobody but root could have changed its program.
fn prepare(
    settings: &Settings,
    key: &'static str,
    command: &[String],
    limit: Duration,
    value: impl Fn(&str) -> Result<String, HookError>,
) -> Result<Ready, HookError> {
    let program = match command.first() {
        Some(word) => {
            settings.find_program(word).map_err(|reason| HookError::Untrusted { hook: key, reason })?
        }
        None => None,
    };
    let words = command.iter().map(|word| fill(word, &value)).collect::<Result<_, _>>()?;
    Ok(Ready { key, program, words, limit })
}

impl Ready {
    fn run(&self) -> Result<(), HookError> {
        let text = self.words.join(" ");
        let dress = |command: &mut Command| {
            command.stdin(Stdio::null());
            Ok(())
        };
        let ended = execute(self.key, &text, self.program.as_deref(), &self.words, self.limit, dress);
        ended.map_err(|source| HookError::Command { hook: self.key, source })
    }

    /// Runs it as a change, which a dry run only names.
    fn change(&self) -> Result<(), HookError> {
        report::change(None, Kind::Command, self.words.join(" "), || self.run())
    }
}

fn fill<E>(word: &str, value: impl Fn(&str) -> Result<String, E>) -> Result<String, E> {
    let mut filled = String::new();
    let mut rest = word;
    while let Some((before, name, behind)) = split_placeholder(rest) {
        filled += before;
        filled += &value(name)?;
        rest = behind;
    }
    Ok(filled + rest)
}

/// The fourth argument, if it is an identifier and nothing that a command might take for an option.
fn eni(argument: Option<&str>) -> Result<&str, &'static str> {
    // The AWS fork sends `null` for a host without one.
    let Some(eni) = argument.filter(|eni| *eni != "null") else {
        return Err("the agent gave no fourth argument");
    };
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_".contains(c);
    if eni.len() > LONGEST_ENI || eni.starts_with('-') || !eni.chars().all(is_plain) {
        return Err("the fourth argument may hold 64 letters, digits, - and _ at most, and no - in front");
    }
    Ok(eni)
}

/// Runs `words`, of which the first lies at `program`, if there is such a file. The journal calls it `text`; `dress` gives
/// it its stdin.
pub(crate) fn execute(
    key: &'static str,
    text: &str,
    program: Option<&Path>,
    words: &[String],
    limit: Duration,
    dress: impl FnOnce(&mut Command) -> io::Result<()>,
) -> Result<(), CommandError> {
    let Some((name, arguments)) = words.split_first() else { return Ok(()) };
    let started = Instant::now();
    let spawn = || {
        let program = program.ok_or(Errno::ENOENT)?;
        let (output, writer) = io::pipe()?;
        let mut command = Command::new(program);
        dress(&mut command)?;
        let child = command
            .arg0(name)
            .args(arguments)
            .current_dir("/")
            .stdout(writer.try_clone()?)
            .stderr(writer)
            // A group of its own, so that what it starts can be ended with it.
            .process_group(0)
            .spawn()?;
        Ok((child, output))
    };
    let not_started =
        |error: io::Error| CommandError::NotStarted { command: text.into(), reason: error.to_string() };
    let (mut child, output) = spawn().map_err(not_started)?;
    let lines = read_lines(key, output);
    child::finish(&mut child, text, started, limit, || last_line(&lines))
}

/// Puts each line into the journal and hands it on; the rest of too long an output is read and dropped, so
/// that the command does not wait for a reader.
fn read_lines(key: &'static str, output: impl Read + Send + 'static) -> Receiver<String> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        let mut output = BufReader::new(output);
        for line in output.by_ref().take(MOST_OUTPUT).split(b'\n').map_while(Result::ok) {
            let line = String::from_utf8_lossy(&line).trim().to_string();
            if !line.is_empty() {
                log::info!("{key}: {line}");
                // After a success nobody reads the line.
                let _ = sender.send(line);
            }
        }
        let _ = io::copy(&mut output, &mut io::sink());
    });
    receiver
}

fn last_line(lines: &Receiver<String>) -> Option<String> {
    let end = Instant::now() + LAST_WORDS;
    let next = || lines.recv_timeout(end.saturating_duration_since(Instant::now())).ok();
    std::iter::from_fn(next).last()
}

#[cfg(test)]
mod tests;
