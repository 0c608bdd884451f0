//! Farewell: refusing, for a while, what still comes for an address that this host has given up.
//!
//! Until another host has the address, no host answers for it: a client's SYN is lost and sent again a second later. A
//! process of its own answers TCP segments with a RST, so that clients retry at once. It listens before the address is
//! removed. So it also ends connections that were made in the last moment, whose clients would wait for a greeting.
//!
//! When the address comes back, the process refuses no connection that this host accepts. It looks for the address on
//! all interfaces after it has received frames and before it answers them, and ends if the address is there. What it
//! answers came before that look, so it was not accepted, or was given up with the address. However late such an answer
//! is sent, a newer connection ignores it: it acknowledges, or is numbered for, the old attempt (RFC 5961 section 3.2).

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io;
use std::os::fd::AsFd;
use std::time::{Duration, Instant};

use mmm_core::Budget;
use mmm_core::report::{self, Kind};
use mmm_core::settings::{LogSettings, Settings};
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

use crate::address::VirtualIp;
use crate::background;
use crate::error::{Mac, NetworkError};
use crate::interface::{Interface, Link};
use crate::netlink::Netlink;
use crate::packet_socket::PacketSocket;
use crate::seat::{self, Role, Seat, Turn};
use crate::segment::{self, Connection, Heard, Segment};

/// What the process is called with in place of the program's path; see [`crate::announcer`].
const TITLE: &str = "mmm-farewell";
/// The maximum time of one look at the interfaces, and the time between looks while nothing comes.
const LONGEST_LOOK: Duration = Duration::from_secs(5);
const LOOK: Duration = Duration::from_millis(100);
/// How long it stays once another host has the address, for clients that have not learned of it by then: the second
/// announcement comes after 200 ms. It refuses only their SYNs, and so no connection to the new host.
const LINGER: Duration = Duration::from_millis(250);
/// How long an announcement of this host itself may be on its way back.
const ECHO: Duration = Duration::from_millis(100);
/// The maximum number of frames between two looks.
const BATCH: usize = 1000;
/// The maximum number of answers at once, and in a second.
const BURST: f64 = 1000.0;
const RATE: f64 = 2000.0;

/// Everything that the process needs, prepared while the address is still there.
#[derive(Debug)]
pub struct Prepared {
    words: [OsString; 5],
    socket: PacketSocket,
    seat: Seat,
}

/// Begins to listen, so that nothing is lost that comes from now on; `None` if nobody would be answered.
pub fn prepare(link: &Link, ip: VirtualIp, settings: &Settings) -> Result<Option<Prepared>, NetworkError> {
    let (Some(time), Some(mac)) = (settings.network.farewell, link.mac) else { return Ok(None) };
    if !link.has_neighbours() {
        return Ok(None);
    }
    if report::is_dry_run() {
        let what = format_args!("refuse for {time:?} what still comes for {ip} on {link}");
        report::planned(None, Kind::Connection, what);
        return Ok(None);
    }
    let take = || Seat::take(Role::Farewell, link, ip).map_err(failed);
    let turn = match take()? {
        // A process that runs already belongs to an earlier call, and ends when it is asked.
        Turn::Another => {
            seat::await_silence(Role::Farewell, link, ip);
            take()?
        }
        turn => turn,
    };
    let seat = match turn {
        Turn::Ours(seat) => seat,
        Turn::Another => return Ok(None),
        Turn::Kept => {
            log::warn!(
                "other users have taken the sockets of the process that refuses what still comes for {ip} (see /proc/net/unix): \
                 clients that connect to it meanwhile retry only a second later"
            );
            return Ok(None);
        }
    };
    let open = |error| NetworkError::from_packets("refuse what still comes for the address", error);
    let socket = PacketSocket::listen_for(link.index, &segment::wanted(ip.ip(), mac)).map_err(open)?;
    Ok(Some(Prepared { words: words(link, ip, time, &settings.log), socket, seat }))
}

impl Prepared {
    /// Starts the process, now that the address is removed, and does not wait for it.
    pub fn begin(self) -> Result<(), NetworkError> {
        let what = format_args!("refuse what still comes for {}", self.words[2].display());
        report::change(None, Kind::Connection, what, || {
            background::start(TITLE, &self.words, self.socket, self.seat).map_err(failed)
        })
    }
}

/// Ends the process for `ip` on `link`, which holds it again. It would end by itself, but not at once.
pub fn end(link: &Link, ip: VirtualIp) {
    if !report::is_dry_run() {
        seat::await_silence(Role::Farewell, link, ip);
    }
}

/// What the process is called with: the interface, its number, the address, the time, and its journal.
fn words(link: &Link, ip: VirtualIp, time: Duration, log: &LogSettings) -> [OsString; 5] {
    [
        OsString::from(&link.name),
        link.index.to_string().into(),
        ip.to_string().into(),
        time.as_nanos().to_string().into(),
        log.to_word().into(),
    ]
}

/// The work of the process.
#[derive(Debug)]
pub struct Farewell {
    task: Task,
    socket: PacketSocket,
    seat: Seat,
}

/// What its command line says.
#[derive(Debug, PartialEq, Eq)]
struct Task {
    interface: Interface,
    index: u32,
    ip: VirtualIp,
    time: Duration,
    log: LogSettings,
}

/// Why it ended.
enum End {
    Time,
    Claimed(Mac),
    Back,
    Asked,
}

impl Farewell {
    /// What to do, if this process was started by [`Prepared::begin`]; it is detached from the caller first. To be
    /// called before anything opens a file.
    pub fn of_this_process() -> Option<Result<Self, NetworkError>> {
        let task = Task::read(std::env::args_os())?;
        let taken = background::take_over(c"mmm-farewell");
        Some(taken.map(|(socket, seat)| Self { task, socket, seat }).map_err(failed))
    }

    /// Where it keeps its journal.
    pub fn log(&self) -> &LogSettings {
        &self.task.log
    }

    /// Refuses what comes, until the time is over or the address has an owner.
    pub fn run(self) -> Result<(), NetworkError> {
        let Self { task, socket, seat } = self;
        let Task { ip, time, .. } = task;
        let began = Instant::now();
        let mut end = began + time;
        let mut owner = None;
        let mut allowance = Allowance { left: BURST, since: Instant::now() };
        let (mut answered, mut spared) = (0_u64, 0_u64);
        let why = loop {
            // The process that asks has added the address, or is about to start another process.
            if let Some(caller) = seat.caller() {
                drop(seat);
                drop(caller);
                break End::Asked;
            }
            let (heard, claim) = batch(&socket, &task, began)?;
            if is_here(ip)? {
                break End::Back;
            }
            let heard = heard.values().filter(|segment| owner.is_none() || segment.is_first());
            for refusal in heard.filter_map(Segment::refusal) {
                if !allowance.take(Instant::now()) {
                    spared += 1;
                    continue;
                }
                // A jammed or switched off interface is no reason to end: the next frame may get through.
                match socket.send(task.index, &refusal) {
                    Ok(()) => answered += 1,
                    Err(error) => log::debug!("a segment for {ip} was not refused: {error}"),
                }
            }
            let now = Instant::now();
            if owner.is_none() && claim.is_some() {
                owner = claim;
                end = end.min(now + LINGER);
            }
            if now >= end {
                break owner.map_or(End::Time, End::Claimed);
            }
            wait(&socket, &seat, (end - now).min(LOOK)).map_err(failed)?;
        };
        let why = match why {
            End::Time => "its time is over".into(),
            End::Claimed(mac) => format!("the host with the MAC address {mac} has it"),
            End::Back => "this host has it again".into(),
            End::Asked => "a helper of this host asked for it".into(),
        };
        log::info!(
            "{answered} segments for {ip} on {} refused, {spared} not answered; it ends: {why}",
            task.interface
        );
        Ok(())
    }
}

/// What has come since the last time, the last segment of each connection, until another host says that it has the
/// address; and that host.
fn batch(
    socket: &PacketSocket,
    task: &Task,
    began: Instant,
) -> Result<(BTreeMap<Connection, Segment>, Option<Mac>), NetworkError> {
    let mut heard = BTreeMap::new();
    for _ in 0..BATCH {
        let frame = match socket.receive(Instant::now()) {
            Ok(Some(frame)) => frame,
            Ok(None) => break,
            // Once, when the interface is switched off.
            Err(error) if error.raw_os_error() == Some(Errno::ENETDOWN as i32) => break,
            Err(error) => return Err(failed(error)),
        };
        match segment::read(&frame) {
            Some(Heard::Segment(segment)) => {
                heard.insert(segment.connection(), segment);
            }
            // Some switches send back this host's own announcement from before. Later, another host has the same MAC.
            Some(Heard::Claim(mac)) if began.elapsed() > ECHO || !is_ours(task, mac) => {
                return Ok((heard, Some(Mac(mac))));
            }
            _ => {}
        }
    }
    Ok((heard, None))
}

fn is_ours(task: &Task, mac: [u8; 6]) -> bool {
    let link = Netlink::open(Budget::start(Some(LONGEST_LOOK)))
        .and_then(|mut kernel| kernel.find_link(&task.interface));
    link.is_ok_and(|link| link.is_some_and(|link| link.mac == Some(mac)))
}

/// Whether this host answers for the address, on whatever interface.
fn is_here(ip: VirtualIp) -> Result<bool, NetworkError> {
    let mut kernel = Netlink::open(Budget::start(Some(LONGEST_LOOK)))?;
    Ok(!kernel.holders(ip)?.is_empty())
}

fn wait(socket: &PacketSocket, seat: &Seat, most: Duration) -> io::Result<()> {
    let mut ready =
        [PollFd::new(socket.as_fd(), PollFlags::POLLIN), PollFd::new(seat.as_fd(), PollFlags::POLLIN)];
    match poll(&mut ready, PollTimeout::try_from(most).unwrap_or(PollTimeout::MAX)) {
        Ok(_) | Err(Errno::EINTR) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// How many answers may be given, growing with time.
#[derive(Debug)]
struct Allowance {
    left: f64,
    since: Instant,
}

impl Allowance {
    fn take(&mut self, now: Instant) -> bool {
        let grown = now.saturating_duration_since(self.since).as_secs_f64() * RATE;
        *self = Self { left: (self.left + grown).min(BURST), since: now };
        let may = self.left >= 1.0;
        if may {
            self.left -= 1.0;
        }
        may
    }
}

impl Task {
    fn read(mut argv: impl Iterator<Item = OsString>) -> Option<Self> {
        if argv.next()? != TITLE {
            return None;
        }
        let mut word = || argv.next()?.into_string().ok();
        let interface = word()?.parse().ok()?;
        let index = word()?.parse().ok()?;
        let ip = word()?.parse().ok()?;
        let time = Duration::from_nanos(word()?.parse().ok()?);
        let log = LogSettings::from_word(&word()?)?;
        Some(Self { interface, index, ip, time, log })
    }
}

fn failed(source: io::Error) -> NetworkError {
    NetworkError::NotRefused { source }
}

#[cfg(test)]
mod tests;
