//! A file that others read at any moment: they find what was there before, or all of what is there now.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;

/// Everybody may read it: a collector is no root.
const MODE: u32 = 0o644;

/// Puts `text` in the place of a file, by a file beside it that takes its name. On the disk it is one or the other.
pub fn replace(file: &Path, text: &[u8]) -> io::Result<()> {
    let name = file.file_name().ok_or_else(|| io::Error::from(io::ErrorKind::InvalidInput))?;
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut beside = OsString::from(".");
    beside.push(name);
    beside.push(format!(".{}.new", std::process::id()));
    let beside = folder.join(beside);
    // One process has one number: such a file is what a killed process of that number left.
    let _ = fs::remove_file(&beside);
    let written = write(&beside, text).and_then(|()| fs::rename(&beside, file));
    if written.is_err() {
        let _ = fs::remove_file(&beside);
        return written;
    }
    File::open(folder)?.sync_all()
}

/// A file that did not exist: nobody can have put a link there.
fn write(file: &Path, text: &[u8]) -> io::Result<()> {
    let mut new = OpenOptions::new().write(true).create_new(true).mode(MODE).open(file)?;
    new.set_permissions(fs::Permissions::from_mode(MODE))?;
    new.write_all(text)?;
    new.sync_all()
}
