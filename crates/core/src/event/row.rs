//! Calls of one helper that fail one after the other: the first with a code is news, the ones after it are not, and the
//! first call that works ends the row. A file in [`FOLDER`] remembers it from call to call.

use std::io;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Change;
use crate::marker::{FOLDER, Marker};

/// A row is over when no call has failed for so long: the agent, which asks every three seconds, has stopped asking.
const PAUSE: Duration = Duration::from_secs(60);
/// How long another process may have the file.
const PATIENCE: Duration = Duration::from_secs(5);
/// The maximum number of characters of one part of the file's name.
const LONGEST: usize = 50;

/// What the file says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Row {
    /// When the first call failed.
    since: Timestamp,
    /// When the last one did.
    last: Timestamp,
    /// How many did.
    count: u64,
    /// The stable names of their errors, in the order in which they came.
    codes: Vec<String>,
}

/// One for each helper, configuration and address.
pub(super) fn path(parts: &[&str]) -> PathBuf {
    let plain = |c: char| if c.is_ascii_alphanumeric() || ".:-_".contains(c) { c } else { '_' };
    let mut name = String::from("mysql-mmm-refusals");
    for part in parts.iter().filter(|part| !part.is_empty()) {
        name.push('-');
        name.extend(part.chars().take(LONGEST).map(plain));
    }
    Path::new(FOLDER).join(name)
}

/// Remembers a call that failed; false if an earlier one in its row has failed for the same reason.
pub(super) fn refused(path: &Path, code: &str, time: Timestamp) -> io::Result<bool> {
    let mut marker = open(path)?;
    let earlier = marker.undo()?.and_then(|text| serde_json::from_str(&text).ok());
    let (row, is_new) = Row::after(earlier, code, time);
    marker.write(&serde_json::to_string(&row)?)?;
    Ok(is_new)
}

/// A call that worked ends the row, if there is one.
pub(super) fn end(path: &Path, time: Timestamp) -> Option<Change> {
    let mut marker = match open(path) {
        Ok(marker) => marker,
        Err(error) => {
            log::error!("{}: {error}", path.display());
            return None;
        }
    };
    let row: Option<Row> = marker.undo().ok().flatten().and_then(|text| serde_json::from_str(&text).ok());
    // Also if there was none: another process has just ended it, and this one has made the file anew.
    marker.remove();
    row.map(|Row { since, count, codes, .. }| {
        let seconds = time.duration_since(since).as_secs_f64().max(0.0);
        Change::RefusalEnded { codes, count, seconds: (seconds * 1000.0).round() / 1000.0 }
    })
}

impl Row {
    fn after(earlier: Option<Self>, code: &str, time: Timestamp) -> (Self, bool) {
        // The clock may have been set back since.
        let goes_on = |row: &Self| time.duration_since(row.last).unsigned_abs() <= PAUSE;
        let Some(mut row) = earlier.filter(goes_on) else {
            return (Self { since: time, last: time, count: 1, codes: vec![code.into()] }, true);
        };
        row.last = time;
        row.count += 1;
        let is_new = !row.codes.iter().any(|known| known == code);
        if is_new {
            row.codes.push(code.into());
        }
        (row, is_new)
    }
}

fn open(path: &Path) -> io::Result<Marker> {
    let started = Instant::now();
    loop {
        match Marker::create(path) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock && started.elapsed() < PATIENCE => {
                thread::sleep(Duration::from_millis(10));
            }
            other => return other,
        }
    }
}

#[cfg(test)]
mod tests;
