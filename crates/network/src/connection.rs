//! Standing TCP connections of this host: when did data last come over them?
//!
//! The kernel knows that of every connection, whichever program it belongs to (`sock_diag`, as `ss -ti` shows it), and tells
//! everybody in the same network namespace.

use std::fs;
use std::io;
use std::net::IpAddr;
use std::time::Duration;

use mmm_core::Budget;
use netlink_packet_core::{Emitable, NLM_F_DUMP, NlasIterator};
use netlink_sys::protocols::NETLINK_SOCK_DIAG;
use nix::libc::{AF_INET, AF_INET6, IPPROTO_TCP};

use crate::error::NetworkError;
use crate::netlink::Netlink;

/// Question and answer alike (`linux/sock_diag.h`).
const SOCK_DIAG_BY_FAMILY: u16 = 20;
/// The attribute that holds a `struct tcp_info` (`linux/inet_diag.h`).
const INET_DIAG_INFO: u16 = 2;
/// `TCP_ESTABLISHED`, as a bit.
const ESTABLISHED: u32 = 1 << 1;
/// Length of the answer's fixed part, `struct inet_diag_msg`.
const FIXED: usize = 72;

/// How long ago data last came from a server at one of `addresses` and `port`; `None` without a connection to it over
/// which any came. This process's own connections do not count.
///
/// One that a frozen server's kernel accepted has brought nothing yet, however young it is.
pub fn last_heard(addresses: &[IpAddr], port: u16, budget: Budget) -> Result<Option<Duration>, NetworkError> {
    let own = own_sockets();
    let ask = || -> io::Result<Option<Duration>> {
        let mut kernel = Netlink::to(NETLINK_SOCK_DIAG, budget)?;
        let mut heard = None;
        for family in [AF_INET, AF_INET6] {
            let question = Question { family: u8::try_from(family).unwrap_or_default(), port };
            kernel.ask(SOCK_DIAG_BY_FAMILY, NLM_F_DUMP, &[&question], &mut |kind, payload| {
                if kind != SOCK_DIAG_BY_FAMILY {
                    return;
                }
                let Some(connection) = Connection::read(payload) else { return };
                let is_meant = connection.port == port && addresses.contains(&connection.remote);
                if is_meant && connection.received > 0 && !own.contains(&connection.inode) {
                    heard = heard.into_iter().chain([connection.last]).min();
                }
            })?;
        }
        Ok(heard)
    };
    ask().map_err(|error| NetworkError::from_kernel("ask the kernel about its connections", error))
}

/// A `struct inet_diag_req_v2`: established connections to one port.
struct Question {
    family: u8,
    port: u16,
}

impl Emitable for Question {
    fn buffer_len(&self) -> usize {
        56
    }

    fn emit(&self, buffer: &mut [u8]) {
        buffer.fill(0);
        buffer[0] = self.family;
        buffer[1] = u8::try_from(IPPROTO_TCP).unwrap_or_default();
        buffer[2] = 1 << (INET_DIAG_INFO - 1);
        buffer[4..8].copy_from_slice(&ESTABLISHED.to_ne_bytes());
        buffer[10..12].copy_from_slice(&self.port.to_be_bytes());
    }
}

/// What is needed of one answer.
struct Connection {
    remote: IpAddr,
    port: u16,
    inode: u32,
    /// When data last came.
    last: Duration,
    /// Bytes of data that ever came.
    received: u64,
}

impl Connection {
    /// `None` where the kernel tells less than this, as Linux does before 4.1.
    fn read(payload: &[u8]) -> Option<Self> {
        let port = u16::from_be_bytes(payload.get(6..8)?.try_into().ok()?);
        let remote = match i32::from(*payload.first()?) {
            AF_INET => IpAddr::from(<[u8; 4]>::try_from(payload.get(24..28)?).ok()?),
            _ => IpAddr::from(<[u8; 16]>::try_from(payload.get(24..40)?).ok()?).to_canonical(),
        };
        let inode = u32::from_ne_bytes(payload.get(68..72)?.try_into().ok()?);
        let info =
            NlasIterator::new(payload.get(FIXED..)?).flatten().find(|nla| nla.kind() == INET_DIAG_INFO)?;
        // `tcpi_last_data_recv`, milliseconds, and `tcpi_bytes_received` (`linux/tcp.h`).
        let last = u32::from_ne_bytes(info.value().get(52..56)?.try_into().ok()?);
        let received = u64::from_ne_bytes(info.value().get(128..136)?.try_into().ok()?);
        Some(Self { remote, port, inode, last: Duration::from_millis(last.into()), received })
    }
}

/// The inodes of this process's sockets.
fn own_sockets() -> Vec<u32> {
    let files = fs::read_dir("/proc/self/fd").into_iter().flatten().flatten();
    let targets = files.filter_map(|file| fs::read_link(file.path()).ok());
    targets
        .filter_map(|target| target.to_str()?.strip_prefix("socket:[")?.strip_suffix(']')?.parse().ok())
        .collect()
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::TcpListener;
    use std::process::{Command, Stdio};
    use std::thread;

    use super::*;

    #[test]
    fn data_over_another_programs_connection_is_heard_and_an_empty_one_is_not() {
        let budget = Budget::start(Some(Duration::from_secs(10)));
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let heard = || last_heard(&["127.0.0.1".parse().unwrap()], port, budget).unwrap();
        assert_eq!(heard(), None, "nobody is connected");
        let mut program = Command::new("bash")
            .args(["-c", &format!("exec 3<>/dev/tcp/127.0.0.1/{port}; read -n 1 -u 3; echo; read -u 3")])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let (mut connection, _) = listener.accept().unwrap();
        assert_eq!(heard(), None, "nothing has come");
        connection.write_all(b"x").unwrap();
        program.stdout.as_mut().unwrap().read_exact(&mut [0]).unwrap();
        thread::sleep(Duration::from_millis(50));
        let ago = heard().unwrap();
        assert!((50..5000).contains(&ago.as_millis()), "{ago:?}");
        let elsewhere = last_heard(&["127.0.0.2".parse().unwrap()], port, budget).unwrap();
        assert_eq!(elsewhere, None, "another address");
        drop(connection);
        program.wait().unwrap();
    }

    #[test]
    fn ones_own_connections_are_not_heard() {
        let listener = TcpListener::bind("[::1]:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let mut stream = std::net::TcpStream::connect(("::1", port)).unwrap();
        listener.accept().unwrap().0.write_all(b"x").unwrap();
        stream.read_exact(&mut [0]).unwrap();
        let budget = Budget::start(Some(Duration::from_secs(10)));
        assert_eq!(last_heard(&["::1".parse().unwrap()], port, budget).unwrap(), None);
    }
}
