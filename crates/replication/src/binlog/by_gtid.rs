//! Where in a MariaDB server's binary log is a GTID position, and what had been logged up to there?
//!
//! The log of a server can be of any size, so only as much of it is read as the answer needs. In [`seek`] the server
//! finds the position. [`scan`] judges the events without a server, [`order`] judges the log as a whole, and
//! `scan_note` writes down what an unfinished search knows.

pub(crate) mod beginning;
mod order;
pub(crate) mod scan;
mod scan_note;
mod seek;

use crate::binlog::by_gtid::beginning::{Beginning, FIRST_EVENTS, beginning, gtid_of};
use crate::binlog::by_gtid::scan::{Part, Scan, Scope, What};
use crate::binlog::end::log_end;
use crate::binlog::files::{FIRST_EVENT, last_that_begins, log_files};
use crate::binlog::located::{Gap, Located};
use crate::binlog::pages::page;
use crate::binlog::reading::{Log, each_seen, read};
use crate::error::Error;
use crate::gtid::{Gtid, GtidPosition, GtidState};
use crate::position::BinlogPosition;
use crate::server::Server;

/// Finds `at` in a log.
///
/// A position at the very end of the log costs three statements. A position after what was found `earlier` is looked
/// for from there on.
pub fn locate(
    log: &mut Log,
    at: &GtidPosition,
    scope: &Scope,
    earlier: Option<&Located>,
) -> Result<Located, Error> {
    let whole = scope;
    let scope = &Scope { order: false, ..scope.clone() };
    let files = log_files(log.server)?;
    let older = older_than_all(log, &files, &scope.older)?;
    let scope = &Scope { older, ..scope.clone() };
    let located = match at_the_end(log.server, at, scope)? {
        Some(found) => found,
        None => match further_on(log, &files, at, scope, earlier)? {
            Some(found) => found,
            None => from_its_file(log, &files, at, scope)?,
        },
    };
    match located {
        Located::Found { at, position, state, gaps, searched, of_source, looked_back, .. } if whole.order => {
            let out_of_order = order::first_step_back(log, &files, &at)?;
            Ok(Located::Found { at, position, state, out_of_order, gaps, searched, of_source, looked_back })
        }
        other => Ok(other),
    }
}

/// Finds `at`, beginning with the last file that begins before it.
fn from_its_file(
    log: &mut Log,
    files: &[String],
    at: &GtidPosition,
    scope: &Scope,
) -> Result<Located, Error> {
    // A domain that the position does not name may begin after it, in an earlier file than the last possible one.
    let mut first = None;
    if scope.until.iter().any(|gtid| at.get(gtid.domain).is_none()) {
        first = last_that_begins(files, |file| {
            let list = beginning(log.server, file)?.behind(&scope.older);
            let names_all = |list: &Beginning| list.state.iter().all(|gtid| at.get(gtid.domain).is_some());
            Ok(list.filter(|list| names_all(list) && list.lies_before(at)))
        })?;
    }
    if first.is_none() {
        first = last_that_begins(files, |file| {
            let list = beginning(log.server, file)?.behind(&scope.older);
            Ok(list.filter(|list| list.lies_before(at)))
        })?;
    }
    let Some((first, begin)) = first else {
        return Ok(Located::Purged { at: at.clone(), gtid: at.iter().next() });
    };
    if scope.older.is_empty()
        && let Some(found) = seek::locate(log, files, at, scope, (first, &begin))?
    {
        return Ok(found);
    }
    let place = BinlogPosition::new(&files[first], FIRST_EVENT);
    let mut scan = Scan::new(at.clone(), place.clone(), begin, scope);
    read(log, files, &place, &mut scan)?;
    Ok(scan.finish())
}

/// Of groups that may be older than the log, those that really can be: if a domain continues in another file, the first
/// file ends after them.
fn older_than_all(log: &mut Log, files: &[String], older: &GtidPosition) -> Result<GtidPosition, Error> {
    let mut left = GtidPosition::default();
    for gtid in older.iter() {
        let begins = last_that_begins(files, |file| {
            let list = beginning(log.server, file)?;
            Ok((!list.state.knows(gtid.domain)).then_some(()))
        })?;
        let behind = match begins.and_then(|(first, ())| files.get(first + 1)) {
            Some(next) => beginning(log.server, next)?.state.highest(gtid.domain),
            None => None,
        };
        if begins.is_some() && behind.is_none_or(|highest| highest > gtid.sequence) {
            left.advance(gtid);
        }
    }
    Ok(left)
}

/// Finds `at` after what was found earlier, if it lies there.
fn further_on(
    log: &mut Log,
    files: &[String],
    at: &GtidPosition,
    scope: &Scope,
    earlier: Option<&Located>,
) -> Result<Option<Located>, Error> {
    let Some(
        Located::Found { at: from, position: Some(place), state, .. }
        | Located::Logged { at: from, position: Some(place), state, .. },
    ) = earlier
    else {
        return Ok(None);
    };
    let goes_on =
        at.iter().all(|gtid| from.get(gtid.domain).is_some_and(|from| from.sequence <= gtid.sequence));
    if !goes_on || !files.contains(&place.file) {
        return Ok(None);
    }
    let begin = Beginning { state: state.clone(), position: from.clone() };
    let mut scan = Scan::new(at.clone(), place.clone(), begin, scope);
    read(log, files, place, &mut scan)?;
    Ok(scan.first_missing().is_none().then(|| scan.finish()))
}

/// True if a server's log, which holds the group before a gap, has no group with the numbers of the gap. `None` if it
/// cannot show that.
pub fn holds_nothing_between(log: &mut Log, gap: &Gap) -> Result<Option<bool>, Error> {
    let Some(after) = gap.after else { return Ok(None) };
    let at: GtidPosition = std::iter::once(after).collect();
    let Located::Found { position: Some(place), .. } = locate(log, &at, &Scope::default(), None)? else {
        return Ok(None);
    };
    let (mut is_empty, mut is_over) = (true, false);
    for from in places_from(log, &place)? {
        is_over = each_part(log, &from, &gap.to_string(), |part| {
            let What::Group(gtid) = part.what else { return false };
            if gtid.domain != after.domain {
                return false;
            }
            is_empty = !(after.sequence.saturating_add(1)..gap.before.sequence).contains(&gtid.sequence);
            !is_empty || gtid == gap.before
        })?;
        if is_over {
            break;
        }
    }
    Ok(is_over.then_some(is_empty))
}

/// The first group after `place` of each domain of `at`.
pub fn next_behind(log: &mut Log, place: &BinlogPosition, at: &GtidPosition) -> Result<GtidPosition, Error> {
    let mut next = GtidPosition::default();
    let is_whole = |next: &GtidPosition| at.iter().all(|gtid| next.get(gtid.domain).is_some());
    for from in places_from(log, place)? {
        let is_done = each_part(log, &from, "what comes behind it", |part| {
            if let What::Group(gtid) = part.what
                && at.get(gtid.domain).is_some()
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

/// Shows `see` the events of a file from `place` on until `see` returns true; true then. `sought` says in words what is
/// looked for.
fn each_part(
    log: &mut Log,
    place: &BinlogPosition,
    sought: &str,
    mut see: impl FnMut(&Part) -> bool,
) -> Result<bool, Error> {
    each_seen(log, place, sought, |seen| see(&Part::of(seen)))
}

/// This position, and the beginnings of the files after its file.
fn places_from(log: &mut Log, place: &BinlogPosition) -> Result<Vec<BinlogPosition>, Error> {
    let files = log_files(log.server)?.into_iter().skip_while(|file| *file != place.file);
    let begin = |file: String| {
        let offset = if file == place.file { place.offset } else { FIRST_EVENT };
        BinlogPosition::new(file, offset)
    };
    Ok(files.map(begin).collect())
}

/// What the oldest file of a server's log begins with: the state of its `Gtid_list`, or its first groups if that list
/// is empty.
pub fn oldest_known(server: &mut Server) -> Result<GtidState, Error> {
    Ok(oldest_listed(server)?.1)
}

/// The state of the `Gtid_list` alone, and the same with the first groups of domains that it does not name.
pub fn oldest_listed(server: &mut Server) -> Result<(GtidState, GtidState), Error> {
    let Some(oldest) = log_files(server)?.into_iter().next() else { return Ok(Default::default()) };
    let listed = beginning(server, &oldest)?.state;
    let mut state = listed.clone();
    for row in page(server, &oldest, FIRST_EVENT, FIRST_EVENTS)? {
        if let Some(gtid) = gtid_of(&row).filter(|gtid| !state.knows(gtid.domain)) {
            state.log(gtid);
        }
    }
    Ok((listed, state))
}

/// The cheap case: the position is the end of the log, and nothing is written meanwhile. Costs three statements.
fn at_the_end(server: &mut Server, at: &GtidPosition, scope: &Scope) -> Result<Option<Located>, Error> {
    let Some(end) = log_end(server)? else { return Ok(None) };
    let row = server.one("SELECT @@gtid_binlog_state, @@gtid_binlog_pos")?;
    let (state, now) = (row.at(0).unwrap_or_default(), row.at(1).unwrap_or_default());
    let (Ok(mut state), Ok(now)) = (state.parse::<GtidState>(), now.parse::<GtidPosition>()) else {
        return Ok(None);
    };
    let is_older = |gtid: Gtid| scope.older.get(gtid.domain) == Some(gtid) && !state.knows(gtid.domain);
    let older: Vec<Gtid> = at.iter().filter(|gtid| is_older(*gtid)).collect();
    let is_end = at
        .iter()
        .all(|gtid| older.contains(&gtid) || now.get(gtid.domain) == Some(gtid) && state.includes(gtid));
    for gtid in older {
        state.log(gtid);
    }
    // A domain that the position does not name may lie after it.
    if !is_end || now.iter().any(|gtid| at.get(gtid.domain).is_none()) {
        return Ok(None);
    }
    // Groups are logged under the same lock under which the end is read: if the end has not moved, none came in
    // between. The question what lies before the end (BINLOG_GTID_POS) would make the server read all of the file.
    if log_end(server)?.as_ref() != Some(&end) {
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
