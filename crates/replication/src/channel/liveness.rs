//! Is a source alive although it does not let us in?
//!
//! A log-in may fail although the source is alive: because of a packet filter, load, or a `mysql_deny_write` that ends
//! every session. The channel's own connection shows more: while its I/O thread is connected, and the source was heard
//! over that connection within the heartbeat period, the source is alive and may be taking writes.

use std::net::{IpAddr, SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use mmm_core::config::Host;
use mmm_core::{Budget, names, progress};
use mmm_network::connection;

use crate::channel::{self, silence};
use crate::error::Error;
use crate::position::BinlogPosition;
use crate::server::Server;
use crate::status::{Channel, IoThread};

/// How late a heartbeat may always come; it may also be late by a part of its period, if that is more. A server that is
/// too busy for a log-in also sends heartbeats late.
const LATENESS: Duration = Duration::from_secs(2);
const LATE_PART: u32 = 5;
/// How long one call watches the channel if the kernel does not show its connection.
const WATCH: Duration = Duration::from_secs(3);
/// How long the kernel may take to answer.
const KERNEL: Duration = Duration::from_millis(500);
/// How long an I/O thread may take to connect to a source that answers.
const CONNECTING: Duration = Duration::from_secs(1);
/// How long a kernel may take to accept a connection.
const ACCEPTING: Duration = Duration::from_secs(1);
const CONNECTING_SINCE: &str = "SELECT MIN(time) AS seconds FROM information_schema.processlist \
                                WHERE user = 'system user' AND state LIKE 'Connecting to %'";
/// The replication threads of a server.
const THREADS: &str = "SELECT id FROM information_schema.processlist \
                       WHERE user = 'system user' AND command <> 'Daemon' ORDER BY id";
/// How long it may take until the data that a killed server had left to its kernel has come and its connection has
/// ended.
const LAST_WORDS: Duration = Duration::from_secs(1);
/// Pause between two looks.
const PAUSE: Duration = Duration::from_millis(50);

/// A source that is alive.
#[derive(Clone, Copy, Debug)]
pub struct Sign {
    /// How long ago it was heard; if the kernel does not show its connection, for how long nothing was seen of it.
    pub heard: Duration,
    /// After how much silence it counts as dead.
    pub limit: Duration,
}

/// Connects as [`Server::connect`]. If a log-in breaks, and did not merely take too long, it is retried once: the
/// host's own `mysql_deny_write` may have ended it.
pub fn connect(host: &Host, most: Duration, budget: Budget) -> Result<Server, Error> {
    let started = Instant::now();
    match Server::connect(host, most, budget) {
        Err(error @ Error::Connect { answered: false, .. }) if started.elapsed() < budget.share(most) / 2 => {
            log::info!("{}: {error}; trying once more", host.name);
            Server::connect(host, most, budget)
        }
        result => result,
    }
}

/// Looks for a sign of life of a channel's source, `host`, that let nobody in. `None`: its I/O thread is not connected,
/// or has heard nothing for a heartbeat period, or for `silence` if that is shorter.
pub fn of_source(
    local: &mut Server,
    channel: &str,
    host: &Host,
    silence: Duration,
) -> Result<Option<Sign>, Error> {
    Ok(watched(local, channel, host, silence)?.0)
}

/// The same, and what the channel showed before it was watched, if the kernel does not show its connection.
pub fn watched(
    local: &mut Server,
    channel: &str,
    host: &Host,
    silence: Duration,
) -> Result<(Option<Sign>, Option<Shown>), Error> {
    let channel = channel::again(local, channel)?;
    if channel.io != IoThread::Yes {
        silence::forget(local.host(), host);
        return Ok((None, None));
    }
    let limit = silence_limit(local, &channel, silence)?;
    let (heard, before) = if let Some(ago) = last_heard(local, &channel, host)? {
        ((ago < limit).then_some(ago), None)
    } else {
        let before = Shown::of(local, &channel)?;
        (watch(local, &channel, &before, host, limit)?, Some(before))
    };
    log::debug!("{}: heard over its replication connection within {limit:.1?}: {heard:.1?}", host.name);
    Ok((heard.map(|heard| Sign { heard, limit }), before))
}

/// True if the I/O thread is connected, and the kernel shows that it has heard `host` within that time. Costs no watch.
pub fn is_heard(
    local: &mut Server,
    channel: &Channel,
    host: &Host,
    silence: Duration,
) -> Result<bool, Error> {
    if channel.io != IoThread::Yes {
        return Ok(false);
    }
    let limit = silence_limit(local, channel, silence)?;
    Ok(last_heard(local, channel, host)?.is_some_and(|ago| ago < limit))
}

/// What a channel shows of its source. It does not change while the source is silent.
#[derive(Debug, PartialEq, Eq)]
pub struct Shown {
    io: IoThread,
    fetched: Option<BinlogPosition>,
    heartbeats: String,
}

impl Shown {
    fn of(local: &mut Server, channel: &Channel) -> Result<Self, Error> {
        let heartbeats = heartbeats(local, channel)?;
        Ok(Self { io: channel.io, fetched: channel.fetched.clone(), heartbeats })
    }
}

/// True if the kernel does not show the channel's connection, and the channel still shows the same as `before`. A
/// source that was found silent then need not be watched again.
pub fn is_unchanged(local: &mut Server, channel: &str, host: &Host, before: &Shown) -> Result<bool, Error> {
    let now = channel::again(local, channel)?;
    Ok(last_heard(local, &now, host)?.is_none() && Shown::of(local, &now)? == *before)
}

/// As [`of_source`]. Waits if a silence that lasts would become certain before `patience` is over.
pub fn settled(
    local: &mut Server,
    channel: &str,
    host: &Host,
    silence: Duration,
    patience: Budget,
) -> Result<Option<Sign>, Error> {
    let _face = progress::waiting(format!("waiting to see whether {} is alive", host.name));
    let mut earlier: Option<Sign> = None;
    loop {
        let Some(sign) = of_source(local, channel, host, silence)? else { return Ok(None) };
        let missing = sign.limit.saturating_sub(sign.heard);
        let is_heard_again = earlier.is_some_and(|earlier| sign.heard < earlier.heard);
        if is_heard_again && is_cut_short(local, channel, patience)? {
            continue;
        }
        if is_heard_again || patience.share(missing) < missing || !patience.pause(missing.min(PAUSE)) {
            return Ok(Some(sign));
        }
        earlier = Some(sign);
    }
}

/// True if a source that was heard again after a silence sent only that data: its connection ends after it.
fn is_cut_short(local: &mut Server, channel: &str, patience: Budget) -> Result<bool, Error> {
    let end = Instant::now() + LAST_WORDS;
    loop {
        if channel::again(local, channel)?.io != IoThread::Yes {
            return Ok(true);
        }
        if Instant::now() >= end || !patience.pause(PAUSE) {
            return Ok(false);
        }
    }
}

/// True if an I/O thread was started and has neither been let in nor refused yet.
pub fn is_connecting(channel: &Channel) -> bool {
    channel.io == IoThread::Connecting && channel.io_error.is_none()
}

/// For how long an I/O thread has been connecting; if there are several, the one that began last. `None` if none is
/// connecting.
pub fn connecting_since(local: &mut Server) -> Result<Option<Duration>, Error> {
    let row = local.one(CONNECTING_SINCE)?;
    Ok(row.number("seconds").map(Duration::from_secs))
}

/// Waits a moment for such a thread. Returns the channel once the thread has been let in or refused, else `None`.
pub fn once_connected(local: &mut Server, channel: &Channel) -> Result<Option<Channel>, Error> {
    let end = Instant::now() + local.budget().share(CONNECTING);
    loop {
        let now = channel::again(local, &channel.name)?;
        if !is_connecting(&now) {
            return Ok(Some(now));
        }
        if Instant::now() >= end || !local.budget().pause(PAUSE) {
            return Ok(None);
        }
    }
}

/// True if a host accepts connections at its server's port, whether or not anybody is let in; and if its name has no
/// address at the moment, because then it may.
pub fn accepts(host: &Host, budget: Budget) -> bool {
    let Ok(addresses) = names::addresses(&host.ip, budget.share(names::PATIENCE)) else { return true };
    let most = budget.share(ACCEPTING) / u32::try_from(addresses.len()).unwrap_or(u32::MAX).max(1);
    let most = most.max(Duration::from_millis(1));
    let is_accepted =
        |ip: &IpAddr| TcpStream::connect_timeout(&SocketAddr::new(*ip, host.mysql_port), most).is_ok();
    addresses.iter().any(is_accepted)
}

/// For how long a host that lets nobody in, and from which `local` does not replicate, has accepted connections, as far
/// as this call and earlier ones have seen. `None`: it accepts none.
pub fn accepting_for(local: &str, host: &Host, budget: Budget) -> Option<Duration> {
    let began = silence::clock();
    if !accepts(host, budget) {
        silence::forget(local, host);
        return None;
    }
    let lasts = began
        .map_err(|error| ("the clock".into(), error))
        .and_then(|began| silence::lasts(local, host, "accepts connections, lets nobody in", began));
    Some(lasts.unwrap_or_else(|(path, error)| {
        log::error!(
            "{}: {error}; so nobody knows for how long {} has let nobody in, and it does not count as dead",
            path.display(),
            host.name
        );
        Duration::ZERO
    }))
}

/// The host has answered: what comes later is another silence.
pub fn forget_accepting(local: &str, host: &Host) {
    silence::forget(local, host);
}

/// True if a channel's source answers, and its I/O thread will not notice for a while: it sleeps before its next
/// attempt, has given up, makes an attempt that leads nowhere, or holds a connection that has ended on the other side.
pub fn is_missed(local: &mut Server, channel: &Channel, host: &Host) -> Result<bool, Error> {
    match channel.io {
        IoThread::Yes => is_cut_off(local, channel, host),
        IoThread::No => Ok(channel.has_lost_source()),
        // An attempt that has just begun needs a moment until it is refused or let in. If its first packet was lost,
        // the next ones follow after 1, 2, 4 … seconds.
        IoThread::Connecting => Ok(once_connected(local, channel)?.is_none_or(|now| now.has_lost_source())),
    }
}

/// True if a channel's source, which answers elsewhere, has sent nothing for longer than its heartbeat takes: the
/// I/O thread holds a connection that has ended on the other side, as after a reset of that host.
fn is_cut_off(local: &mut Server, channel: &Channel, host: &Host) -> Result<bool, Error> {
    let Some(ago) = last_heard(local, channel, host)? else { return Ok(false) };
    Ok(ago > LATENESS && heartbeat_limit(local, channel)?.is_some_and(|limit| ago > limit))
}

/// After how much silence a channel's source counts as dead.
fn silence_limit(local: &mut Server, channel: &Channel, silence: Duration) -> Result<Duration, Error> {
    Ok(heartbeat_limit(local, channel)?.map_or(silence, |limit| limit.min(silence)))
}

/// The longest silence of a living source; `None` if it sends no heartbeats or nobody may know.
fn heartbeat_limit(local: &mut Server, channel: &Channel) -> Result<Option<Duration>, Error> {
    let mut period = channel.heartbeat.clone();
    if let Some(statement) = local.dialect().channel_options(&channel.name) {
        match local.row(&statement) {
            Ok(row) => period = row.map_or_else(String::new, |row| row.text("heartbeat_interval").into()),
            Err(Error::Query { .. } | Error::Refused(_)) => {}
            Err(other) => return Err(other),
        }
    }
    let seconds = period.parse::<f64>().ok().filter(|seconds| *seconds > 0.0);
    Ok(seconds
        .and_then(|seconds| Duration::try_from_secs_f64(seconds).ok())
        .map(|period| period + LATENESS.max(period / LATE_PART)))
}

/// What the kernel says of the channel's connection; `None` if it does not show it, as for a server in another network
/// namespace. Other programs of this host may be connected to the source, too.
fn last_heard(local: &mut Server, channel: &Channel, host: &Host) -> Result<Option<Duration>, Error> {
    let budget = local.budget();
    let mut addresses = channel::addresses(channel, budget);
    addresses.extend(names::addresses(&host.ip, budget.share(names::PATIENCE)).unwrap_or_default());
    data_from(local, channel, &addresses)
}

/// How long ago data last came over a channel's connection, by the addresses that the channel itself names; `None` as
/// above.
pub(super) fn last_data(local: &mut Server, channel: &Channel) -> Result<Option<Duration>, Error> {
    let addresses = channel::addresses(channel, local.budget());
    data_from(local, channel, &addresses)
}

fn data_from(local: &mut Server, channel: &Channel, addresses: &[IpAddr]) -> Result<Option<Duration>, Error> {
    let Some(listening) = listening_port(local)? else { return Ok(None) };
    // This needs a budget of its own: the end of a call's time must not look like silence.
    let budget = Budget::start(Some(KERNEL));
    Ok(connection::last_heard(listening, addresses, channel.source_port, budget).unwrap_or_else(|error| {
        log::warn!("{error}");
        None
    }))
}

/// The port on which a server listens; `None` if it does not.
pub(super) fn listening_port(server: &mut Server) -> Result<Option<u16>, Error> {
    let port = server.one("SELECT @@port AS port")?.number("port");
    Ok(port.and_then(|port| u16::try_from(port).ok()).filter(|port| *port != 0))
}

/// Watches what was fetched and the heartbeats, for at most `limit`. A watch that is shorter, or that ends with the
/// call's time, proves no silence, but several calls together may.
fn watch(
    local: &mut Server,
    channel: &Channel,
    before: &Shown,
    host: &Host,
    limit: Duration,
) -> Result<Option<Duration>, Error> {
    let began = silence::clock();
    let end = Instant::now() + limit.min(WATCH);
    loop {
        let now = channel::again(local, &channel.name)?;
        if now.io != IoThread::Yes {
            return Ok(None);
        }
        if Shown::of(local, &now)? != *before || !local.budget().pause(PAUSE) {
            return Ok(Some(Duration::ZERO));
        }
        if Instant::now() >= end {
            break;
        }
    }
    if limit <= WATCH {
        return Ok(None);
    }
    // The ids of the threads are part of what was seen, so that a restart of the threads begins a new silence.
    let threads = local.rows(THREADS)?;
    let threads: Vec<&str> = threads.iter().filter_map(|row| row.at(0)).collect();
    let place = BinlogPosition::shown(before.fetched.as_ref());
    let seen = format!("{} {place} {} {}", channel.name, before.heartbeats, threads.join(","));
    let lasts = began
        .map_err(|error| ("the clock".into(), error))
        .and_then(|began| silence::lasts(local.host(), host, &seen, began));
    match lasts {
        Ok(lasts) => {
            log::warn!(
                "{}: the kernel does not show its replication connection, over which {} has heard nothing for \
                 {lasts:.1?}; it counts as dead after {limit:.1?}",
                host.name,
                local.host()
            );
            Ok((lasts < limit).then_some(lasts))
        }
        Err((path, error)) => {
            log::error!(
                "{}: {error}; so nobody knows for how long {} is silent, and it does not count as dead",
                path.display(),
                host.name
            );
            Ok(Some(WATCH))
        }
    }
}

/// How many heartbeats have come, as the server writes it; nothing if it does not say.
fn heartbeats(local: &mut Server, channel: &Channel) -> Result<String, Error> {
    let Some(statement) = local.dialect().heartbeats(&channel.name) else {
        return Ok(channel.heartbeats.clone());
    };
    match local.row(&statement) {
        Ok(row) => Ok(row.map_or_else(String::new, |row| row.text("heartbeats").into())),
        Err(Error::Query { .. } | Error::Refused(_)) => Ok(String::new()),
        Err(other) => Err(other),
    }
}
