//! A file of a server's log over the replication protocol, as a replica reads it.
//!
//! Read under server id 0, which is no replica's: the server ends at the end of its log instead of waiting for
//! more, and ends no other connection that has the same id (MySQL manual, "mysqlbinlog").

use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::time::{Duration, Instant};

use mmm_core::Budget;
use mmm_core::config::Host;
use mmm_core::progress::{Left, Waiting};
use mmm_core::settings::{TlsMode, TlsOptions};
use mysql::{BinlogDumpFlags, BinlogRequest};

use crate::binlog::begin::Begin;
use crate::binlog::event::{Event, kind};
use crate::binlog::files::{FIRST_EVENT, reading};
use crate::binlog::group::{Group, Groups};
use crate::binlog::packets::{Packets, Sent};
use crate::binlog::pages::too_long;
use crate::error::Error;
use crate::gtid::{GtidPosition, GtidSet};
use crate::position::BinlogPosition;
use crate::server::dialect::Flavour;
use crate::server::patience::{self, Deadline};
use crate::server::{Server, failed, survive};
use crate::status::Channel;

/// Events between two looks at the time.
const BATCH: usize = 500;
/// The maximum time for one event if the budget has no limit.
const FOREVER: Duration = Duration::from_secs(3600);

/// Where the reading of a file begins, and what the server need not send of it.
#[derive(Clone, Copy, Debug)]
pub enum Start<'s> {
    /// At its first event.
    First,
    /// At the event that begins at this offset; the file's first event comes before it.
    At(u64),
    /// MySQL's: at its first event, without the groups of this set.
    Without(&'s GtidSet),
    /// MariaDB's: after this GTID position, if the server finds it in the file; else nothing is shown.
    Behind(&'s GtidPosition),
}

/// What of a channel counts when its source's log is read in its place.
#[derive(Clone, Debug)]
struct Like {
    tls: TlsOptions,
    has_certificate: bool,
    ignores_duplicates: bool,
}

/// Reads a host's log.
#[derive(Clone, Debug)]
pub struct Reader<'h> {
    host: &'h Host,
    most: Duration,
    budget: Budget,
    sought: String,
    /// How the channel would log in whose reading this stands for.
    like: Option<Like>,
}

impl<'h> Reader<'h> {
    /// For the log of `host`, within `budget`; `most` limits each connection.
    pub fn new(host: &'h Host, most: Duration, budget: Budget) -> Self {
        let sought = "its last transactions".into();
        Self { host, most, budget, sought, like: None }
    }

    /// The same, if this is looked for in the log.
    #[must_use]
    pub fn seeking(&self, sought: impl Into<String>) -> Self {
        Self { sought: sought.into(), ..self.clone() }
    }

    /// The same, as this channel's I/O thread would read: what is refused to that is refused to this. With
    /// `ignores_duplicates`, its server may be ahead of its source in a domain (`gtid_ignore_duplicates`).
    #[must_use]
    pub(crate) fn like(&self, channel: &Channel, ignores_duplicates: bool) -> Self {
        let tls = channel.tls_of_trial(&self.host.tls);
        let like = Like { tls, has_certificate: channel.has_certificate, ignores_duplicates };
        Self { like: Some(like), ..self.clone() }
    }

    /// The host whose log is read.
    pub fn host(&self) -> &str {
        self.host.name.as_str()
    }

    fn tls(&self) -> &TlsOptions {
        self.like.as_ref().map_or(&self.host.tls, |like| &like.tls)
    }

    /// With the account that replicas have for it, else with the agent's. If it reads like a channel, it does that only
    /// where servers can log in and this program cannot: with a certificate of theirs, or in a way that only they know.
    fn connect(&self) -> Result<Server, Error> {
        let as_replica = Host { tls: self.tls().clone(), ..self.host.as_replica() };
        let is_servers_own =
            |code: Option<u16>| self.like.as_ref().is_none_or(|like| like.has_certificate || code.is_none());
        match Server::connect(&as_replica, self.most, self.budget) {
            Err(Error::Connect { answered: true, cause, code, .. }) if is_servers_own(code) => {
                log::info!("{} is read with the agent's account: {cause}", self.host.name);
                Server::connect(self.host, self.most, self.budget)
            }
            other => other,
        }
    }

    /// Shows `see` every event of `file`, up to where the log ends now.
    pub fn each_event(&self, file: &str, mut see: impl FnMut(&Event)) -> Result<(), Error> {
        self.each_until(file, Start::First, |event, _| {
            see(event);
            false
        })?;
        Ok(())
    }

    /// Shows `see` the events of `file`, each also as it was sent, until `see` returns true. False if the file does not
    /// begin as [`Start::Behind`] wants it.
    pub fn each_until(
        &self,
        file: &str,
        start: Start,
        see: impl FnMut(&Event, &Sent) -> bool,
    ) -> Result<bool, Error> {
        self.each_of(file, start, true, see)
    }

    /// The same for callers that need only the beginning of a long event.
    pub fn each_head(
        &self,
        file: &str,
        start: Start,
        see: impl FnMut(&Event, &Sent) -> bool,
    ) -> Result<(), Error> {
        self.each_of(file, start, false, see)?;
        Ok(())
    }

    fn each_of(
        &self,
        file: &str,
        start: Start,
        whole: bool,
        mut see: impl FnMut(&Event, &Sent) -> bool,
    ) -> Result<bool, Error> {
        let mut dump = Dump::begin(self, file, start, false, whole)?;
        let mut has_begun = false;
        while let Some(next) = dump.next()? {
            match next {
                Next::File(event) if !has_begun => {
                    if matches!(start, Start::Behind(_)) && names_another(&event, file) {
                        return Ok(false);
                    }
                }
                // This connection ended without an error.
                Next::File(event) if event.kind == kind::ROTATE => break,
                Next::File(_) => {}
                Next::Event(event, sent) => {
                    has_begun = true;
                    if see(&event, &sent) || event.kind == kind::ROTATE {
                        break;
                    }
                }
            }
        }
        dump.end_here();
        Ok(true)
    }

    /// MariaDB's: shows `see` the events after `position`, each with the one of `files` in which it lies and where it
    /// begins there, until `see` returns true or the log ends. The server finds the position. If `is_strict`, it
    /// refuses a position whose group it does not find; else it begins with that server's next group. False if it
    /// begins with another file.
    pub fn each_behind(
        &self,
        files: &[String],
        position: &GtidPosition,
        is_strict: bool,
        mut see: impl FnMut(&str, u64, &Event) -> bool,
    ) -> Result<bool, Error> {
        let Some(newest) = files.last() else { return Ok(true) };
        let mut dump = Dump::begin(self, newest, Start::Behind(position), is_strict, false)?;
        let (mut file, mut is_known) = (None, false);
        while let Some(next) = dump.next()? {
            match next {
                Next::File(event) if event.kind == kind::ROTATE => {
                    file = files.iter().find(|file| !names_another(&event, file));
                    dump.goes_on();
                }
                Next::File(_) => {}
                Next::Event(event, sent) => {
                    // A file that was begun meanwhile is not in the list.
                    let Some(file) = file else { break };
                    is_known = true;
                    if see(file, event.end.saturating_sub(u64::from(sent.size)), &event) {
                        break;
                    }
                }
            }
        }
        dump.end_here();
        Ok(is_known)
    }

    /// Shows `see` every group of `file`.
    pub fn each_group(&self, file: &str, mut see: impl FnMut(&Group)) -> Result<(), Error> {
        self.each_group_from(&BinlogPosition::new(file, FIRST_EVENT), &mut Begin::default(), |group| {
            see(group);
            false
        })
    }

    /// Shows `see` the groups of a file, from the one that begins at `place`, until `see` returns true. If `place` is
    /// the file's beginning, `begun` returns what the file begins with.
    pub(crate) fn each_group_from(
        &self,
        place: &BinlogPosition,
        begun: &mut Begin,
        mut see: impl FnMut(&Group) -> bool,
    ) -> Result<(), Error> {
        let mut groups = Groups::from(place.offset);
        let start = if place.offset == FIRST_EVENT { Start::First } else { Start::At(place.offset) };
        self.each_until(&place.file, start, |event, sent| {
            if place.offset == FIRST_EVENT {
                begun.event(event);
            }
            // What describes the events comes first.
            if event.end <= place.offset {
                return false;
            }
            if event.begins_group() {
                groups.end_at(event.end.saturating_sub(u64::from(sent.size)));
            }
            groups.event(event).is_some_and(|group| see(&group))
        })?;
        Ok(())
    }
}

/// What a server sends of its log.
struct Dump {
    host: String,
    sought: String,
    budget: Budget,
    what: String,
    started: Instant,
    socket: Arc<OwnedFd>,
    deadline: Deadline,
    packets: Packets,
    face: Waiting,
    size: Option<u64>,
    /// How many events were sent.
    count: usize,
    /// Where the last one ends in its file.
    end: u64,
}

enum Next<'d> {
    /// An event that lies in a file.
    Event(Event<'d>, Sent<'d>),
    /// An event that the server made for this connection: it names the file that follows, or says that nothing follows.
    File(Event<'d>),
}

impl Dump {
    /// Asks for `file` and what comes after it.
    fn begin(reader: &Reader, file: &str, start: Start, is_strict: bool, whole: bool) -> Result<Self, Error> {
        let mut server = reader.connect()?;
        if server.dialect().flavour() == Flavour::MariaDb {
            // Otherwise the server rewrites events in the form of older servers.
            server.set("@mariadb_slave_capability = 4")?;
        }
        if let Start::Behind(position) = start {
            let position = server.quoted(&position.to_string());
            server.set(&format!(
                "@slave_gtid_strict_mode = {}, @slave_gtid_ignore_duplicates = {}",
                u8::from(is_strict),
                u8::from(reader.like.as_ref().is_some_and(|like| like.ignores_duplicates))
            ))?;
            server.set(&format!("@slave_connect_state = {position}"))?;
        }
        let is_plain = reader.tls().mode == TlsMode::Off
            || server
                .row("SHOW STATUS LIKE 'Ssl_cipher'")?
                .is_some_and(|row| row.get("Value").is_some_and(str::is_empty));
        let (face, size) = reading(&mut server, file);
        let (host, conn, budget) = server.into_parts();
        let (what, started) = (format!("reading {file}"), Instant::now());
        let fail = |error| failed(&host, error, &what, started.elapsed());
        let socket = patience::socket(&conn).map_err(|error| fail(error.into()))?;
        let own = socket.try_clone().map_err(|error| fail(error.into()))?;
        let deadline = patience::limit_answer(&socket, budget.share(FOREVER));
        let request = BinlogRequest::new(0)
            .with_filename(file.as_bytes())
            .with_pos(FIRST_EVENT)
            .with_flags(BinlogDumpFlags::BINLOG_DUMP_NON_BLOCK);
        let (request, end) = match start {
            // The command has 32 bits for the offset.
            Start::At(offset) if u32::try_from(offset).is_ok() => (request.with_pos(offset), offset),
            Start::First | Start::At(_) | Start::Behind(_) => (request, FIRST_EVENT),
            Start::Without(set) => {
                // The set's text is parsed again here. If a part of it could not be parsed, the server would only send
                // more than needed.
                let set = set.to_string();
                let sources = set.split(',').filter_map(|source| source.parse().ok()).collect::<Vec<_>>();
                (request.with_use_gtid(true).with_sids(sources), FIRST_EVENT)
            }
        };
        let sought = reader.sought.clone();
        let stream = survive(|| conn.get_binlog_stream(request))
            .map_err(|error| if deadline.is_over() { too_long(&host, &sought) } else { fail(error) })?;
        let packets = if is_plain {
            Packets::own(stream, own, whole)
        } else {
            Packets::Library(Box::new(stream), None)
        };
        let count = 0;
        Ok(Self { host, sought, budget, what, started, socket, deadline, packets, face, size, count, end })
    }

    /// The next event; `None` at the log's end.
    fn next(&mut self) -> Result<Option<Next<'_>>, Error> {
        self.count += 1;
        if self.count % BATCH == 1 {
            if self.budget.is_spent() {
                return Err(too_long(&self.host, &self.sought));
            }
            patience::limit_socket(&self.socket, self.budget.share(FOREVER));
            self.face.left(self.size.map(|size| Left::Bytes(size.saturating_sub(self.end))));
        }
        let sent = match self.packets.next_event() {
            Ok(Some(sent)) => sent,
            Ok(None) => return Ok(None),
            Err(_) if self.deadline.is_over() => return Err(too_long(&self.host, &self.sought)),
            Err(error) => return Err(failed(&self.host, error, &self.what, self.started.elapsed())),
        };
        let mut event = Event {
            time: sent.time,
            kind: sent.kind,
            server_id: sent.server_id,
            flags: sent.flags,
            end: self.end,
            body: sent.body,
        };
        if !event.is_real() {
            return Ok(Some(Next::File(event)));
        }
        // What describes the events, and how they are encrypted, is sent first, wherever the reading begins.
        let is_repeated = matches!(event.kind, kind::FORMAT_DESCRIPTION | kind::START_ENCRYPTION);
        if !is_repeated || sent.told != 0 {
            self.end = end_of(self.end, sent.size, sent.told);
        }
        event.end = self.end;
        Ok(Some(Next::Event(event, sent)))
    }

    /// The next file follows.
    fn goes_on(&mut self) {
        self.end = FIRST_EVENT;
    }

    fn end_here(self) {
        log::debug!("{}: {}, to {}: {:.1?}", self.host, self.what, self.end, self.started.elapsed());
    }
}

/// True of an event that names another file than this. At that time it is not yet known whether events have checksums.
fn names_another(event: &Event, file: &str) -> bool {
    const CHECKSUM: usize = 4;
    let behind = event.body.get(8..).and_then(|name| name.strip_prefix(file.as_bytes()));
    event.kind == kind::ROTATE && behind.is_none_or(|rest| !rest.is_empty() && rest.len() != CHECKSUM)
}

/// Where an event of `size` bytes ends that follows what ended at `before`. The server `told` the last 32 bits of that
/// (0: nothing). Events that it does not send, such as MariaDB's of kind 160, may lie in between.
pub(crate) fn end_of(before: u64, size: u32, told: u32) -> u64 {
    let next = before + u64::from(size);
    if told == 0 {
        return next;
    }
    #[allow(clippy::cast_possible_truncation)]
    let between = told.wrapping_sub(next as u32);
    next + u64::from(between)
}

#[cfg(test)]
mod tests;
