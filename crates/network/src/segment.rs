//! A TCP segment for an address that this host no longer has, and its refusal (RFC 9293 section 3.10.7.1).
//!
//! The checksum of a received segment is not checked: network cards and virtual cables leave it to the other end.

use std::net::IpAddr;

use crate::announce::{ADVERTISEMENT, ICMPV6, checksum};
use crate::packet_socket::{Field, IS_TAGGED};

/// Bytes of an Ethernet header, and of the headers behind it without options.
const ETHERNET: usize = 14;
const IPV4: usize = 20;
const IPV6: usize = 40;
const TCP: usize = 20;
/// What stands in an Ethernet header for them, and the protocol's number.
const TYPE_IPV4: u16 = 0x0800;
const TYPE_ARP: u16 = 0x0806;
const TYPE_IPV6: u16 = 0x86dd;
const PROTOCOL: u8 = 6;
/// Flags of a segment.
const FIN: u8 = 1;
const SYN: u8 = 2;
const RST: u8 = 4;
const ACK: u8 = 16;
/// Time to live, and hop limit, of an answer.
const TTL: u8 = 64;

type Hardware = [u8; 6];

/// What a frame that was let through says.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Heard {
    /// Somebody sent to the address.
    Segment(Segment),
    /// Another host says that it has the address.
    Claim(Hardware),
}

/// What has to be known of a segment to refuse it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Segment {
    hardware: [Hardware; 2],
    source: IpAddr,
    destination: IpAddr,
    /// The sender's port, and ours.
    ports: [u16; 2],
    sequence: u32,
    acknowledged: u32,
    flags: u8,
    /// Bytes of data.
    length: u32,
}

/// One connection, as long as the address stays the same: the other end.
pub(crate) type Connection = (IpAddr, [u16; 2]);

/// TCP frames for `ip` at `mac`, and frames in which a host says that it has `ip`.
pub(crate) fn wanted(ip: IpAddr, mac: Hardware) -> [Vec<Field>; 2] {
    let word = |bytes: &[u8]| bytes.iter().fold(0, |value, byte| value << 8 | u32::from(*byte));
    let half = |bytes: &[u8]| bytes.iter().fold(0, |value, byte| value << 8 | u16::from(*byte));
    let to_us = [Field::Word(0, word(&mac[..4])), Field::Half(4, half(&mac[4..]))];
    // The kernel has taken the tag from the frames of a VLAN, which are another network's.
    let of_this_network = [Field::Word(IS_TAGGED, 0)];
    let address = |offset| -> Vec<Field> {
        let bytes = match ip {
            IpAddr::V4(ip) => ip.octets().to_vec(),
            IpAddr::V6(ip) => ip.octets().to_vec(),
        };
        (offset..)
            .step_by(4)
            .zip(bytes.chunks(4))
            .map(|(offset, bytes)| Field::Word(offset, word(bytes)))
            .collect()
    };
    let [segment, claim] = match ip {
        IpAddr::V4(_) => [
            [vec![Field::Half(12, TYPE_IPV4), Field::Byte(23, PROTOCOL)], address(30)],
            [vec![Field::Half(12, TYPE_ARP)], address(28)],
        ],
        IpAddr::V6(_) => [
            [vec![Field::Half(12, TYPE_IPV6), Field::Byte(20, PROTOCOL)], address(38)],
            [
                vec![Field::Half(12, TYPE_IPV6), Field::Byte(20, ICMPV6), Field::Byte(54, ADVERTISEMENT)],
                address(62),
            ],
        ],
    };
    let before = of_this_network.to_vec();
    [[before.clone(), to_us.to_vec(), segment.concat()].concat(), [before, claim.concat()].concat()]
}

/// Reads a frame that [`wanted`] let through; `None` if it cannot or must not be answered.
pub(crate) fn read(frame: &[u8]) -> Option<Heard> {
    let to = frame.get(0..6)?.try_into().ok()?;
    let from: Hardware = frame.get(6..12)?.try_into().ok()?;
    let packet = frame.get(ETHERNET..)?;
    let half = |at: usize| Some(u16::from_be_bytes(packet.get(at..at + 2)?.try_into().ok()?));
    let (header, whole, source, destination): (usize, usize, IpAddr, IpAddr) =
        match u16::from_be_bytes(frame.get(12..14)?.try_into().ok()?) {
            TYPE_ARP => return Some(Heard::Claim(packet.get(8..14)?.try_into().ok()?)),
            TYPE_IPV4 => {
                // Of a fragment, the rest is not known; the bit before is "do not fragment".
                if half(6)? & 0x3fff != 0 {
                    return None;
                }
                let at = |at: usize| Some(<[u8; 4]>::try_from(packet.get(at..at + 4)?).ok()?.into());
                (usize::from(packet.first()? & 0xf) * 4, half(2)?.into(), at(12)?, at(16)?)
            }
            TYPE_IPV6 if *packet.get(6)? == ICMPV6 => return Some(Heard::Claim(from)),
            TYPE_IPV6 => {
                let at = |at: usize| Some(<[u8; 16]>::try_from(packet.get(at..at + 16)?).ok()?.into());
                (IPV6, IPV6 + usize::from(half(4)?), at(8)?, at(24)?)
            }
            _ => return None,
        };
    let is_one_host = !source.is_multicast() && !source.is_unspecified() && !source.is_loopback();
    if from[0] & 1 != 0 || !is_one_host || source == destination || source == IpAddr::from([255; 4]) {
        return None;
    }
    let word =
        |at: usize| Some(u32::from_be_bytes(packet.get(header + at..header + at + 4)?.try_into().ok()?));
    let data = header + usize::from(packet.get(header + 12)? >> 4) * 4;
    Some(Heard::Segment(Segment {
        hardware: [from, to],
        source,
        destination,
        ports: [half(header)?, half(header + 2)?],
        sequence: word(4)?,
        acknowledged: word(8)?,
        flags: *packet.get(header + 13)?,
        length: u32::try_from(whole.checked_sub(data)?).ok()?,
    }))
}

impl Segment {
    /// Which connection it belongs to.
    pub(crate) fn connection(&self) -> Connection {
        (self.source, self.ports)
    }

    /// True if it asks for a new connection.
    pub(crate) fn is_first(&self) -> bool {
        self.flags & (SYN | ACK) == SYN
    }

    /// The frame that refuses it; `None` for a refusal, which is not answered.
    pub(crate) fn refusal(&self) -> Option<Vec<u8>> {
        let has = |flag| self.flags & flag != 0;
        let (sequence, acknowledged, flags) = match (has(RST), has(ACK)) {
            (true, _) => return None,
            (_, true) => (self.acknowledged, 0, RST),
            _ => {
                let length = self.length.wrapping_add(has(SYN).into()).wrapping_add(has(FIN).into());
                (0, self.sequence.wrapping_add(length), RST | ACK)
            }
        };
        let [theirs, ours] = self.ports;
        let ports = [ours.to_be_bytes(), theirs.to_be_bytes()].concat();
        let tcp = |sum: [u8; 2]| {
            let numbers = [sequence.to_be_bytes(), acknowledged.to_be_bytes()].concat();
            [&ports[..], &numbers, &[5 << 4, flags, 0, 0], &sum, &[0, 0]].concat()
        };
        let (kind, header, addresses) = match (self.destination, self.source) {
            (IpAddr::V4(ours), IpAddr::V4(theirs)) => {
                let addresses = [ours.octets(), theirs.octets()].concat();
                let header = |sum: [u8; 2]| {
                    let length = [0, 40];
                    [&[0x45, 0], &length[..], &[0, 0, 0x40, 0, TTL, PROTOCOL], &sum, &addresses].concat()
                };
                debug_assert_eq!(header([0; 2]).len(), IPV4);
                (TYPE_IPV4, header(checksum(&header([0; 2])).to_be_bytes()), addresses)
            }
            (IpAddr::V6(ours), IpAddr::V6(theirs)) => {
                let addresses = [ours.octets(), theirs.octets()].concat();
                (TYPE_IPV6, [&[0x60, 0, 0, 0, 0, 20, PROTOCOL, TTL], &addresses[..]].concat(), addresses)
            }
            _ => return None,
        };
        // Both pseudo headers sum up to the same.
        let pseudo = [&addresses[..], &[0, PROTOCOL, 0, 20], &tcp([0; 2])].concat();
        debug_assert_eq!(tcp([0; 2]).len(), TCP);
        let sum = checksum(&pseudo).to_be_bytes();
        let [from, to] = self.hardware;
        Some([&from[..], &to, &kind.to_be_bytes(), &header, &tcp(sum)].concat())
    }
}

#[cfg(test)]
mod tests;
