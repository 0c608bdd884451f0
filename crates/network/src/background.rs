//! A process of its own that continues after the caller's answer.
//!
//! The agent waits until no process has the helper's stdout open any more. So the process keeps none of the caller's
//! descriptors: it gets the socket that it works with and the seat, and closes everything else.

use std::ffi::{CStr, OsString};
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};

use mmm_core::detached;
use nix::unistd;

use crate::packet_socket::PacketSocket;
use crate::seat::Seat;

/// Starts this very program again, even if its file was replaced meanwhile, and does not wait for it.
pub(crate) fn start(title: &str, words: &[OsString], socket: PacketSocket, seat: Seat) -> io::Result<()> {
    Command::new("/proc/self/exe")
        .arg0(title)
        .args(words)
        .current_dir("/")
        .stdin(OwnedFd::from(socket))
        .stdout(OwnedFd::from(seat))
        .stderr(Stdio::null())
        .spawn()
        .map(drop)
}

/// What [`start`] gave to this process, once it is detached from the caller.
pub(crate) fn take_over(name: &CStr) -> io::Result<(PacketSocket, Seat)> {
    detached::cut_loose(name)?;
    let socket = io::stdin().as_fd().try_clone_to_owned()?.into();
    let seat = io::stdout().as_fd().try_clone_to_owned()?.into();
    // The only descriptor of the seat: to drop it is to leave the seat.
    unistd::dup2_stdout(io::stderr())?;
    Ok((socket, seat))
}
