//! For how long has a source shown no sign of life, if the kernel does not show its connection? Remembered from call to
//! call.
//!
//! A call can watch a channel for a few seconds, but an idle source sends a heartbeat only every half minute or more.
//! So a call that sees no change notes what it saw. A later call that sees exactly the same knows for how long nothing
//! has changed.

use std::fs::{self, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use mmm_core::config::Host;
use mmm_core::marker;
use mmm_core::report::{self, Kind};
use nix::libc::{O_CLOEXEC, O_NOFOLLOW, O_NONBLOCK};
use nix::time::{ClockId, clock_gettime};

use crate::note::FOLDER;

/// The maximum time between two looks during one silence. If the server does not say how many heartbeats have come, an
/// older note says nothing of the time since.
const GAP: Duration = Duration::from_secs(60);
/// A longer note was not written by a helper.
const LONGEST: u64 = 64 << 10;
/// This start of the machine: the clock begins anew with it.
const BOOT: &str = "/proc/sys/kernel/random/boot_id";

/// A silence that lasts; its times are those of the clock.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Note {
    first: Duration,
    last: Duration,
    /// What the channel has shown during that time.
    seen: String,
}

impl Note {
    /// What is to be noted after a look from `began` to `now` that showed nothing but `seen`.
    fn next(earlier: Option<Self>, seen: &str, [began, now]: [Duration; 2]) -> Self {
        let is_same = |note: &Self| {
            let is_past = note.first <= note.last && note.last <= now;
            note.seen == seen && is_past && began.saturating_sub(note.last) <= GAP
        };
        let first = earlier.filter(is_same).map_or(began, |note| note.first.min(began));
        Self { first, last: now, seen: seen.into() }
    }

    fn lasts(&self) -> Duration {
        self.last.saturating_sub(self.first)
    }

    fn to_text(&self) -> String {
        format!("{} {} {}\n", self.first.as_millis(), self.last.as_millis(), self.seen)
    }

    /// A note without its last character was not written completely.
    fn from_text(text: &str) -> Option<Self> {
        let mut words = text.strip_suffix('\n')?.splitn(3, ' ');
        let mut time = || Some(Duration::from_millis(words.next()?.parse().ok()?));
        let (first, last) = (time()?, time()?);
        Some(Self { first, last, seen: words.next()?.into() })
    }
}

/// The clock of the notes. The time for which this machine itself was suspended does not count as silence.
pub fn clock() -> io::Result<Duration> {
    let now = clock_gettime(ClockId::CLOCK_MONOTONIC)?;
    let seconds = u64::try_from(now.tv_sec()).unwrap_or_default();
    Ok(Duration::from_secs(seconds) + Duration::from_nanos(u64::try_from(now.tv_nsec()).unwrap_or_default()))
}

/// For how long `source` has shown to the host `local` nothing but `seen`, as in a look from `began` until now.
pub fn lasts(
    local: &str,
    source: &Host,
    seen: &str,
    began: Duration,
) -> Result<Duration, (PathBuf, io::Error)> {
    let path = path(local, source);
    let note = || {
        let boot = fs::read_to_string(BOOT)?;
        let seen = format!("{} {}", boot.trim_end(), seen.replace('\n', " "));
        let note = Note::next(read(&path)?, &seen, [began, clock()?]);
        let text = note.to_text();
        report::change(
            None,
            Kind::File,
            format_args!("write {}: {}", path.display(), text.trim_end()),
            || marker::replace(&path, &text),
        )?;
        Ok(note.lasts())
    };
    note().map_err(|error| (path.clone(), error))
}

/// The I/O thread has lost `source`: what comes later is another silence.
pub fn forget(local: &str, source: &Host) {
    let path = path(local, source);
    if marker::look(&path).is_err_and(|error| error.kind() == io::ErrorKind::NotFound) {
        return;
    }
    let removed =
        report::change(None, Kind::File, format_args!("remove {}", path.display()), || marker::remove(&path));
    if let Err(error) = removed {
        log::warn!("{} could not be removed: {error}", path.display());
    }
}

/// One note for each pair of servers that this machine is asked about.
fn path(local: &str, source: &Host) -> PathBuf {
    let local: String = local.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
    marker::path(Path::new(FOLDER), &format!("silence-{local}"), source)
}

fn read(path: &Path) -> io::Result<Option<Note>> {
    let open = || OpenOptions::new().read(true).custom_flags(O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK).open(path);
    let file = match marker::look(path).and_then(|()| open()) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let mut bytes = Vec::new();
    file.take(LONGEST).read_to_end(&mut bytes)?;
    Ok(Note::from_text(&String::from_utf8_lossy(&bytes)))
}

#[cfg(test)]
mod tests;
