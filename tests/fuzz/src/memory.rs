//! An input as an open file, without a disk.

use std::fs::File;
use std::io::{Seek, Write};
use std::os::fd::AsRawFd;
use std::path::PathBuf;

use nix::sys::memfd::{MFdFlags, memfd_create};

/// A file with these bytes, to be read from its beginning.
pub fn file(bytes: &[u8]) -> File {
    let mut file = File::from(memfd_create(c"fuzz", MFdFlags::MFD_CLOEXEC).expect("a file in memory"));
    file.write_all(bytes).expect("room");
    file.rewind().expect("a file in memory");
    file
}

/// A name by which this process can open the same file once more.
pub fn path(file: &File) -> PathBuf {
    format!("/proc/self/fd/{}", file.as_raw_fd()).into()
}
