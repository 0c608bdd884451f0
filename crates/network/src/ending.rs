//! Ending the connections of an address, in a process of its own.
//!
//! The kernel ends a connection (`SOCK_DESTROY`) only under that connection's lock, and waits as long as a program has
//! the lock. A program that sends from a page on a dead disk has it for ever, and then the process that waits cannot
//! even be killed. So another process waits. It keeps none of the caller's descriptors, and is left behind if it takes
//! too long. To list connections takes no such lock.

use std::ffi::OsString;
use std::io::{self, Read, Write};
use std::net::IpAddr;
use std::os::fd::AsFd;
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use mmm_core::Budget;
use mmm_core::detached;
use mmm_core::report::{self, Kind};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

use crate::connection;
use crate::error::NetworkError;

/// What the process is called with in place of the program's path; see [`crate::announcer`].
const TITLE: &str = "mmm-ending";
/// The maximum length of its answer.
const LONGEST: u64 = 64;

/// Ends every connection of this host from or to its own address `ip`, whichever program it belongs to, within `limit`;
/// tells how many. While the address is there, the other side hears of it at once (RST).
///
/// Programs that listen continue to listen.
pub fn end_all(ip: IpAddr, limit: Duration) -> Result<usize, NetworkError> {
    let begun = Instant::now();
    let found = connection::of(ip, Budget::start(Some(limit)))?.len();
    if found == 0 {
        return Ok(0);
    }
    let what = format!("end {found} connections of {ip}");
    let left = limit.saturating_sub(begun.elapsed());
    report::change(None, Kind::Connection, &what, || apart(ip, left))
        .map_err(|error| NetworkError::from_kernel(what, error))
}

/// Lets another process do it, and waits for that for `limit`.
fn apart(ip: IpAddr, limit: Duration) -> io::Result<usize> {
    // This very program, even if its file was replaced meanwhile.
    let mut child = Command::new("/proc/self/exe")
        .arg0(TITLE)
        .args([ip.to_string(), limit.as_millis().to_string()])
        .current_dir("/")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()?;
    let Some(answer) = child.stdout.take() else { return Err(io::ErrorKind::BrokenPipe.into()) };
    let mut ready = [PollFd::new(answer.as_fd(), PollFlags::POLLIN)];
    if poll(&mut ready, PollTimeout::try_from(limit).unwrap_or(PollTimeout::MAX))? == 0 {
        let reason =
            "the kernel waits for a program that is using one of them; they end later, by themselves";
        return Err(io::Error::new(io::ErrorKind::TimedOut, reason));
    }
    let mut said = String::new();
    answer.take(LONGEST).read_to_string(&mut said)?;
    // Its answer is complete.
    let _ = child.wait();
    match said.split_once(' ') {
        Some(("ended", count)) => count.parse().map_err(io::Error::other),
        Some(("error", code)) => {
            let error =
                code.parse().map_or_else(|_| io::Error::other("it failed"), io::Error::from_raw_os_error);
            Err(connection::explained(error))
        }
        _ => Err(io::Error::other("the process that does it ended without an answer")),
    }
}

/// The whole of that process, if this is it. To be called before anything opens a file.
pub fn of_this_process() -> Option<()> {
    let (ip, limit) = read(std::env::args_os())?;
    // Nobody reads an error of these: the waiting process gets no answer, and reports that.
    detached::cut_loose(c"mmm-ending").ok()?;
    let ended = connection::of(ip, Budget::start(Some(limit)))
        .map_err(|_| io::Error::other("not listed"))
        .and_then(|found| connection::destroy_all(&found, Budget::start(Some(limit))));
    let said = match ended {
        Ok(count) => format!("ended {count}"),
        Err(error) => format!("error {}", error.raw_os_error().unwrap_or(0)),
    };
    let _ = io::stdout().write_all(said.as_bytes()).and_then(|()| io::stdout().flush());
    Some(())
}

fn read(mut argv: impl Iterator<Item = OsString>) -> Option<(IpAddr, Duration)> {
    if argv.next()? != TITLE {
        return None;
    }
    let mut word = || argv.next()?.into_string().ok();
    Some((word()?.parse().ok()?, Duration::from_millis(word()?.parse().ok()?)))
}

#[cfg(test)]
mod tests;
