//! What a survivor was seen to have that this host lacks. It is noted before anything is done about it, so that it is
//! not forgotten when that survivor falls silent. The note is removed when this host has it, or the old master answers,
//! or writes were opened without it.

use std::cmp::Ordering;
use std::path::{Path, PathBuf};

use mmm_core::config::{Config, Host};
use mmm_core::marker::{self, Marker};
use mmm_core::report;

use crate::note::{FOLDER, Moment, remove, value, write};
use crate::position::BinlogPosition;

/// A tail that a survivor has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    /// How much, in words.
    pub tail: String,
    /// Its end in the old master's log.
    pub to: String,
    /// How far the survivor had applied it when that was last seen to change.
    pub applied: String,
    /// Since when the survivor has made no progress, and this host has got no more of it.
    since: u64,
    /// When the survivor last answered.
    heard: u64,
    /// The start of this machine from which these times are counted.
    boot: String,
}

impl Seen {
    /// What is seen now.
    pub fn new(tail: String, to: String, applied: String) -> Self {
        let Moment { seconds, boot } = Moment::now();
        Self { tail, to, applied, since: seconds, heard: seconds, boot }
    }

    fn to_text(&self) -> String {
        let Self { tail, to, applied, since, heard, boot } = self;
        format!("tail={tail}\tto={to}\tapplied={applied}\tsince={since}\theard={heard}\tboot={boot}")
    }

    fn from_text(text: &str) -> Option<Self> {
        let value = |name: &str| value(text, name);
        Some(Self {
            tail: value("tail")?,
            to: value("to")?,
            applied: value("applied")?,
            since: value("since")?.parse().ok()?,
            heard: value("heard")?.parse().ok()?,
            boot: value("boot")?,
        })
    }

    /// True if a position in the old master's log lies after all of it.
    pub fn is_reached(&self, place: &BinlogPosition) -> bool {
        BinlogPosition::from_text(&self.to).is_some_and(|end| place.has_reached(&end))
    }

    /// This new observation with the times of `earlier`, for what has not changed.
    fn after(mut self, earlier: &Self) -> Self {
        let parts = |seen: &Self| [&seen.tail, &seen.to, &seen.applied, &seen.boot].map(Clone::clone);
        if parts(&self) == parts(earlier) {
            self.since = self.since.min(earlier.since);
        }
        self
    }

    /// If this machine was started since, the time counts from now on.
    fn counted_from(mut self, now: &Moment) -> Self {
        if self.boot != now.boot {
            (self.since, self.heard, self.boot) = (now.seconds, now.seconds, now.boot.clone());
        }
        self
    }

    /// For how many seconds nothing was heard of it.
    pub fn silent_for(&self) -> u64 {
        Moment::now().seconds.saturating_sub(self.heard)
    }

    fn idle_for(&self) -> u64 {
        Moment::now().seconds.saturating_sub(self.since)
    }
}

/// One for each survivor.
fn path(this: &Host, survivor: &str) -> PathBuf {
    let survivor: String =
        survivor.chars().map(|c| if c.is_ascii_alphanumeric() || c == '-' { c } else { '_' }).collect();
    marker::path(Path::new(FOLDER), &format!("tail-{survivor}"), this)
}

/// What was noted of a survivor. Costs one look into its folder if nothing is noted.
pub fn read(this: &Host, survivor: &str) -> Option<Seen> {
    let path = path(this, survivor);
    let noted = Seen::from_text(&Marker::noted(&path)?)?;
    let mut seen = noted.clone().counted_from(&Moment::now());
    if seen != noted && !keep(&path, &seen) {
        (seen.since, seen.heard) = (0, 0);
    }
    Some(seen)
}

/// Notes what a survivor that answers has; returns for how many seconds it has made no progress. If nothing can be
/// noted, it is not waited for.
pub fn note(this: &Host, survivor: &str, seen: Seen) -> u64 {
    let seen = match read(this, survivor) {
        Some(earlier) => seen.after(&earlier),
        None => seen,
    };
    if keep(&path(this, survivor), &seen) { seen.idle_for() } else { u64::MAX }
}

/// Notes a survivor that answers and cannot be examined, if nothing is noted of it. [`Seen::silent_for`] then counts from
/// the first such note.
pub fn note_unexamined(this: &Host, survivor: &str, tail: &str) -> Seen {
    read(this, survivor).unwrap_or_else(|| {
        let mut seen = Seen::new(tail.into(), String::new(), String::new());
        if !keep(&path(this, survivor), &seen) {
            seen.heard = 0;
        }
        seen
    })
}

/// Notes that a survivor sends; with `moves`, also that this host makes progress with what it sends.
pub fn renew(this: &Host, survivor: &str, moves: bool) {
    let Some(mut seen) = read(this, survivor) else { return };
    seen.heard = Moment::now().seconds;
    if moves {
        seen.since = seen.heard;
    }
    keep(&path(this, survivor), &seen);
}

/// True if it is noted, or would be.
fn keep(path: &Path, seen: &Seen) -> bool {
    if report::is_dry_run() {
        return true;
    }
    let written = write(path, &seen.to_text());
    if let Err(error) = &written {
        log::error!("{error}");
    }
    written.is_ok()
}

/// Forgets what was noted of a survivor.
pub fn forget(this: &Host, survivor: &str) {
    remove(&path(this, survivor));
}

/// Forgets what was noted of every survivor.
pub fn forget_all(config: &Config) {
    for host in config.hosts() {
        forget(config.this_host(), host.name.as_str());
    }
}

/// A host that was opened beside a dead master.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opened {
    /// Where its log ended: no other host has what it wrote after that.
    pub end: BinlogPosition,
    /// Its position in the dead master's log. Once this has moved, that master has come back.
    pub applied: String,
}

impl Opened {
    /// False if this host has got more of the dead master's log since: that master came back, and the note is of an
    /// earlier failover.
    pub fn is_of(&self, applied: Option<&BinlogPosition>) -> bool {
        let noted = BinlogPosition::from_text(&self.applied);
        let order = noted.zip(applied).and_then(|(noted, applied)| applied.compare(&noted));
        order != Some(Ordering::Greater)
    }
}

/// Whether a host was opened so.
pub fn opened(this: &Host) -> Option<Opened> {
    let text = Marker::noted(&opened_path(this))?;
    let (end, applied) = text.split_once(' ')?;
    Some(Opened { end: BinlogPosition::from_text(end)?, applied: applied.into() })
}

/// Notes that. If that fails, only the journal says so.
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

fn opened_path(this: &Host) -> PathBuf {
    marker::path(Path::new(FOLDER), "opened", this)
}

#[cfg(test)]
mod tests;
