//! An address that a role moves, and the addresses that an interface holds.
//!
//! Addresses are compared as numbers: 10.0.0.1 is not 10.0.0.11, and the broadcast address or the other end
//! of a point-to-point link is not an address of this host.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use mmm_core::escape;
use netlink_packet_route::AddressFamily;
use netlink_packet_route::address::{AddressAttribute, AddressHeaderFlags, AddressMessage};
use nix::time::{ClockId, clock_gettime};

use crate::error::NetworkError;

/// How long an address is young, in hundredths of a second: an agent calls again after about three seconds,
/// and one that died is started again after ten.
const YOUNG: i64 = 1500;

/// The address of a role. Only addresses that one host alone can hold are accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct VirtualIp(IpAddr);

impl VirtualIp {
    /// The address itself.
    pub fn ip(self) -> IpAddr {
        self.0
    }

    /// The prefix length with which a role's address is added: it belongs to this host alone.
    pub fn host_prefix(self) -> u8 {
        if self.0.is_ipv4() { 32 } else { 128 }
    }

    pub(crate) fn family(self) -> AddressFamily {
        if self.0.is_ipv4() { AddressFamily::Inet } else { AddressFamily::Inet6 }
    }
}

impl FromStr for VirtualIp {
    type Err = NetworkError;

    /// The standard library's reading: four decimal numbers without leading zeros (`010.0.0.1` is 8.0.0.1 to
    /// some programs and 10.0.0.1 to others), or an IPv6 address without a zone.
    fn from_str(text: &str) -> Result<Self, NetworkError> {
        let refused = |reason| NetworkError::Address { given: escape::quoted(text), reason };
        let ip: IpAddr = text.parse().map_err(|_| {
            refused("neither IPv4 (four numbers from 0 to 255 without leading zeros) nor IPv6")
        })?;
        if ip.is_unspecified() {
            return Err(refused("it means 'no address'"));
        }
        if ip.is_multicast() || ip == IpAddr::from([255; 4]) {
            return Err(refused("it belongs to many hosts"));
        }
        if ip != ip.to_canonical() {
            return Err(refused("it is an IPv4 address written as IPv6; write the IPv4 address"));
        }
        Ok(Self(ip))
    }
}

impl fmt::Display for VirtualIp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// An address as an interface holds it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Holding {
    /// The host's own address.
    pub ip: IpAddr,
    /// Its prefix length.
    pub prefix: u8,
    /// The other end of a point-to-point address; elsewhere the address itself. The network that an IPv4
    /// address is filed under is this one's.
    pub(crate) peer: IpAddr,
    /// IPv4: another address of the same network came first. If that is removed, the kernel removes this one, too.
    pub(crate) is_secondary: bool,
    /// IPv6: the kernel does not use it yet, duplicate address detection runs or waits for the cable.
    pub is_tentative: bool,
    /// IPv6: the kernel will not use it, another host has it.
    pub is_duplicate: bool,
    /// When it was added, in hundredths of a second since the machine was started.
    created: Option<u32>,
}

impl Holding {
    /// Reads the kernel's description; `None` if it names no address.
    pub(crate) fn read(message: &AddressMessage) -> Option<Self> {
        let mut local = None;
        let mut address = None;
        let mut created = None;
        for attribute in &message.attributes {
            match attribute {
                AddressAttribute::Local(ip) => local = Some(*ip),
                AddressAttribute::Address(ip) => address = Some(*ip),
                AddressAttribute::CacheInfo(times) => created = Some(times.cstamp),
                _ => {}
            }
        }
        // rtnetlink(7): IFA_ADDRESS is the peer's if there is a peer. IPv6 without one has no IFA_LOCAL.
        let ip = local.or(address)?;
        let has = |flag| message.header.flags.contains(flag);
        Some(Self {
            ip,
            prefix: message.header.prefix_len,
            peer: address.unwrap_or(ip),
            is_secondary: has(AddressHeaderFlags::Secondary),
            is_tentative: has(AddressHeaderFlags::Tentative),
            is_duplicate: has(AddressHeaderFlags::Dadfailed),
            created,
        })
    }

    /// True if it was added so recently that a killed call may have left its work undone.
    pub fn is_young(&self) -> bool {
        self.created.is_some_and(|created| is_young(created, now()))
    }

    /// True if the kernel drops `other` together with this one, unless told to keep it.
    pub(crate) fn carries(&self, other: &Self) -> bool {
        !self.is_secondary
            && other.is_secondary
            && self.prefix == other.prefix
            && self.network() == other.network()
    }

    fn network(&self) -> Option<u32> {
        let IpAddr::V4(peer) = self.peer else { return None };
        let mask = u32::MAX.checked_shl(32_u32.saturating_sub(self.prefix.into())).unwrap_or(0);
        Some(peer.to_bits() & mask)
    }
}

impl fmt::Display for Holding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.ip, self.prefix)
    }
}

/// Hundredths of a second since the machine was started, by the clock that dates addresses.
fn now() -> u32 {
    let Ok(now) = clock_gettime(ClockId::CLOCK_MONOTONIC) else { return 0 };
    // Cut off as the kernel cuts it off: it starts again from 0 every 497 days.
    u32::try_from((now.tv_sec() * 100 + now.tv_nsec() / 10_000_000) & i64::from(u32::MAX)).unwrap_or(0)
}

fn is_young(created: u32, now: u32) -> bool {
    // Below zero if the kernel's two clocks differ by a tick.
    i64::from(now.wrapping_sub(created).cast_signed()) < YOUNG
}

#[cfg(test)]
mod tests;
