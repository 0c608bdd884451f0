//! Where in a MariaDB server's binary log does a GTID position lie, and what had been logged up to there?
//!
//! The log is read with SHOW BINLOG EVENTS (privilege BINLOG MONITOR, which REPLICATION CLIENT is since
//! MariaDB 10.5.2), page by page, from the last file whose `Gtid_list` event does not include the position
//! yet. `Scan` does the thinking without a server.

use std::fmt;

use mmm_core::progress::{self, Left, Waiting};

use crate::binlog::place::Found;
use crate::error::Error;
use crate::facts::OwnLog;
use crate::gtid::{Gtid, GtidPosition, GtidState, parse_list};
use crate::gtid_set::GtidSet;
use crate::observe::log_end;
use crate::position::BinlogPosition;
use crate::record::Record;
use crate::refusal::Refusal;
use crate::server::Server;

/// Events per page: large enough to cost little, small enough to keep memory and each answer short.
const PAGE: usize = 4000;
/// As much of a statement as is kept of a few events.
const STATEMENT: usize = 1024;
/// Where the events of every log file begin, behind its magic number.
pub(crate) const FIRST_EVENT: u64 = 4;
/// Enough of them to see its first groups, behind what every file begins with.
const FIRST_EVENTS: usize = 12;

/// What a search came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Located {
    /// Every group of the position is in the log.
    Found {
        /// What was searched for.
        at: GtidPosition,
        /// The one offset before which lies every group of `at` and no later group of its domains; `None`
        /// where the domains stand at different places.
        position: Option<BinlogPosition>,
        /// For each domain, what was logged up to the group that `at` names; for domains that `at` does not
        /// name, what was logged up to `position`.
        state: GtidState,
        /// The first group seen with a number not above those logged before it in its domain.
        out_of_order: Option<Gtid>,
        /// Numbers that are missing behind the place.
        gaps: Vec<Gap>,
        /// What was in the log when it was searched.
        searched: GtidState,
        /// Where the replica's log does not tell all that it has: that of its source up to the same place.
        of_source: Option<OwnLog>,
        /// True where `of_source`, and where that does not tell either, `out_of_order` was looked for.
        looked_back: bool,
    },
    /// Every group of the position is in the log, and this comes behind it.
    Logged {
        /// What was searched for.
        at: GtidPosition,
        /// As in `Found`.
        position: Option<BinlogPosition>,
        /// As in `Found`.
        state: GtidState,
        /// The first group behind `position` of each domain of `at`.
        next: GtidPosition,
        /// As in `Found`.
        searched: GtidState,
        /// To where the log's server had executed the log of its source by then.
        replicated: Option<BinlogPosition>,
    },
    /// The files that held these groups are gone.
    Purged(String),
    /// This group is in none of the files.
    Missing(String),
    /// MySQL: where the groups of a set end.
    Prefix {
        /// The set.
        of: GtidSet,
        /// The place before which lies no group that is not in it.
        position: BinlogPosition,
        /// All groups that the log has before that place, or had.
        before: GtidSet,
    },
    /// MySQL: a group that has no GTID lies there, among those of the set.
    Unnamed(BinlogPosition),
    /// Without GTIDs: where the replica's last groups lie.
    Groups {
        /// The replica's place in its old master's log.
        of: BinlogPosition,
        /// End of the log that was searched.
        end: Option<BinlogPosition>,
        /// The place behind them, or why there is none that can be proved.
        found: Result<Found, String>,
        /// Whether that log holds groups of its own server; true where nobody looked.
        has_own: bool,
        /// False where the replica went on applying meanwhile, so that it may look different now.
        stood_still: bool,
        /// Where the replica's own log ended before all this was read; `None` where it logs no updates.
        log_of_replica: Option<BinlogPosition>,
    },
}

impl Located {
    /// With the log of the replica's source up to the same place, where that was looked for.
    #[must_use]
    pub fn beside(mut self, log: Option<OwnLog>, looked_for: bool) -> Self {
        if let Self::Found { of_source, looked_back, .. } = &mut self {
            (*of_source, *looked_back) = (log, looked_for);
        }
        self
    }
}

/// Numbers of a domain that are missing between two groups which follow each other there.
///
/// A server numbers its group one above the highest that it knows of the domain. So where both groups are of servers
/// that replicate from each other, the numbers between them belong to groups that this log lacks, unless somebody
/// has set `gtid_seq_no`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gap {
    /// The group before; `None` where the domain begins with a number above 1.
    pub after: Option<Gtid>,
    /// The group behind.
    pub before: Gtid,
}

impl fmt::Display for Gap {
    /// As GTIDs of the server that wrote the group behind, which need not be the one that wrote what is missing.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let of = |sequence| Gtid { sequence, ..self.after.unwrap_or(self.before) };
        let (first, last) = (self.after.map_or(1, |gtid| gtid.sequence + 1), self.before.sequence - 1);
        write!(f, "{}", of(first))?;
        if first < last { write!(f, " to {}", of(last)) } else { Ok(()) }
    }
}

/// What a search has to tell besides the place.
#[derive(Clone, Debug, Default)]
pub struct Scope {
    /// True where the whole log is looked through, so that `out_of_order` says something.
    pub order: bool,
    /// The servers that replicate from each other; between groups of theirs, gaps count.
    pub masters: Vec<u32>,
    /// The log's server: behind the place, what it wrote itself cannot be missing.
    pub own: u32,
    /// What the log has: behind the place, it is read until the last of it by other servers, so that `gaps` tells all.
    pub until: GtidState,
}

/// Finds `at` in the log of `server`.
///
/// Without `scope.order`, a place at the very end of the log costs two statements, and one behind what was found
/// `earlier` is looked for from there on.
pub fn locate(
    server: &mut Server,
    at: &GtidPosition,
    scope: &Scope,
    earlier: Option<&Located>,
) -> Result<Located, Error> {
    if !scope.order
        && let Some(found) = at_the_end(server, at, scope)?
    {
        return Ok(found);
    }
    let files = log_files(server)?;
    if !scope.order
        && let Some(found) = further_on(server, &files, at, scope, earlier)?
    {
        return Ok(found);
    }
    // A domain that the position does not name may begin behind it, in an earlier file than the last that would do.
    let mut first = None;
    if scope.until.iter().any(|gtid| at.get(gtid.domain).is_none()) {
        first = last_that_begins(&files, |file| {
            let list = beginning(server, file)?;
            let names_all = list.state.iter().all(|gtid| at.get(gtid.domain).is_some());
            Ok((names_all && list.lies_before(at)).then_some(list))
        })?;
    }
    if first.is_none() {
        first = last_that_begins(&files, |file| {
            let list = beginning(server, file)?;
            Ok(list.lies_before(at).then_some(list))
        })?;
    }
    let Some((first, begin)) = first else {
        let gone = at.iter().next().unwrap_or(Gtid { domain: 0, server: 0, sequence: 0 });
        return Ok(Located::Purged(gone.to_string()));
    };
    let mut scan = Scan::new(at.clone(), BinlogPosition::new(&files[first], FIRST_EVENT), begin, scope);
    for file in &files[first..] {
        if read_file(server, &BinlogPosition::new(file, FIRST_EVENT), &mut scan)? {
            break;
        }
    }
    if scope.order {
        let earlier = disorder_before(server, &files[..=first], at)
            .map_err(|error| explain(server.host(), &scan.wanted(), error))?;
        scan.out_of_order = earlier.or(scan.out_of_order);
    }
    Ok(scan.finish())
}

/// Finds `at` behind what was found earlier, where it lies there.
fn further_on(
    server: &mut Server,
    files: &[String],
    at: &GtidPosition,
    scope: &Scope,
    earlier: Option<&Located>,
) -> Result<Option<Located>, Error> {
    let Some(Located::Found { at: from, position: Some(place), state, .. }) = earlier else {
        return Ok(None);
    };
    let goes_on =
        at.iter().all(|gtid| from.get(gtid.domain).is_some_and(|from| from.sequence <= gtid.sequence));
    let first = files.iter().position(|file| *file == place.file);
    let (Some(first), true) = (first, goes_on) else { return Ok(None) };
    let begin = Beginning { state: state.clone(), position: from.clone() };
    let mut scan = Scan::new(at.clone(), place.clone(), begin, scope);
    for (index, file) in files[first..].iter().enumerate() {
        let begin = if index == 0 { place.clone() } else { BinlogPosition::new(file, FIRST_EVENT) };
        if read_file(server, &begin, &mut scan)? {
            break;
        }
    }
    Ok(scan.first_missing().is_none().then(|| scan.finish()))
}

/// True where a server's log, which holds the group before a gap, has none with its numbers. `None` where it cannot tell.
pub fn holds_nothing_between(server: &mut Server, gap: &Gap) -> Result<Option<bool>, Error> {
    let Some(after) = gap.after else { return Ok(None) };
    let at: GtidPosition = std::iter::once(after).collect();
    let Located::Found { position: Some(place), .. } = locate(server, &at, &Scope::default(), None)? else {
        return Ok(None);
    };
    let files = log_files(server)?;
    let (mut is_empty, mut is_over) = (true, false);
    for file in files.iter().skip_while(|file| **file != place.file) {
        let from = if *file == place.file { place.clone() } else { BinlogPosition::new(file, FIRST_EVENT) };
        is_over = each_event(server, &from, &gap.to_string(), |row| {
            let Some(gtid) = gtid_of(row).filter(|gtid| gtid.domain == after.domain) else { return false };
            is_empty = !(after.sequence + 1..gap.before.sequence).contains(&gtid.sequence);
            !is_empty || gtid == gap.before
        })?;
        if is_over {
            break;
        }
    }
    Ok(is_over.then_some(is_empty))
}

/// The first group behind `place` of each domain of `at`.
pub fn next_behind(
    server: &mut Server,
    place: &BinlogPosition,
    at: &GtidPosition,
) -> Result<GtidPosition, Error> {
    let mut next = GtidPosition::default();
    let is_whole = |next: &GtidPosition| at.iter().all(|gtid| next.get(gtid.domain).is_some());
    for file in log_files(server)?.into_iter().skip_while(|file| *file != place.file) {
        let offset = if file == place.file { place.offset } else { FIRST_EVENT };
        let from = BinlogPosition::new(file, offset);
        let is_done = each_event(server, &from, "what comes behind it", |row| {
            if let Some(gtid) = gtid_of(row).filter(|gtid| at.get(gtid.domain).is_some())
                && next.get(gtid.domain).is_none()
            {
                next.advance(gtid);
            }
            is_whole(&next)
        })?;
        if is_done {
            break;
        }
    }
    Ok(next)
}

/// The last of a log's files whose beginning `lies_before` the place that is looked for, and what that said of it;
/// their beginnings are ordered in time, so it is found by halving.
pub(crate) fn last_that_begins<T>(
    files: &[String],
    mut lies_before: impl FnMut(&str) -> Result<Option<T>, Error>,
) -> Result<Option<(usize, T)>, Error> {
    let (mut low, mut high, mut last) = (0, files.len(), None);
    while low < high {
        let middle = usize::midpoint(low, high);
        match lies_before(&files[middle])? {
            Some(begin) => {
                low = middle + 1;
                last = Some((middle, begin));
            }
            None => high = middle,
        }
    }
    Ok(last)
}

/// The first group out of order in these files but the last one. A file that holds the groups of a single
/// server is in order in itself and is not read: only its first group is compared with what was logged before.
fn disorder_before(server: &mut Server, files: &[String], at: &GtidPosition) -> Result<Option<Gtid>, Error> {
    let [oldest, later @ ..] = files else { return Ok(None) };
    let (mut file, mut begin) = (oldest, beginning(server, oldest)?);
    for next in later {
        let end = beginning(server, next)?;
        let writers = begin.writers_until(&end, at);
        let mut first = None;
        if let [domain] = writers[..] {
            let rows = page(server, file, FIRST_EVENT, FIRST_EVENTS)?;
            first = rows.iter().find_map(gtid_of).filter(|gtid| gtid.domain == domain);
        }
        let disorder = match first {
            _ if writers.is_empty() => None,
            Some(first) => begin.state.is_stepped_back_by(first).then_some(first),
            None => {
                let place = BinlogPosition::new(file, FIRST_EVENT);
                let mut scan =
                    Scan::new(at.clone(), place.clone(), begin, &Scope { order: true, ..Scope::default() });
                read_file(server, &place, &mut scan)?;
                scan.out_of_order
            }
        };
        if disorder.is_some() {
            return Ok(disorder);
        }
        (file, begin) = (next, end);
    }
    Ok(None)
}

/// What the oldest file of a server's log begins with: the state of its `Gtid_list`, or its first groups
/// where that list is empty.
pub fn oldest_known(server: &mut Server) -> Result<GtidState, Error> {
    let Some(oldest) = log_files(server)?.into_iter().next() else { return Ok(GtidState::default()) };
    let mut state = beginning(server, &oldest)?.state;
    for row in page(server, &oldest, FIRST_EVENT, FIRST_EVENTS)? {
        if let Some(gtid) = gtid_of(&row).filter(|gtid| !state.knows(gtid.domain)) {
            state.log(gtid);
        }
    }
    Ok(state)
}

/// The cheap case: the position is where the log ends, and nothing is written meanwhile.
fn at_the_end(server: &mut Server, at: &GtidPosition, scope: &Scope) -> Result<Option<Located>, Error> {
    let Some(end) = log_end(server)? else { return Ok(None) };
    let statement = format!(
        "SELECT @@gtid_binlog_state, BINLOG_GTID_POS({}, {}), @@gtid_binlog_pos",
        server.quoted(&end.file),
        end.offset
    );
    let row = server.one(&statement)?;
    let (state, there, now) =
        (row.at(0).unwrap_or_default(), row.at(1).unwrap_or_default(), row.at(2).unwrap_or_default());
    let (Ok(state), Ok(there), Ok(now)) =
        (state.parse::<GtidState>(), there.parse::<GtidPosition>(), now.parse::<GtidPosition>())
    else {
        return Ok(None);
    };
    let is_end = |position: &GtidPosition| at.iter().all(|gtid| position.get(gtid.domain) == Some(gtid));
    // The state's own last groups must be the position's, or a write came between.
    if !is_end(&there) || !is_end(&now) || at.iter().any(|gtid| !state.includes(gtid)) {
        return Ok(None);
    }
    // A domain that the position does not name may lie behind it.
    if there.iter().any(|gtid| at.get(gtid.domain).is_none()) {
        return Ok(None);
    }
    Ok(Some(Located::Found {
        at: at.clone(),
        position: Some(end),
        state,
        out_of_order: None,
        gaps: Vec::new(),
        searched: scope.until.clone(),
        of_source: None,
        looked_back: false,
    }))
}

pub(crate) fn log_files(server: &mut Server) -> Result<Vec<String>, Error> {
    let statement = "SHOW BINARY LOGS";
    Ok(server.rows(statement)?.iter().map(|row| row.text("Log_name").to_string()).collect())
}

/// The files of a server's log and their sizes, where a person sees what is left; empty where nobody may ask.
pub(crate) fn log_sizes(server: &mut Server, face: &Waiting) -> Vec<(String, u64)> {
    if !face.is_seen() {
        return Vec::new();
    }
    let rows = server.rows("SHOW BINARY LOGS").unwrap_or_default();
    rows.iter().map(|row| (row.text("Log_name").into(), row.number("File_size").unwrap_or(0))).collect()
}

/// A wait for the reading of a file, and the size of that.
pub(crate) fn reading(server: &mut Server, file: &str) -> (Waiting, Option<u64>) {
    let face = progress::waiting(format!("reading {file} of {}", server.host()));
    let sizes = log_sizes(server, &face);
    (face, sizes.into_iter().find(|(name, _)| name == file).map(|(_, size)| size))
}

pub(crate) fn page(server: &mut Server, file: &str, from: u64, most: usize) -> Result<Vec<Record>, Error> {
    let mut rows = Vec::new();
    each_of_page(server, file, from, most, |row| {
        // Statements are long, and nobody reads them; lists of GTIDs are long, too.
        let is_list = row.text("Event_type").to_ascii_lowercase().contains("gtid");
        rows.push(if is_list { row } else { row.cut("Info", STATEMENT) });
        false
    })?;
    Ok(rows)
}

/// Shows `see` each event of a page, as [`Server::each_row`].
fn each_of_page(
    server: &mut Server,
    file: &str,
    from: u64,
    most: usize,
    see: impl FnMut(Record) -> bool,
) -> Result<bool, Error> {
    let statement = format!("SHOW BINLOG EVENTS IN {} FROM {from} LIMIT {most}", server.quoted(file));
    server.each_row(&statement, see)
}

/// The `Gtid_list` at a file's beginning.
pub(crate) fn beginning(server: &mut Server, file: &str) -> Result<Beginning, Error> {
    let rows = page(server, file, FIRST_EVENT, 4)?;
    let list =
        rows.iter().find(|row| row.text("Event_type") == "Gtid_list").map_or("", |row| row.text("Info"));
    let gtids =
        parse_list(list).map_err(|_| server.unexpected("SHOW BINLOG EVENTS", "a readable Gtid_list"))?;
    Ok(Beginning { state: gtids.iter().copied().collect(), position: gtids.into_iter().collect() })
}

/// Reads one file into the scan, from a place on; true when everything is found.
fn read_file(server: &mut Server, begin: &BinlogPosition, scan: &mut Scan) -> Result<bool, Error> {
    scan.open(begin);
    each_event(server, begin, &scan.wanted(), |row| {
        scan.event(row);
        scan.is_done()
    })?;
    scan.close_group();
    Ok(scan.is_done())
}

/// Reads a file's events from `place` on until `see` says that it has seen enough; true then. `what` is looked
/// for, in words.
pub(crate) fn each_event(
    server: &mut Server,
    place: &BinlogPosition,
    what: &str,
    mut see: impl FnMut(&Record) -> bool,
) -> Result<bool, Error> {
    let mut from = place.offset;
    let (mut face, size) = reading(server, &place.file);
    loop {
        let (mut count, mut end) = (0, None);
        let is_enough = each_of_page(server, &place.file, from, PAGE, |row| {
            count += 1;
            end = row.number("End_log_pos");
            see(&row)
        });
        if is_enough.map_err(|error| explain(server.host(), what, error))? {
            return Ok(true);
        }
        if count < PAGE {
            return Ok(false);
        }
        from = end.unwrap_or(u64::MAX);
        face.left(size.map(|size| Left::Bytes(size.saturating_sub(from))));
        if server.budget().is_spent() {
            return Err(too_long(server.host(), what));
        }
    }
}

/// Reads the events of these files from `place` on, whose file is one of them, until `see` says that it has seen enough.
pub(crate) fn each_event_behind(
    server: &mut Server,
    files: &[String],
    place: &BinlogPosition,
    what: &str,
    mut see: impl FnMut(&str, &Record) -> bool,
) -> Result<(), Error> {
    for file in files.iter().skip_while(|file| **file != place.file) {
        let from = if *file == place.file { place.offset } else { FIRST_EVENT };
        if each_event(server, &BinlogPosition::new(file, from), what, |row| see(file, row))? {
            break;
        }
    }
    Ok(())
}

pub(crate) fn too_long(host: &str, what: &str) -> Error {
    Refusal::SearchTooLong { new: host.into(), what: what.into() }.into()
}

fn explain(host: &str, what: &str, error: Error) -> Error {
    if let Error::Silent { .. } = error { too_long(host, what) } else { error }
}

/// The id that a `Gtid` event gives its group.
fn gtid_of(row: &Record) -> Option<Gtid> {
    if row.text("Event_type") != "Gtid" {
        return None;
    }
    // `BEGIN GTID 0-1-5`, `GTID 0-1-5 cid=7`, `XA START … GTID 0-1-5`
    let (_, id) = row.text("Info").rsplit_once("GTID ")?;
    id.split_whitespace().next()?.parse().ok()
}

/// What a file's `Gtid_list` says of everything before it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Beginning {
    pub(crate) state: GtidState,
    position: GtidPosition,
}

impl Beginning {
    /// True where the file begins at or before every group of `at`.
    fn lies_before(&self, at: &GtidPosition) -> bool {
        at.iter().all(|gtid| !self.state.includes(gtid) || self.position.get(gtid.domain) == Some(gtid))
    }

    /// For each server that wrote in a domain of `at` between this file's beginning and `end`, that domain.
    fn writers_until(&self, end: &Self, at: &GtidPosition) -> Vec<u32> {
        let is_new = |gtid: &Gtid| self.state.get(gtid.domain, gtid.server) != Some(gtid.sequence);
        let written = end.state.iter().filter(|gtid| at.get(gtid.domain).is_some()).filter(is_new);
        written.map(|gtid| gtid.domain).collect()
    }
}

/// Reads events in order and remembers what was logged up to each group of the wanted position.
#[derive(Debug)]
struct Scan {
    at: GtidPosition,
    running: Beginning,
    file: String,
    /// The group that is being read, and where its events end so far.
    group: Option<(Gtid, u64)>,
    end: u64,
    /// State of each wanted domain at its wanted group.
    found: Vec<(u32, GtidState)>,
    /// State of all other domains when the last wanted group was found.
    others: Option<GtidState>,
    position: Option<BinlogPosition>,
    scope: Scope,
    out_of_order: Option<Gtid>,
    gaps: Vec<Gap>,
}

impl Scan {
    /// A scan that begins at `place`, before which lies what `begin` says.
    fn new(at: GtidPosition, place: BinlogPosition, begin: Beginning, scope: &Scope) -> Self {
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

    fn open(&mut self, place: &BinlogPosition) {
        self.file.clone_from(&place.file);
        self.end = place.offset;
    }

    fn event(&mut self, row: &Record) {
        if self.is_done() {
            return;
        }
        match row.text("Event_type") {
            "Gtid" => {
                self.close_group();
                if let (Some(gtid), false) = (gtid_of(row), self.is_done()) {
                    self.group = Some((gtid, row.number("End_log_pos").unwrap_or(0)));
                }
            }
            // None of these belongs to a group.
            "Rotate" | "Stop" | "Format_desc" | "Gtid_list" | "Binlog_checkpoint" | "Start_encryption" => {
                self.close_group();
            }
            _ => {
                if let (Some((_, end)), Some(here)) = (&mut self.group, row.number("End_log_pos")) {
                    *end = here;
                }
            }
        }
    }

    /// The group that was being read is complete.
    fn close_group(&mut self) {
        let Some((gtid, end)) = self.group.take() else { return };
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

    /// Is a number missing before this group? Before the place, the replica has whatever it was.
    fn note_gap(&mut self, before: Gtid) {
        let lies_before = self.at.get(before.domain).is_some() && !self.has_found(before.domain);
        let after = self.running.state.newest(before.domain);
        let are_masters =
            [Some(before), after].iter().flatten().all(|gtid| self.scope.masters.contains(&gtid.server));
        if !lies_before && are_masters && before.sequence > after.map_or(1, |after| after.sequence + 1) {
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

    /// True where nothing further needs to be read.
    fn is_done(&self) -> bool {
        !self.scope.order && self.has_found_all() && self.has_seen_others()
    }

    /// True where nothing that other servers than the log's own wrote lies further on, and each domain has begun.
    fn has_seen_others(&self) -> bool {
        self.scope.until.iter().all(|gtid| {
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

    fn first_missing(&self) -> Option<Gtid> {
        self.at.iter().find(|gtid| !self.has_found(gtid.domain))
    }

    fn finish(self) -> Located {
        if let Some(missing) = self.first_missing() {
            return Located::Missing(missing.to_string());
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

    /// What is still looked for.
    fn wanted(&self) -> String {
        let last = self.at.iter().next();
        self.first_missing().or(last).unwrap_or(Gtid { domain: 0, server: 0, sequence: 0 }).to_string()
    }
}

/// A log given as GTIDs alone, searched as a server's log would be: for the property tests of planning.
#[cfg(test)]
pub(crate) fn locate_in(log: &[Gtid], at: &GtidPosition, scope: &Scope) -> Located {
    let place = BinlogPosition::new("bin.000001", FIRST_EVENT);
    let mut scan = Scan::new(at.clone(), place, Beginning::default(), scope);
    for (index, gtid) in log.iter().enumerate() {
        scan.event(&Record::from_iter([
            ("Event_type", "Gtid".to_string()),
            ("Info", format!("GTID {gtid}")),
            ("End_log_pos", (index + 1).to_string()),
        ]));
        scan.close_group();
    }
    scan.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A log as text: `G 0-1-5` begins a group of two events, `R` rotates.
    fn read(at: &str, begin: &str, log: &str) -> Located {
        read_with(at, begin, log, &Scope::default())
    }

    fn read_with(at: &str, begin: &str, log: &str, scope: &Scope) -> Located {
        let gtids = parse_list(begin).expect("begin");
        let begin =
            Beginning { state: gtids.iter().copied().collect(), position: gtids.into_iter().collect() };
        let place = BinlogPosition::new("bin.000001", FIRST_EVENT);
        let mut scan = Scan::new(at.parse().expect("at"), place.clone(), begin, scope);
        let mut offset = 100;
        let mut file = 1;
        let mut row = |kind: &str, info: &str, scan: &mut Scan| {
            offset += 10;
            scan.event(&Record::from_iter([
                ("Event_type", kind.to_string()),
                ("Info", info.to_string()),
                ("End_log_pos", offset.to_string()),
            ]));
        };
        scan.open(&place);
        for word in log.split_whitespace() {
            if word == "R" {
                row("Rotate", "", &mut scan);
                scan.close_group();
                file += 1;
                scan.open(&BinlogPosition::new(format!("bin.{file:06}"), FIRST_EVENT));
            } else {
                row("Gtid", &format!("BEGIN GTID {word} cid=9"), &mut scan);
                row("Xid", "COMMIT /* xid=1 */", &mut scan);
            }
        }
        scan.close_group();
        scan.finish()
    }

    fn found(at: &str, begin: &str, log: &str) -> (Option<String>, String, Option<String>) {
        match read(at, begin, log) {
            Located::Found { position, state, out_of_order, .. } => {
                (position.map(|p| p.to_string()), state.to_string(), out_of_order.map(|g| g.to_string()))
            }
            other => panic!("{at} in {begin} {log}: {other:?}"),
        }
    }

    #[test]
    fn the_place_is_the_end_of_the_named_group_and_the_state_is_what_came_before() {
        let (position, state, disorder) = found("0-1-6", "0-1-4", "0-1-5 0-1-6 0-2-7");
        assert_eq!(position.as_deref(), Some("bin.000001:140"));
        assert_eq!((state.as_str(), disorder), ("0-1-6", None));
    }

    #[test]
    fn an_early_row_of_the_new_master_is_in_the_state_and_out_of_order() {
        let (_, state, disorder) = found("0-1-6", "0-1-4", "0-2-5 0-1-5 0-1-6 0-2-7");
        assert_eq!(state, "0-1-6,0-2-5");
        assert_eq!(disorder.as_deref(), Some("0-1-5"));
    }

    #[test]
    fn disorder_behind_the_place_is_seen_only_where_it_is_asked_for() {
        assert_eq!(found("0-1-5", "0-1-4", "0-1-5 0-2-7 0-1-6").2, None);
        let whole = Scope { order: true, ..Scope::default() };
        let Located::Found { out_of_order, state, position, .. } =
            read_with("0-1-5", "0-1-4,9-9-1", "0-1-5 0-2-7 0-1-6 9-9-2", &whole)
        else {
            panic!("not found")
        };
        assert_eq!(out_of_order.map(|gtid| gtid.to_string()).as_deref(), Some("0-1-6"));
        assert_eq!((state.to_string().as_str(), position.map(|p| p.offset)), ("0-1-5,9-9-1", Some(120)));
    }

    #[test]
    fn a_place_at_a_files_beginning_is_its_first_event() {
        assert_eq!(found("0-1-4", "0-2-3,0-1-4", "0-2-5").0.as_deref(), Some("bin.000001:4"));
    }

    #[test]
    fn the_last_group_of_a_file_ends_in_that_file() {
        assert_eq!(found("0-1-5", "", "0-1-5 R 0-1-6").0.as_deref(), Some("bin.000001:120"));
        assert_eq!(found("0-1-6", "", "0-1-5 R 0-1-6").0.as_deref(), Some("bin.000002:150"));
    }

    #[test]
    fn domains_at_different_places_have_states_but_no_single_position() {
        let (position, state, _) = found("0-1-5,1-1-9", "", "0-1-5 0-2-6 1-1-9 1-2-10");
        assert_eq!(position, None);
        assert_eq!(state, "0-1-5,1-1-9");
        let (position, state, _) = found("0-1-5,1-1-9", "", "1-1-9 0-1-5 0-2-6");
        assert_eq!(position.as_deref(), Some("bin.000001:140"));
        assert_eq!(state, "0-1-5,1-1-9");
    }

    #[test]
    fn a_domain_that_nobody_asked_for_counts_only_up_to_the_place() {
        assert_eq!(found("0-1-5", "7-1-1", "7-1-2 0-1-5 7-1-3 8-1-1").1, "0-1-5,7-1-2");
    }

    /// Server 2's log; servers 1 and 2 replicate from each other.
    fn gaps(at: &str, begin: &str, log: &str, until: &str) -> Vec<String> {
        let until = until.parse().expect("state");
        let scope = Scope { order: false, masters: vec![1, 2], own: 2, until };
        match read_with(at, begin, log, &scope) {
            Located::Found { gaps, .. } => gaps.iter().map(ToString::to_string).collect(),
            other => panic!("{at} in {begin} {log}: {other:?}"),
        }
    }

    #[test]
    fn a_number_that_does_not_follow_the_last_one_is_of_a_group_that_was_not_logged() {
        for (at, begin, log, until, missing) in [
            ("0-1-5", "", "0-1-5 0-1-6 0-1-7", "0-1-7", &[][..]),
            ("0-1-5", "", "0-1-5 0-1-9", "0-1-9", &["0-1-6 to 0-1-8"]),
            ("0-1-5", "", "0-1-5 R 0-1-6 0-1-8 0-1-9 0-1-12", "0-1-12", &["0-1-7", "0-1-10 to 0-1-11"]),
            ("0-1-5", "0-1-5", "0-1-7", "0-1-7", &["0-1-6"]),
            // The new master knew of what it had not logged.
            ("0-1-5", "", "0-1-5 0-2-8 0-1-9", "0-1-9,0-2-8", &["0-1-6 to 0-1-7"]),
            // Before the place, the replica has it.
            ("0-1-9", "", "0-1-5 0-1-9 0-1-10", "0-1-10", &[]),
            // Both wrote at once.
            ("0-1-5", "", "0-1-5 0-2-6 0-2-7 0-1-6 0-1-8", "0-1-8,0-2-7", &[]),
            // Numbers of other servers say nothing.
            ("0-1-5", "", "0-1-5 0-7-900 0-1-6 0-7-950 0-1-7", "0-1-7,0-7-950", &[]),
            // Behind the last group of others, nothing is read.
            ("0-1-5", "", "0-1-5 0-2-6 0-2-9", "0-1-5,0-2-9", &[]),
            // A domain that the replica does not know has to be whole.
            ("1-1-5", "", "1-1-5 2-2-1 2-2-2", "1-1-5,2-2-2", &[]),
            ("1-1-5", "", "1-1-5 2-2-4 2-2-5", "1-1-5,2-2-5", &["2-2-1 to 2-2-3"]),
            ("1-1-5", "2-2-3", "1-1-5 2-2-4", "1-1-5,2-2-4", &[]),
        ] {
            assert_eq!(gaps(at, begin, log, until), missing, "{at} in {begin} {log}");
        }
    }

    #[test]
    fn a_group_that_is_not_there_is_missing() {
        let missing = read("0-1-9", "", "0-1-5 0-1-6");
        assert_eq!(missing, Located::Missing("0-1-9".into()));
    }

    #[test]
    fn a_file_is_known_by_who_wrote_in_it() {
        let begin = |text: &str| {
            let gtids = parse_list(text).expect("list");
            Beginning { state: gtids.iter().copied().collect(), position: gtids.into_iter().collect() }
        };
        let at: GtidPosition = "0-1-9,4-1-1".parse().expect("position");
        for (from, to, writers) in [
            ("0-1-4", "0-1-4", &[][..]),
            ("0-1-4", "0-1-6,7-1-1", &[0]),
            ("", "0-2-1", &[0]),
            ("0-1-4", "0-1-6,0-2-5", &[0, 0]),
            ("0-1-4", "0-1-6,4-2-5", &[0, 4]),
        ] {
            assert_eq!(begin(from).writers_until(&begin(to), &at), writers, "{from} {to}");
        }
    }

    #[test]
    fn a_file_lies_before_a_place_that_it_does_not_include() {
        let begin = |text: &str| {
            let gtids = parse_list(text).expect("list");
            Beginning { state: gtids.iter().copied().collect(), position: gtids.into_iter().collect() }
        };
        let at: GtidPosition = "0-1-6".parse().expect("position");
        assert!(begin("").lies_before(&at));
        assert!(begin("0-1-5").lies_before(&at));
        assert!(begin("0-2-5,0-1-6").lies_before(&at), "ends exactly there");
        assert!(!begin("0-1-6,0-2-7").lies_before(&at), "0-2-7 came after 0-1-6");
        assert!(!begin("0-1-7").lies_before(&at));
    }
}
