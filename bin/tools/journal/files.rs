//! The journal's files: the one that is written to, and those that logrotate has put aside.

use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use flate2::read::MultiGzDecoder;
use jiff::Timestamp;

use super::line;

/// Of a longer line, no more than this is looked at.
const LONGEST_LINE: u64 = 64 * 1024;

/// The journal and what was rotated away from it, `.1`, `-20261122`, `.2.gz`, the oldest first.
pub fn find(journal: &Path) -> io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    if let (Some(folder), Some(name)) = (journal.parent(), journal.file_name().and_then(|name| name.to_str()))
    {
        let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            let is_older =
                entry.file_name().to_str().and_then(|other| other.strip_prefix(name)).is_some_and(is_rotated);
            if is_older {
                files.push(entry.path());
            }
        }
    }
    // Directly after a rotation there is none: the next call makes it.
    if files.is_empty() || journal.exists() {
        if File::open(journal)?.metadata()?.is_dir() {
            return Err(io::ErrorKind::IsADirectory.into());
        }
        files.push(journal.into());
    }
    files.sort_by_cached_key(|file| first_time(file));
    Ok(files)
}

fn is_rotated(suffix: &str) -> bool {
    let suffix = suffix.strip_suffix(".gz").unwrap_or(suffix);
    let digits = suffix.strip_prefix(['.', '-']).unwrap_or_default();
    !digits.is_empty() && digits.chars().all(|c| c.is_ascii_digit() || c == '-')
}

fn first_time(file: &Path) -> Option<Timestamp> {
    let mut reader = open(file).ok()?;
    let mut text = Vec::new();
    (0..100).find_map(|_| {
        read_line(&mut reader, &mut text).ok()?;
        Some(line::parse(&String::from_utf8_lossy(&text))?.at)
    })
}

/// Hands over each line of a file. An error ends it; what was before it has been handed over.
pub fn each_line<E: From<io::Error>>(
    file: &Path,
    mut work: impl FnMut(&str) -> Result<(), E>,
) -> Result<(), E> {
    let mut reader = open(file)?;
    let mut text = Vec::new();
    while read_line(&mut reader, &mut text)? {
        work(&String::from_utf8_lossy(&text))?;
    }
    Ok(())
}

fn open(file: &Path) -> io::Result<Box<dyn BufRead>> {
    let opened = File::open(file)?;
    if file.extension().is_some_and(|extension| extension == "gz") {
        return Ok(Box::new(BufReader::with_capacity(1 << 16, MultiGzDecoder::new(opened))));
    }
    Ok(Box::new(BufReader::with_capacity(1 << 16, opened)))
}

/// The next line, without its end; false if there is none.
fn read_line(reader: &mut dyn BufRead, text: &mut Vec<u8>) -> io::Result<bool> {
    text.clear();
    if Read::take(&mut *reader, LONGEST_LINE).read_until(b'\n', text)? == 0 {
        return Ok(false);
    }
    if text.last() == Some(&b'\n') {
        text.pop();
    } else if text.len() as u64 == LONGEST_LINE {
        reader.skip_until(b'\n')?;
    }
    Ok(true)
}

#[cfg(test)]
mod tests;
