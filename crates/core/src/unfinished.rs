//! What a call has begun and must not leave half done, whatever becomes of the thread that does it.
//!
//! That thread undoes its work itself, as long as it can. It cannot where it hangs in something that has no limit (a
//! file on a dead mount) or was stopped for good ([`crate::memory`]). Then whoever answers in its place does what was
//! left with [`begun`].

use std::mem;
use std::panic::{self, AssertUnwindSafe};
use std::sync::{Mutex, MutexGuard, PoisonError, mpsc};
use std::thread;
use std::time::{Duration, Instant};

/// Most time for what is done in another's place.
const MOST: Duration = Duration::from_secs(1);

#[derive(Default)]
enum State {
    #[default]
    Nothing,
    Begun(Box<dyn FnOnce() + Send>),
    Undoing(Instant),
}

static STATE: Mutex<State> = Mutex::new(State::Nothing);

fn state() -> MutexGuard<'static, State> {
    STATE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Something is half done from now on, and `mend` would put it right. A later call replaces an earlier one's.
pub fn begun(mend: impl FnOnce() + Send + 'static) {
    *state() = State::Begun(Box::new(mend));
}

/// The thread that has begun it undoes it, and is given at least this time before the call is answered for it.
pub fn undoing(most: Duration) {
    *state() = State::Undoing(Instant::now() + most);
}

/// Nothing is half done any more.
pub fn done() {
    *state() = State::Nothing;
}

/// At the end of a call's time: lets an undo end, for which `wait` waits, or does it.
pub(crate) fn settle<T>(wait: impl FnOnce(Duration) -> Option<T>) -> Option<T> {
    let state = mem::take(&mut *state());
    match state {
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

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};

    use super::*;

    // One test: what is begun is the process's.
    #[test]
    fn what_is_begun_is_mended_once_unless_its_own_thread_does_it() {
        let mended = Arc::new(AtomicBool::new(false));
        let begin = || {
            let mended = Arc::clone(&mended);
            begun(move || mended.store(true, Ordering::Relaxed));
        };
        let was_mended = || mended.swap(false, Ordering::Relaxed);
        let never = |_| -> Option<()> { panic!("nobody undoes anything") };
        begin();
        settle(never);
        assert!(was_mended());
        settle(never);
        assert!(!was_mended());
        begin();
        done();
        settle(never);
        assert!(!was_mended());
        begin();
        undoing(Duration::from_secs(5));
        assert_eq!(settle(|most| (most > Duration::from_secs(4)).then_some(7)), Some(7));
        assert!(!was_mended());
        begun(|| panic!("it cannot be mended"));
        settle(never);
    }
}
