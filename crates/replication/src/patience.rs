//! How long a connection's next read and write may take: the crate's only unsafe code.
//!
//! The client library sets its socket's limits once, at connect; the budget shrinks with every statement.
#![allow(unsafe_code)]

use std::os::fd::{AsRawFd, BorrowedFd};
use std::time::Duration;

use mysql::Conn;
use nix::sys::socket::{setsockopt, sockopt};
use nix::sys::time::TimeVal;

/// The least limit: zero would mean none.
pub const LEAST: Duration = Duration::from_millis(5);

/// Limits every later read and write of `conn` to `most`.
pub fn limit(conn: &Conn, most: Duration) {
    let most = most.max(LEAST);
    let limit = TimeVal::new(most.as_secs().try_into().unwrap_or(i64::MAX), most.subsec_micros().into());
    // SAFETY: the descriptor belongs to `conn`, which stays borrowed, and so open, for all of this function.
    let socket = unsafe { BorrowedFd::borrow_raw(conn.as_raw_fd()) };
    for result in [
        setsockopt(&socket, sockopt::ReceiveTimeout, &limit),
        setsockopt(&socket, sockopt::SendTimeout, &limit),
    ] {
        if let Err(error) = result {
            log::warn!("could not limit a read: {error}; the limit of the connect stays");
        }
    }
}
