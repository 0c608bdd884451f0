//! `log`: where the journal goes, and in which form.

use std::path::PathBuf;

use log::LevelFilter;
use serde::{Deserialize, Serialize};

use super::value;

/// `log`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, expecting = "keys with their values")]
pub struct LogSettings {
    /// Where lines go. Default: the file.
    pub target: LogTarget,
    /// How a line is written. Default: text.
    pub format: LogFormat,
    /// The absolute path of the file to append to, which also gets what another target does not take. If it cannot be
    /// opened, nothing is logged.
    #[serde(deserialize_with = "value::whole_path")]
    pub file: PathBuf,
    /// `off`, `error`, `warn`, `info` (default), `debug` or `trace`.
    #[serde(deserialize_with = "value::level", serialize_with = "value::shown")]
    pub level: LevelFilter,
}

impl Default for LogSettings {
    fn default() -> Self {
        Self {
            target: LogTarget::File,
            format: LogFormat::Text,
            file: PathBuf::from("/var/log/mysql-mmm/mmm_helpers.log"),
            level: LevelFilter::Info,
        }
    }
}

impl LogSettings {
    /// One word of the command line of a process that is handed them.
    pub fn to_word(&self) -> String {
        // Every value comes from a text.
        serde_json::to_string(self).unwrap_or_default()
    }

    /// What [`LogSettings::to_word`] wrote.
    pub fn from_word(word: &str) -> Option<Self> {
        serde_json::from_str(word).ok()
    }
}

/// `log.target`
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, strum::Display)]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "lowercase")]
pub enum LogTarget {
    /// `log.file`
    File,
    /// The system's log, at `/dev/log`.
    Syslog,
    /// systemd's journal.
    Journald,
}

/// `log.format`
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// A line for people.
    Text,
    /// A JSON object on one line.
    Json,
}
