//! Announcing: the first time in the caller, then in a process of its own while the caller has its answer.
//!
//! The agent waits until no process has the helper's stdout open any more. So the process keeps none of the caller's
//! descriptors; it gets the socket to send through and the seat. It looks at the interface before each announcement
//! and ends as soon as the address is no longer there, so that an address that `clear_ip` removed is not announced.
//!
//! Its command line has everything that it needs of the settings. Their file may be on a mount that does not answer,
//! and a process that waited for it would keep the seat from the next one.

use std::ffi::OsString;
use std::io;
use std::time::{Duration, Instant};

use mmm_core::Budget;
use mmm_core::report::{self, Kind};
use mmm_core::settings::{Announce, LogSettings, Settings};

use crate::address::{Holding, VirtualIp};
use crate::announce;
use crate::background;
use crate::error::NetworkError;
use crate::interface::{Interface, Link};
use crate::netlink::Netlink;
use crate::packet_socket::PacketSocket;
use crate::seat::{self, Role, Seat, Turn};

/// The maximum time of one look at the interface.
const LONGEST_LOOK: Duration = Duration::from_secs(5);
/// How often the caller itself announces, at most, if no other process can.
const BURST: u32 = 5;
/// What the process is called with in place of the program's path. An agent always calls by path, so that no
/// argument of its own can start this.
const TITLE: &str = "mmm-announcer";

/// Announces `ip`, which `link` holds, and leaves the repetitions to a process of its own. Does nothing if
/// another process announces it already, or if nobody would learn from it.
pub fn announce(
    kernel: &mut Netlink,
    link: &Link,
    ip: VirtualIp,
    settings: &Settings,
) -> Result<(), NetworkError> {
    if !link.has_neighbours() || link.mac.is_none() {
        log::debug!("{ip} is not announced: nobody asks for addresses on interface {link}");
        return Ok(());
    }
    report::change(None, Kind::Address, format_args!("announce {ip} on {link}"), || {
        announce_now(kernel, link, ip, settings)
    })
}

fn announce_now(
    kernel: &mut Netlink,
    link: &Link,
    ip: VirtualIp,
    settings: &Settings,
) -> Result<(), NetworkError> {
    let plan = &settings.network.announce;
    let seat = match Seat::take(Role::Announcer, link, ip).map_err(failed)? {
        Turn::Ours(seat) => Some(seat),
        Turn::Another => {
            log::debug!("{ip} is being announced on {link} already");
            return Ok(());
        }
        Turn::Kept => None,
    };
    // Looked at again, now that the seat is ours: from here on, a call that removes the address waits for us.
    let held = kernel.find(link, ip)?.ok_or(NetworkError::Vanished)?;
    let open = |error| NetworkError::from_packets("announce the address", error);
    let socket = PacketSocket::open().map_err(open)?;
    tell(&socket, link, &held)?;
    match seat {
        Some(seat) if plan.count > 1 || plan.refresh.is_some() => {
            let name = OsString::from(&link.name);
            background::start(TITLE, &words(name, ip, settings), socket, seat).map_err(failed)?;
            log::debug!("a process continues to announce {ip} on {link}");
        }
        Some(_) => {}
        None => {
            log::warn!(
                "other users have taken the sockets of the process that announces (see /proc/net/unix): nothing continues to \
                 announce {ip} on {link}"
            );
            // Without the pauses: the caller waits.
            (1..plan.count.min(BURST)).try_for_each(|_| tell(&socket, link, &held))?;
        }
    }
    Ok(())
}

/// Removes `ip` from `link`; nothing announces it any more afterwards. False if it was not there. `removed` is called
/// as soon as it is not there.
pub fn withdraw(
    kernel: &mut Netlink,
    link: &Link,
    ip: VirtualIp,
    removed: impl FnOnce(),
) -> Result<bool, NetworkError> {
    let was_there = kernel.remove(link, ip)?;
    removed();
    if !report::is_dry_run() {
        seat::await_silence(Role::Announcer, link, ip);
    }
    Ok(was_there)
}

fn tell(socket: &PacketSocket, link: &Link, held: &Holding) -> Result<(), NetworkError> {
    // Before the kernel itself uses it, it may be another host's (RFC 4862 section 5.4).
    if held.is_tentative { Ok(()) } else { announce::send(socket, link, held.ip) }
}

/// What the announcing process is called with.
fn words(interface: OsString, ip: VirtualIp, settings: &Settings) -> [OsString; 6] {
    let Settings { log, network, .. } = settings;
    let plan = &network.announce;
    let time = |time: Duration| OsString::from(time.as_nanos().to_string());
    [
        interface,
        ip.to_string().into(),
        plan.count.to_string().into(),
        time(plan.interval),
        plan.refresh.map_or_else(|| "off".into(), time),
        log.to_word().into(),
    ]
}

/// The work of the announcing process.
#[derive(Debug)]
pub struct Announcer {
    task: Task,
    socket: PacketSocket,
    seat: Seat,
}

/// What its command line says.
#[derive(Debug, PartialEq, Eq)]
struct Task {
    interface: Interface,
    ip: VirtualIp,
    plan: Announce,
    log: LogSettings,
}

impl Announcer {
    /// What to announce, if this process was started by [`announce`]. It is detached from the caller first.
    /// To be called before anything opens a file.
    pub fn of_this_process() -> Option<Result<Self, NetworkError>> {
        let task = Task::read(std::env::args_os())?;
        let taken = background::take_over(c"mmm-announcer");
        Some(taken.map(|(socket, seat)| Self { task, socket, seat }).map_err(failed))
    }

    /// Where it keeps its journal.
    pub fn log(&self) -> &LogSettings {
        &self.task.log
    }

    /// Announces the address as planned while the interface holds it.
    pub fn run(self) -> Result<(), NetworkError> {
        let Task { ip, plan, .. } = &self.task;
        let repetitions = (1..plan.count).map(|_| plan.interval);
        for pause in repetitions.chain(plan.refresh.into_iter().cycle()) {
            let end = Instant::now() + pause;
            loop {
                let is_asked = !self.seat.rest(end);
                let Some((link, held)) = self.look()? else {
                    log::info!("{ip} is no longer on the interface, announcing ends");
                    return Ok(());
                };
                if is_asked && Instant::now() < end {
                    continue;
                }
                // A cable that is unplugged now may be back the next time.
                if let Err(error) = tell(&self.socket, &link, &held) {
                    log::warn!("{error}");
                }
                break;
            }
        }
        log::info!("{ip} announced {} more times", plan.count - 1);
        Ok(())
    }

    /// The interface as it is now, and the address, if it is there.
    fn look(&self) -> Result<Option<(Link, Holding)>, NetworkError> {
        let mut kernel = Netlink::open(Budget::start(Some(LONGEST_LOOK)))?;
        let Some(link) = kernel.find_link(&self.task.interface)? else { return Ok(None) };
        Ok(kernel.find(&link, self.task.ip)?.map(|held| (link, held)))
    }
}

impl Task {
    fn read(mut argv: impl Iterator<Item = OsString>) -> Option<Self> {
        if argv.next()? != TITLE {
            return None;
        }
        let mut word = || argv.next()?.into_string().ok();
        let time = |word: String| word.parse().ok().map(Duration::from_nanos);
        let interface = word()?.parse().ok()?;
        let ip = word()?.parse().ok()?;
        let (count, interval) = (word()?.parse().ok()?, time(word()?)?);
        let refresh = match word()? {
            off if off == "off" => None,
            word => Some(time(word)?),
        };
        let log = LogSettings::from_word(&word()?)?;
        Some(Self { interface, ip, plan: Announce { count, interval, refresh }, log })
    }
}

fn failed(source: io::Error) -> NetworkError {
    NetworkError::NotAnnounced { doing: "continue to announce in the background", source }
}

#[cfg(test)]
mod tests;
