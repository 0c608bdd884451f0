//! Ctrl-C of a person who runs a helper by hand: waits end, and what was changed is put back as it was found.
//!
//! This holds only if stderr is a terminal and the helper asks for it ([`attend`]). An agent's signals do what they
//! always did. SIGQUIT (Ctrl-\) is left alone, as the way out of a helper that is itself stuck.

use std::io::{self, IsTerminal};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

static IS_ATTENDED: AtomicBool = AtomicBool::new(false);
static IS_REQUESTED: AtomicBool = AtomicBool::new(false);

/// From now on, if a person watches: waits show themselves, and SIGINT, SIGTERM and SIGHUP (a terminal that
/// was closed) end them instead of the process.
pub fn attend() {
    if !io::stderr().is_terminal() {
        return;
    }
    IS_ATTENDED.store(true, Ordering::Relaxed);
    let started = Signals::new([SIGINT, SIGTERM, SIGHUP]).and_then(|mut signals| {
        thread::Builder::new().spawn(move || {
            for signal in signals.forever() {
                let is_first = !IS_REQUESTED.swap(true, Ordering::Relaxed);
                log::warn!("signal {signal}: {}", if is_first { FIRST } else { AGAIN });
            }
        })
    });
    if let Err(error) = started {
        log::warn!("an interrupt would end this call at once, without undoing anything: {error}");
    }
}

const FIRST: &str = "ending the wait, leaving things as they were found";
const AGAIN: &str = "still leaving things as they were found; please wait";

/// True if a person watches.
pub fn is_attended() -> bool {
    IS_ATTENDED.load(Ordering::Relaxed)
}

/// True once the person has interrupted the call.
pub fn is_requested() -> bool {
    IS_REQUESTED.load(Ordering::Relaxed)
}
