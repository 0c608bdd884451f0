//! Reads what has to be seen of a log, event by event.

use std::path::PathBuf;

use crate::binlog::begin::Begin;
use crate::binlog::event::Event;
use crate::binlog::files::FIRST_EVENT;
use crate::binlog::packets::Sent;
use crate::binlog::pages::{each_event, each_of_page, explain};
use crate::binlog::stream::{Reader, Start};
use crate::binlog::unfinished::{Mark, Note, Reached, Trail};
use crate::error::Error;
use crate::gtid::GtidState;
use crate::position::BinlogPosition;
use crate::record::Record;
use crate::refusal::Refusal;
use crate::server::Server;

/// How many events of a file are asked for before a dump.
const PAGE: usize = 200;

/// A log that is searched.
pub struct Log<'l, 'h> {
    /// Its server.
    pub server: &'l mut Server,
    /// The reader of it.
    pub reader: Reader<'h>,
    /// What is probably logged before the position: the server is asked for that first.
    pub expected: GtidState,
    /// Where a search that does not end in time is noted.
    pub notes: Option<PathBuf>,
}

/// An event as it was got.
pub(crate) enum Seen<'s> {
    /// By SHOW BINLOG EVENTS.
    Row(&'s Record),
    /// By a dump.
    Event(&'s Event<'s>, &'s Sent<'s>),
}

/// Shows `see` the events of a file from `place` on until `see` returns true; true then. `sought` says in words what is
/// looked for.
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

/// The same, but only for the next events: the rest of a file is usually short, and then no other connection is needed.
/// If more is left after `place`, returns `None`.
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

/// The same as [`each_seen`], but the log is read as replicas get it; if neither account may do that, page by page.
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
        // The event that describes the others comes first.
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

/// A search that reads a log forwards, and can continue where another call has ended.
pub(crate) trait ByEvent: Clone {
    /// What tells it apart from other searches of the same log.
    fn key(&self) -> String;
    /// What is known by the groups that were read to their end.
    fn to_text(&self) -> String;
    /// The search as it was noted at `place`; `None` if the note is of no use.
    fn resumed(&self, text: &str, place: &BinlogPosition) -> Option<Self>;
    /// The next event lies at `place`.
    fn open(&mut self, place: &BinlogPosition);
    /// Takes an event; true if nothing further needs to be read.
    fn see(&mut self, seen: &Seen) -> bool;
    /// The file ends; true if nothing further needs to be read.
    fn close(&mut self) -> bool;
    /// What is looked for, in words.
    fn wanted(&self) -> String;
}

/// The result of reading a file.
enum Read {
    /// Nothing further needs to be read.
    Done,
    /// It was read to its end.
    ToItsEnd,
    /// It is not the file that was expected.
    Another,
}

/// Reads these files, the first of them from `begin` on, until everything is found. If they cannot be read in time,
/// that is noted, and the next call continues from there.
pub(crate) fn read(
    log: &mut Log,
    files: &[String],
    begin: &BinlogPosition,
    search: &mut impl ByEvent,
) -> Result<(), Error> {
    search.open(begin);
    let note = log.notes.clone().map(|path| Note::new(path, log.reader.host(), &search.key()));
    if let Some(note) = &note
        && let Some(text) = note.read()
        && let Some(reached) = Reached::from_text(&text)
        && let Some(noted) = search.resumed(&text, &reached.place())
    {
        log::info!("the search continues at {}, where an earlier call ended", reached.place());
        match go_on(log, files, &reached, noted, note) {
            Ok(Some(ended)) => {
                *search = ended;
                note.forget();
                return Ok(());
            }
            // No event begins there any more.
            Err(error @ Error::Query { .. }) => {
                log::info!("no event begins at {} any more: {error}", reached.place());
            }
            Ok(None) => {}
            Err(error) => return Err(error),
        }
        log::info!("{} has another log by now: it is searched from its beginning", log.reader.host());
        note.forget();
    }
    let files = files.iter().skip_while(|file| **file != begin.file);
    read_files(log, files, begin.offset, search, note.as_ref())
}

/// The search, ended; `None` if the log is another than the one in which it was begun.
fn go_on<S: ByEvent>(
    log: &mut Log,
    files: &[String],
    reached: &Reached,
    mut search: S,
    note: &Note,
) -> Result<Option<S>, Error> {
    let mut files = files.iter().skip_while(|file| **file != reached.file);
    let Some(file) = files.next() else { return Ok(None) };
    let begun = begun(&log.reader, file, &search.wanted())?.sign;
    if begun.as_ref() != Some(&reached.begun) {
        log::debug!("{file} begins with {begun:?}, not {:?}", reached.begun);
        return Ok(None);
    }
    let place = reached.place();
    search.open(&place);
    let fresh = reached.last.is_none().then(|| search.clone());
    let opened = Opened { begun, expected: reached.last, fresh, note: Some(note) };
    match read_file(log, &place, &mut search, opened)? {
        Read::Another => return Ok(None),
        Read::Done => {}
        Read::ToItsEnd => read_files(log, files, FIRST_EVENT, &mut search, Some(note))?,
    }
    Ok(Some(search))
}

/// What a file begins with; empty if no account may read the log as a replica does.
pub(crate) fn begun(reader: &Reader, file: &str, sought: &str) -> Result<Begin, Error> {
    let mut begin = Begin::default();
    match reader.seeking(sought).each_head(file, Start::First, |event, _| begin.event(event)) {
        Err(Error::Query { .. } | Error::Connect { answered: true, .. }) => Ok(Begin::default()),
        other => other.map(|()| begin),
    }
}

/// Reads these files, the first from `offset` on.
fn read_files<'f>(
    log: &mut Log,
    files: impl Iterator<Item = &'f String>,
    mut offset: u64,
    search: &mut impl ByEvent,
    note: Option<&Note>,
) -> Result<(), Error> {
    for file in files {
        let mut place = BinlogPosition::new(file, offset);
        search.open(&place);
        let sought = search.wanted();
        let fresh = (offset == FIRST_EVENT).then(|| search.clone());
        let is_done = if let Some(is_enough) = first_page(log, &mut place, &sought, |seen| search.see(seen))?
        {
            is_enough || search.close()
        } else {
            let begun = if note.is_some() { begun(&log.reader, file, &sought)?.sign } else { None };
            let opened = Opened { begun, expected: None, fresh, note };
            matches!(read_file(log, &place, search, opened)?, Read::Done)
        };
        if is_done {
            break;
        }
        offset = FIRST_EVENT;
    }
    Ok(())
}

/// What is known of a file that is read.
struct Opened<'n, S> {
    /// What it begins with.
    begun: Option<String>,
    /// The group that was read last by an earlier call, with which this one begins.
    expected: Option<Mark>,
    /// The search before anything of the file was read.
    fresh: Option<S>,
    note: Option<&'n Note>,
}

/// Reads a file from `place` on by a dump, and notes how far it came if the time is over.
fn read_file<S: ByEvent>(
    log: &mut Log,
    place: &BinlogPosition,
    search: &mut S,
    opened: Opened<S>,
) -> Result<Read, Error> {
    let Opened { begun, mut expected, fresh, note } = opened;
    let (mut trail, mut is_another) = (Trail::default(), false);
    let sought = search.wanted();
    let read = each(log, place, &sought, |seen| {
        if let (Seen::Event(event, sent), Some(_)) = (seen, note) {
            trail.event(event, sent.size);
            if let (Some(group), Some(last)) = (expected, trail.last) {
                is_another = group != last;
                expected = None;
                search.open(&BinlogPosition::new(&place.file, event.end.saturating_sub(sent.size.into())));
            }
        } else if expected.is_some() {
            // Page by page, nothing shows whether it is the same file.
            is_another = true;
        }
        is_another || expected.is_none() && search.see(seen)
    });
    if is_another {
        return Ok(Read::Another);
    }
    match &read {
        Err(Error::Refused(refusal)) if matches!(**refusal, Refusal::SearchTooLong { .. }) => {
            let state =
                if trail.last.is_some() { Some(search.to_text()) } else { fresh.map(|s| s.to_text()) };
            if let (Some(note), Some(begun), Some(state), None) = (note, begun, state, expected) {
                note.keep(&Reached { file: place.file.clone(), begun, last: trail.last }, &state);
            }
        }
        // No event begins there, so the connection is of no further use.
        Err(Error::Broken { .. }) if expected.is_some() => return Ok(Read::Another),
        _ => {}
    }
    if read? {
        return Ok(Read::Done);
    }
    trail.end();
    if expected.is_some() && expected != trail.last {
        return Ok(Read::Another);
    }
    Ok(if search.close() { Read::Done } else { Read::ToItsEnd })
}
