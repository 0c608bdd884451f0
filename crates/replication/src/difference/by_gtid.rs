//! The difference by global ids. What is missing is known before the log is read. What each file begins with shows
//! which files hold it.

use crate::binlog::by_gtid::beginning::beginning;
use crate::binlog::by_set::previous_gtids;
use crate::binlog::files::{last_that_begins, log_files};
use crate::difference::plan::{Has, Method, Plan, Skip, Wanted};
use crate::difference::side::{Known, Side};
use crate::error::Error;
use crate::facts::OwnLog;
use crate::gtid::{Gtid, GtidPosition, GtidSet, GtidState};
use crate::server::Server;

/// MySQL's.
pub fn of_sets(
    server: &mut Server,
    side: &Side,
    executed: &GtidSet,
    purged: &GtidSet,
    theirs: &GtidSet,
) -> Result<Plan, Error> {
    let missing = executed.without(theirs);
    let gone = missing.within(purged);
    let logged = missing.without(&gone);
    let mut files = Vec::new();
    if side.logs && !logged.is_empty() {
        let names = log_files(server)?;
        let lies_before = |server: &mut Server, name: &str| {
            let before = previous_gtids(server, name)?;
            Ok(before.within(&logged).is_empty().then_some(before))
        };
        let first = last_that_begins(&names, |name| lies_before(server, name))?;
        let (first, mut before) = first.unwrap_or((0, GtidSet::default()));
        for (index, name) in names.iter().enumerate().skip(first) {
            let next = match names.get(index + 1) {
                Some(next) => previous_gtids(server, next)?,
                // What was logged meanwhile may have been executed before.
                None => before.with(&logged),
            };
            let is_last = index + 1 == names.len();
            if is_last || !next.without(&before).within(&logged).is_empty() {
                files.push((index, name.clone()));
            }
            before = next;
        }
    }
    Ok(Plan {
        method: Method::Gtid,
        gtids: missing.to_string(),
        count: Some(missing.count()),
        purged: (!gone.is_empty()).then(|| gone.to_string()),
        unlogged: None,
        since: None,
        files,
        skip: Skip::Set(executed.without(&logged)),
        wanted: Wanted::InSet(logged),
    })
}

/// MariaDB's.
pub fn of_states(
    server: &mut Server,
    side: &Side,
    log: &OwnLog,
    replicated: &GtidPosition,
    other: &Side,
) -> Result<Plan, Error> {
    let Known::States { log: their_log, replicated: their_place } = &other.known else {
        return Err(server.unexpected("SELECT @@…", "binlog_state"));
    };
    let other =
        Has { log: their_log.clone(), replicated: their_place.clone(), logs_updates: other.logs_updates };
    let ends = |state: &GtidState| state.iter().filter(|gtid| !other.has(*gtid)).collect::<Vec<_>>();
    let (missing, mut purged, mut files) = (ends(&log.state), Vec::new(), Vec::new());
    if side.logs && !missing.is_empty() {
        let names = log_files(server)?;
        let oldest = match names.first() {
            Some(oldest) => beginning(server, oldest)?.state,
            None => GtidState::default(),
        };
        purged = ends(&oldest);
        let is_wanted = |gtid: &Gtid| {
            let is_there = oldest.get(gtid.domain, gtid.server).is_none_or(|gone| gtid.sequence > gone);
            is_there && !other.has(*gtid)
        };
        let first = last_that_begins(&names, |name| {
            let state = beginning(server, name)?.state;
            let holds_any = state.iter().any(|gtid| is_wanted(&gtid));
            Ok((!holds_any).then_some(state))
        })?;
        let (first, mut before) = first.unwrap_or_default();
        for (index, name) in names.iter().enumerate().skip(first) {
            let next = match names.get(index + 1) {
                Some(next) => beginning(server, next)?.state,
                None => log.state.clone(),
            };
            let is_new = |gtid: &Gtid| before.get(gtid.domain, gtid.server) != Some(gtid.sequence);
            if next.iter().any(|gtid| is_new(&gtid) && is_wanted(&gtid)) {
                files.push((index, name.clone()));
            }
            before = next;
        }
    }
    let unlogged: Vec<Gtid> = if side.logs_updates {
        Vec::new()
    } else {
        replicated.iter().filter(|gtid| !log.state.includes(*gtid) && !other.has(*gtid)).collect()
    };
    let nothing = missing.is_empty() && unlogged.is_empty();
    Ok(Plan {
        method: Method::Gtid,
        gtids: behind(&missing, &other),
        count: nothing.then_some(0),
        purged: (!purged.is_empty()).then(|| behind(&purged, &other)),
        unlogged: (!unlogged.is_empty()).then(|| behind(&unlogged, &other)),
        since: None,
        files,
        skip: up_to(&missing, &log.state, &other).map_or(Skip::Nothing, Skip::UpTo),
        wanted: Wanted::NotOf { of: log.state.clone(), other },
    })
}

/// The position in the log after which everything that is missing lies. A server's groups are logged in their order, so
/// the position is known if the groups of only one server are missing, and some of its groups are not.
fn up_to(missing: &[Gtid], state: &GtidState, other: &Has) -> Option<GtidPosition> {
    let [last] = missing else { return None };
    let sequence = other.log.state.get(last.domain, last.server)?;
    let ends =
        state.iter().filter(|gtid| gtid.domain != last.domain).filter_map(|gtid| state.newest(gtid.domain));
    Some(ends.chain([Gtid { sequence, ..*last }]).collect())
}

/// For each server and domain: up to which group, and after which.
fn behind(gtids: &[Gtid], other: &Has) -> String {
    let one = |gtid: &Gtid| match other.log.state.get(gtid.domain, gtid.server) {
        Some(sequence) => format!("up to {gtid}, behind {}", Gtid { sequence, ..*gtid }),
        None => format!("up to {gtid}"),
    };
    gtids.iter().map(one).collect::<Vec<_>>().join("; ")
}

#[cfg(test)]
mod tests;
