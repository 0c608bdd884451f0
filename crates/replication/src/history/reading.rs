//! What has to be seen of a log, event by event.

use twox_hash::XxHash3_128;

use super::pages::{each_event, each_of_page, explain};
use super::scan::{Part, Scan};
use super::unfinished::Key;
use super::{FIRST_EVENT, Log};
use crate::binlog::event::{Event, kind};
use crate::binlog::packets::Sent;
use crate::binlog::stream::Start;
use crate::error::Error;
use crate::position::BinlogPosition;
use crate::record::Record;
use crate::refusal::Refusal;

/// As many events of a file are asked for before a dump.
const PAGE: usize = 200;

/// An event as it was got.
pub(crate) enum Seen<'s> {
    /// By SHOW BINLOG EVENTS.
    Row(&'s Record),
    /// By a dump.
    Event(&'s Event<'s>, &'s Sent<'s>),
}

impl Seen<'_> {
    fn part(&self) -> Part {
        match self {
            Self::Row(row) => Part::of_row(row),
            Self::Event(event, _) => Part::of_event(event),
        }
    }
}

/// Shows `see` the events of a file from `place` on until it says that it has seen enough; true then. `sought` is looked
/// for, in words.
pub(super) fn each_part(
    log: &mut Log,
    place: &BinlogPosition,
    sought: &str,
    mut see: impl FnMut(&Part) -> bool,
) -> Result<bool, Error> {
    each_seen(log, place, sought, |seen| see(&seen.part()))
}

/// The same, as each event was got.
pub(crate) fn each_seen(
    log: &mut Log,
    place: &BinlogPosition,
    sought: &str,
    mut see: impl FnMut(&Seen) -> bool,
) -> Result<bool, Error> {
    let mut place = place.clone();
    match first_page(log, &mut place, sought, &mut see)? {
        Some(is_enough) => Ok(is_enough),
        None => each(log, &place, sought, see),
    }
}

/// The same for some events alone: what is left of a file is mostly short, and no other connection is needed for it.
/// `None` where more is left, from `place` on.
fn first_page(
    log: &mut Log,
    place: &mut BinlogPosition,
    sought: &str,
    mut see: impl FnMut(&Seen) -> bool,
) -> Result<Option<bool>, Error> {
    let (from, mut count, mut is_enough) = (place.clone(), 0, false);
    each_of_page(log.server, &from.file, from.offset, PAGE, |row| {
        let end = row.number("End_log_pos").unwrap_or(0);
        (count, place.offset) = (count + 1, end.max(place.offset));
        is_enough = is_enough || see(&Seen::Row(&row));
        is_enough
    })
    .map_err(|error| explain(log.reader.host(), sought, error))?;
    Ok((is_enough || count < PAGE).then_some(is_enough))
}

/// The same as [`each_seen`], as replicas get it; where neither account may, page by page.
fn each(
    log: &mut Log,
    place: &BinlogPosition,
    sought: &str,
    mut see: impl FnMut(&Seen) -> bool,
) -> Result<bool, Error> {
    let (mut has_begun, mut is_enough) = (false, false);
    let reader = log.reader.seeking(sought);
    let dumped = reader.each_head(&place.file, Start::At(place.offset), |event, sent| {
        has_begun = true;
        // What describes the events comes first.
        if event.end > place.offset {
            is_enough = see(&Seen::Event(event, sent));
        }
        is_enough
    });
    match dumped {
        Err(error @ (Error::Query { .. } | Error::Connect { answered: true, .. })) if !has_begun => {
            log::info!("{} is read page by page: {error}", place.file);
            each_event(log.server, place, sought, |row| see(&Seen::Row(row)))
        }
        other => other.map(|()| is_enough),
    }
}

/// Reads these files into the scan, the first from `offset` on, until everything is found. What cannot be read in time
/// is noted, and read from there on the next time.
pub(super) fn read(log: &mut Log, files: &[String], offset: u64, scan: &mut Scan) -> Result<(), Error> {
    let Some(first) = files.first() else { return Ok(()) };
    let key = log.notes.clone().map(|path| Key::new(path, log.reader.host(), first, offset, scan));
    let fresh = scan.clone();
    if let Some(key) = &key
        && let Some((place, begun)) = key.resume(scan)
    {
        let rest = files.iter().skip_while(|file| **file != place.file);
        let is_there = rest.clone().next().is_some();
        let resumed = read_files(log, rest, place.offset, scan, Some(begun), Some(key));
        match resumed {
            Ok(true) if is_there => {
                key.forget();
                return Ok(());
            }
            // No event begins there any more.
            Err(error @ Error::Query { .. }) => log::info!("{place} is no place any more: {error}"),
            Ok(_) => {}
            Err(error) => return Err(error),
        }
        log::info!("{} has another log by now: it is searched from its beginning", log.reader.host());
        key.forget();
        *scan = fresh;
    }
    read_files(log, files.iter(), offset, scan, None, key.as_ref())?;
    Ok(())
}

/// What a file begins with, behind the event that describes the others: that one bears the time of the dump on some
/// servers (MariaDB 11.8). `None` where nobody may dump.
fn begun(log: &Log, file: &str, sought: &str) -> Result<Option<String>, Error> {
    let mut begun = None;
    match log.reader.seeking(sought).each_head(file, Start::First, |event, _| {
        if event.kind != kind::FORMAT_DESCRIPTION {
            begun = Some(format!("{}-{}-{:x}", event.time, event.kind, XxHash3_128::oneshot(event.body)));
        }
        begun.is_some()
    }) {
        Err(Error::Query { .. } | Error::Connect { answered: true, .. }) => Ok(None),
        other => other.map(|()| begun),
    }
}

/// False where the first file does not begin with what is `expected`.
fn read_files<'f>(
    log: &mut Log,
    files: impl Iterator<Item = &'f String>,
    mut offset: u64,
    scan: &mut Scan,
    mut expected: Option<String>,
    key: Option<&Key>,
) -> Result<bool, Error> {
    for file in files {
        let mut place = BinlogPosition::new(file, offset);
        scan.open(&place);
        let sought = scan.wanted();
        let mut see = |seen: &Seen| {
            scan.event(&seen.part());
            scan.is_done()
        };
        if expected.is_some() || first_page(log, &mut place, &sought, &mut see)?.is_none() {
            let begun = if key.is_some() { begun(log, file, &sought)? } else { None };
            if expected.is_some() && begun != expected {
                log::debug!("{file} begins with {begun:?}, not {expected:?}");
                return Ok(false);
            }
            let read = each(log, &place, &sought, see);
            if let (Err(Error::Refused(refusal)), Some(key), Some(begun)) = (&read, key, begun)
                && matches!(**refusal, Refusal::SearchTooLong { .. })
            {
                key.keep(scan, &begun);
            }
            read?;
        }
        scan.close_group();
        if scan.is_done() {
            break;
        }
        (offset, expected) = (FIRST_EVENT, None);
    }
    Ok(true)
}
