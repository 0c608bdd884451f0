//! Who announces an address on an interface: one process at a time, and `clear_ip` can wait for it.
//!
//! The seat is a socket with a name in the network namespace, so it ends with its process and needs no file.
//! Whoever connects asks its holder to look whether the address is still there; the holder hangs up between
//! two announcements, never within one.
//!
//! Any local user may take such a name, or connect to it. Only root and the caller's own user count, on either
//! side; where somebody else has taken the name there is one more, so that two processes announce at most.

use std::io;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixListener};
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::socket::{
    AddressFamily, SockFlag, SockType, UnixAddr, connect, getsockopt, setsockopt, socket,
    sockopt::{PeerCredentials, SendTimeout},
};
use nix::sys::time::{TimeVal, TimeValLike};
use nix::unistd::geteuid;

use crate::address::VirtualIp;
use crate::interface::Link;

/// Most time to wait for a process that announces; it needs well below a millisecond, or a few to start.
const PATIENCE: Duration = Duration::from_secs(1);
/// Most milliseconds to wait for a turn at a seat at which strangers queue.
const QUEUE: i64 = 100;
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

/// What became of trying for a seat.
#[derive(Debug)]
pub(crate) enum Turn {
    /// It is ours.
    Ours(Seat),
    /// Another process announces the address.
    Another,
    /// Other users hold every seat, or keep everybody from asking who does.
    Kept,
}

/// Who was found at a seat.
enum Found {
    Nobody,
    /// One of ours, and the line to it: it ends when that process hangs up.
    Announcer(OwnedFd),
    Stranger,
}

impl Seat {
    /// Tries for the right to announce `ip` on `link`.
    pub(crate) fn take(link: &Link, ip: VirtualIp) -> io::Result<Turn> {
        for name in names(link, ip) {
            for _ in 0..TRIES {
                match Self::bind(&name) {
                    Err(error) if error.kind() == io::ErrorKind::AddrInUse => {}
                    taken => return taken.map(Turn::Ours),
                }
                match knock(&name, link, ip)? {
                    Found::Announcer(_) => return Ok(Turn::Another),
                    Found::Stranger => break,
                    Found::Nobody => {}
                }
            }
        }
        Ok(Turn::Kept)
    }

    fn bind(name: &str) -> io::Result<Self> {
        let listener = UnixListener::bind_addr(&SocketAddr::from_abstract_name(name)?)?;
        listener.set_nonblocking(true)?;
        Ok(Self(listener))
    }

    /// Waits until `end`; false, and sooner, if somebody who may ask for it wants the address looked at.
    pub(crate) fn rest(&self, end: Instant) -> bool {
        loop {
            let left = end.saturating_duration_since(Instant::now());
            let mut ready = [PollFd::new(self.0.as_fd(), PollFlags::POLLIN)];
            let timeout = PollTimeout::try_from(left).unwrap_or(PollTimeout::MAX);
            // Hangs up at once: whoever asked knows that nothing is being sent.
            match poll(&mut ready, timeout) {
                Ok(0) => return true,
                Ok(_) if self.0.accept().is_ok_and(|(caller, _)| owner(&caller).is_ok_and(is_one_of_us)) => {
                    return false;
                }
                // A stranger, who may knock again at once.
                _ => {}
            }
            if Instant::now() >= end {
                return true;
            }
        }
    }
}

/// Waits until nothing is sent any more on the strength of a look at `link` before this call. To be called
/// when `ip` is gone from there.
pub(crate) fn await_silence(link: &Link, ip: VirtualIp) {
    let end = Instant::now() + PATIENCE;
    for name in names(link, ip) {
        let door = match knock(&name, link, ip) {
            Ok(Found::Announcer(door)) => door,
            Ok(Found::Nobody | Found::Stranger) => continue,
            Err(error) => {
                log::warn!("the process that announces {ip} cannot be asked: {error}");
                continue;
            }
        };
        let mut ready = [PollFd::new(door.as_fd(), PollFlags::POLLIN)];
        let left = end.saturating_duration_since(Instant::now());
        let timeout = PollTimeout::try_from(left).unwrap_or(PollTimeout::MAX);
        if poll(&mut ready, timeout) == Ok(0) {
            log::warn!("the process that announces {ip} does not answer; it ends when it finds {ip} gone");
        }
    }
}

/// Connects to the holder of a seat.
fn knock(name: &str, link: &Link, ip: VirtualIp) -> io::Result<Found> {
    let door = socket(AddressFamily::Unix, SockType::Stream, SockFlag::SOCK_CLOEXEC, None)?;
    // The kernel lets those who wait in turn, whatever a stranger does.
    setsockopt(&door, SendTimeout, &TimeVal::milliseconds(QUEUE))?;
    let address = UnixAddr::new_abstract(name.as_bytes())?;
    match connect(door.as_raw_fd(), &address) {
        Err(Errno::ECONNREFUSED) => return Ok(Found::Nobody),
        Err(Errno::EAGAIN) => {
            log::warn!("others keep everybody from asking who announces {ip} on {link}");
            return Ok(Found::Stranger);
        }
        connected => connected?,
    }
    let owner = owner(&door)?;
    if !is_one_of_us(owner) {
        log::warn!("user {owner} pretends to announce {ip} on {link}; ignored");
        return Ok(Found::Stranger);
    }
    Ok(Found::Announcer(door))
}

/// The user at the other end.
fn owner(door: &impl AsFd) -> io::Result<u32> {
    Ok(getsockopt(door, PeerCredentials)?.uid())
}

fn is_one_of_us(user: u32) -> bool {
    user == 0 || user == geteuid().as_raw()
}

fn names(link: &Link, ip: VirtualIp) -> [String; 2] {
    let name = format!("mysql-mmm/announcer/{}/{ip}", link.index);
    let second = format!("{name}/second");
    [name, second]
}
