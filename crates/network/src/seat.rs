//! Who announces an address on an interface: one process at a time, and `clear_ip` can wait for it.
//!
//! The seat is a socket with a name in the network namespace, so it ends with its process and needs no file.
//! Whoever connects asks its holder to look whether the address is still there; the holder hangs up between
//! two announcements, never within one.

use std::io;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixListener};
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::socket::{
    AddressFamily, SockFlag, SockType, UnixAddr, connect, getsockopt, socket, sockopt::PeerCredentials,
};
use nix::unistd::geteuid;

use crate::address::VirtualIp;
use crate::interface::Link;

/// Most time to wait for a process that announces; it needs well below a millisecond, or a few to start.
const PATIENCE: Duration = Duration::from_secs(1);
/// How often a seat is tried for that was left, or not yet sat down on, at the moment of looking.
const TRIES: usize = 3;

/// The right to announce, held as long as this lives, here or in the process that it is handed to.
#[derive(Debug)]
pub(crate) struct Seat(UnixListener);

impl From<OwnedFd> for Seat {
    fn from(descriptor: OwnedFd) -> Self {
        Self(descriptor.into())
    }
}

impl From<Seat> for OwnedFd {
    fn from(seat: Seat) -> Self {
        seat.0.into()
    }
}

impl Seat {
    /// Takes the seat; `None` if another process announces `ip` on `link`.
    pub(crate) fn take(link: &Link, ip: VirtualIp) -> io::Result<Option<Self>> {
        for _ in 0..TRIES {
            match Self::bind(&name(link, ip)) {
                Err(error) if error.kind() == io::ErrorKind::AddrInUse => {}
                taken => return taken.map(Some),
            }
            if knock(link, ip).is_ok_and(|door| door.is_some()) {
                return Ok(None);
            }
        }
        // Held by somebody who wants the address to stay unknown.
        Self::bind(&format!("{}/{}", name(link, ip), std::process::id())).map(Some)
    }

    fn bind(name: &str) -> io::Result<Self> {
        let listener = UnixListener::bind_addr(&SocketAddr::from_abstract_name(name)?)?;
        listener.set_nonblocking(true)?;
        Ok(Self(listener))
    }

    /// Waits until `end`; false, and sooner, if somebody asks to look at the address.
    pub(crate) fn rest(&self, end: Instant) -> bool {
        let left = end.saturating_duration_since(Instant::now());
        let mut ready = [PollFd::new(self.0.as_fd(), PollFlags::POLLIN)];
        let timeout = PollTimeout::try_from(left).unwrap_or(PollTimeout::MAX);
        if poll(&mut ready, timeout).is_ok_and(|count| count > 0) {
            // Hangs up at once: whoever asked knows that nothing is being sent.
            return self.0.accept().is_err();
        }
        true
    }
}

/// Waits until nothing is sent any more on the strength of a look at `link` before this call. To be called
/// when `ip` is gone from there.
pub(crate) fn await_silence(link: &Link, ip: VirtualIp) {
    let door = match knock(link, ip) {
        Ok(Some(door)) => door,
        Ok(None) => return,
        Err(error) => return log::warn!("the process that announces {ip} cannot be asked: {error}"),
    };
    let mut ready = [PollFd::new(door.as_fd(), PollFlags::POLLIN)];
    let timeout = PollTimeout::try_from(PATIENCE).unwrap_or(PollTimeout::MAX);
    if poll(&mut ready, timeout) == Ok(0) {
        log::warn!("the process that announces {ip} does not answer; it ends when it finds {ip} gone");
    }
}

/// Connects to the holder of the seat; `None` where there is none, or none of ours.
fn knock(link: &Link, ip: VirtualIp) -> io::Result<Option<OwnedFd>> {
    let flags = SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK;
    let door = socket(AddressFamily::Unix, SockType::Stream, flags, None)?;
    let address = UnixAddr::new_abstract(name(link, ip).as_bytes())?;
    match connect(door.as_raw_fd(), &address) {
        Err(Errno::ECONNREFUSED) => return Ok(None),
        connected => connected?,
    }
    // Any user may take a name.
    let owner = getsockopt(&door, PeerCredentials)?.uid();
    if owner != 0 && owner != geteuid().as_raw() {
        log::warn!("user {owner} pretends to announce {ip} on {link}; ignored");
        return Ok(None);
    }
    Ok(Some(door))
}

fn name(link: &Link, ip: VirtualIp) -> String {
    format!("mysql-mmm/announcer/{}/{ip}", link.index)
}
