//! Sending whole Ethernet frames: the one place of this crate that needs `unsafe`.
#![allow(unsafe_code)]

use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::ptr;

use nix::libc;
use nix::sys::socket::{AddressFamily, LinkAddr, MsgFlags, SockFlag, SockType, SockaddrLike, sendto, socket};

/// `AF_PACKET` and `ETH_P_ARP`, in the width in which `sockaddr_ll` holds them.
const FAMILY: u16 = 17;
const PROTOCOL: u16 = 0x0806;

/// A socket that sends frames and receives none.
///
/// Closing the last descriptor of one takes the kernel milliseconds (it waits for every processor to have
/// seen it go), so a caller in a hurry passes it on.
#[derive(Debug)]
pub(crate) struct PacketSocket(OwnedFd);

impl From<OwnedFd> for PacketSocket {
    fn from(descriptor: OwnedFd) -> Self {
        Self(descriptor)
    }
}

impl From<PacketSocket> for OwnedFd {
    fn from(socket: PacketSocket) -> Self {
        socket.0
    }
}

impl PacketSocket {
    /// Needs `CAP_NET_RAW`.
    pub(crate) fn open() -> io::Result<Self> {
        // Protocol 0: nothing is ever delivered to it (packet(7)). Non-blocking: a jammed interface must not
        // hold up a failover.
        let flags = SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK;
        Ok(Self(socket(AddressFamily::Packet, SockType::Raw, flags, None)?))
    }

    /// Sends `frame`, Ethernet header included, out of the interface numbered `index`.
    pub(crate) fn send(&self, index: u32, frame: &[u8]) -> io::Result<()> {
        let sent = sendto(self.0.as_raw_fd(), frame, &destination(index)?, MsgFlags::empty())?;
        if sent == frame.len() { Ok(()) } else { Err(io::ErrorKind::WriteZero.into()) }
    }
}

/// The interface as the kernel wants it named; the frame itself carries the hardware addresses.
fn destination(index: u32) -> io::Result<LinkAddr> {
    let raw = libc::sockaddr_ll {
        sll_family: FAMILY,
        sll_protocol: PROTOCOL.to_be(),
        sll_ifindex: i32::try_from(index).map_err(io::Error::other)?,
        sll_hatype: 0,
        sll_pkttype: 0,
        sll_halen: 0,
        sll_addr: [0; 8],
    };
    // SAFETY: the pointer is to a whole, initialised sockaddr_ll that outlives the call; from_raw reads the
    // family, then copies exactly one sockaddr_ll, and keeps no pointer.
    let address = unsafe { LinkAddr::from_raw(ptr::from_ref(&raw).cast(), None) };
    address.ok_or_else(|| io::ErrorKind::InvalidInput.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_interface_is_named_by_its_number() {
        let address = destination(7).unwrap();
        assert_eq!((address.ifindex(), address.protocol().to_be()), (7, 0x0806));
        assert!(destination(u32::MAX).is_err());
    }
}
