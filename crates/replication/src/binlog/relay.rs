//! A relay log file of this host's server, from its disk.
//!
//! The server names the file and owns the folder, and the helper is root. So the helper must not read a file that the
//! server's own user could not read, nor wait for such a file.

use std::fs::File;
use std::io::{self, BufReader, ErrorKind, Read};
use std::path::Path;

use mmm_core::guard;
use nix::errno::Errno;
use nix::fcntl::{AT_FDCWD, OFlag, OpenHow, ResolveFlag, openat, openat2};
use nix::sys::stat;

use crate::binlog::event::{Event, kind, number};

/// What every log file begins with.
const MAGIC: [u8; 4] = *b"\xfebin";
const HEADER: usize = 19;
const CHECKSUM: usize = 4;
/// No server takes a longer event.
const LONGEST: usize = (1 << 30) + (1 << 20);

/// Reads the events of a relay log file, up to the offset `until` if there is one. An encrypted file is an error.
pub fn each_event(path: &Path, until: Option<u64>, see: impl FnMut(&Event)) -> io::Result<()> {
    let file = open(path)?;
    let length = file.metadata()?.len();
    each_of(BufReader::with_capacity(1 << 20, file), length, until, see)
}

/// The same of an open file of this length.
pub(crate) fn each_of(
    mut file: impl Read,
    length_of_file: u64,
    until: Option<u64>,
    mut see: impl FnMut(&Event),
) -> io::Result<()> {
    let until = until.unwrap_or(length_of_file);
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
        if size > LONGEST || end.saturating_add(size as u64) > length_of_file {
            let text = format!("an event at {end} is longer than the file, or than any can be");
            return Err(io::Error::new(ErrorKind::InvalidData, text));
        }
        body.resize(length, 0);
        file.read_exact(&mut body)?;
        end += size as u64;
        let kind = header[4];
        if kind == kind::FORMAT_DESCRIPTION {
            // The event itself says so, before its own checksum, which it always has.
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

/// Opens a regular file. Follows only links that belong to root.
fn open(path: &Path) -> io::Result<File> {
    let (Some(folder), Some(name)) = (path.parent(), path.file_name()) else {
        return Err(ErrorKind::InvalidInput.into());
    };
    let path = guard::without_links(folder)?.join(name);
    // Without it, a FIFO that nobody writes to would be waited for.
    let flags = OFlag::O_RDONLY | OFlag::O_NONBLOCK | OFlag::O_NOCTTY | OFlag::O_CLOEXEC | OFlag::O_NOFOLLOW;
    // If a link appears meanwhile, it is not followed.
    let how = OpenHow::new().flags(flags).resolve(ResolveFlag::RESOLVE_NO_SYMLINKS);
    let file = File::from(match openat2(AT_FDCWD, &path, how) {
        // Linux before 5.6, and containers that know no newer one.
        Err(Errno::ENOSYS | Errno::EPERM) => openat(AT_FDCWD, &path, flags, stat::Mode::empty())?,
        other => other?,
    });
    if !file.metadata()?.is_file() {
        return Err(io::Error::new(ErrorKind::InvalidInput, "it is no regular file"));
    }
    Ok(file)
}

#[cfg(test)]
mod tests;
