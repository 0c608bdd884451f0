//! Questions to the kernel about interfaces and addresses, and the two changes: adding and removing one.
//!
//! One socket, one question at a time, every answer within the call's [`Budget`]. What an answer means for a
//! role is decided by the callers.

mod message;

use std::io;
use std::net::IpAddr;
use std::time::Duration;

use netlink_packet_core::{
    DefaultNla, Emitable, NLM_F_ACK, NLM_F_CREATE, NLM_F_DUMP, NLM_F_DUMP_INTR, NLM_F_EXCL, NLMSG_DONE,
    NLMSG_ERROR, NLMSG_NOOP, NLMSG_OVERRUN, Parseable,
};
use netlink_packet_route::address::{AddressAttribute, AddressHeaderFlags, AddressMessage};
use netlink_packet_route::link::LinkHeader;
use netlink_packet_route::route::{RouteAttribute, RouteMessage};
use netlink_sys::protocols::NETLINK_ROUTE;
use netlink_sys::{Socket, SocketAddr};
use nix::errno::Errno;
use nix::libc::{
    RTM_DELADDR, RTM_GETADDR, RTM_GETLINK, RTM_GETROUTE, RTM_NEWADDR, RTM_NEWLINK, RTM_NEWROUTE, RTN_LOCAL,
};
use nix::sys::socket::{setsockopt, sockopt::ReceiveTimeout};
use nix::sys::time::TimeVal;

use mmm_core::Budget;
use mmm_core::report::{self, Kind};

use crate::address::{Holding, VirtualIp};
use crate::capability;
use crate::error::{NetworkError, is_missing_device};
use crate::interface::{IFLA_IFNAME, Interface, Link};
use crate::promotion::Promotion;
use message::{compose, messages, status};

/// The kernel fills at most this much in one go, however much is asked for (netlink(7)).
const RECEIVE_BUFFER: usize = 32 * 1024;
/// The maximum time of one answer; the call's budget may be shorter.
const LONGEST_ANSWER: Duration = Duration::from_secs(5);
/// The same address can be held with several prefix lengths. If there are more than these, another program is adding
/// the address again as fast as it is removed.
const MOST_REMOVALS: u32 = 8;
/// Attribute of a link question (`linux/if_link.h`) and its value "no counters, please": summing up those of
/// IPv6 costs the kernel more than all the rest.
const IFLA_EXT_MASK: u16 = 29;
const RTEXT_FILTER_SKIP_STATS: u32 = 1 << 3;

/// A connection to the kernel's routing side.
#[derive(Debug)]
pub struct Netlink {
    socket: Socket,
    budget: Budget,
    sequence: u32,
}

impl Netlink {
    /// Opens the connection. Every later question shares what is left of `budget`.
    pub fn open(budget: Budget) -> Result<Self, NetworkError> {
        let kernel = Self::to(NETLINK_ROUTE, budget)
            .map_err(|error| NetworkError::from_kernel("ask the kernel about its interfaces", error))?;
        // The kernel then sends the asked interface's addresses only. Before Linux 4.20 it cannot; the answer
        // is filtered here in any case.
        let _ = kernel.socket.set_netlink_get_strict_chk(true);
        Ok(kernel)
    }

    /// A connection to one side of the kernel, by netlink's number for it.
    pub(crate) fn to(protocol: isize, budget: Budget) -> io::Result<Self> {
        let socket = Socket::new(protocol)?;
        // Connected to the kernel, the socket takes no messages from other programs.
        socket.connect(&SocketAddr::new(0, 0))?;
        Ok(Self { socket, budget, sequence: 0 })
    }

    /// Looks for an interface; `None` if this host has none of that name.
    pub fn find_link(&mut self, interface: &Interface) -> Result<Option<Link>, NetworkError> {
        let mut name = interface.device().as_bytes().to_vec();
        name.push(0);
        let attributes = [
            DefaultNla::new(IFLA_IFNAME, name),
            DefaultNla::new(IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS.to_ne_bytes().to_vec()),
        ];
        let mut link = None;
        let answer = self.ask(
            RTM_GETLINK,
            NLM_F_ACK,
            &[&LinkHeader::default(), &attributes.as_slice()],
            &mut |kind, payload| {
                if kind == RTM_NEWLINK {
                    link = Link::read(payload);
                }
            },
        );
        match answer {
            Ok(_) => Ok(link),
            Err(error) if is_missing_device(&error) => Ok(None),
            Err(error) => Err(NetworkError::from_kernel(format!("look for interface {interface}"), error)),
        }
    }

    /// The addresses of `link` that are of the family of `ip`.
    pub fn addresses(&mut self, link: &Link, ip: VirtualIp) -> Result<Vec<Holding>, NetworkError> {
        match self.list(link.index, ip) {
            Ok(held) => {
                Ok(held.into_iter().filter(|(index, _)| *index == link.index).map(|(_, held)| held).collect())
            }
            // The interface went away since it was looked up, and its addresses with it.
            Err(error) if is_missing_device(&error) => Ok(Vec::new()),
            Err(error) => Err(NetworkError::from_kernel(format!("list the addresses of {link}"), error)),
        }
    }

    /// The numbers of all interfaces that hold `ip`: this host answers for it on any interface, whichever holds it.
    pub fn holders(&mut self, ip: VirtualIp) -> Result<Vec<u32>, NetworkError> {
        let held = self
            .list(0, ip)
            .map_err(|error| NetworkError::from_kernel("list the addresses of this host", error))?;
        Ok(held.into_iter().filter(|(_, held)| held.ip == ip.ip()).map(|(index, _)| index).collect())
    }

    /// All addresses of the family of `ip`, of the interface numbered `index` alone if the kernel can; 0: of all.
    fn list(&mut self, index: u32, ip: VirtualIp) -> io::Result<Vec<(u32, Holding)>> {
        let mut question = AddressMessage::default();
        question.header.family = ip.family();
        question.header.index = index;
        loop {
            let mut held = Vec::new();
            let answer = self.ask(RTM_GETADDR, NLM_F_DUMP, &[&question], &mut |kind, payload| {
                if kind == RTM_NEWADDR {
                    held.extend(holding(payload));
                }
            })?;
            // Else addresses changed while they were listed, so one may be missing from the list.
            if answer == Answer::Whole {
                return Ok(held);
            }
        }
    }

    /// How `link` holds `ip`, with whatever prefix length; `None` if it does not.
    pub fn find(&mut self, link: &Link, ip: VirtualIp) -> Result<Option<Holding>, NetworkError> {
        Ok(self.addresses(link, ip)?.into_iter().find(|held| held.ip == ip.ip()))
    }

    /// True once what comes for `ip` is delivered to this host. For IPv6, that begins some time after the kernel has
    /// added the address (Linux 6.1: in a work queue, and the address is not tentative meanwhile).
    pub fn is_delivered(&mut self, link: &Link, ip: VirtualIp) -> Result<bool, NetworkError> {
        let mut question = RouteMessage::default();
        question.header.address_family = ip.family();
        question.header.destination_prefix_length = ip.host_prefix();
        // What comes in there: an interface may have tables of its own (VRF).
        question.attributes =
            vec![RouteAttribute::Destination(ip.ip().into()), RouteAttribute::Iif(link.index)];
        let mut is_local = false;
        let answer = self.ask(RTM_GETROUTE, NLM_F_ACK, &[&question], &mut |kind, payload| {
            // `rtm_type` in the fixed part, `struct rtmsg`.
            is_local |= kind == RTM_NEWROUTE && payload.get(7) == Some(&RTN_LOCAL);
        });
        let code = |error: &io::Error| error.raw_os_error().map(Errno::from_raw);
        match answer {
            Err(error) if !matches!(code(&error), Some(Errno::ENETUNREACH | Errno::EHOSTUNREACH)) => {
                Err(NetworkError::from_kernel(format!("ask how {ip} is reached"), error))
            }
            _ => Ok(is_local),
        }
    }

    /// Adds `ip` to `link`, as this host's own (/32, or /128). `detect`: an IPv6 address is used only after
    /// the kernel has asked the network for another owner.
    pub fn add(&mut self, link: &Link, ip: VirtualIp, detect: bool) -> Result<bool, NetworkError> {
        let mut message = describe(link, ip, ip.host_prefix(), ip.ip());
        if !detect && ip.ip().is_ipv6() {
            message.header.flags |= AddressHeaderFlags::Nodad;
        }
        let flags = NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL;
        if report::is_dry_run() {
            rehearse(format!("add {ip}/{} to {link}", ip.host_prefix()))?;
        }
        let what = format_args!("add {ip}/{} to {link}", ip.host_prefix());
        let added = report::change(None, Kind::Address, what, || {
            self.ask(RTM_NEWADDR, flags, &[&message], &mut |_, _| {})
        });
        match added {
            Err(error) if error.raw_os_error() == Some(Errno::EEXIST as i32) => {
                log::info!("another program added {ip} at the same moment");
                Ok(false)
            }
            Err(error) => {
                let doing = format!("add {ip}/{} to {link}", ip.host_prefix());
                // The kernel's word for IPv6 switched off; for a missing capability it is EPERM.
                if error.raw_os_error() == Some(Errno::EACCES as i32) {
                    return Err(NetworkError::NoIpv6 { doing, device: link.name.clone(), source: error });
                }
                Err(NetworkError::from_kernel(doing, error))
            }
            Ok(_) => Ok(true),
        }
    }

    /// Removes `ip` from `link`, with every prefix length, and nothing else; false if it was not there, or
    /// another program removed it at the same moment.
    pub fn remove(&mut self, link: &Link, ip: VirtualIp) -> Result<bool, NetworkError> {
        if report::is_dry_run() {
            let mut held = self.addresses(link, ip)?;
            held.retain(|held| held.ip == ip.ip());
            for held in &held {
                rehearse(format!("remove {held} from {link}"))?;
                report::planned(None, Kind::Address, format_args!("remove {held} from {link}"));
            }
            return Ok(!held.is_empty());
        }
        let mut was_removed = false;
        for _ in 0..MOST_REMOVALS {
            match self.remove_one(link, ip)? {
                None => return Ok(was_removed),
                Some(is_ours) => was_removed |= is_ours,
            }
        }
        Err(NetworkError::StillThere { ip: ip.to_string(), device: link.name.clone() })
    }

    /// `None` if it is not there; false if another program removed it at the same moment.
    fn remove_one(&mut self, link: &Link, ip: VirtualIp) -> Result<Option<bool>, NetworkError> {
        let held = self.addresses(link, ip)?;
        let Some(found) = held.iter().find(|held| held.ip == ip.ip()) else { return Ok(None) };
        let _promotion = if held.iter().any(|other| found.carries(other)) {
            let promotion = Promotion::ensure(&link.name, self.budget).map_err(|source| {
                NetworkError::WouldTakeOthers {
                    ip: ip.to_string(),
                    prefix: found.prefix,
                    device: link.name.clone(),
                    source,
                }
            })?;
            Some(promotion)
        } else {
            None
        };
        let message = describe(link, ip, found.prefix, found.peer);
        let what = format_args!("remove {found} from {link}");
        let removed = report::change(None, Kind::Address, what, || {
            self.ask(RTM_DELADDR, NLM_F_ACK, &[&message], &mut |_, _| {})
        });
        match removed {
            Err(error) if error.raw_os_error() == Some(Errno::EADDRNOTAVAIL as i32) => {
                log::info!("another program removed {found} at the same moment");
                Ok(Some(false))
            }
            Err(error) => Err(NetworkError::from_kernel(format!("remove {found} from {link}"), error)),
            Ok(_) => {
                log::info!("{found} removed from {link}");
                Ok(Some(true))
            }
        }
    }

    /// Sends one question and hands every part of the answer to `each`, until its end or the kernel's error.
    pub(crate) fn ask(
        &mut self,
        kind: u16,
        flags: u16,
        parts: &[&dyn Emitable],
        each: &mut dyn FnMut(u16, &[u8]),
    ) -> io::Result<Answer> {
        self.sequence += 1;
        self.socket.send(&compose(kind, flags, self.sequence, parts), 0)?;
        let mut answer = Answer::Whole;
        let mut buffer = Vec::with_capacity(RECEIVE_BUFFER);
        loop {
            self.receive(&mut buffer)?;
            if take(&buffer, self.sequence, &mut answer, each)? {
                return Ok(answer);
            }
        }
    }

    /// Sends many orders at once and returns the result of each, in their order. The kernel carries them out without a
    /// break, so no other program gets in between. Their answers must fit a socket's queue, so some dozens are
    /// possible.
    pub(crate) fn order(&mut self, kind: u16, orders: &[&dyn Emitable]) -> io::Result<Vec<io::Result<()>>> {
        let first = self.sequence + 1;
        let mut bytes = Vec::new();
        for order in orders {
            self.sequence += 1;
            bytes.extend(compose(kind, NLM_F_ACK, self.sequence, &[*order]));
        }
        self.socket.send(&bytes, 0)?;
        let mut ends = Vec::new();
        let mut buffer = Vec::with_capacity(RECEIVE_BUFFER);
        while ends.len() < orders.len() {
            self.receive(&mut buffer)?;
            for message in messages(&buffer) {
                let message = message?;
                if message.sequence_number() >= first && message.message_type() == NLMSG_ERROR {
                    ends.push(status(message.payload()));
                }
            }
        }
        Ok(ends)
    }

    fn receive(&self, buffer: &mut Vec<u8>) -> io::Result<()> {
        loop {
            let left = self.budget.share(LONGEST_ANSWER);
            // A limit below one microsecond would be none at all (socket(7), SO_RCVTIMEO).
            if left.as_micros() == 0 {
                return Err(io::ErrorKind::TimedOut.into());
            }
            let limit = TimeVal::new(left.as_secs().cast_signed(), i64::from(left.subsec_micros()));
            setsockopt(&self.socket, ReceiveTimeout, &limit)?;
            buffer.clear();
            match self.socket.recv(buffer, 0) {
                Ok(_) => return Ok(()),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    return Err(io::ErrorKind::TimedOut.into());
                }
                Err(error) => return Err(error),
            }
        }
    }
}

/// Hands every part of the answer to the question of this number to `each`; true if the answer ends here.
pub(crate) fn take(
    received: &[u8],
    sequence: u32,
    answer: &mut Answer,
    each: &mut dyn FnMut(u16, &[u8]),
) -> io::Result<bool> {
    for message in messages(received) {
        let message = message?;
        // The rest of an answer that was given up.
        if message.sequence_number() != sequence {
            continue;
        }
        if message.flags() & NLM_F_DUMP_INTR != 0 {
            *answer = Answer::Interrupted;
        }
        match message.message_type() {
            NLMSG_NOOP => {}
            NLMSG_OVERRUN => return Err(io::Error::other("the kernel's answer was cut off")),
            // Both carry zero or a negative error number.
            NLMSG_DONE | NLMSG_ERROR => return status(message.payload()).map(|()| true),
            kind => each(kind, message.payload()),
        }
    }
    Ok(false)
}

/// How the answer to a question ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Answer {
    #[default]
    Whole,
    /// What was being listed changed meanwhile.
    Interrupted,
}

/// An address with its interface's number; `None` if the kernel's message names none.
pub(crate) fn holding(payload: &[u8]) -> Option<(u32, Holding)> {
    let message = AddressMessage::parse(payload).ok()?;
    Some((message.header.index, Holding::read(&message)?))
}

/// The kernel's answer to a process that may not change addresses. A dry run never gets it.
fn rehearse(doing: String) -> Result<(), NetworkError> {
    if capability::has(capability::NET_ADMIN).unwrap_or(true) {
        return Ok(());
    }
    Err(NetworkError::from_kernel(doing, Errno::EPERM.into()))
}

fn describe(link: &Link, ip: VirtualIp, prefix: u8, peer: IpAddr) -> AddressMessage {
    let mut message = AddressMessage::default();
    message.header.family = ip.family();
    message.header.prefix_len = prefix;
    message.header.index = link.index;
    message.attributes = vec![AddressAttribute::Local(ip.ip()), AddressAttribute::Address(peer)];
    message
}

#[cfg(test)]
mod tests;
