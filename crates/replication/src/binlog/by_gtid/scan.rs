//! The part of a search by GTID that needs no server: groups in their order, and what was logged up to each.

use crate::binlog::by_gtid::beginning::{Beginning, gtid_of};
use crate::binlog::event::Event;
use crate::binlog::located::{Gap, Located};
use crate::binlog::reading::Seen;
use crate::gtid::{Gtid, GtidPosition, GtidState};
use crate::position::BinlogPosition;
use crate::record::Record;

/// What a search has to find besides the position.
#[derive(Clone, Debug, Default)]
pub struct Scope {
    /// True if the whole log is searched, so that `out_of_order` is known.
    pub order: bool,
    /// The servers that replicate from each other; between groups of theirs, gaps count.
    pub masters: Vec<u32>,
    /// The log's server: after the position, what it wrote itself cannot be missing.
    pub own: u32,
    /// What the log has: after the position, it is read until the last group of other servers, so that `gaps` is
    /// complete.
    pub until: GtidState,
    /// Groups of the wanted position that count as older than the log, if the next number of their domain is the first
    /// that the log has.
    pub older: GtidPosition,
}

/// What a search needs to know of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Part {
    pub(super) what: What,
    /// Where the event ends in its file.
    pub(super) end: u64,
}

/// What an event is to a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum What {
    /// It begins this group.
    Group(Gtid),
    /// It continues the group.
    OfGroup,
    /// It belongs to no group.
    OfFile,
}

impl Part {
    /// Of an event as it was got.
    pub(super) fn of(seen: &Seen) -> Self {
        match seen {
            Seen::Row(row) => Self::of_row(row),
            Seen::Event(event, _) => Self::of_event(event),
        }
    }

    /// Of an event as SHOW BINLOG EVENTS has it.
    fn of_row(row: &Record) -> Self {
        let what = match row.text("Event_type") {
            "Gtid" => gtid_of(row).map_or(What::OfFile, What::Group),
            "Rotate" | "Stop" | "Format_desc" | "Gtid_list" | "Binlog_checkpoint" | "Start_encryption" => {
                What::OfFile
            }
            _ => What::OfGroup,
        };
        Self { what, end: row.number("End_log_pos").unwrap_or(0) }
    }

    /// Of an event as a replica gets it.
    fn of_event(event: &Event) -> Self {
        let what = match event.gtid() {
            Some(gtid) => What::Group(gtid),
            None if event.begins_group() || event.is_of_the_file() => What::OfFile,
            None => What::OfGroup,
        };
        Self { what, end: event.end }
    }
}

/// Reads events in order and remembers what was logged up to each group of the wanted position.
#[derive(Clone, Debug)]
pub(crate) struct Scan {
    pub(super) at: GtidPosition,
    pub(super) running: Beginning,
    pub(super) file: String,
    /// The group that is being read, and where its events end so far.
    pub(super) group: Option<(Gtid, u64)>,
    pub(super) end: u64,
    /// State of each wanted domain at its wanted group.
    pub(super) found: Vec<(u32, GtidState)>,
    /// State of all other domains when the last wanted group was found.
    pub(super) others: Option<GtidState>,
    pub(super) position: Option<BinlogPosition>,
    pub(super) scope: Scope,
    pub(super) out_of_order: Option<Gtid>,
    pub(super) gaps: Vec<Gap>,
}

impl Scan {
    /// A scan that begins at `place`; `begin` says what lies before it.
    pub(crate) fn new(at: GtidPosition, place: BinlogPosition, begin: Beginning, scope: &Scope) -> Self {
        let mut scan = Self {
            at,
            running: begin,
            file: place.file,
            group: None,
            end: place.offset,
            found: Vec::new(),
            others: None,
            position: None,
            scope: scope.clone(),
            out_of_order: None,
            gaps: Vec::new(),
        };
        for gtid in scan.running.position.clone().iter() {
            scan.note(gtid);
        }
        scan.note_position();
        scan
    }

    pub(super) fn event(&mut self, part: &Part) {
        if self.is_done() {
            return;
        }
        match part.what {
            What::Group(gtid) => {
                self.close_group();
                if !self.is_done() {
                    self.group = Some((gtid, part.end));
                }
            }
            What::OfFile => self.close_group(),
            What::OfGroup => {
                if let Some((_, end)) = &mut self.group {
                    *end = part.end;
                }
            }
        }
    }

    /// The group that was being read is complete.
    pub(super) fn close_group(&mut self) {
        let Some((gtid, end)) = self.group.take() else { return };
        self.check_older(gtid);
        if self.running.state.is_stepped_back_by(gtid)
            && self.out_of_order.is_none()
            && self.at.get(gtid.domain).is_some()
        {
            self.out_of_order = Some(gtid);
        }
        self.note_gap(gtid);
        self.running.state.log(gtid);
        self.running.position.advance(gtid);
        self.end = end;
        self.note(gtid);
        self.note_position();
    }

    /// The first group of a domain whose wanted group was assumed to be older than the log: does the log begin right
    /// after the wanted group?
    fn check_older(&mut self, first: Gtid) {
        let domain = first.domain;
        let Some(older) = self.scope.older.get(domain) else { return };
        self.scope.older = self.scope.older.filtered(|other| other != domain);
        if self.running.position.get(domain) != Some(older)
            || older.sequence.checked_add(1) == Some(first.sequence)
        {
            return;
        }
        self.running.state = self.running.state.iter().filter(|gtid| gtid.domain != domain).collect();
        self.running.position = self.running.position.filtered(|other| other != domain);
        self.found.retain(|(found, _)| *found != domain);
        (self.position, self.others) = (None, None);
    }

    /// Is a number missing before this group? Before the position, the replica has whatever had that number.
    fn note_gap(&mut self, before: Gtid) {
        let lies_before = self.at.get(before.domain).is_some() && !self.has_found(before.domain);
        let after = self.running.state.newest(before.domain);
        let are_masters =
            [Some(before), after].iter().flatten().all(|gtid| self.scope.masters.contains(&gtid.server));
        if !lies_before
            && are_masters
            && before.sequence > after.map_or(1, |after| after.sequence.saturating_add(1))
        {
            self.gaps.push(Gap { after, before });
        }
    }

    fn note(&mut self, gtid: Gtid) {
        if self.at.get(gtid.domain) == Some(gtid) {
            self.found.push((gtid.domain, self.running.state.of_domain(gtid.domain)));
        }
    }

    fn note_position(&mut self) {
        let stands_there = self.at.iter().all(|gtid| self.running.position.get(gtid.domain) == Some(gtid));
        if stands_there && self.position.is_none() {
            self.position = Some(BinlogPosition::new(self.file.clone(), self.end));
        }
        if self.others.is_none() && self.has_found_all() {
            let others = self.running.state.iter().filter(|gtid| self.at.get(gtid.domain).is_none());
            self.others = Some(others.collect());
        }
    }

    /// True if nothing further needs to be read.
    pub(super) fn is_done(&self) -> bool {
        !self.scope.order && self.has_found_all() && self.has_seen_others()
    }

    /// True if nothing written by other servers than the log's own follows, and each domain has begun.
    fn has_seen_others(&self) -> bool {
        let is_untold = |older: Gtid| self.scope.until.knows(older.domain);
        !self.scope.older.iter().any(is_untold)
            && self.scope.until.iter().all(|gtid| {
                if gtid.server == self.scope.own {
                    self.running.state.knows(gtid.domain)
                } else {
                    self.running.state.includes(gtid)
                }
            })
    }

    fn has_found(&self, domain: u32) -> bool {
        self.found.iter().any(|(found, _)| *found == domain)
    }

    fn has_found_all(&self) -> bool {
        self.first_missing().is_none()
    }

    pub(super) fn first_missing(&self) -> Option<Gtid> {
        self.at.iter().find(|gtid| !self.has_found(gtid.domain))
    }

    pub(super) fn finish(self) -> Located {
        if let Some(missing) = self.first_missing() {
            return Located::Missing { at: self.at, gtid: missing };
        }
        let mut state = self.others.unwrap_or_default();
        for (_, of_domain) in &self.found {
            state.merge(of_domain);
        }
        Located::Found {
            at: self.at,
            position: self.position,
            state,
            out_of_order: self.out_of_order,
            gaps: self.gaps,
            searched: self.scope.until,
            of_source: None,
            looked_back: false,
        }
    }
}

/// A log given as GTIDs alone, searched as a server's log would be: for the property tests of planning.
#[cfg(test)]
pub(crate) fn locate_in(log: &[Gtid], at: &GtidPosition, scope: &Scope) -> Located {
    let place = BinlogPosition::new("bin.000001", 0);
    let begin = Beginning::default().behind(&scope.older).expect("it names no domain");
    let mut scan = Scan::new(at.clone(), place, begin, scope);
    for (index, gtid) in log.iter().enumerate() {
        scan.event(&Part { what: What::Group(*gtid), end: (index + 1) as u64 });
        scan.close_group();
    }
    scan.finish()
}

#[cfg(test)]
mod tests;
