//! What a call has begun and must not leave half done, even if the thread that does it hangs.
//!
//! That thread undoes its work itself, as long as it can. It cannot if it hangs in something without a limit (a file on
//! a dead mount) or was stopped for ever ([`crate::memory`]). Then the thread that answers in its place calls what was
//! given to [`begun`].

use std::mem;
use std::panic::{self, AssertUnwindSafe};
use std::sync::{Mutex, PoisonError, mpsc};
use std::thread;
use std::time::{Duration, Instant};

/// The maximum time to undo the work of another thread.
const MOST: Duration = Duration::from_secs(1);

enum State {
    Nothing,
    Begun(Box<dyn FnOnce() + Send>),
    Undoing(Instant),
}

struct Work(Mutex<State>);

/// This call's.
static WORK: Work = Work(Mutex::new(State::Nothing));

/// Something is half done from now on, and `mend` would undo it. A later call replaces what an earlier one gave.
pub fn begun(mend: impl FnOnce() + Send + 'static) {
    WORK.becomes(State::Begun(Box::new(mend)));
}

/// The thread that has begun it is undoing it. It gets at least this time before another thread answers the call.
pub fn undoing(most: Duration) {
    WORK.becomes(State::Undoing(Instant::now() + most));
}

/// Nothing is half done any more.
pub fn done() {
    WORK.becomes(State::Nothing);
}

/// At the end of a call's time: waits, by `wait`, for an undo that has begun, or undoes the work here.
pub(crate) fn settle<T>(wait: impl FnOnce(Duration) -> Option<T>) -> Option<T> {
    WORK.settle(wait)
}

impl Work {
    fn becomes(&self, state: State) -> State {
        mem::replace(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner), state)
    }

    fn settle<T>(&self, wait: impl FnOnce(Duration) -> Option<T>) -> Option<T> {
        match self.becomes(State::Nothing) {
            State::Nothing => None,
            State::Undoing(until) => wait(until.saturating_duration_since(Instant::now())),
            State::Begun(mend) => {
                let (sender, receiver) = mpsc::channel();
                let spawned = thread::Builder::new().spawn(move || {
                    let _ = panic::catch_unwind(AssertUnwindSafe(mend));
                    let _ = sender.send(());
                });
                log::error!("the call hangs in the middle of its work; another thread undoes that work");
                if spawned.is_err() || receiver.recv_timeout(MOST).is_err() {
                    log::error!("the work could not be undone in time; the next call undoes it");
                }
                None
            }
        }
    }
}

#[cfg(test)]
mod tests;
