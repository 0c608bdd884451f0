//! What a survivor was seen to have that this host lacks: noted before anything is done about it, so that it is not
//! forgotten when that survivor falls silent. The note goes when this host has it, or the old master answers, or writes
//! were opened without it.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use mmm_core::config::Host;
use mmm_core::marker::{self, Marker};
use mmm_core::report;

use crate::hold::FOLDER;

/// A tail that a survivor has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    /// The survivor.
    pub survivor: String,
    /// How much, in words.
    pub tail: String,
    /// Since when it has been waited for, in seconds since 1970.
    pub since: Option<u64>,
}

impl Seen {
    fn to_text(&self) -> String {
        let since = self.since.map(|since| since.to_string()).unwrap_or_default();
        format!("survivor={}\ttail={}\tsince={since}", self.survivor, self.tail)
    }

    fn from_text(text: &str) -> Option<Self> {
        let value = |name: &str| {
            text.split('\t')
                .find_map(|field| field.strip_prefix(name)?.strip_prefix('=').map(ToString::to_string))
        };
        Some(Self { survivor: value("survivor")?, tail: value("tail")?, since: value("since")?.parse().ok() })
    }

    /// For how many seconds it has been waited for.
    pub fn waited(&self) -> Option<u64> {
        self.since.map(|since| now().saturating_sub(since))
    }
}

/// Seconds since 1970.
pub fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
}

fn path(this: &Host) -> PathBuf {
    marker::path(Path::new(FOLDER), "tail", this)
}

/// What was noted. Costs one failed `open` where nothing is.
pub fn read(this: &Host) -> Option<Seen> {
    Seen::from_text(&Marker::noted(&path(this))?)
}

/// Notes it; where that fails, only the journal says so.
pub fn note(this: &Host, seen: &Seen) {
    if report::is_dry_run() {
        return;
    }
    let path = path(this);
    let write = || -> io::Result<()> {
        fs::create_dir_all(FOLDER)?;
        Marker::create(&path)?.write(&seen.to_text())
    };
    if let Err(error) = write() {
        log::warn!("{} could not be written: {error}", path.display());
    }
}

/// It is no longer of any interest.
pub fn forget(this: &Host) {
    if !report::is_dry_run()
        && let Some((mut marker, _)) = Marker::leftover(&path(this))
    {
        marker.remove();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_noted_is_read_again_or_not_at_all() {
        for since in [None, Some(1_764_000_000)] {
            let seen = Seen { survivor: "db3".into(), tail: "4 transactions".into(), since };
            assert_eq!(Seen::from_text(&seen.to_text()), Some(seen));
        }
        for text in ["", "survivor=db3", "tail=4\tsince="] {
            assert_eq!(Seen::from_text(text), None, "{text}");
        }
    }
}
