//! Do the numbers of a whole log never step back?

use crate::binlog::by_gtid::beginning::{Beginning, FIRST_EVENTS, beginning, gtid_of};
use crate::binlog::by_gtid::scan::{Scan, Scope};
use crate::binlog::files::FIRST_EVENT;
use crate::binlog::pages::page;
use crate::binlog::reading::{self, Log};
use crate::error::Error;
use crate::gtid::{Gtid, GtidPosition};
use crate::position::BinlogPosition;

/// The first group of a log that is out of order in a domain of `at`. A file that holds the groups of a single server is
/// in order in itself and is not read: only its first group is compared with what was logged before.
pub(super) fn first_step_back(
    log: &mut Log,
    files: &[String],
    at: &GtidPosition,
) -> Result<Option<Gtid>, Error> {
    let Some(oldest) = files.first() else { return Ok(None) };
    let mut begin = beginning(log.server, oldest)?;
    for (index, file) in files.iter().enumerate() {
        let end = match files.get(index + 1) {
            Some(next) => beginning(log.server, next)?,
            None => of_all(log)?,
        };
        let disorder = step_back_in(log, file, &begin, &end, at)?;
        if disorder.is_some() {
            return Ok(disorder);
        }
        begin = end;
    }
    Ok(None)
}

fn step_back_in(
    log: &mut Log,
    file: &String,
    begin: &Beginning,
    end: &Beginning,
    at: &GtidPosition,
) -> Result<Option<Gtid>, Error> {
    let writers = begin.writers_until(end, at);
    if writers.is_empty() {
        return Ok(None);
    }
    if let [domain] = writers[..] {
        let rows = page(log.server, file, FIRST_EVENT, FIRST_EVENTS)?;
        if let Some(first) = rows.iter().find_map(gtid_of).filter(|gtid| gtid.domain == domain) {
            return Ok(begin.state.is_stepped_back_by(first).then_some(first));
        }
    }
    let place = BinlogPosition::new(file, FIRST_EVENT);
    let scope = Scope { order: true, ..Scope::default() };
    let mut scan = Scan::new(at.clone(), place.clone(), begin.clone(), &scope);
    reading::read(log, std::slice::from_ref(file), &place, &mut scan)?;
    Ok(scan.out_of_order)
}

/// What the log has by now.
fn of_all(log: &mut Log) -> Result<Beginning, Error> {
    let statement = "SELECT @@gtid_binlog_state, @@gtid_binlog_pos";
    let row = log.server.one(statement)?;
    let unreadable = || log.server.unexpected(statement, "readable GTIDs");
    let state = row.at(0).unwrap_or_default().parse().map_err(|_| unreadable())?;
    let position = row.at(1).unwrap_or_default().parse().map_err(|_| unreadable())?;
    Ok(Beginning { state, position })
}
