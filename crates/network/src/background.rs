//! A process of its own that goes on after the caller's answer.
//!
//! The agent waits until nobody holds the helper's stdout any more, so the process holds none of the caller's
//! descriptors: it is handed the socket that it works with and the seat, and closes everything else.

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

/// What [`start`] handed to this process, once it is cut loose from the caller.
pub(crate) fn take_over(name: &CStr) -> io::Result<(PacketSocket, Seat)> {
    cut_loose(name)?;
    let socket = io::stdin().as_fd().try_clone_to_owned()?.into();
    let seat = io::stdout().as_fd().try_clone_to_owned()?.into();
    // The only descriptor of the seat, so that whoever drops it has left.
    unistd::dup2_stdout(io::stderr())?;
    Ok((socket, seat))
}

/// Leaves the caller's session, and what the caller had open.
pub(crate) fn cut_loose(name: &CStr) -> io::Result<()> {
    // Neither can fail here in a way that matters: a new process leads no group, and names are cosmetic.
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
