//! What a host's journal says in numbers, for monitoring: the last moves, and what was refused.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use jiff::{SignedDuration, Timestamp};
use mmm_core::journal::words::{OPENED_WRITES, SET_READ_ONLY, THE_EVENT, WAS_FENCED, WAS_NOT_TOLD};
use mmm_replication::Refusal;

use super::calls::{Call, Event, Fate, Note};
use super::files;
use super::moves::{Grouping, Kind, Move, Part};
use super::timeline::{self, Trouble};

/// How far back moves are looked for.
const PAST: Duration = Duration::from_secs(24 * 60 * 60);
/// For how long a refusal counts.
const RECENT: SignedDuration = SignedDuration::from_hours(1);
const NOT_FENCED: &str = Refusal::named("not-fenced");
/// `allow_write.fence`, among [`History::failures`].
const FENCE: &str = "fence";
/// `events.command`, among [`History::failures`].
const EVENT: &str = "event";

/// What is counted.
#[derive(Debug, Default, PartialEq)]
pub struct History {
    /// The last move of each kind within a day.
    pub moves: BTreeMap<&'static str, LastMove>,
    /// When this host was opened to writes last.
    pub opened: Option<Timestamp>,
    /// When it was closed last.
    pub closed: Option<Timestamp>,
    /// The last helper that gave this host a role, and when it was called.
    pub given: Option<(String, Timestamp)>,
    /// How long after the first call of that move writes were opened, in seconds.
    pub opened_after: Option<f64>,
    /// Failed calls within an hour, by helper and the error's name.
    pub refusals: BTreeMap<(String, String), u64>,
    /// What was tried besides, and failed, within an hour: an entry for each such thing, also if its number is 0.
    pub failures: BTreeMap<&'static str, u64>,
    /// How often a silent peer was fenced within an hour.
    pub fences: u64,
}

/// A move.
#[derive(Debug, PartialEq)]
pub struct LastMove {
    /// When its first call began.
    pub started: Timestamp,
    /// From its first call to the end of its last, in seconds.
    pub seconds: f64,
    /// True if its last calls worked.
    pub worked: bool,
}

/// Reads the journal of this host.
pub(crate) fn read() -> Result<History, Trouble> {
    read_in(timeline::configured())
}

/// The same for a caller that knows which file it is.
pub(crate) fn read_in(file: PathBuf) -> Result<History, Trouble> {
    let mut found = files::find(&file).map_err(|source| Trouble::Journal { file, source })?;
    found.retain(is_recent);
    of(&found, Timestamp::now())
}

/// What nobody has written to for a day has nothing of that day.
fn is_recent(file: &PathBuf) -> bool {
    let changed = fs::metadata(file).and_then(|metadata| metadata.modified());
    changed.map_or(true, |changed| SystemTime::now().duration_since(changed).is_ok_and(|age| age <= PAST))
}

fn of(files: &[PathBuf], now: Timestamp) -> Result<History, Trouble> {
    let mut history = History { failures: BTreeMap::from([(FENCE, 0), (EVENT, 0)]), ..History::default() };
    let mut grouping = Grouping::default();
    let mut parts = Vec::new();
    let since = now.checked_sub(PAST).ok();
    timeline::read(files, since, timeline::lives, &mut |event| {
        match event {
            Event::Call(call) => {
                history.count(&call, now);
                grouping.add(call, &mut |part| parts.push(part));
            }
            // A process of its own tells of events, when the call has ended.
            Event::Line { note, .. } => history.count_events(&note, now),
        }
        parts.drain(..).for_each(|part| history.keep(&part));
        Ok(())
    })?;
    grouping.finish(&mut |part| history.keep(&part));
    Ok(history)
}

impl History {
    fn count(&mut self, call: &Call, now: Timestamp) {
        self.closed = call.done(SET_READ_ONLY).or(self.closed);
        self.opened = call.done(OPENED_WRITES).or(self.opened);
        let is_dry = call.arguments.iter().any(|argument| argument == "--dry-run");
        let gives = ["mysql_allow_write", "configure_ip"].contains(&call.helper.as_str());
        if gives && !is_dry && call.fate() == Fate::Done {
            self.given = Some((call.helper.clone(), call.started));
        }
        if call.started.duration_until(now) > RECENT || is_dry {
            return;
        }
        if call.fate() == Fate::Failed {
            let code = call.code.clone().unwrap_or_else(|| "unnamed".into());
            // Here, what else a call tries and may fail at is counted by its error's name or its words.
            if code == NOT_FENCED {
                *self.failures.entry(FENCE).or_default() += 1;
            }
            *self.refusals.entry((call.helper.clone(), code)).or_default() += 1;
        }
        self.fences += u64::from(call.notes.iter().any(|note| note.text.ends_with(WAS_FENCED)));
    }

    fn count_events(&mut self, note: &Note, now: Timestamp) {
        let is_failure = note.text.starts_with(THE_EVENT) && note.text.contains(WAS_NOT_TOLD);
        if is_failure && note.at.duration_until(now) <= RECENT {
            *self.failures.entry(EVENT).or_default() += 1;
        }
    }

    fn keep(&mut self, part: &Part) {
        let Part::Move(part) = part else { return };
        if part.kind == Kind::Take {
            self.opened_after = opened_after(part).or(self.opened_after);
        }
        let last = LastMove {
            started: part.started,
            seconds: part.started.duration_until(part.ended).as_secs_f64(),
            worked: part.outcome() == Fate::Done,
        };
        self.moves.insert(part.kind.name(), last);
    }
}

fn opened_after(part: &Move) -> Option<f64> {
    let opened = part.calls.runs.iter().filter_map(|run| run.call.done(OPENED_WRITES)).max()?;
    Some(part.started.duration_until(opened).as_secs_f64())
}

#[cfg(test)]
mod tests;
