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
mod tests {
    use super::*;
    use crate::config::scratch::Scratch;

    pub fn read(text: &str) -> Result<Settings, String> {
        let scratch = Scratch::new();
        let path = scratch.file("mmm_helpers.yaml", text);
        Settings::load_from(&path)
            .map_err(|error| error.to_string().replace(&path.display().to_string(), "FILE"))
    }

    #[test]
    fn without_a_file_the_defaults_hold() {
        let scratch = Scratch::new();
        let missing = scratch.path().join("missing.yaml");
        assert_eq!(Settings::load_from(&missing).unwrap(), Settings::default());
        let below_a_file = scratch.file("file", "").join("mmm_helpers.yaml");
        assert_eq!(Settings::load_from(&below_a_file).unwrap(), Settings::default());
    }

    #[test]
    fn empty_files_and_sections_leave_the_defaults() {
        for text in ["", "# nothing\n", "---\n", "limits:\n", "limits:\n  # connect: 1s\nlog:\n", "{}"] {
            assert_eq!(read(text).unwrap(), Settings::default(), "{text:?}");
        }
    }

    #[test]
    fn every_key_is_read() {
        let settings =
            read("limits: {connect: 500ms, call: 2m}\nlog:\n  file: /x/y.log\n  level: Debug\n").unwrap();
        assert_eq!(settings.limits.connect, Duration::from_millis(500));
        assert_eq!(settings.limits.call, Duration::from_secs(120));
        assert_eq!(settings.log.file, Path::new("/x/y.log"));
        assert_eq!(settings.log.level, LevelFilter::Debug);
        assert!(read("deny_write: {super_read_only: true}").unwrap().deny_write.super_read_only);
        let silence = read("allow_write: {silence: 5s}").unwrap().allow_write.silence;
        assert_eq!(silence, Duration::from_secs(5));
        assert!(!read("attach: {touch_old_master: false}").unwrap().attach.touch_old_master);
        assert!(read("attach: {log_filters_agree: true}").unwrap().attach.log_filters_agree);
        let patience = |text| read(text).unwrap().attach.patience.as_millis();
        assert_eq!((patience(""), patience("attach: {patience: 2s}")), (500, 2000));
        let channel = read("replication: {channel: main}").unwrap().replication.channel;
        assert_eq!(channel.as_deref(), Some("main"));
        assert_eq!(read("log: {level: off}").unwrap().log.level, LevelFilter::Off);
    }

    #[test]
    fn a_key_that_is_not_set_keeps_its_default() {
        let settings = read("limits: {call: 5}\n").unwrap();
        assert_eq!(settings.limits, Limits { call: Duration::from_secs(5), ..Limits::default() });
    }

    #[test]
    fn what_cannot_be_used_is_refused_with_file_and_line() {
        let table = [
            ("limit: {}\n", 1, "unknown field `limit`"),
            ("log:\n  level: info\n  colour: red\n", 3, "unknown field `colour`"),
            ("limits:\n  connect: 3s\n  connect: 4s\n", 2, "duplicate"),
            ("\nlimits:\n  call: 0\n", 3, "from 1ms to 1h"),
            ("limits: {call: 2d}\n", 1, "from 1ms to 1h"),
            ("log: {level: loud}\n", 1, "off, error, warn, info, debug or trace"),
            ("log: {file: mmm.log}\n", 1, "whole path"),
            ("- limits\n", 1, "expected keys with their values"),
            ("limits: {call: 3s\n", 2, "did not find expected"),
            ("limits: 3s\n", 1, "expected keys with their values"),
        ];
        for (text, line, words) in table {
            let error = read(text).expect_err(text);
            assert!(
                error.starts_with(&format!("Invalid settings in 'FILE' on line {line}: ")),
                "{text:?}: {error}"
            );
            assert!(error.contains(words), "{text:?}: {error}");
        }
    }

    #[test]
    fn bytes_that_are_no_text_are_refused() {
        let scratch = Scratch::new();
        let path = scratch.file("mmm_helpers.yaml", b"log: {file: /\xff}\n");
        assert!(matches!(Settings::load_from(&path), Err(SettingsError::Invalid { .. })));
    }

    #[test]
    fn a_file_that_everybody_may_read_or_write_is_refused() {
        let scratch = Scratch::new();
        let path = scratch.file("mmm_helpers.yaml", "");
        for (mode, words) in [(0o602, "world writable"), (0o604, "world readable"), (0o646, "world writable")]
        {
            scratch.chmod(&path, mode);
            let error = Settings::load_from(&path).unwrap_err().to_string();
            assert!(error.contains(words) && error.contains("chmod 640"), "{mode:o}: {error}");
        }
        scratch.chmod(&path, 0o661);
        assert!(Settings::load_from(&path).is_ok());
    }

    #[test]
    fn of_a_file_that_others_may_write_all_counts_but_its_commands() {
        let scratch = Scratch::new();
        let path = scratch.file("mmm_helpers.yaml", "");
        scratch.chmod(&path, 0o660);
        for hook in ["added", "removed", "checked"] {
            let text =
                format!("limits: {{call: 5s}}\nnetwork: {{hooks: {{{hook}: {{command: [/bin/true]}}}}}}");
            std::fs::write(&path, text).unwrap();
            let settings = Settings::load_from(&path).unwrap();
            assert_eq!(settings.limits.call, Duration::from_secs(5));
            let reason = settings.network.hooks.find_program("/bin/true").unwrap_err();
            assert!(reason.ends_with(&format!("chmod go-w {}", path.display())), "{hook}: {reason}");
        }
        scratch.chmod(&path, 0o640);
        let settings = Settings::load_from(&path).unwrap();
        assert!(settings.network.hooks.find_program("/bin/true").unwrap().is_some());
    }

    #[test]
    fn a_directory_and_a_pipe_are_no_settings() {
        let scratch = Scratch::new();
        let pipe = scratch.path().join("pipe");
        nix::unistd::mkfifo(&pipe, nix::sys::stat::Mode::S_IRWXU).unwrap();
        for path in [scratch.path(), &pipe] {
            assert!(matches!(Settings::load_from(path), Err(SettingsError::NotAFile { .. })));
        }
    }
}
