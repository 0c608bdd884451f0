//! How long a connection's next read and write may take: the crate's only unsafe code.
//!
//! The client library sets its socket's limits once, at connect; the budget shrinks with every statement.
#![allow(unsafe_code)]

use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::time::Duration;

use mysql::Conn;
use nix::sys::socket::{setsockopt, sockopt};
use nix::sys::time::TimeVal;

/// The least limit: zero would mean none.
pub const LEAST: Duration = Duration::from_millis(5);

/// Limits every later read and write of `conn` to `most`.
pub fn limit(conn: &Conn, most: Duration) {
    limit_socket(borrow(conn), most);
}

/// The socket of `conn`, for [`limit_socket`] when `conn` itself is out of reach.
pub fn socket(conn: &Conn) -> io::Result<OwnedFd> {
    borrow(conn).try_clone_to_owned()
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

fn borrow(conn: &Conn) -> BorrowedFd<'_> {
    // SAFETY: the descriptor belongs to `conn`, which stays borrowed, and so open, as long as the result lives.
    unsafe { BorrowedFd::borrow_raw(conn.as_raw_fd()) }
}
