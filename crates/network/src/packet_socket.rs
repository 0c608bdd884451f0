//! Sending and receiving whole Ethernet frames: the one place of this crate that needs `unsafe`.
#![allow(unsafe_code)]

use std::io;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::ptr;
use std::time::Instant;

use nix::errno::Errno;
use nix::libc;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::socket::{
    AddressFamily, LinkAddr, MsgFlags, SockFlag, SockType, SockaddrLike, bind, recv, sendto, socket,
};

/// `AF_PACKET` and `ETH_P_ARP`, in the width in which `sockaddr_ll` holds them.
const FAMILY: u16 = 17;
const ARP: u16 = 0x0806;
/// More than any ARP frame needs.
const LONGEST: usize = 128;

/// A socket that sends frames, and receives none unless it was opened to listen.
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

    /// The same, receiving the ARP frames that reach the interface numbered `index`.
    pub(crate) fn listen(index: u32) -> io::Result<Self> {
        let socket = Self::open()?;
        bind(socket.0.as_raw_fd(), &destination(index, ARP)?)?;
        Ok(socket)
    }

    /// The next frame; `None` when there was none until `end`.
    pub(crate) fn receive(&self, end: Instant) -> io::Result<Option<Vec<u8>>> {
        loop {
            let left = end.saturating_duration_since(Instant::now());
            let mut ready = [PollFd::new(self.0.as_fd(), PollFlags::POLLIN)];
            if poll(&mut ready, PollTimeout::try_from(left).unwrap_or(PollTimeout::MAX))? == 0 {
                return Ok(None);
            }
            let mut frame = vec![0; LONGEST];
            match recv(self.0.as_raw_fd(), &mut frame, MsgFlags::empty()) {
                Ok(length) => {
                    frame.truncate(length);
                    return Ok(Some(frame));
                }
                Err(Errno::EAGAIN) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Sends `frame`, Ethernet header included, out of the interface numbered `index`.
    pub(crate) fn send(&self, index: u32, frame: &[u8]) -> io::Result<()> {
        let protocol =
            frame.get(12..14).and_then(|bytes| bytes.try_into().ok()).map_or(0, u16::from_be_bytes);
        let to = destination(index, protocol)?;
        let sent = sendto(self.0.as_raw_fd(), frame, &to, MsgFlags::empty())?;
        if sent == frame.len() { Ok(()) } else { Err(io::ErrorKind::WriteZero.into()) }
    }
}

/// The interface as the kernel wants it named; the frame itself carries the hardware addresses.
fn destination(index: u32, protocol: u16) -> io::Result<LinkAddr> {
    let raw = libc::sockaddr_ll {
        sll_family: FAMILY,
        sll_protocol: protocol.to_be(),
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
        let address = destination(7, ARP).unwrap();
        assert_eq!((address.ifindex(), address.protocol().to_be()), (7, 0x0806));
        assert!(destination(u32::MAX, ARP).is_err());
    }
}
