//! The time that one call may take: every connect, read, sleep and server-side wait takes its share of it.

use std::thread;
use std::time::{Duration, Instant};

use crate::interrupt;

/// What is left of a call's time. Copies share the deadline.
#[derive(Clone, Copy, Debug)]
pub struct Budget {
    started: Instant,
    /// `None`: without limit (`--wait forever`, by hand only).
    limit: Option<Duration>,
    /// True if a person's interrupt ends every wait.
    heeds_interrupt: bool,
}

impl Budget {
    /// A budget that starts now. `None` means no limit at all.
    pub fn start(limit: Option<Duration>) -> Self {
        Self { started: Instant::now(), limit, heeds_interrupt: false }
    }

    /// A budget of waits that a person may interrupt. After an interrupt it counts as spent, but statements keep their
    /// time.
    #[must_use]
    pub fn interruptible(self) -> Self {
        Self { heeds_interrupt: true, ..self }
    }

    /// The same for what must not be left half done.
    #[must_use]
    pub fn uninterrupted(self) -> Self {
        Self { heeds_interrupt: false, ..self }
    }

    /// How long the call has been running.
    pub fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }

    /// The whole of it, as given to [`Budget::start`].
    pub fn limit(&self) -> Option<Duration> {
        self.limit
    }

    /// What is left, at most `most`. Zero if the budget is spent.
    pub fn share(&self, most: Duration) -> Duration {
        self.limit.map_or(most, |limit| limit.saturating_sub(self.elapsed()).min(most))
    }

    /// True if nothing is left, or if the call must not wait any more.
    pub fn is_spent(&self) -> bool {
        if self.heeds_interrupt && interrupt::is_requested() {
            return true;
        }
        self.limit.is_some_and(|limit| self.elapsed() >= limit)
    }

    /// Sleeps for `pause` or for what is left, whichever is shorter; false when the budget is spent.
    pub fn pause(&self, pause: Duration) -> bool {
        thread::sleep(self.share(pause));
        !self.is_spent()
    }

    /// The same beginning with another limit.
    #[must_use]
    pub fn relimited(&self, limit: Duration) -> Self {
        Self { limit: Some(limit), ..*self }
    }

    /// The same beginning with a part of the limit, in percent: what a step may use when later steps, and
    /// the undoing of it, need the rest.
    #[must_use]
    pub fn part(&self, percent: u32) -> Self {
        Self { limit: self.limit.map(|limit| limit * percent / 100), ..*self }
    }
}

#[cfg(test)]
mod tests;
