//! Does another host have the address? Asked by ARP before an IPv4 address is added, and by the kernel
//! itself, after that, for an IPv6 address.

use std::io;
use std::net::{IpAddr, Ipv4Addr};
use std::time::{Duration, Instant};

use mmm_core::{Budget, report};

use crate::address::VirtualIp;
use crate::announce::{ARP_FRAME, REQUEST, arp};
use crate::error::{Mac, NetworkError};
use crate::interface::Link;
use crate::netlink::Netlink;
use crate::packet_socket::PacketSocket;

/// How often a probe asks, evenly spread over its time (RFC 5227 has three).
const QUESTIONS: u32 = 3;
const ASKING: &str = "ask whether another host has the address";
/// Pause between two looks at an address that the kernel is asking for.
const PAUSE: Duration = Duration::from_millis(10);

/// Asks for `time` whether a host on `link` has `ip`, and fails if one answers. Says nothing of IPv6, and of
/// interfaces where nobody is asked.
pub fn probe(link: &Link, ip: VirtualIp, time: Duration) -> Result<(), NetworkError> {
    let (IpAddr::V4(address), Some(mac), true) = (ip.ip(), link.mac, link.has_neighbours()) else {
        return Ok(());
    };
    match others(link, address, mac, time, 1).map(|owners| owners.first().copied()) {
        Ok(None) => Ok(()),
        Ok(Some(owner)) => Err(NetworkError::InUse { ip: ip.to_string(), owner }),
        Err(error) => Err(NetworkError::from_packets(ASKING, error)),
    }
}

/// Asks for all of `time` which other hosts on `link` have `ip`; `None` if nobody can be asked.
pub fn owners(link: &Link, ip: VirtualIp, time: Duration) -> Result<Option<Vec<Mac>>, NetworkError> {
    let (IpAddr::V4(address), Some(mac), true) = (ip.ip(), link.mac, link.has_neighbours()) else {
        return Ok(None);
    };
    let owners = others(link, address, mac, time, usize::MAX);
    owners.map(Some).map_err(|error| NetworkError::from_packets(ASKING, error))
}

/// The hardware addresses of other hosts that say they have `ip`, `most` of them.
fn others(link: &Link, ip: Ipv4Addr, mac: [u8; 6], time: Duration, most: usize) -> io::Result<Vec<Mac>> {
    let mut owners = Vec::new();
    let socket = PacketSocket::listen(link.index)?;
    // Sender 0.0.0.0, so that the question changes no host's table (RFC 5227 section 1.1).
    let question = arp(mac, Ipv4Addr::UNSPECIFIED, [0; 6], ip, REQUEST);
    let started = Instant::now();
    for asked in 1..=QUESTIONS {
        socket.send(link.index, &question)?;
        let end = started + time * asked / QUESTIONS;
        while let Some(frame) = socket.receive(end)? {
            let owner = claimed_by(&frame, ip).filter(|owner| *owner != mac).map(Mac);
            owners.extend(owner.filter(|owner| !owners.contains(owner)));
            if owners.len() >= most {
                return Ok(owners);
            }
        }
    }
    Ok(owners)
}

/// Who says in this ARP frame that `ip` is its own.
fn claimed_by(frame: &[u8], ip: Ipv4Addr) -> Option<[u8; 6]> {
    let frame = frame.get(..ARP_FRAME)?;
    let is_claim = frame[12..14] == [0x08, 0x06] && frame[28..32] == ip.octets();
    is_claim.then(|| frame[22..28].try_into().ok())?
}

/// How long the kernel may take until an address that it has works, and the pause between two looks.
const DELIVERY: Duration = Duration::from_millis(200);
const MOMENT: Duration = Duration::from_micros(200);

/// Waits, at most for `limit`, until `ip` on `link` can be used: the kernel uses an IPv6 address only when no
/// other host has answered to it.
pub fn await_detection(
    kernel: &mut Netlink,
    link: &Link,
    ip: VirtualIp,
    limit: Duration,
) -> Result<(), NetworkError> {
    if report::is_dry_run() {
        // It was not added.
        return Ok(());
    }
    let budget = Budget::start(Some(limit));
    loop {
        let held = kernel.find(link, ip)?.ok_or(NetworkError::Vanished)?;
        if held.is_duplicate {
            return Err(NetworkError::Duplicate);
        }
        if !held.is_tentative {
            await_delivery(kernel, link, ip, budget);
            return Ok(());
        }
        if !link.has_carrier() {
            log::warn!("{ip} on {link} is not asked for before there is a carrier");
            return Ok(());
        }
        if !budget.pause(PAUSE) {
            return Err(NetworkError::Undecided { device: link.name.clone(), limit });
        }
    }
}

/// Waits until the kernel delivers what comes for `ip`: a client that is told before loses its first packet, and
/// retries a second later. If that takes longer than some milliseconds, a rule of the site may prevent the delivery.
fn await_delivery(kernel: &mut Netlink, link: &Link, ip: VirtualIp, budget: Budget) {
    let budget = Budget::start(Some(budget.share(DELIVERY)));
    while ip.ip().is_ipv6() {
        match kernel.is_delivered(link, ip) {
            Ok(true) => return,
            Ok(false) if budget.pause(MOMENT) => {}
            Ok(false) => return log::warn!("the kernel does not deliver what comes for {ip} yet"),
            Err(error) => return log::warn!("{error}"),
        }
    }
}

#[cfg(test)]
mod tests;
