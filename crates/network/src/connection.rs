//! TCP connections of this host: when did data last come over them, and which of them has nobody answered?
//!
//! The kernel knows this of every connection, whichever program it belongs to, and shows it to every process in the
//! same network namespace (`sock_diag`, as in `ss -ti`). A process with the right for it may have a connection ended
//! (`ss -K`).

use std::fmt;
use std::fs;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::path::Path;
use std::time::Duration;

use mmm_core::Budget;
use mmm_core::report::{self, Kind};
use netlink_packet_core::{Emitable, NLM_F_DUMP, NlasIterator};
use netlink_sys::protocols::NETLINK_SOCK_DIAG;
use nix::errno::Errno;
use nix::libc::{AF_INET, AF_INET6, IPPROTO_TCP};

use crate::error::NetworkError;
use crate::netlink::Netlink;

/// Question and answer alike (`linux/sock_diag.h`).
pub(crate) const SOCK_DIAG_BY_FAMILY: u16 = 20;
/// The message that ends a connection (`linux/sock_diag.h`, Linux 4.9 and later).
const SOCK_DESTROY: u16 = 21;
/// The attribute that holds a `struct tcp_info` (`linux/inet_diag.h`).
const INET_DIAG_INFO: u16 = 2;
/// States of a socket, as bits (`linux/tcp_states.h`).
const ESTABLISHED: u32 = 1 << 1;
const SYN_SENT: u32 = 1 << 2;
const CLOSE_WAIT: u32 = 1 << 8;
const LISTEN: u32 = 1 << 10;
/// Every state in which somebody may wait for the other side: these two, `FIN_WAIT1` and 2, `CLOSE_WAIT`, `LAST_ACK`, CLOSING.
const ANY_CONNECTION: u32 = ESTABLISHED | SYN_SENT | CLOSE_WAIT | 1 << 4 | 1 << 5 | 1 << 9 | 1 << 11;
/// Length of the answer's fixed part, `struct inet_diag_msg`.
const FIXED: usize = 72;
/// Length of a `struct inet_diag_sockid`: ports, addresses, interface, and the cookie that no other socket has.
const ID: usize = 48;

/// The maximum number of connections that are ended at once.
const AT_ONCE: usize = 64;

/// A socket by its family and its name there.
pub(crate) type Socket = (u8, [u8; ID]);

/// How long ago data last came from a server at one of `addresses` and `port` to the program that itself listens on
/// `listening` of this host; `None` if no connection of that program has brought data. Another program's connection may
/// be idle, so its silence says nothing about the server. This process's own connections do not count either.
///
/// A connection that a frozen server's kernel accepted has brought nothing yet, however young it is.
pub fn last_heard(
    listening: u16,
    addresses: &[IpAddr],
    port: u16,
    budget: Budget,
) -> Result<Option<Duration>, NetworkError> {
    let own = sockets_of(Path::new("/proc/self"));
    let mut heard = Vec::new();
    each(ESTABLISHED, [0, port], budget, &mut |connection| {
        let name = &connection.name;
        let is_meant = name.port == port && addresses.contains(&name.remote);
        if is_meant && connection.received > 0 && !own.contains(&name.inode) {
            heard.push((name.inode, connection.last));
        }
    })?;
    if heard.is_empty() {
        return Ok(None);
    }
    let of_listener = sockets_of_listener(listening, budget)?;
    Ok(heard.into_iter().filter(|(inode, _)| of_listener.contains(inode)).map(|(_, last)| last).min())
}

/// A connection that a program has asked for, and over which nothing has come yet: the other side has not accepted it,
/// or says nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    family: u8,
    id: [u8; ID],
    remote: SocketAddr,
    inode: u32,
}

impl fmt::Display for Attempt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the unanswered connection to {}", self.remote)
    }
}

/// The attempts of the program that itself listens on `listening` of this host to reach a server at one of `addresses`
/// and `port`. Attempts of other programs are left out, and so are those of a program that this process may not see.
pub fn attempts(
    listening: u16,
    addresses: &[IpAddr],
    port: u16,
    budget: Budget,
) -> Result<Vec<Attempt>, NetworkError> {
    let mut attempts = Vec::new();
    each(ESTABLISHED | SYN_SENT, [0, port], budget, &mut |connection| {
        let Named { family, id, remote, port: to, inode, .. } = connection.name;
        if to == port && addresses.contains(&remote) && connection.received == 0 {
            attempts.push(Attempt { family, id, remote: SocketAddr::new(remote, port), inode });
        }
    })?;
    if attempts.is_empty() {
        return Ok(attempts);
    }
    let of_listener = sockets_of_listener(listening, budget)?;
    attempts.retain(|attempt| of_listener.contains(&attempt.inode));
    Ok(attempts)
}

impl Attempt {
    /// Ends it: its program finds the connection broken. A connection that has ended by itself is no error.
    pub fn end(&self, budget: Budget) -> Result<(), NetworkError> {
        report::change(None, Kind::Connection, format_args!("end {self}"), || {
            destroy(&mut Netlink::to(NETLINK_SOCK_DIAG, budget)?, &[(self.family, self.id)])
        })
        .map_err(explained)
        .map(|_| ())
        .map_err(|error| NetworkError::from_kernel(format!("end {self}"), error))
    }
}

/// The connections of this host from or to its own address `ip` that somebody may wait for.
pub(crate) fn of(ip: IpAddr, budget: Budget) -> Result<Vec<Socket>, NetworkError> {
    let mut found = Vec::new();
    // Nothing is asked of the connections themselves: for that, the kernel would wait for each one's lock.
    dump(ANY_CONNECTION, [0, 0], 0, budget, &mut |payload| {
        if let Some(socket) = Named::read(payload).filter(|socket| socket.local == ip && socket.is_used()) {
            found.push((socket.family, socket.id));
        }
    })?;
    Ok(found)
}

/// Ends these connections and returns their number. Waits for programs that are using them, even beyond the budget.
pub(crate) fn destroy_all(sockets: &[Socket], budget: Budget) -> io::Result<usize> {
    let mut kernel = Netlink::to(NETLINK_SOCK_DIAG, budget)?;
    sockets.chunks(AT_ONCE).try_fold(0, |ended, some| Ok(ended + destroy(&mut kernel, some)?))
}

/// Ends these connections and returns their number. A connection that has ended by itself is no error, but not counted.
fn destroy(kernel: &mut Netlink, sockets: &[Socket]) -> io::Result<usize> {
    let questions: Vec<_> = sockets
        .iter()
        .map(|(family, id)| Question { family: *family, states: 0, attributes: 0, id: *id })
        .collect();
    let orders: Vec<&dyn Emitable> = questions.iter().map(|question| question as &dyn Emitable).collect();
    let mut ended = 0;
    for end in kernel.order(SOCK_DESTROY, &orders)? {
        match end.as_ref().map_err(|error| error.raw_os_error().map(Errno::from_raw)) {
            Ok(()) => ended += 1,
            Err(Some(Errno::ENOENT)) => {}
            Err(_) => end?,
        }
    }
    Ok(ended)
}

/// Why the kernel ends no connection, in words if the kernel gives only a number.
pub(crate) fn explained(error: io::Error) -> io::Error {
    if error.raw_os_error() == Some(Errno::EOPNOTSUPP as i32) {
        let reason = "it was built without CONFIG_INET_DIAG_DESTROY";
        return io::Error::new(io::ErrorKind::Unsupported, reason);
    }
    error
}

/// Shows `see` each TCP socket in one of these states; a port that is not 0, of this side or the other, is asked for.
fn each(
    states: u32,
    ports: [u16; 2],
    budget: Budget,
    see: &mut dyn FnMut(Connection),
) -> Result<(), NetworkError> {
    dump(states, ports, 1 << (INET_DIAG_INFO - 1), budget, &mut |payload| {
        if let Some(connection) = Connection::read(payload) {
            see(connection);
        }
    })
}

/// The same, as the kernel says it, with these attributes.
fn dump(
    states: u32,
    [local, remote]: [u16; 2],
    attributes: u8,
    budget: Budget,
    see: &mut dyn FnMut(&[u8]),
) -> Result<(), NetworkError> {
    let mut id = [0; ID];
    id[0..2].copy_from_slice(&local.to_be_bytes());
    id[2..4].copy_from_slice(&remote.to_be_bytes());
    let mut ask = || -> io::Result<()> {
        let mut kernel = Netlink::to(NETLINK_SOCK_DIAG, budget)?;
        for family in [AF_INET, AF_INET6] {
            let family = u8::try_from(family).unwrap_or_default();
            let question = Question { family, states, attributes, id };
            kernel.ask(SOCK_DIAG_BY_FAMILY, NLM_F_DUMP, &[&question], &mut |kind, payload| {
                if kind == SOCK_DIAG_BY_FAMILY {
                    see(payload);
                }
            })?;
        }
        Ok(())
    };
    ask().map_err(|error| NetworkError::from_kernel("ask the kernel about its connections", error))
}

/// A `struct inet_diag_req_v2`: which sockets, or which one.
struct Question {
    family: u8,
    states: u32,
    /// Which attributes of each are wanted beside the fixed part, as bits.
    attributes: u8,
    id: [u8; ID],
}

impl Emitable for Question {
    fn buffer_len(&self) -> usize {
        8 + ID
    }

    fn emit(&self, buffer: &mut [u8]) {
        buffer.fill(0);
        buffer[0] = self.family;
        buffer[1] = u8::try_from(IPPROTO_TCP).unwrap_or_default();
        buffer[2] = self.attributes;
        buffer[4..8].copy_from_slice(&self.states.to_ne_bytes());
        buffer[8..8 + ID].copy_from_slice(&self.id);
    }
}

/// What every answer says of a connection.
struct Named {
    family: u8,
    /// Its number in `linux/tcp_states.h`.
    state: u8,
    id: [u8; ID],
    local: IpAddr,
    remote: IpAddr,
    port: u16,
    /// 0 if no program has it.
    inode: u32,
}

impl Named {
    fn read(payload: &[u8]) -> Option<Self> {
        let (family, state) = (*payload.first()?, *payload.get(1)?);
        let id = payload.get(4..4 + ID)?.try_into().ok()?;
        let port = u16::from_be_bytes(payload.get(6..8)?.try_into().ok()?);
        let address = |bytes: &[u8]| match i32::from(family) {
            AF_INET => Some(IpAddr::from(<[u8; 4]>::try_from(bytes.get(..4)?).ok()?)),
            _ => Some(IpAddr::from(<[u8; 16]>::try_from(bytes).ok()?).to_canonical()),
        };
        let local = address(payload.get(8..24)?)?;
        let remote = address(payload.get(24..40)?)?;
        let inode = u32::from_ne_bytes(payload.get(68..72)?.try_into().ok()?);
        Some(Self { family, state, id, local, remote, port, inode })
    }

    /// False if its program has closed it. Nobody here waits for such a connection, and before Linux 6.11 an order to
    /// end it makes the kernel tell the other side nothing and keep it for ever. One that no program has accepted yet
    /// is used.
    fn is_used(&self) -> bool {
        self.inode != 0 || (ESTABLISHED | CLOSE_WAIT) & (1 << self.state.min(31)) != 0
    }
}

/// What is needed of one answer.
struct Connection {
    name: Named,
    /// When data last came.
    last: Duration,
    /// Bytes of data that ever came.
    received: u64,
}

impl Connection {
    /// `None` if the kernel says less than this, as Linux does before 4.1.
    fn read(payload: &[u8]) -> Option<Self> {
        let name = Named::read(payload)?;
        let info =
            NlasIterator::new(payload.get(FIXED..)?).flatten().find(|nla| nla.kind() == INET_DIAG_INFO)?;
        // `tcpi_last_data_recv`, milliseconds, and `tcpi_bytes_received` (`linux/tcp.h`).
        let last = u32::from_ne_bytes(info.value().get(52..56)?.try_into().ok()?);
        let received = u64::from_ne_bytes(info.value().get(128..136)?.try_into().ok()?);
        let last = Duration::from_millis(last.into());
        Some(Self { name, last, received })
    }
}

/// A connection as `fuzzed` wants it.
pub(crate) fn read(payload: &[u8]) -> Option<(IpAddr, IpAddr, u16, Duration, u64)> {
    let Connection { name, last, received } = Connection::read(payload)?;
    Some((name.local, name.remote, name.port, last, received))
}

/// The inodes of the sockets of every program that listens on this port of this host and lets us see them.
fn sockets_of_listener(port: u16, budget: Budget) -> Result<Vec<u32>, NetworkError> {
    let mut listeners = Vec::new();
    each(LISTEN, [port, 0], budget, &mut |listener| listeners.push(listener.name.inode))?;
    let processes = fs::read_dir("/proc").into_iter().flatten().flatten();
    let sockets = processes.map(|process| sockets_of(&process.path()));
    Ok(sockets.filter(|sockets| sockets.iter().any(|inode| listeners.contains(inode))).flatten().collect())
}

/// The inodes of a process's sockets, by its folder in /proc.
fn sockets_of(process: &Path) -> Vec<u32> {
    let files = fs::read_dir(process.join("fd")).into_iter().flatten().flatten();
    let targets = files.filter_map(|file| fs::read_link(file.path()).ok());
    targets
        .filter_map(|target| target.to_str()?.strip_prefix("socket:[")?.strip_suffix(']')?.parse().ok())
        .collect()
}

#[cfg(test)]
mod tests;
