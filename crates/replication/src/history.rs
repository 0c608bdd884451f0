//! Where in a MariaDB server's binary log does a GTID position lie, and what had been logged up to there?
//!
//! The log is read with SHOW BINLOG EVENTS (privilege BINLOG MONITOR, which REPLICATION CLIENT is since
//! MariaDB 10.5.2), page by page, from the last file whose `Gtid_list` event does not include the position
//! yet. `Scan` does the thinking without a server.

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
        /// For a replica that keeps no log: that of its source up to the same place, so what the replica has.
        of_source: Option<OwnLog>,
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
    /// With the log of the replica's source up to the same place.
    #[must_use]
    pub fn beside(mut self, log: Option<OwnLog>) -> Self {
        if let Self::Found { of_source, .. } = &mut self {
            *of_source = log;
        }
        self
    }
}

/// Finds `at` in the log of `server`.
///
/// With `check_order` the whole log is looked through, so that `out_of_order` says something; without it,
/// reading ends at the place, and a place at the very end of the log costs two statements.
pub fn locate(server: &mut Server, at: &GtidPosition, check_order: bool) -> Result<Located, Error> {
    if !check_order && let Some(found) = at_the_end(server, at)? {
        return Ok(found);
    }
    let files = log_files(server)?;
    let lies_before = |file: &str| {
        let list = beginning(server, file)?;
        Ok(list.lies_before(at).then_some(list))
    };
    let Some((first, begin)) = last_that_begins(&files, lies_before)? else {
        let gone = at.iter().next().unwrap_or(Gtid { domain: 0, server: 0, sequence: 0 });
        return Ok(Located::Purged(gone.to_string()));
    };
    let mut scan = Scan::new(at.clone(), &files[first], begin, check_order);
    for file in &files[first..] {
        if read_file(server, file, &mut scan)? {
            break;
        }
    }
    if check_order {
        let earlier = disorder_before(server, &files[..=first], at)
            .map_err(|error| explain(server.host(), &scan.wanted(), error))?;
        scan.out_of_order = earlier.or(scan.out_of_order);
    }
    Ok(scan.finish())
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
                let mut scan = Scan::new(at.clone(), file, begin, true);
                read_file(server, file, &mut scan)?;
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
fn at_the_end(server: &mut Server, at: &GtidPosition) -> Result<Option<Located>, Error> {
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
    Ok(Some(Located::Found {
        at: at.clone(),
        position: Some(end),
        state,
        out_of_order: None,
        of_source: None,
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
fn beginning(server: &mut Server, file: &str) -> Result<Beginning, Error> {
    let rows = page(server, file, FIRST_EVENT, 4)?;
    let list =
        rows.iter().find(|row| row.text("Event_type") == "Gtid_list").map_or("", |row| row.text("Info"));
    let gtids =
        parse_list(list).map_err(|_| server.unexpected("SHOW BINLOG EVENTS", "a readable Gtid_list"))?;
    Ok(Beginning { state: gtids.iter().copied().collect(), position: gtids.into_iter().collect() })
}

/// Reads one file into the scan; true when everything is found.
fn read_file(server: &mut Server, file: &str, scan: &mut Scan) -> Result<bool, Error> {
    scan.open(file);
    let begin = BinlogPosition::new(file, FIRST_EVENT);
    each_event(server, &begin, &scan.wanted(), |row| {
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

fn too_long(host: &str, what: &str) -> Error {
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
struct Beginning {
    state: GtidState,
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
    check_order: bool,
    out_of_order: Option<Gtid>,
}

impl Scan {
    fn new(at: GtidPosition, file: &str, begin: Beginning, check_order: bool) -> Self {
        let mut scan = Self {
            at,
            running: begin,
            file: file.to_string(),
            group: None,
            end: FIRST_EVENT,
            found: Vec::new(),
            others: None,
            position: None,
            check_order,
            out_of_order: None,
        };
        for gtid in scan.running.position.clone().iter() {
            scan.note(gtid);
        }
        scan.note_position();
        scan
    }

    fn open(&mut self, file: &str) {
        self.file = file.to_string();
        self.end = FIRST_EVENT;
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
        self.running.state.log(gtid);
        self.running.position.advance(gtid);
        self.end = end;
        self.note(gtid);
        self.note_position();
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
        !self.check_order && self.has_found_all()
    }

    fn has_found_all(&self) -> bool {
        self.at.iter().all(|gtid| self.found.iter().any(|(domain, _)| *domain == gtid.domain))
    }

    fn first_missing(&self) -> Option<Gtid> {
        self.at.iter().find(|gtid| !self.found.iter().any(|(domain, _)| *domain == gtid.domain))
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
            of_source: None,
        }
    }

    /// What is still looked for.
    fn wanted(&self) -> String {
        self.first_missing().unwrap_or(Gtid { domain: 0, server: 0, sequence: 0 }).to_string()
    }
}

/// A log given as GTIDs alone, searched as a server's log would be: for the property tests of planning.
#[cfg(test)]
pub(crate) fn locate_in(log: &[Gtid], at: &GtidPosition, check_order: bool) -> Located {
    let mut scan = Scan::new(at.clone(), "bin.000001", Beginning::default(), check_order);
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
        read_with(at, begin, log, false)
    }

    fn read_with(at: &str, begin: &str, log: &str, check_order: bool) -> Located {
        let gtids = parse_list(begin).expect("begin");
        let begin =
            Beginning { state: gtids.iter().copied().collect(), position: gtids.into_iter().collect() };
        let mut scan = Scan::new(at.parse().expect("at"), "bin.000001", begin, check_order);
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
        scan.open("bin.000001");
        for word in log.split_whitespace() {
            if word == "R" {
                row("Rotate", "", &mut scan);
                scan.close_group();
                file += 1;
                scan.open(&format!("bin.{file:06}"));
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
        let Located::Found { out_of_order, state, position, .. } =
            read_with("0-1-5", "0-1-4,9-9-1", "0-1-5 0-2-7 0-1-6 9-9-2", true)
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
