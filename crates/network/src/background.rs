//! A process of its own that continues after the caller's answer.
//!
//! The agent waits until no process has the helper's stdout open any more. So the process keeps none of the caller's
//! descriptors: it gets the socket that it works with and the seat, and closes everything else.

use std::ffi::{CStr, OsString};
use std::fs;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};

use nix::sys::prctl;
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
    cut_loose(name)?;
    let socket = io::stdin().as_fd().try_clone_to_owned()?.into();
    let seat = io::stdout().as_fd().try_clone_to_owned()?.into();
    // The only descriptor of the seat: to drop it is to leave the seat.
    unistd::dup2_stdout(io::stderr())?;
    Ok((socket, seat))
}

/// Leaves the caller's session, and what the caller had open.
pub(crate) fn cut_loose(name: &CStr) -> io::Result<()> {
    // No failure of these matters: a new process leads no process group, and the name is only shown.
    let _ = unistd::setsid();
    let _ = prctl::set_name(name);
    close_inherited()
}

/// Closes everything but stdin, stdout and stderr: the agent leaves sockets open in its helpers.
fn close_inherited() -> io::Result<()> {
    let mut inherited = Vec::new();
    for entry in fs::read_dir("/proc/self/fd")? {
        if let Some(number) = entry?.file_name().to_str().and_then(|name| name.parse::<i32>().ok()) {
            inherited.push(number);
        }
    }
    for number in inherited.into_iter().filter(|number| *number > 2) {
        // The folder's own descriptor is closed by now.
        let _ = unistd::close(number);
    }
    Ok(())
}
