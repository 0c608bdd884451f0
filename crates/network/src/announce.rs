//! Telling the network that an address lives here now: what is sent, and sending it once.
//!
//! IPv4 over Ethernet is told by gratuitous ARP, as a request and as a reply, because some switches and
//! routers learn from the one only and some from the other only (failover.md D, "Packet").

use std::io;
use std::net::{IpAddr, Ipv4Addr};

use crate::address::VirtualIp;
use crate::error::NetworkError;
use crate::interface::Link;
use crate::packet_socket::PacketSocket;

/// Bytes of an Ethernet header and an ARP packet for IPv4.
const FRAME: usize = 42;
const BROADCAST: [u8; 6] = [0xff; 6];
const REQUEST: u16 = 1;
const REPLY: u16 = 2;

/// What makes the owner of an address known on one link, ready to be sent.
#[derive(Debug)]
pub struct Announcement {
    index: u32,
    frames: Vec<[u8; FRAME]>,
    socket: PacketSocket,
}

impl Announcement {
    /// Prepares the frames for `ip` on `link`; `None` where nobody there would learn from them.
    pub fn prepare(link: &Link, ip: VirtualIp) -> Result<Option<Self>, NetworkError> {
        let frames = compose(link, ip);
        if frames.is_empty() {
            return Ok(None);
        }
        Ok(Some(Self { index: link.index, frames, socket: PacketSocket::open().map_err(failed)? }))
    }

    /// The same with a socket that is open already; `None` as above.
    pub(crate) fn through(socket: PacketSocket, link: &Link, ip: VirtualIp) -> Option<Self> {
        let frames = compose(link, ip);
        (!frames.is_empty()).then_some(Self { index: link.index, frames, socket })
    }

    /// Sends every frame once.
    pub fn send(&self) -> Result<(), NetworkError> {
        self.frames.iter().try_for_each(|frame| self.socket.send(self.index, frame)).map_err(failed)
    }

    pub(crate) fn into_socket(self) -> PacketSocket {
        self.socket
    }
}

fn failed(source: io::Error) -> NetworkError {
    let doing = "announce the address";
    match source.kind() {
        io::ErrorKind::PermissionDenied => {
            NetworkError::NotPermitted { doing: doing.into(), capability: "CAP_NET_RAW", source }
        }
        _ => NetworkError::NotAnnounced { doing, source },
    }
}

/// The frames of one announcement; none where nobody would learn from them.
fn compose(link: &Link, ip: VirtualIp) -> Vec<[u8; FRAME]> {
    if !link.speaks_arp() {
        log::debug!("{ip} is not announced: interface {link} knows no ARP");
        return Vec::new();
    }
    match (link.mac, ip.ip()) {
        (Some(mac), IpAddr::V4(ip)) => vec![frame(mac, ip, REQUEST), frame(mac, ip, REPLY)],
        (None, IpAddr::V4(_)) => {
            log::debug!("{ip} is not announced: interface {link} has no Ethernet address");
            Vec::new()
        }
        // Neighbour advertisements belong here; they may be sent only once the kernel has found the address
        // to be unique.
        (_, IpAddr::V6(_)) => {
            log::debug!("{ip} is not announced: for IPv6 the kernel's own messages must do");
            Vec::new()
        }
    }
}

/// A broadcast ARP frame in which `ip` at `mac` speaks of itself to itself (RFC 826, RFC 5944 section 4.6).
fn frame(mac: [u8; 6], ip: Ipv4Addr, operation: u16) -> [u8; FRAME] {
    let mut frame = [0; FRAME];
    let fields: [&[u8]; 8] = [
        &BROADCAST,
        &mac,
        // ARP; then Ethernet, IPv4, and the lengths of their addresses.
        &[0x08, 0x06, 0x00, 0x01, 0x08, 0x00, 6, 4],
        &operation.to_be_bytes(),
        &mac,
        &ip.octets(),
        &BROADCAST,
        &ip.octets(),
    ];
    for (place, byte) in frame.iter_mut().zip(fields.concat()) {
        *place = byte;
    }
    frame
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_is_what_the_original_sends() {
        let mac = [0x02, 0, 0, 0, 0, 0x01];
        let frame = frame(mac, Ipv4Addr::new(10, 0, 0, 1), REPLY);
        let expected = [
            0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x02, 0, 0, 0, 0, 0x01, 0x08, 0x06, //
            0x00, 0x01, 0x08, 0x00, 6, 4, 0x00, 0x02, //
            0x02, 0, 0, 0, 0, 0x01, 10, 0, 0, 1, //
            0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 10, 0, 0, 1,
        ];
        assert_eq!(frame, expected);
    }
}
