//! What a call writes down for the next one, in a file of its own.

use std::fs;
use std::path::Path;

use mmm_core::marker::Marker;
use mmm_core::report;

pub use mmm_core::marker::FOLDER;

/// A point in time that does not depend on the clock's setting: seconds since a start of this machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Moment {
    /// Seconds since the start.
    pub seconds: u64,
    /// Which start.
    pub boot: String,
}

impl Moment {
    /// This moment.
    pub fn now() -> Self {
        let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
        let uptime = read("/proc/uptime");
        let seconds = uptime.split('.').next().and_then(|seconds| seconds.parse().ok()).unwrap_or(0);
        Self { seconds, boot: read("/proc/sys/kernel/random/boot_id").trim().into() }
    }
}

/// The value of a key in a note, which consists of `key=value` with tabs between.
pub fn value(text: &str, name: &str) -> Option<String> {
    text.split('\t').find_map(|field| field.strip_prefix(name)?.strip_prefix('=').map(ToString::to_string))
}

/// Writes a note for the next call, before anything is changed.
pub fn write(path: &Path, text: &str) -> Result<Marker, String> {
    let write = || {
        let mut marker = Marker::create(path)?;
        marker.write(text)?;
        Ok(marker)
    };
    write().map_err(|error: std::io::Error| format!("{} could not be written: {error}", path.display()))
}

/// Removes what is noted there, unless the call that noted it is at work.
pub fn remove(path: &Path) {
    if !report::is_dry_run()
        && let Some((mut marker, _)) = Marker::leftover(path)
    {
        marker.remove();
    }
}
