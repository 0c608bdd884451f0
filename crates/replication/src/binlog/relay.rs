//! A relay log file of this host's server, from its disk.

use std::fs::File;
use std::io::{self, BufReader, ErrorKind, Read};
use std::path::Path;

use crate::binlog::event::{Event, kind, number};

/// What every log file begins with.
const MAGIC: [u8; 4] = *b"\xfebin";
const HEADER: usize = 19;
const CHECKSUM: usize = 4;

/// Reads the events of a relay log file, up to the offset `until` where there is one. An encrypted file is an error.
pub fn each_event(path: &Path, until: Option<u64>, mut see: impl FnMut(&Event)) -> io::Result<()> {
    let file = File::open(path)?;
    let until = until.map_or_else(|| file.metadata().map(|data| data.len()), Ok)?;
    let mut file = BufReader::with_capacity(1 << 20, file);
    let mut magic = MAGIC;
    file.read_exact(&mut magic)?;
    if magic != MAGIC {
        return Err(io::Error::new(ErrorKind::InvalidData, "it is no plain log file; is it encrypted?"));
    }
    let (mut end, mut has_checksums, mut body) = (MAGIC.len() as u64, false, Vec::new());
    while end < until {
        let mut header = [0; HEADER];
        file.read_exact(&mut header)?;
        let part = |from: usize, to: usize| number(&header[from..to]);
        let size = usize::try_from(part(9, 13)).unwrap_or(0);
        let length = size.checked_sub(HEADER).ok_or_else(|| io::Error::from(ErrorKind::InvalidData))?;
        body.resize(length, 0);
        file.read_exact(&mut body)?;
        end += size as u64;
        let kind = header[4];
        if kind == kind::FORMAT_DESCRIPTION {
            // It says so itself, before its own checksum, which it always has.
            has_checksums = length.checked_sub(CHECKSUM + 1).is_some_and(|at| body[at] == 1);
        }
        let plain = if has_checksums { length.saturating_sub(CHECKSUM) } else { length };
        see(&Event {
            time: u32::from_le_bytes([header[0], header[1], header[2], header[3]]),
            kind,
            server_id: u32::from_le_bytes([header[5], header[6], header[7], header[8]]),
            flags: u16::from_le_bytes([header[17], header[18]]),
            end,
            body: &body[..plain],
        });
    }
    Ok(())
}

#[cfg(test)]
#[path = "relay_tests.rs"]
mod tests;
