//! The seat of the process that announces an address on an interface, and of the one that says farewell for it. Each
//! has one process at a time, and the helper that ends the process can wait for its end.
//!
//! The seat is a socket with a name in the network namespace, so it ends with its process and needs no file. A
//! connection to it asks the process to check whether the address is still there. The process closes that connection
//! between two announcements, never within one.
//!
//! Any local user may take such a name, or connect to it. Only root and the caller's own user count, on either side. If
//! somebody else has taken the name, there is a second name. So at most two processes announce.

use std::fmt;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixListener, UnixStream};
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

/// The maximum time to wait for a process that announces. It needs well below a millisecond, or a few to start.
const PATIENCE: Duration = Duration::from_secs(1);
/// The same for the farewell, which is harmless if it is late (see [`crate::farewell`]).
const COURTESY: Duration = Duration::from_millis(50);
/// The maximum number of milliseconds to wait for a turn at a seat at which strangers queue.
const QUEUE: i64 = 100;
/// How often a seat is tried that was free, or not yet in use, at the moment of looking.
const TRIES: usize = 3;

/// What a process does that has a seat.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// It announces the address.
    Announcer,
    /// It refuses what still comes for the address.
    Farewell,
}

impl Role {
    fn infinitive(self) -> &'static str {
        if self == Self::Announcer { "announce" } else { "say farewell for" }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Announcer => "announces",
            Self::Farewell => "says farewell for",
        })
    }
}

/// The right to do so, as long as this exists here or in the process that got it.
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

/// The result of trying for a seat.
#[derive(Debug)]
pub(crate) enum Turn {
    /// It is ours.
    Ours(Seat),
    /// Another process does it.
    Another,
    /// Other users have every seat, or keep this call from asking who has it.
    Kept,
}

/// Who was found at a seat.
enum Found {
    Nobody,
    /// One of ours, and the connection to it, which ends when that process closes it.
    Announcer(OwnedFd),
    Stranger,
}

impl Seat {
    /// Tries for the right to do this for `ip` on `link`.
    pub(crate) fn take(role: Role, link: &Link, ip: VirtualIp) -> io::Result<Turn> {
        for name in names(role, link, ip) {
            for _ in 0..TRIES {
                match Self::bind(&name) {
                    Err(error) if error.kind() == io::ErrorKind::AddrInUse => {}
                    taken => return taken.map(Turn::Ours),
                }
                match knock(role, &name, link, ip)? {
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
            // Closed at once: the process that asked then knows that nothing is being sent.
            match poll(&mut ready, timeout) {
                Ok(0) => return true,
                Ok(_) if self.caller().is_some() => return false,
                // Another user's process, which may connect again at once.
                _ => {}
            }
            if Instant::now() >= end {
                return true;
            }
        }
    }

    /// A connection of somebody who may ask; to drop it is to answer.
    pub(crate) fn caller(&self) -> Option<UnixStream> {
        let (caller, _) = self.0.accept().ok()?;
        owner(&caller).is_ok_and(is_one_of_us).then_some(caller)
    }
}

impl AsFd for Seat {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

/// Waits until nothing is sent any more because of a look at `link` before this call. To be called when `ip` is no
/// longer there; for the farewell, which ends then, when `ip` is there again.
pub(crate) fn await_silence(role: Role, link: &Link, ip: VirtualIp) {
    let patience = if role == Role::Announcer { PATIENCE } else { COURTESY };
    let end = Instant::now() + patience;
    for name in names(role, link, ip) {
        let door = match knock(role, &name, link, ip) {
            Ok(Found::Announcer(door)) => door,
            Ok(Found::Nobody | Found::Stranger) => continue,
            Err(error) => {
                log::warn!("the process that {role} {ip} cannot be asked: {error}");
                continue;
            }
        };
        let mut ready = [PollFd::new(door.as_fd(), PollFlags::POLLIN)];
        let left = end.saturating_duration_since(Instant::now());
        let timeout = PollTimeout::try_from(left).unwrap_or(PollTimeout::MAX);
        if poll(&mut ready, timeout) == Ok(0) {
            let found = if role == Role::Announcer { "gone" } else { "there" };
            log::warn!("the process that {role} {ip} does not answer; it ends when it finds {ip} {found}");
        }
    }
}

/// Connects to the holder of a seat.
fn knock(role: Role, name: &str, link: &Link, ip: VirtualIp) -> io::Result<Found> {
    let door = socket(AddressFamily::Unix, SockType::Stream, SockFlag::SOCK_CLOEXEC, None)?;
    // The kernel lets those who wait in turn, whatever a stranger does.
    setsockopt(&door, SendTimeout, &TimeVal::milliseconds(QUEUE))?;
    let address = UnixAddr::new_abstract(name.as_bytes())?;
    match connect(door.as_raw_fd(), &address) {
        Err(Errno::ECONNREFUSED) => return Ok(Found::Nobody),
        Err(Errno::EAGAIN) => {
            log::warn!("other users keep this call from asking which process {role} {ip} on {link}");
            return Ok(Found::Stranger);
        }
        connected => connected?,
    }
    let owner = owner(&door)?;
    if !is_one_of_us(owner) {
        log::warn!("user {owner} pretends to {} {ip} on {link}; ignored", role.infinitive());
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

fn names(role: Role, link: &Link, ip: VirtualIp) -> [String; 2] {
    let role = if role == Role::Announcer { "announcer" } else { "farewell" };
    let name = format!("mysql-mmm/{role}/{}/{ip}", link.index);
    let second = format!("{name}/second");
    [name, second]
}
