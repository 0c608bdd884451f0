//! The bytes of netlink's messages: how a question is written, and how an answer is taken apart (netlink(7)).

use std::io;

use netlink_packet_core::{Emitable, ErrorBuffer, NLM_F_REQUEST, NetlinkBuffer, NetlinkHeader};

/// The messages of one answer, one behind the other; after one that cannot be read there are none.
pub(super) fn messages(answer: &[u8]) -> impl Iterator<Item = io::Result<NetlinkBuffer<&[u8]>>> {
    let mut rest = answer;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let message = NetlinkBuffer::new_checked(rest).map_err(io::Error::other);
        let length = message.as_ref().map_or(rest.len(), |message| message.length() as usize);
        rest = rest.get(length.next_multiple_of(4)..).unwrap_or_default();
        Some(message)
    })
}

/// What the end of an answer says: done, or the kernel's error.
pub(super) fn status(payload: &[u8]) -> io::Result<()> {
    // Linux may end a list with no number at all.
    let Ok(end) = ErrorBuffer::new_checked(payload) else { return Ok(()) };
    end.code().map_or(Ok(()), |code| Err(io::Error::from_raw_os_error(code.get().saturating_abs())))
}

/// One message: its header, and the parts behind it.
pub(super) fn compose(kind: u16, flags: u16, sequence: u32, parts: &[&dyn Emitable]) -> Vec<u8> {
    let mut header = NetlinkHeader::default();
    let length = header.buffer_len() + parts.iter().map(|part| part.buffer_len()).sum::<usize>();
    header.length = u32::try_from(length).unwrap_or(u32::MAX);
    header.message_type = kind;
    header.flags = NLM_F_REQUEST | flags;
    header.sequence_number = sequence;
    let mut bytes = vec![0; length];
    let mut rest = bytes.as_mut_slice();
    for part in std::iter::once(&(&header as &dyn Emitable)).chain(parts) {
        let (this, others) = rest.split_at_mut(part.buffer_len());
        part.emit(this);
        rest = others;
    }
    bytes
}

#[cfg(test)]
mod tests;
