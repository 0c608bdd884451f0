//! The events that a server sends of its log, one packet each.
//!
//! The client library copies each event, builds a new description of it and remembers what it says of tables. That
//! takes several times as long as the server needs to send the event. So a connection without TLS is read here, from
//! its socket. The library cannot hold a part of the answer by then: the server sends nothing before it is asked for
//! its log. Over TLS the library reads.

use std::fs::File;
use std::io::{self, ErrorKind, Read};
use std::os::fd::OwnedFd;

use mysql::binlog::BinlogVersion;
use mysql::binlog::events::{self, FormatDescriptionEvent};
use mysql::{BinlogStream, MySqlError};

use crate::binlog::event::{kind, number};
use crate::server::survive;

/// What every event has, in bytes.
const HEADER: usize = 19;
const CHECKSUM: usize = 4;
/// How much is read at once; a longer event is put together from several reads.
const BUFFER: usize = 256 << 10;
/// The length of a packet after which its event continues in the next packet.
const FULL: usize = 0xff_ffff;
/// How much of a long event is kept if nobody needs all of it.
const BEGINNING: usize = 4 << 10;

/// Where events come from.
pub enum Packets {
    /// From the connection's socket.
    Own(Box<Own>),
    /// From the client library, with the last event that it returned.
    Library(Box<BinlogStream>, Option<Box<events::Event>>),
}

/// An event as it was sent.
pub struct Sent<'p> {
    /// Seconds since 1970, where it was written first.
    pub time: u32,
    /// As [`kind`] numbers them.
    pub kind: u8,
    /// Who wrote it first.
    pub server_id: u32,
    /// Its length in its file.
    pub size: u32,
    /// The last 32 bits of the offset at which it ends there; 0 if the server does not say.
    pub told: u32,
    /// Header flags.
    pub flags: u16,
    /// What follows the header, without the checksum; of a long event perhaps only the beginning.
    pub body: &'p [u8],
    whole: Whole<'p>,
}

enum Whole<'p> {
    Bytes(&'p [u8], &'p FormatDescriptionEvent<'static>),
    Event(&'p events::Event),
}

impl Sent<'_> {
    /// The event as the client library has it.
    pub fn read(&self) -> io::Result<events::Event> {
        match &self.whole {
            Whole::Event(event) => Ok((*event).clone()),
            Whole::Bytes(bytes, format) if bytes.len() == self.size as usize => {
                parsed(|| events::Event::read(format, *bytes))
            }
            Whole::Bytes(..) => Err(io::Error::other("it was not kept as a whole")),
        }
    }
}

impl Packets {
    /// Reads from `socket`, that of `connection`, which has just asked for a log in the clear. Of events that are
    /// longer than some hundred kilobytes only the beginning is kept, unless they are wanted `whole`.
    pub fn own(connection: BinlogStream, socket: OwnedFd, whole: bool) -> Self {
        Self::Own(Box::new(Own::new(Some(connection), socket, whole)))
    }

    /// The next event; `None` at the log's end.
    pub fn next_event(&mut self) -> mysql::Result<Option<Sent<'_>>> {
        match self {
            Self::Own(own) => own.next_event(),
            Self::Library(stream, last) => {
                *last = survive(|| stream.next().transpose())?.map(Box::new);
                last.as_deref().map(of_library).transpose()
            }
        }
    }
}

fn of_library(event: &events::Event) -> mysql::Result<Sent<'_>> {
    let header = event.header();
    // The library takes it for one without a body.
    if (header.event_size() as usize) < HEADER {
        return Err(no_event().into());
    }
    Ok(Sent {
        time: header.timestamp(),
        kind: header.event_type_raw(),
        server_id: header.server_id(),
        size: header.event_size(),
        told: header.log_pos(),
        flags: header.flags_raw(),
        body: event.data(),
        whole: Whole::Event(event),
    })
}

/// What the client library makes of an event; a panic in it is the event's fault.
pub fn parsed<T>(read: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
    survive(|| Ok(read()?)).map_err(|_| no_event())
}

fn no_event() -> io::Error {
    io::Error::new(ErrorKind::InvalidData, "it sent what is no event of a log")
}

/// A connection's socket, read in large pieces.
pub struct Own {
    socket: File,
    /// Kept open as long as its socket is read.
    _connection: Option<BinlogStream>,
    buffer: Vec<u8>,
    /// The part of the buffer that was not seen yet.
    begin: usize,
    end: usize,
    /// An event that is longer than the buffer.
    long: Vec<u8>,
    /// As much as is kept of such an event.
    most: usize,
    format: FormatDescriptionEvent<'static>,
    has_checksums: bool,
}

impl Own {
    pub(crate) fn new(connection: Option<BinlogStream>, socket: OwnedFd, whole: bool) -> Self {
        Self {
            socket: File::from(socket),
            _connection: connection,
            buffer: vec![0; BUFFER],
            begin: 0,
            end: 0,
            long: Vec::new(),
            most: if whole { usize::MAX } else { BEGINNING },
            format: FormatDescriptionEvent::new(BinlogVersion::Version4),
            has_checksums: false,
        }
    }

    pub(crate) fn next_event(&mut self) -> mysql::Result<Option<Sent<'_>>> {
        let (is_long, range, length) = self.packet()?;
        let packet = if is_long { &self.long[range] } else { &self.buffer[range] };
        match packet.first() {
            Some(0) => {}
            // In the packet's old form: two bytes of warnings, two of the server's state.
            Some(0xfe) if length < 8 => return Ok(None),
            Some(0xff) => return Err(refusal(packet)),
            _ => return Err(no_event().into()),
        }
        let bytes = &packet[1..];
        let Some((head, body)) = bytes.split_at_checked(HEADER) else { return Err(no_event().into()) };
        let size = part(head, 9);
        if size as usize != length - 1 {
            return Err(no_event().into());
        }
        let kind = head[4];
        if kind == kind::FORMAT_DESCRIPTION {
            let event = survive(|| Ok(events::Event::read(&self.format, bytes)?))?;
            let format = survive(|| Ok(event.read_event::<FormatDescriptionEvent<'_>>()?.into_owned()))?;
            self.format = format.with_footer(event.footer());
            self.has_checksums = !matches!(
                event.footer().get_checksum_alg(),
                Ok(None | Some(mysql::binlog::BinlogChecksumAlg::BINLOG_CHECKSUM_ALG_OFF))
            );
        }
        let has_algorithm =
            kind == kind::FORMAT_DESCRIPTION && self.format.footer().get_checksum_alg() != Ok(None);
        let behind = match (has_algorithm, self.has_checksums) {
            // This event always has a checksum, and before it a byte that says how other events are summed.
            (true, _) => CHECKSUM + 1,
            (false, true) => CHECKSUM,
            (false, false) => 0,
        };
        // If an event was cut, its end is missing.
        let plain = (size as usize - HEADER).saturating_sub(behind).min(body.len());
        Ok(Some(Sent {
            time: part(head, 0),
            kind,
            server_id: part(head, 5),
            size,
            told: part(head, 13),
            flags: u16::from_le_bytes([head[17], head[18]]),
            body: &body[..plain],
            whole: Whole::Bytes(bytes, &self.format),
        }))
    }

    /// The next packet: whether it lies in `long`, where, and how long it was.
    fn packet(&mut self) -> io::Result<(bool, std::ops::Range<usize>, usize)> {
        const HEAD: usize = 4;
        self.need(HEAD)?;
        let mut length = self.length();
        if length < FULL && HEAD + length <= self.buffer.len() {
            self.need(HEAD + length)?;
            let begin = self.begin + HEAD;
            self.begin = begin + length;
            return Ok((false, begin..begin + length, length));
        }
        self.long.clear();
        let mut total = 0;
        loop {
            self.begin += HEAD;
            total += length;
            let mut left = length;
            while left > 0 {
                self.need(1)?;
                let here = left.min(self.end - self.begin);
                let kept = here.min(self.most.saturating_sub(self.long.len()));
                self.long.extend_from_slice(&self.buffer[self.begin..self.begin + kept]);
                self.begin += here;
                left -= here;
            }
            if length < FULL {
                return Ok((true, 0..self.long.len(), total));
            }
            self.need(HEAD)?;
            length = self.length();
        }
    }

    /// The length of the next packet. The packet's number follows it.
    fn length(&self) -> usize {
        usize::try_from(number(&self.buffer[self.begin..self.begin + 3])).unwrap_or(FULL)
    }

    /// Reads until so many bytes lie in the buffer, which has room for them.
    fn need(&mut self, count: usize) -> io::Result<()> {
        while self.end - self.begin < count {
            if self.begin == self.end {
                (self.begin, self.end) = (0, 0);
            } else if self.buffer.len() - self.begin < count {
                self.buffer.copy_within(self.begin..self.end, 0);
                (self.begin, self.end) = (0, self.end - self.begin);
            }
            match self.socket.read(&mut self.buffer[self.end..]) {
                Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
                Ok(count) => self.end += count,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

fn part(head: &[u8], from: usize) -> u32 {
    let mut bytes = [0; 4];
    bytes.copy_from_slice(&head[from..from + 4]);
    u32::from_le_bytes(bytes)
}

/// What the server says instead of an event: a number, `#`, five letters of a state, and words.
fn refusal(packet: &[u8]) -> mysql::Error {
    let Some((code, text)) = packet.get(1..).and_then(|rest| rest.split_at_checked(2)) else {
        return no_event().into();
    };
    let (state, message) = match text {
        [b'#', rest @ ..] if rest.len() >= 5 => rest.split_at(5),
        _ => (&b"HY000"[..], text),
    };
    let words = |bytes| String::from_utf8_lossy(bytes).into_owned();
    mysql::Error::MySqlError(MySqlError {
        code: u16::from_le_bytes([code[0], code[1]]),
        state: words(state),
        message: words(message),
    })
}

#[cfg(test)]
mod tests;
