//! Sending and receiving whole Ethernet frames: the one place of this crate that needs `unsafe`.
#![allow(unsafe_code)]

use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::ptr;
use std::time::Instant;

use nix::errno::Errno;
use nix::libc;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::socket::{
    AddressFamily, LinkAddr, MsgFlags, SockFlag, SockType, SockaddrLike, bind, recv, sendto, setsockopt,
    socket,
    sockopt::{RcvBuf, RcvBufForce},
};

/// `AF_PACKET`, `ETH_P_ARP` and `ETH_P_ALL`, in the width in which `sockaddr_ll` holds them.
const FAMILY: u16 = 17;
const ARP: u16 = 0x0806;
const ALL: u16 = 3;
/// More than any ARP frame needs, and than all headers up to those of TCP without their options.
const LONGEST: usize = 128;
/// Memory for frames that were not received yet, enough for some thousand.
const QUEUE: usize = 4 << 20;
/// Instructions of the kernel's packet filter (`linux/bpf_common.h`).
const LOAD_WORD: u16 = 0x20;
const LOAD_HALF: u16 = 0x28;
const LOAD_BYTE: u16 = 0x30;
const JUMP_IF_EQUAL: u16 = 0x15;
const RETURN: u16 = 0x06;

/// Not an offset in the frame, but whether it came with a VLAN's tag (`SKF_AD_OFF + SKF_AD_VLAN_TAG_PRESENT`,
/// `linux/filter.h`).
pub(crate) const IS_TAGGED: u32 = 0xffff_f030;

/// What a field of a frame has to hold.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Field {
    Byte(u32, u8),
    Half(u32, u16),
    Word(u32, u32),
}

/// A socket that sends frames, and receives none unless it was opened to listen.
///
/// Closing its last descriptor takes the kernel milliseconds, because it waits until every processor has noticed.
/// So a caller in a hurry passes the descriptor on.
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

impl AsFd for PacketSocket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
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

    /// The same, receiving those frames of the interface numbered `index` for which every field of one of `alternatives`
    /// holds.
    pub(crate) fn listen_for(index: u32, alternatives: &[Vec<Field>]) -> io::Result<Self> {
        let socket = Self::open()?;
        // More than the system's limit needs CAP_NET_ADMIN.
        if setsockopt(&socket.0, RcvBufForce, &QUEUE).is_err() {
            let _ = setsockopt(&socket.0, RcvBuf, &QUEUE);
        }
        // Before the socket receives anything.
        attach(&socket.0, filter(alternatives))?;
        bind(socket.0.as_raw_fd(), &destination(index, ALL)?)?;
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

/// The program for the kernel's packet filter: the whole frame if one of `alternatives` holds, nothing else.
fn filter(alternatives: &[Vec<Field>]) -> Vec<libc::sock_filter> {
    let mut program = Vec::new();
    let step = |code, jf, k| libc::sock_filter { code, jt: 0, jf, k };
    for fields in alternatives {
        for (place, field) in fields.iter().enumerate() {
            let (load, offset, value) = match *field {
                Field::Byte(offset, value) => (LOAD_BYTE, offset, value.into()),
                Field::Half(offset, value) => (LOAD_HALF, offset, value.into()),
                Field::Word(offset, value) => (LOAD_WORD, offset, value),
            };
            program.push(step(load, 0, offset));
            // Past the other fields and what follows them.
            let behind = u8::try_from(2 * (fields.len() - place - 1) + 1).unwrap_or(u8::MAX);
            program.push(step(JUMP_IF_EQUAL, behind, value));
        }
        program.push(step(RETURN, 0, u32::MAX));
    }
    program.push(step(RETURN, 0, 0));
    program
}

fn attach(socket: &OwnedFd, mut program: Vec<libc::sock_filter>) -> io::Result<()> {
    let length = u16::try_from(program.len()).map_err(io::Error::other)?;
    let whole = libc::sock_fprog { len: length, filter: program.as_mut_ptr() };
    let size = libc::socklen_t::try_from(size_of_val(&whole)).map_err(io::Error::other)?;
    // SAFETY: the kernel reads one sock_fprog and the instructions that it points to, `len` of them, all of which outlive
    // the call; it copies them and keeps no pointer.
    let answer = unsafe {
        libc::setsockopt(
            socket.as_raw_fd(),
            libc::SOL_SOCKET,
            libc::SO_ATTACH_FILTER,
            ptr::from_ref(&whole).cast(),
            size,
        )
    };
    Errno::result(answer)?;
    Ok(())
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
mod tests;
