//! Work in a thread of its own. The caller waits for it only until its time is over.

use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::Duration;

use mmm_core::Budget;

/// Does it in a thread of its own.
pub fn later<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Receiver<T> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        // If the result came too late, the receiver no longer exists.
        let _ = sender.send(work());
    });
    receiver
}

/// Its result; `None` when it is not there in time.
pub fn wait<T>(answer: &Receiver<T>, budget: &Budget) -> Option<T> {
    answer.recv_timeout(budget.share(Duration::from_secs(3600))).ok()
}
