//! A process that continues after the caller's answer leaves the caller's session, and keeps nothing that the caller
//! has open: the agent waits until no process has the helper's stdout open any more.

use std::ffi::CStr;
use std::fs;
use std::io;

use nix::sys::prctl;
use nix::unistd;

/// Leaves the caller's session, and what the caller had open but stdin, stdout and stderr. `name` is what `ps` shows.
pub fn cut_loose(name: &CStr) -> io::Result<()> {
    // No failure of these matters: a new process leads no process group, and the name is only shown.
    let _ = unistd::setsid();
    let _ = prctl::set_name(name);
    close_inherited()
}

/// The agent leaves sockets open in its helpers.
fn close_inherited() -> io::Result<()> {
    let mut inherited = Vec::new();
    for entry in fs::read_dir("/proc/self/fd")? {
        if let Some(number) = entry?.file_name().to_str().and_then(|name| name.parse::<i32>().ok()) {
            inherited.push(number);
        }
    }
    for number in inherited.into_iter().filter(|number| *number > 2) {
        // The folder's own descriptor is closed by now.
        let _ = unistd::close(number);
    }
    Ok(())
}
