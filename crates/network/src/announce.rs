//! Telling the network that an address lives here now: what is sent, and sending it once.
//!
//! An IPv4 address on Ethernet is announced by gratuitous ARP, as a request and as a reply, because some switches
//! and routers learn only from requests and some only from replies (docs/ADDRESSES.md). An IPv6 address is
//! announced by an unsolicited neighbour advertisement (RFC 4861 section 7.2.6).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::error::NetworkError;
use crate::interface::Link;
use crate::packet_socket::PacketSocket;

/// Bytes of an Ethernet header and an ARP packet for IPv4.
pub(crate) const ARP_FRAME: usize = 42;
pub(crate) const REQUEST: u16 = 1;
const REPLY: u16 = 2;
const BROADCAST: [u8; 6] = [0xff; 6];
/// The address of all IPv6 hosts of a link, and the Ethernet address to which frames for them go.
const ALL_NODES: Ipv6Addr = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 1);
const ALL_NODES_MAC: [u8; 6] = [0x33, 0x33, 0, 0, 0, 1];
/// The protocol's number, its message, and the hop limit that no message from another network can have.
pub(crate) const ICMPV6: u8 = 58;
pub(crate) const ADVERTISEMENT: u8 = 136;
const HOP_LIMIT: u8 = 255;
/// Flags: not solicited, and it overrides what the receiver knows already.
const OVERRIDE: [u8; 4] = [0x20, 0, 0, 0];

/// Sends every frame once; sends nothing if nobody would learn from it.
pub(crate) fn send(socket: &PacketSocket, link: &Link, ip: IpAddr) -> Result<(), NetworkError> {
    let Some(mac) = link.mac else { return Ok(()) };
    let frames = match ip {
        IpAddr::V4(ip) => {
            vec![arp(mac, ip, BROADCAST, ip, REQUEST).to_vec(), arp(mac, ip, BROADCAST, ip, REPLY).to_vec()]
        }
        IpAddr::V6(ip) => vec![advertisement(mac, ip)],
    };
    frames
        .iter()
        .try_for_each(|frame| socket.send(link.index, frame))
        .map_err(|error| NetworkError::from_packets("announce the address", error))
}

/// A broadcast ARP frame (RFC 826). An announcement is one in which an address speaks of itself to itself
/// (RFC 5944 section 4.6).
pub(crate) fn arp(
    mac: [u8; 6],
    sender: Ipv4Addr,
    target_mac: [u8; 6],
    target: Ipv4Addr,
    operation: u16,
) -> [u8; ARP_FRAME] {
    let mut frame = [0; ARP_FRAME];
    let fields: [&[u8]; 8] = [
        &BROADCAST,
        &mac,
        // ARP; then Ethernet, IPv4, and the lengths of their addresses.
        &[0x08, 0x06, 0x00, 0x01, 0x08, 0x00, 6, 4],
        &operation.to_be_bytes(),
        &mac,
        &sender.octets(),
        &target_mac,
        &target.octets(),
    ];
    for (place, byte) in frame.iter_mut().zip(fields.concat()) {
        *place = byte;
    }
    frame
}

/// An unsolicited neighbour advertisement of `ip` at `mac` to all nodes.
fn advertisement(mac: [u8; 6], ip: Ipv6Addr) -> Vec<u8> {
    // The sum is over the message with zero in its place; the option is "target link-layer address", 8 bytes.
    let body =
        |sum: [u8; 2]| [&[ADVERTISEMENT, 0][..], &sum, &OVERRIDE, &ip.octets(), &[2, 1], &mac].concat();
    let length = u8::try_from(body([0; 2]).len()).unwrap_or(u8::MAX);
    let pseudo = [&ip.octets()[..], &ALL_NODES.octets(), &[0, 0, 0, length, 0, 0, 0, ICMPV6]].concat();
    let sum = checksum(&[pseudo, body([0; 2])].concat());
    let header = [0x60, 0, 0, 0, 0, length, ICMPV6, HOP_LIMIT];
    [
        &ALL_NODES_MAC[..],
        &mac,
        &[0x86, 0xdd],
        &header,
        &ip.octets(),
        &ALL_NODES.octets(),
        &body(sum.to_be_bytes()),
    ]
    .concat()
}

/// The Internet checksum (RFC 1071).
pub(crate) fn checksum(bytes: &[u8]) -> u16 {
    let words = bytes.chunks(2).map(|pair| u32::from(pair[0]) << 8 | u32::from(*pair.get(1).unwrap_or(&0)));
    let mut sum: u32 = words.sum();
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    !u16::try_from(sum).unwrap_or(0)
}

#[cfg(test)]
mod tests;
