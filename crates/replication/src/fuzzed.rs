//! What `tests/fuzz` feeds with bytes of its own. It is no interface for anybody else.

use std::io::{self, Read};
use std::os::fd::OwnedFd;

use crate::binlog::begin::Begin;
use crate::binlog::by_gtid::beginning::Beginning;
use crate::binlog::by_gtid::scan::{Scan, Scope};
use crate::binlog::by_set::Prefix;
use crate::binlog::files::FIRST_EVENT;
use crate::binlog::id::Id;
use crate::binlog::packets::{Own, Sent};
use crate::binlog::reading::{ByEvent, Seen};
use crate::binlog::stream::end_of;
use crate::binlog::unfinished::Trail;
use crate::difference::transaction::{Bounds, Part, Summary};
use crate::position::BinlogPosition;

pub use crate::binlog::event::{Event, kind};
pub use crate::binlog::group::{Group, Groups};
pub use crate::difference::Transaction;
pub use crate::gtid::{Gtid, GtidPosition, GtidSet, GtidState, parse_list};

/// Reads a relay log file of this length.
pub fn relay(file: impl Read, length: u64, until: Option<u64>, see: impl FnMut(&Event)) -> io::Result<()> {
    crate::binlog::relay::each_of(file, length, until, see)
}

/// Reads the packets of a dump that begins at a file's first event; `whole` as in a real dump.
pub fn dump(socket: OwnedFd, whole: bool, mut see: impl FnMut(&Event, &Sent)) -> mysql::Result<()> {
    let mut own = Own::new(None, socket, whole);
    let mut end = FIRST_EVENT;
    while let Some(sent) = own.next_event()? {
        let mut event = Event {
            time: sent.time,
            kind: sent.kind,
            server_id: sent.server_id,
            flags: sent.flags,
            end,
            body: sent.body,
        };
        if event.is_real() {
            end = end_of(end, sent.size, sent.told);
            event.end = end;
            see(&event, &sent);
        }
    }
    Ok(())
}

/// Everything that follows a log event by event, without a server.
pub struct Followers<'s> {
    begin: Begin,
    trail: Trail,
    bounds: Bounds,
    summary: Summary,
    prefix: Option<Prefix<'s>>,
    scan: Option<Scan>,
    groups: Groups,
    /// The groups that it found by content.
    pub found: Vec<Group>,
    /// The transactions that it described.
    pub described: Vec<Transaction>,
    /// Notes of an unfinished search that the next call could not read, or would read otherwise.
    pub unread: Vec<String>,
}

impl<'s> Followers<'s> {
    /// For a log that is searched for this set, and for this position.
    pub fn new(set: &'s GtidSet, at: &GtidPosition) -> Self {
        let place = BinlogPosition::new("bin.000001", FIRST_EVENT);
        let mut prefix = Prefix::new(set, GtidSet::default());
        prefix.open(&place);
        let scope = Scope {
            masters: vec![1, 2, 3],
            own: 1,
            until: at.iter().collect(),
            older: at.clone(),
            order: true,
        };
        Self {
            begin: Begin::default(),
            trail: Trail::default(),
            bounds: Bounds::default(),
            summary: Summary::default(),
            prefix: Some(prefix),
            scan: Some(Scan::new(at.clone(), place, Beginning::default(), &scope)),
            groups: Groups::from(FIRST_EVENT),
            found: Vec::new(),
            described: Vec::new(),
            unread: Vec::new(),
        }
    }

    /// The next event.
    pub fn event(&mut self, event: &Event, sent: &Sent) {
        self.begin.event(event);
        self.trail.event(event, sent.size);
        let begin = event.end.saturating_sub(u64::from(sent.size));
        if event.begins_group() {
            self.groups.end_at(begin);
        }
        self.found.extend(self.groups.event(event));
        let seen = Seen::Event(event, sent);
        self.unread.extend(go_on(&mut self.prefix, &seen));
        self.unread.extend(go_on(&mut self.scan, &seen));
        let part = self.bounds.event(event);
        if let Part::First(_) = part {
            let id = Id::read(event, || sent.read().ok());
            self.summary.begin(event, id.as_ref(), "bin.000001", begin, true);
        }
        if part != Part::OfFile
            && let Ok(raw) = sent.read()
        {
            self.summary.event(event, &raw);
        }
        if let Part::First(true) | Part::Next(true) = part {
            self.described.push(self.summary.end(event.end));
        }
    }
}

/// Shows a search the next event, unless it is over; what it would note for the next call, if that call could not read
/// it.
fn go_on(search: &mut Option<impl ByEvent>, seen: &Seen) -> Option<String> {
    let found = search.as_mut()?;
    if found.see(seen) {
        *search = None;
        return None;
    }
    let noted = found.to_text();
    let place = BinlogPosition::new("bin.000001", u64::MAX);
    let again = found.resumed(&noted, &place).map(|again| again.to_text());
    (again.as_ref() != Some(&noted)).then_some(noted)
}
