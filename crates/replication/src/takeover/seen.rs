//! What a survivor was seen to have that this host lacks: noted before anything is done about it, so that it is not
//! forgotten when that survivor falls silent. The note goes when this host has it, or the old master answers, or writes
//! were opened without it.

use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use mmm_core::config::{Config, Host};
use mmm_core::marker::{self, Marker};
use mmm_core::report;

use super::note::value;
use super::write;
use crate::hold::FOLDER;
use crate::position::BinlogPosition;

/// A tail that a survivor has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    /// How much, in words.
    pub tail: String,
    /// To where that goes in the old master's log.
    pub to: String,
    /// To where the survivor had applied it when that was last seen to change.
    pub applied: String,
    /// When that was, in seconds since 1970.
    pub since: u64,
}

impl Seen {
    fn to_text(&self) -> String {
        format!("tail={}\tto={}\tapplied={}\tsince={}", self.tail, self.to, self.applied, self.since)
    }

    fn from_text(text: &str) -> Option<Self> {
        let value = |name: &str| value(text, name);
        Some(Self {
            tail: value("tail")?,
            to: value("to")?,
            applied: value("applied")?,
            since: value("since")?.parse().ok()?,
        })
    }

    /// True where a place in the old master's log lies behind all of it.
    pub fn is_reached(&self, place: &BinlogPosition) -> bool {
        BinlogPosition::from_text(&self.to).is_some_and(|end| place.has_reached(&end))
    }

    /// For how many seconds the survivor has got no further.
    pub fn waited(&self) -> u64 {
        now().saturating_sub(self.since)
    }
}

/// Seconds since 1970.
pub fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
}

/// One for each survivor.
fn path(this: &Host, survivor: &str) -> PathBuf {
    let survivor: String =
        survivor.chars().map(|c| if c.is_ascii_alphanumeric() || c == '-' { c } else { '_' }).collect();
    marker::path(Path::new(FOLDER), &format!("tail-{survivor}"), this)
}

/// What was noted of a survivor. Costs one failed `open` where nothing is.
pub fn read(this: &Host, survivor: &str) -> Option<Seen> {
    Seen::from_text(&Marker::noted(&path(this, survivor))?)
}

/// Notes what a survivor has; returns for how many seconds it has got no further. Where nothing can be noted, it is not
/// waited for.
pub fn note(this: &Host, survivor: &str, mut seen: Seen) -> u64 {
    let is_as_before = |earlier: &Seen| {
        (&earlier.to, &earlier.applied) == (&seen.to, &seen.applied) && earlier.since <= now()
    };
    if let Some(earlier) = read(this, survivor).filter(is_as_before) {
        seen.since = earlier.since;
    }
    if report::is_dry_run() {
        return seen.waited();
    }
    match write(&path(this, survivor), &seen.to_text()) {
        Ok(_) => seen.waited(),
        Err(error) => {
            log::error!("{error}");
            u64::MAX
        }
    }
}

/// It is no longer of any interest.
pub fn forget(this: &Host, survivor: &str) {
    remove(&path(this, survivor));
}

/// Nor is that of any survivor.
pub fn forget_all(config: &Config) {
    for host in config.hosts() {
        forget(config.this_host(), host.name.as_str());
    }
}

/// A host that was opened beside a dead master.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opened {
    /// Where its log ended: what it wrote behind that, no other host has.
    pub end: BinlogPosition,
    /// Its place in the dead master's log. Once that has moved, that master has come back.
    pub applied: String,
}

/// Whether a host was opened so.
pub fn opened(this: &Host) -> Option<Opened> {
    let text = Marker::noted(&opened_path(this))?;
    let (end, applied) = text.split_once(' ')?;
    Some(Opened { end: BinlogPosition::from_text(end)?, applied: applied.into() })
}

/// Notes that; where that fails, only the journal says so.
pub fn note_opened(this: &Host, opened: &Opened) {
    if report::is_dry_run() {
        return;
    }
    if let Err(error) = write(&opened_path(this), &format!("{} {}", opened.end, opened.applied)) {
        log::error!("{error}");
    }
}

/// The master that was dead answers again, and has all.
pub fn forget_opened(this: &Host) {
    remove(&opened_path(this));
}

fn remove(path: &Path) {
    if !report::is_dry_run()
        && let Some((mut marker, _)) = Marker::leftover(path)
    {
        marker.remove();
    }
}

fn opened_path(this: &Host) -> PathBuf {
    marker::path(Path::new(FOLDER), "opened", this)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_noted_is_read_again_or_not_at_all() {
        let seen = Seen {
            tail: "4 transactions".into(),
            to: "bin.000007:900".into(),
            applied: "nothing".into(),
            since: 1_764_000_000,
        };
        assert_eq!(Seen::from_text(&seen.to_text()), Some(seen));
        for text in ["", "tail=4", "tail=4\tto=\tapplied=\tsince="] {
            assert_eq!(Seen::from_text(text), None, "{text}");
        }
    }
}
