//! What a file of a log begins with. A later call recognises the file by that.

use twox_hash::XxHash3_128;

use crate::binlog::event::{Event, kind};

/// How much of an event goes into its print: of longer events, no more may have been kept.
pub(super) const BEGINNING: usize = 4 << 10;

/// What a file begins with.
#[derive(Clone, Debug, Default)]
pub(crate) struct Begin {
    /// The first event after the one that describes the others: on some servers (MariaDB 11.8), the describing event
    /// has the time of the dump.
    pub(crate) sign: Option<String>,
    /// True if the server began it when it was started.
    pub(crate) is_of_run: bool,
}

impl Begin {
    /// Takes the file's events from the first on; true if no more are needed.
    pub(crate) fn event(&mut self, event: &Event) -> bool {
        self.is_of_run |= event.begins_run();
        if self.sign.is_none() && event.kind != kind::FORMAT_DESCRIPTION {
            let print = XxHash3_128::oneshot(&event.body[..event.body.len().min(BEGINNING)]);
            self.sign = Some(format!("{}-{}-{print:x}", event.time, event.kind));
        }
        self.sign.is_some()
    }
}
