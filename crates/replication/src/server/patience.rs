//! How long a connection's next read and write may take, and its whole answer: the crate's only unsafe code.
//!
//! The client library sets its socket's limits once, at connect; the budget shrinks with every statement. A limit for
//! each read does not limit the whole answer: a server that sends a byte now and then never exceeds it. So an answer
//! also has a [`Deadline`], at which the socket is shut.
#![allow(unsafe_code)]

use std::collections::BTreeMap;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use mysql::Conn;
use nix::sys::socket::{Shutdown, setsockopt, shutdown, sockopt};
use nix::sys::time::TimeVal;

/// The minimum limit: zero would mean no limit.
pub const LEAST: Duration = Duration::from_millis(5);
/// How long another host's server is waited for before it counts as dead: a live one on a local network answers
/// in milliseconds, and one lost packet costs a second.
pub const OTHERS_PATIENCE: Duration = Duration::from_millis(1500);
/// How much longer than its time an answer may take, so that the limit of a read comes first: its error is clearer.
const SLACK: Duration = Duration::from_millis(20);
/// How long the thread that keeps the deadlines sleeps if there are none.
const IDLE: Duration = Duration::from_secs(3600);

/// The socket of `conn`, which stays open for this as long as the result lives.
pub fn socket(conn: &Conn) -> io::Result<Arc<OwnedFd>> {
    // SAFETY: the descriptor belongs to `conn`, which stays borrowed, and so open, until it is copied.
    let borrowed = unsafe { BorrowedFd::borrow_raw(conn.as_raw_fd()) };
    Ok(Arc::new(borrowed.try_clone_to_owned()?))
}

/// Limits every later read and write of a connection's socket to `most`.
pub fn limit_socket(socket: impl AsFd, most: Duration) {
    let most = most.max(LEAST);
    let limit = TimeVal::new(most.as_secs().try_into().unwrap_or(i64::MAX), most.subsec_micros().into());
    for result in [
        setsockopt(&socket, sockopt::ReceiveTimeout, &limit),
        setsockopt(&socket, sockopt::SendTimeout, &limit),
    ] {
        if let Err(error) = result {
            log::warn!("could not limit a read: {error}; the limit of the connect stays");
        }
    }
}

/// Shuts a connection: a read from it ends.
pub fn shut(socket: impl AsFd) {
    // It may be closed already, which has the same effect.
    let _ = shutdown(socket.as_fd().as_raw_fd(), Shutdown::Both);
}

/// Limits the next answer on `socket`, and each read and write of it, to `most`.
pub fn limit_answer(socket: &Arc<OwnedFd>, most: Duration) -> Deadline {
    limit_socket(socket, most);
    Deadline::new(socket, Instant::now() + most.max(LEAST) + SLACK)
}

/// Shuts a connection at its time, unless it is dropped before.
#[derive(Debug)]
pub struct Deadline(Key);

/// Deadlines in order, each with a number of its own.
type Key = (Instant, u64);

impl Deadline {
    fn new(socket: &Arc<OwnedFd>, at: Instant) -> Self {
        let mut kept = kept();
        kept.count += 1;
        let key = (at, kept.count);
        kept.sockets.insert(key, Arc::clone(socket));
        match kept.wakes_at {
            Some(wakes_at) if wakes_at <= at => {}
            Some(_) => CHANGED.notify_one(),
            None => match thread::Builder::new().spawn(keep) {
                Ok(_) => kept.wakes_at = Some(at),
                Err(error) => log::warn!("an answer has no deadline: {error}"),
            },
        }
        Self(key)
    }

    /// True once the connection was shut.
    pub fn is_over(&self) -> bool {
        !kept().sockets.contains_key(&self.0)
    }
}

impl Drop for Deadline {
    fn drop(&mut self) {
        kept().sockets.remove(&self.0);
    }
}

/// All deadlines of this process, and the thread that keeps them.
#[derive(Debug)]
struct Kept {
    sockets: BTreeMap<Key, Arc<OwnedFd>>,
    count: u64,
    /// When that thread looks again by itself; `None` if there is none.
    wakes_at: Option<Instant>,
}

static KEPT: Mutex<Kept> = Mutex::new(Kept { sockets: BTreeMap::new(), count: 0, wakes_at: None });
static CHANGED: Condvar = Condvar::new();

fn kept() -> MutexGuard<'static, Kept> {
    KEPT.lock().unwrap_or_else(PoisonError::into_inner)
}

fn keep() {
    let mut kept = kept();
    loop {
        let now = Instant::now();
        while let Some(first) = kept.sockets.first_entry().filter(|first| first.key().0 <= now) {
            shut(first.remove());
        }
        let next = kept.sockets.first_key_value().map_or(now + IDLE, |((at, _), _)| *at);
        kept.wakes_at = Some(next);
        let pause = next.saturating_duration_since(now);
        kept = CHANGED.wait_timeout(kept, pause).unwrap_or_else(PoisonError::into_inner).0;
    }
}
