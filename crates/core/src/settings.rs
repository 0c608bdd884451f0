//! This project's own settings, `/etc/mysql-mmm/mmm_helpers.yaml`: optional, and unknown to the Perl agent.
//!
//! A new section is a struct with `Default` and `#[serde(default, deny_unknown_fields)]`, and two lines in
//! [`Settings`]. What a value may look like is in `settings/value.rs`.

mod network;
mod tls;
mod value;

use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::time::Duration;

use log::LevelFilter;
use serde::Deserialize;

use crate::config::file::{self, Refusal};
use crate::error::Coded;
pub(crate) use network::split_placeholder;
pub use network::{Announce, Hook, Hooks, Network};
pub use tls::{Local, Tls, TlsMode, TlsOptions};

/// Where the settings lie. Fixed: no variable of the agent's environment names another file.
pub const PATH: &str = "/etc/mysql-mmm/mmm_helpers.yaml";

/// All settings, with their defaults where the file or a key is missing.
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
}

/// `limits`
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields, expecting = "keys with their values")]
pub struct Limits {
    /// Most time for one connection to be made, log-in included. Default 3 s.
    #[serde(deserialize_with = "value::duration")]
    pub connect: Duration,
    /// Most time for a whole call. Default 8 s.
    #[serde(deserialize_with = "value::duration")]
    pub call: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self { connect: Duration::from_secs(3), call: Duration::from_secs(8) }
    }
}

/// `log`
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields, expecting = "keys with their values")]
pub struct LogSettings {
    /// File to append to, by its whole path; nothing is logged where it cannot be opened.
    #[serde(deserialize_with = "value::whole_path")]
    pub file: PathBuf,
    /// `off`, `error`, `warn`, `info` (default), `debug` or `trace`.
    #[serde(deserialize_with = "value::level")]
    pub level: LevelFilter,
}

impl Default for LogSettings {
    fn default() -> Self {
        Self { file: PathBuf::from("/var/log/mysql-mmm/mmm_helpers.log"), level: LevelFilter::Info }
    }
}

/// `allow_write`
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields, expecting = "keys with their values")]
pub struct AllowWrite {
    /// True (the default): writes are opened only where everything of the peer is applied.
    pub gate: bool,
    /// After how much silence on its replication connection a master that lets nobody in counts as gone, at the latest;
    /// when a channel's heartbeat is overdue, where that is sooner. Default 36 s.
    #[serde(deserialize_with = "value::duration")]
    pub silence: Duration,
    /// What becomes of what only another slave has of a dead master's log. Default: `try`.
    pub survivors: Survivors,
}

impl Default for AllowWrite {
    fn default() -> Self {
        Self { gate: true, silence: Duration::from_secs(36), survivors: Survivors::Try }
    }
}

/// `allow_write.survivors`
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Survivors {
    /// It is taken over where it can be; where it cannot, writes are opened without it, and the answer says so.
    #[default]
    Try,
    /// Writes stay closed without it.
    Require,
    /// Nobody is asked.
    Off,
}

/// `replication`
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields, expecting = "keys with their values")]
pub struct Replication {
    /// The channel, or named connection, that the helpers mean where several replicate from hosts of the
    /// cluster. Default: the only one that does.
    pub channel: Option<String>,
}

/// `attach`
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields, expecting = "keys with their values")]
pub struct Attach {
    /// True (the default): where nothing else proves a place, the old master's applying thread may be stopped for a
    /// moment.
    pub touch_old_master: bool,
    /// True: `binlog_do_db`, `binlog_ignore_db` and `binlog_format` are the same on all hosts, the operator says, also
    /// on one that does not answer. Default false.
    pub log_filters_agree: bool,
    /// How long a slave is waited for, and its new master, while that is still closed to writes: clients wait, too.
    /// Default 500 ms.
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
    /// Close the server to privileged accounts, too, where it can (`super_read_only`). Default false.
    pub super_read_only: bool,
}

/// Why the settings cannot be used.
#[derive(Debug, thiserror::Error, strum::IntoStaticStr, strum::VariantNames)]
#[strum(serialize_all = "kebab-case", prefix = "settings-")]
pub enum SettingsError {
    /// Mode bit 0002.
    #[error("Settings file {file} is world writable! Mend it with: chmod 640 {file}", file = .0.display())]
    WorldWritable(PathBuf),
    /// Mode bit 0004.
    #[error("Settings file {file} is world readable! Mend it with: chmod 640 {file}", file = .0.display())]
    WorldReadable(PathBuf),
    /// A directory, a pipe or a device.
    #[error("Settings file {file} is no regular file but {kind}; put the settings themselves there", file = .file.display())]
    NotAFile {
        /// Its path.
        file: PathBuf,
        /// What it is.
        kind: &'static str,
    },
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
    /// Its values do not go together, or name what is not there.
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
    /// Reads the settings; the defaults where there is no such file.
    pub fn load() -> Result<Self, SettingsError> {
        Self::load_from(Path::new(PATH))
    }

    /// [`Settings::load`] from another file.
    pub(crate) fn load_from(path: &Path) -> Result<Self, SettingsError> {
        let mut file = match file::open(path) {
            Ok(file) => file,
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
                return Ok(Self::default());
            }
            Err(source) => return Err(SettingsError::Unreadable { file: path.into(), source }),
        };
        let text = file::read(&mut file).map_err(|refusal| match refusal {
            Refusal::WorldWritable => SettingsError::WorldWritable(path.into()),
            Refusal::WorldReadable => SettingsError::WorldReadable(path.into()),
            Refusal::NotAFile(kind) => SettingsError::NotAFile { file: path.into(), kind },
            Refusal::Io(source) => SettingsError::Unreadable { file: path.into(), source },
        })?;
        // A file of nothing but comments is a null.
        let settings: Option<Self> = serde_yaml::from_slice(&text).map_err(|error| {
            let line = error.location().map_or(1, |location| location.line());
            let reason = error.to_string();
            // The library repeats the place behind its words.
            let end = reason.rfind(" at line ").unwrap_or(reason.len());
            SettingsError::Invalid { file: path.into(), line, reason: reason[..end].into() }
        })?;
        let mut settings = settings.unwrap_or_default();
        let unfit = |reason| SettingsError::Unfit { file: path.into(), reason };
        settings.tls.check().map_err(unfit)?;
        settings.network.hooks.look_at_their_file(path);
        Ok(settings)
    }
}

#[cfg(test)]
mod tests;
