//! What `tests/fuzz` feeds with bytes of its own. It is no interface for anybody else.

use std::io;
use std::net::IpAddr;
use std::time::Duration;

use nix::libc::RTM_NEWLINK;

use crate::address::Holding;
use crate::connection::{self, SOCK_DIAG_BY_FAMILY};
use crate::interface::Link;
use crate::netlink::{Answer, holding, take};

/// What an answer of the kernel holds, whatever was asked.
#[derive(Debug, Default)]
pub struct Heard {
    /// Interfaces.
    pub links: Vec<Link>,
    /// Addresses, with their interfaces' numbers.
    pub addresses: Vec<(u32, Holding)>,
    /// Connections: both addresses, the other side's port, when data last came, and how much ever came.
    pub connections: Vec<(IpAddr, IpAddr, u16, Duration, u64)>,
    /// How many messages it has.
    pub messages: usize,
    /// True if it ends here.
    pub is_over: bool,
}

/// Takes an answer apart, as it was received, to the question of this number.
pub fn hear(received: &[u8], sequence: u32) -> (Heard, io::Result<()>) {
    let (mut heard, mut answer) = (Heard::default(), Answer::default());
    let end = take(received, sequence, &mut answer, &mut |kind, payload| {
        heard.messages += 1;
        match kind {
            RTM_NEWLINK => heard.links.extend(Link::read(payload)),
            // Two sides of the kernel, which number their messages each by itself: this is an address or a connection.
            SOCK_DIAG_BY_FAMILY => {
                heard.addresses.extend(holding(payload));
                heard.connections.extend(connection::read(payload));
            }
            _ => {}
        }
    });
    heard.is_over = matches!(end, Ok(true));
    (heard, end.map(|_| ()))
}
