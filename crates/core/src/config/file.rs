//! Reading a file that may hold passwords: refused when anybody may read or write it, never waited for.

use std::fs::{File, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::{FileTypeExt, MetadataExt, OpenOptionsExt};
use std::path::Path;

use crate::process;

/// The maximum number of bytes. A larger file is none that a person wrote, and would take the whole of a call.
const LARGEST: u64 = 16 << 20;

/// Why a file that could be opened is not read.
#[derive(Debug)]
pub(crate) enum Refusal {
    /// Mode bit 0002.
    WorldWritable,
    /// Mode bit 0004.
    WorldReadable,
    /// No regular file, but this.
    NotAFile(&'static str),
    /// More than [`LARGEST`] bytes.
    TooLarge,
    /// The system says no.
    Io(io::Error),
}

/// Opens a file for reading. A pipe without a writer is opened at once, as everything else is. On a mount that does not
/// answer this takes for ever, but it does not keep a process from ending.
pub(crate) fn open(path: &Path) -> io::Result<File> {
    process::probe(path);
    OpenOptions::new().read(true).custom_flags(nix::libc::O_NONBLOCK | nix::libc::O_NOCTTY).open(path)
}

/// Reads an open file after testing its type and its permissions. These are those of the file that was
/// opened, even if another file has that name by now.
pub(crate) fn read(file: &mut File) -> Result<Vec<u8>, Refusal> {
    let metadata = file.metadata().map_err(Refusal::Io)?;
    let kind = metadata.file_type();
    if kind.is_dir() {
        return Err(Refusal::NotAFile("a directory"));
    }
    if !kind.is_file() {
        return Err(Refusal::NotAFile(if kind.is_fifo() { "a pipe" } else { "a device" }));
    }
    // Tested in the order of the original: a file that is both is called writable.
    if metadata.mode() & 0o002 != 0 {
        return Err(Refusal::WorldWritable);
    }
    if metadata.mode() & 0o004 != 0 {
        return Err(Refusal::WorldReadable);
    }
    let mut text = Vec::with_capacity(usize::try_from(metadata.len()).unwrap_or_default().min(1 << 20) + 1);
    file.take(LARGEST + 1).read_to_end(&mut text).map_err(Refusal::Io)?;
    if text.len() as u64 > LARGEST { Err(Refusal::TooLarge) } else { Ok(text) }
}
