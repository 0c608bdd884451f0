//! What a call has begun and must not leave half done, whatever becomes of the thread that does it.
//!
//! That thread undoes its work itself, as long as it can. It cannot where it hangs in something that has no limit (a
//! file on a dead mount) or was stopped for good ([`crate::memory`]). Then whoever answers in its place does what was
//! left with [`begun`].

use std::mem;
use std::panic::{self, AssertUnwindSafe};
use std::sync::{Mutex, PoisonError, mpsc};
use std::thread;
use std::time::{Duration, Instant};

/// Most time for what is done in another's place.
const MOST: Duration = Duration::from_secs(1);

enum State {
    Nothing,
    Begun(Box<dyn FnOnce() + Send>),
    Undoing(Instant),
}

struct Work(Mutex<State>);

/// This call's.
static WORK: Work = Work(Mutex::new(State::Nothing));

/// Something is half done from now on, and `mend` would put it right. A later call replaces an earlier one's.
pub fn begun(mend: impl FnOnce() + Send + 'static) {
    WORK.becomes(State::Begun(Box::new(mend)));
}

/// The thread that has begun it undoes it, and is given at least this time before the call is answered for it.
pub fn undoing(most: Duration) {
    WORK.becomes(State::Undoing(Instant::now() + most));
}

/// Nothing is half done any more.
pub fn done() {
    WORK.becomes(State::Nothing);
}

/// At the end of a call's time: lets an undo end, for which `wait` waits, or does it.
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
                log::error!("the call hangs in the middle of its work; putting that right in its place");
                let (sender, receiver) = mpsc::channel();
                let spawned = thread::Builder::new().spawn(move || {
                    let _ = panic::catch_unwind(AssertUnwindSafe(mend));
                    let _ = sender.send(());
                });
                if spawned.is_err() || receiver.recv_timeout(MOST).is_err() {
                    log::error!("it could not be put right in time; the next call does it");
                }
                None
            }
        }
    }
}

#[cfg(test)]
mod tests;
