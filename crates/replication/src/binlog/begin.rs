//! What a file of a log begins with: by that it is known again.

use twox_hash::XxHash3_128;

use crate::binlog::event::{Event, kind};

/// As much of an event goes into a print: of longer ones, no more may have been kept.
pub(super) const BEGINNING: usize = 4 << 10;

/// What a file begins with.
#[derive(Clone, Debug, Default)]
pub(crate) struct Begin {
    /// Its first event behind the one that describes the others: that bears the time of the dump on some servers
    /// (MariaDB 11.8).
    pub(crate) sign: Option<String>,
    /// True if the server began it when it was started.
    pub(crate) is_of_run: bool,
}

impl Begin {
    /// Takes the file's events from the first on; true where no more is needed.
    pub(crate) fn event(&mut self, event: &Event) -> bool {
        self.is_of_run |= event.begins_run();
        if self.sign.is_none() && event.kind != kind::FORMAT_DESCRIPTION {
            let print = XxHash3_128::oneshot(&event.body[..event.body.len().min(BEGINNING)]);
            self.sign = Some(format!("{}-{}-{print:x}", event.time, event.kind));
        }
        self.sign.is_some()
    }
}
