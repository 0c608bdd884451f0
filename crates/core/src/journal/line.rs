//! How one record is written: as text, as JSON, and as what a log daemon takes.

use std::fmt::Arguments;

use jiff::Timestamp;
use log::{Level, Record};
use serde::Serialize;

use super::one_line;
use crate::escape;
use crate::settings::{LogFormat, LogTarget};

/// What every line has besides its record.
#[derive(Clone, Copy, Debug)]
pub(super) struct Shape {
    pub(super) helper: &'static str,
    pub(super) target: LogTarget,
    pub(super) format: LogFormat,
}

/// A line of the file, and what another target gets in place of it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Line {
    pub(super) text: String,
    pub(super) packet: Option<String>,
}

/// docs/JOURNAL.md lists the fields.
#[derive(Serialize)]
struct Object<'t> {
    time: &'t str,
    helper: &'t str,
    process: u32,
    level: String,
    text: &'t str,
}

/// `LOG_DAEMON` of syslog(3).
const FACILITY: u8 = 3;

impl Shape {
    pub(super) fn line(self, record: &Record) -> Line {
        self.write(Timestamp::now(), std::process::id(), record)
    }

    /// A line of the journal's own.
    pub(super) fn warning(self, text: Arguments) -> Line {
        self.line(&Record::builder().level(Level::Warn).args(text).build())
    }

    fn write(self, time: Timestamp, process: u32, record: &Record) -> Line {
        let Self { helper, target, format } = self;
        let (time, level, text) = (format!("{time:.3}"), record.level(), one_line(record));
        let json = || {
            let text = record.args().to_string();
            let level = level.as_str().to_lowercase();
            escape::json(&Object { time: &time, helper, process, level, text: &text }, false)
        };
        let json = if format == LogFormat::Json { json().ok() } else { None };
        let message = json.as_deref().unwrap_or(&text);
        let severity = match level {
            Level::Error => 3,
            Level::Warn => 4,
            Level::Info => 6,
            Level::Debug | Level::Trace => 7,
        };
        let packet = match target {
            LogTarget::File => None,
            // Without a time, which the daemon has, and whose form depends on the daemon.
            LogTarget::Syslog => Some(format!("<{}>{helper}[{process}]: {message}", FACILITY * 8 + severity)),
            // systemd.io/JOURNAL_NATIVE_PROTOCOL: values without an end of a line.
            LogTarget::Journald => Some(format!(
                "MESSAGE={message}\nPRIORITY={severity}\nSYSLOG_FACILITY={FACILITY}\nSYSLOG_IDENTIFIER={helper}\n\
                 SYSLOG_PID={process}\nMMM_TIME={time}\n"
            )),
        };
        let text =
            json.unwrap_or_else(|| format!("{time} {helper}[{process}] {:<5} {text}", level.as_str())) + "\n";
        Line { text, packet }
    }
}

#[cfg(test)]
mod tests;
