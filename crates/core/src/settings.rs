//! This project's own settings, `/etc/mysql-mmm/mmm_helpers.yaml`: optional, and unknown to the Perl agent.
//!
//! A new section is a struct with `Default` and `#[serde(default, deny_unknown_fields)]`, and two lines in
//! [`Settings`]. What a value may look like is in `settings/value.rs`.

mod events;
mod fence;
mod journal;
mod network;
mod tls;
mod value;

use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Deserialize;

use crate::config::file::{self, Refusal};
use crate::error::Coded;
use crate::{guard, process};
pub use events::Events;
pub use fence::Fence;
pub use journal::{LogFormat, LogSettings, LogTarget};
pub(crate) use network::split_placeholder;
pub use network::{Announce, Hook, Hooks, Network};
pub use tls::{Local, Tls, TlsMode, TlsOptions};

/// The path of the settings. It is fixed: no variable of the agent's environment names another file.
pub const PATH: &str = "/etc/mysql-mmm/mmm_helpers.yaml";

/// All settings, with their defaults if the file or a key is missing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields, expecting = "keys with their values")]
pub struct Settings {
    /// Time limits.
    #[serde(deserialize_with = "value::section")]
    pub limits: Limits,
    /// The journal.
    #[serde(deserialize_with = "value::section")]
    pub log: LogSettings,
    /// What `mysql_deny_write` does.
    #[serde(deserialize_with = "value::section")]
    pub deny_write: DenyWrite,
    /// `mysql_allow_write`.
    #[serde(deserialize_with = "value::section")]
    pub allow_write: AllowWrite,
    /// Replication.
    #[serde(deserialize_with = "value::section")]
    pub replication: Replication,
    /// What `set_active_master` does.
    #[serde(deserialize_with = "value::section")]
    pub attach: Attach,
    /// TLS of the helpers' own connections.
    #[serde(deserialize_with = "value::section")]
    pub tls: Tls,
    /// The way to this host's own server.
    #[serde(deserialize_with = "value::section")]
    pub local: Local,
    /// The address helpers.
    #[serde(deserialize_with = "value::section")]
    pub network: Network,
    /// Who learns what the helpers change.
    #[serde(deserialize_with = "value::section")]
    pub events: Events,
    /// Why no command of the site is run: somebody else could have written the file that names it. All other settings
    /// still hold, so that no server stays open because of this.
    #[serde(skip)]
    untrusted: Option<String>,
    /// True if the file is a link to a file that is not there: the defaults hold, which hardly anybody wants.
    #[serde(skip)]
    pub is_dangling: bool,
}

/// `limits`
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields, expecting = "keys with their values")]
pub struct Limits {
    /// The maximum time to make one connection, log-in included. Default 3 s.
    #[serde(deserialize_with = "value::duration")]
    pub connect: Duration,
    /// The maximum time of a whole call. Default 8 s.
    #[serde(deserialize_with = "value::duration")]
    pub call: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self { connect: Duration::from_secs(3), call: Duration::from_secs(8) }
    }
}

/// `allow_write`
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields, expecting = "keys with their values")]
pub struct AllowWrite {
    /// True (the default): writes are opened only if everything of the peer is applied.
    pub gate: bool,
    /// A master that refuses log-ins counts as dead after so much silence on its replication connection, or sooner,
    /// when a heartbeat of the channel is overdue. Default 36 s.
    #[serde(deserialize_with = "value::duration")]
    pub silence: Duration,
    /// What is done about what only another slave has of a dead master's log. Default: `try`.
    pub survivors: Survivors,
    /// What must succeed before writes are opened while the peer is silent.
    #[serde(deserialize_with = "value::section")]
    pub fence: Fence,
}

impl Default for AllowWrite {
    fn default() -> Self {
        Self {
            gate: true,
            silence: Duration::from_secs(36),
            survivors: Survivors::Try,
            fence: Fence::default(),
        }
    }
}

/// `allow_write.survivors`
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Survivors {
    /// It is taken over if that is possible. If not, writes are opened without it, and the answer says so.
    #[default]
    Try,
    /// Writes stay closed without it.
    Require,
    /// No slave is asked.
    Off,
}

/// `replication`
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields, expecting = "keys with their values")]
pub struct Replication {
    /// The channel, or named connection, that the helpers mean if several replicate from hosts of the
    /// cluster. Default: the only one that does.
    pub channel: Option<String>,
}

/// `attach`
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields, expecting = "keys with their values")]
pub struct Attach {
    /// True (the default): if nothing else proves a position, the old master's SQL thread may be paused for a moment.
    pub touch_old_master: bool,
    /// True: the operator says that `binlog_do_db`, `binlog_ignore_db` and `binlog_format` are the same on all hosts,
    /// also on one that does not answer. Default false.
    pub log_filters_agree: bool,
    /// How long to wait for a slave, and for a new master that is still closed to writes. Clients wait, too. Default
    /// 500 ms.
    #[serde(deserialize_with = "value::duration")]
    pub patience: Duration,
}

impl Default for Attach {
    fn default() -> Self {
        Self { touch_old_master: true, log_filters_agree: false, patience: Duration::from_millis(500) }
    }
}

/// `deny_write`
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields, expecting = "keys with their values")]
pub struct DenyWrite {
    /// True: also close the server to privileged accounts, if it has `super_read_only`. Default false.
    pub super_read_only: bool,
}

/// Why the settings cannot be used.
#[derive(Debug, thiserror::Error, strum::IntoStaticStr, strum::VariantNames)]
#[strum(serialize_all = "kebab-case", prefix = "settings-")]
pub enum SettingsError {
    /// Mode bit 0002.
    #[error("Settings file {file} is world writable! Fix it with: chmod 640 {file}", file = .0.display())]
    WorldWritable(PathBuf),
    /// Mode bit 0004.
    #[error("Settings file {file} is world readable! Fix it with: chmod 640 {file}", file = .0.display())]
    WorldReadable(PathBuf),
    /// A directory, a pipe or a device.
    #[error("Settings file {file} is not a regular file but {kind}; put the settings themselves there", file = .file.display())]
    NotAFile {
        /// Its path.
        file: PathBuf,
        /// What it is.
        kind: &'static str,
    },
    /// More than 16 MB.
    #[error("Settings file {file} is larger than 16 MB; put the settings themselves there", file = .0.display())]
    TooLarge(PathBuf),
    /// It is there and cannot be read.
    #[error("Could not read the settings file {file}: {source}; run as root, or see the kernel's log", file = .file.display())]
    Unreadable {
        /// Its path.
        file: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// It is no YAML, has an unknown key or a value that cannot be used.
    #[error("Invalid settings in '{file}' on line {line}: {reason}", file = .file.display())]
    Invalid {
        /// Its path.
        file: PathBuf,
        /// The line, counted from 1.
        line: usize,
        /// What is wrong there.
        reason: String,
    },
    /// Its values contradict each other, or name something that does not exist.
    #[error("Invalid settings in '{file}': {reason}", file = .file.display())]
    Unfit {
        /// Its path.
        file: PathBuf,
        /// What is wrong.
        reason: String,
    },
}

impl Coded for SettingsError {
    fn code(&self) -> &'static str {
        self.into()
    }
}

impl SettingsError {
    /// The settings could not be read, whatever is in them.
    pub(crate) fn unreadable(source: io::Error) -> Self {
        Self::Unreadable { file: PATH.into(), source }
    }
}

impl Settings {
    /// Reads the settings; the defaults if there is no such file.
    pub fn load() -> Result<Self, SettingsError> {
        Self::load_from(Path::new(PATH))
    }

    /// [`Settings::load`] from another file.
    pub(crate) fn load_from(path: &Path) -> Result<Self, SettingsError> {
        let mut file = match file::open(path) {
            Ok(file) => file,
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
                let is_dangling = path.symlink_metadata().is_ok_and(|data| data.is_symlink());
                return Ok(Self { is_dangling, ..Self::default() });
            }
            Err(source) => return Err(SettingsError::Unreadable { file: path.into(), source }),
        };
        let text = file::read(&mut file).map_err(|refusal| match refusal {
            Refusal::WorldWritable => SettingsError::WorldWritable(path.into()),
            Refusal::WorldReadable => SettingsError::WorldReadable(path.into()),
            Refusal::NotAFile(kind) => SettingsError::NotAFile { file: path.into(), kind },
            Refusal::TooLarge => SettingsError::TooLarge(path.into()),
            Refusal::Io(source) => SettingsError::Unreadable { file: path.into(), source },
        })?;
        let mut settings = Self::parse(path, &text)?;
        let unfit = |reason| SettingsError::Unfit { file: path.into(), reason };
        settings.tls.check().map_err(unfit)?;
        settings.look_at_their_file(path);
        Ok(settings)
    }

    /// What the text of the file `path` says, by itself.
    pub(crate) fn parse(path: &Path, text: &[u8]) -> Result<Self, SettingsError> {
        // A file of nothing but comments is a null.
        let settings: Option<Self> = serde_yaml::from_slice(text).map_err(|error| {
            let line = error.location().map_or(1, |location| location.line());
            let reason = error.to_string();
            // The library repeats the line and column at the end of its text.
            let end = reason.rfind(" at line ").unwrap_or(reason.len());
            let reason = in_plain_words(&reason[..end], text, line);
            SettingsError::Invalid { file: path.into(), line, reason }
        })?;
        Ok(settings.unwrap_or_default())
    }

    /// Finds out who could have written the file that names commands.
    fn look_at_their_file(&mut self, file: &Path) {
        if self.commands().next().is_some() {
            let gone = || format!("{} was removed while it was read", file.display());
            self.untrusted = guard::check(file).map_or_else(Some, |real| real.is_none().then(gone));
        }
    }

    /// The path of a command's program, `None` if there is none; or why it is not run.
    pub fn find_program(&self, program: &str) -> Result<Option<PathBuf>, String> {
        find_program(self.untrusted(), program)
    }

    /// Why no command of the site is run.
    pub(crate) fn untrusted(&self) -> Option<&str> {
        self.untrusted.as_deref()
    }

    /// The programs that are named, each with its key.
    pub fn commands(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let hooks = &self.network.hooks;
        let all = [
            (Fence::KEY, &self.allow_write.fence.command),
            (Events::KEY, &self.events.command),
            ("network.hooks.added", &hooks.added.command),
            ("network.hooks.removed", &hooks.removed.command),
            ("network.hooks.checked", &hooks.checked.command),
        ];
        all.into_iter().filter_map(|(key, command)| Some((key, command.first()?.as_str())))
    }
}

/// What the library says, in the words of people who write settings.
fn in_plain_words(reason: &str, text: &[u8], line: usize) -> String {
    let begins = text.split(|byte| *byte == b'\n').nth(line.saturating_sub(1)).unwrap_or_default();
    let indent = begins.iter().take_while(|byte| byte.is_ascii_whitespace());
    if indent.into_iter().any(|byte| *byte == b'\t') {
        return "the line begins with a tab: indent with spaces".into();
    }
    reason
        .replace("expected a boolean", "expected true or false")
        .replace("expected a sequence", "expected a list, as [one, two]")
}

/// The path of a command's program, `None` if there is none; or why it is not run: the settings are `untrusted`, or the
/// program itself is.
pub(crate) fn find_program(untrusted: Option<&str>, program: &str) -> Result<Option<PathBuf>, String> {
    if let Some(reason) = untrusted {
        return Err(format!("the settings name it, and {reason}"));
    }
    // On a mount that does not answer this takes for ever, but it does not keep a process from ending.
    process::probe(Path::new(program));
    guard::check(Path::new(program))
}

#[cfg(test)]
mod tests;
