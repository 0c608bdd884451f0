//! The announcements after the first, sent by a process of its own while the caller has its answer already.
//!
//! The agent waits until nobody holds the helper's stdout any more, so the process holds none of the caller's
//! descriptors; its stdin is the socket to send through. It looks at the interface before each announcement
//! and ends as soon as the address is gone, so that an address that `clear_ip` took away is not announced.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};
use std::time::Duration;

use mmm_core::Budget;
use nix::sys::prctl;
use nix::unistd;

use crate::address::VirtualIp;
use crate::announce::Announcement;
use crate::error::NetworkError;
use crate::interface::{Interface, Link};
use crate::netlink::Netlink;
use crate::packet_socket::PacketSocket;

/// How often the address is announced after the first time, and the time between: together five times
/// within a second, as Pacemaker's `IPaddr2` does.
const REPETITIONS: u32 = 4;
const INTERVAL: Duration = Duration::from_millis(200);
/// When the process ends in any case.
const LONGEST_LIFE: Duration = Duration::from_secs(10);
/// What the process is called with in place of the program's path. An agent always calls by path, so that no
/// argument of its own can start this.
const TITLE: &str = "mmm-announcer";

/// The work of the announcing process.
#[derive(Debug)]
pub struct Announcer {
    task: Task,
    socket: PacketSocket,
}

/// What its command line says.
#[derive(Debug, PartialEq, Eq)]
struct Task {
    interface: Interface,
    ip: VirtualIp,
}

impl Announcer {
    /// Starts the announcing process for `ip` on `link` and does not wait for it.
    pub fn start(link: &Link, ip: VirtualIp, announcement: Announcement) -> Result<(), NetworkError> {
        // This very program, even if its file was replaced meanwhile.
        let child = Command::new("/proc/self/exe")
            .arg0(TITLE)
            .args([link.name.clone(), ip.to_string()])
            .current_dir("/")
            .stdin(OwnedFd::from(announcement.into_socket()))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .map_err(failed)?;
        log::debug!("process {} goes on announcing {ip} on {link}", child.id());
        Ok(())
    }

    /// What to announce, if this process was started by [`Announcer::start`]; it is cut loose from the
    /// caller first. To be called before anything opens a file.
    pub fn of_this_process() -> Option<Result<Self, NetworkError>> {
        let task = Task::read(std::env::args_os())?;
        // Neither can fail here in a way that matters: a new process leads no group, and names are cosmetic.
        let _ = unistd::setsid();
        let _ = prctl::set_name(c"mmm-announcer");
        let socket = close_inherited().and_then(|()| io::stdin().as_fd().try_clone_to_owned());
        Some(socket.map(|socket| Self { task, socket: socket.into() }).map_err(failed))
    }

    /// Announces the address while the interface holds it.
    pub fn run(self) -> Result<(), NetworkError> {
        let Task { interface, ip } = self.task;
        let budget = Budget::start(Some(LONGEST_LIFE));
        let mut kernel = Netlink::open(budget)?;
        let Some(link) = kernel.find_link(&interface)? else { return Ok(()) };
        let Some(announcement) = Announcement::through(self.socket, &link, ip) else { return Ok(()) };
        for _ in 0..REPETITIONS {
            budget.pause(INTERVAL);
            if !kernel.holds(&link, ip)? {
                log::info!("{ip} is gone from {link}, announcing ends");
                return Ok(());
            }
            announcement.send()?;
        }
        log::info!("{ip} announced on {link} {REPETITIONS} more times");
        Ok(())
    }
}

impl Task {
    fn read(mut argv: impl Iterator<Item = OsString>) -> Option<Self> {
        if argv.next()? != TITLE {
            return None;
        }
        let mut word = || argv.next()?.into_string().ok();
        let interface = word()?.parse().ok()?;
        let ip = word()?.parse().ok()?;
        Some(Self { interface, ip })
    }
}

fn failed(source: io::Error) -> NetworkError {
    NetworkError::NotAnnounced { doing: "go on announcing in the background", source }
}

/// Closes everything but stdin, stdout and stderr: the agent leaves sockets open in its helpers.
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

#[cfg(test)]
mod tests {
    use super::*;

    fn read(argv: &[&str]) -> Option<Task> {
        Task::read(argv.iter().map(OsString::from))
    }

    #[test]
    fn only_the_title_makes_an_announcer() {
        let task = read(&[TITLE, "eth0", "10.0.0.1"]).unwrap();
        assert_eq!((task.interface.device(), task.ip.to_string()), ("eth0", "10.0.0.1".into()));
        for argv in [
            &["/usr/lib/mysql-mmm/agent/configure_ip", TITLE, "eth0", "10.0.0.1"][..],
            &["/usr/lib/mysql-mmm/agent/configure_ip", "eth0", "10.0.0.1"],
            &[TITLE, "eth0"],
            &[TITLE, "eth0", "10.0.0.1;cmd"],
            &[],
        ] {
            assert_eq!(read(argv), None, "{argv:?}");
        }
    }
}
