//! `--why`: the last failover in words, with what stood in its way and what cures that.

mod document;
mod text;

use std::collections::HashSet;
use std::fmt::Write as _;
use std::io::Write;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use jiff::tz::TimeZone;
use mmm_core::report::Format;

use super::arguments::{Arguments, Why};
use super::calls::{Event, Fate};
use super::cures::{self, Hosts};
use super::failover::{self, Failover, Hindrance, LeftBehind, Moves};
use super::files;
use super::moves::{Grouping, Part};
use super::timeline::{self, Trouble};
use super::view::text::amount;
use super::view::{Tail, milliseconds};
use crate::terminal::{counted, shows_colour};

/// After so many seconds without a call of this kind, nobody asks again.
const STILL_ASKED: f64 = 30.0;

/// A journal that was read.
#[derive(Debug)]
pub(super) struct Source {
    file: PathBuf,
    host: String,
    /// When its last call ended.
    until: Option<Timestamp>,
    unreadable_lines: u64,
}

/// What was found.
#[derive(Debug)]
pub(super) struct Answer {
    sources: Vec<Source>,
    about: Option<String>,
    since: Option<Timestamp>,
    failover: Option<Failover>,
}

/// Shows it.
pub(super) fn show(why: &Why, arguments: &Arguments, out: &mut dyn Write) -> Result<(), Trouble> {
    let answer = answer(why, arguments)?;
    let shown = match arguments.format {
        Format::Text => text::draw(&answer, shows_colour(), TimeZone::system()),
        Format::Json => document::json(&answer)?,
        Format::Yaml => document::yaml(&answer)?,
    };
    out.write_all(shown.as_bytes())?;
    Ok(out.flush()?)
}

fn answer(why: &Why, arguments: &Arguments) -> Result<Answer, Trouble> {
    let named =
        if arguments.files.is_empty() { vec![timeline::configured()] } else { arguments.files.clone() };
    let (mut sources, mut hosts, mut known) = (Vec::new(), Vec::new(), HashSet::new());
    for file in named {
        let mut found =
            files::find(&file).map_err(|source| Trouble::Journal { file: file.clone(), source })?;
        // A shell's `*` also names what was rotated away, which is read with its journal.
        found.retain(|file| known.insert(file.canonicalize().unwrap_or_else(|_| file.clone())));
        if found.is_empty() {
            continue;
        }
        let (moves, tail) = moves(arguments, &found, &file)?;
        sources.push(Source {
            file,
            host: moves.host.clone(),
            until: moves.until,
            unreadable_lines: tail.unreadable_lines,
        });
        hosts.push(moves);
    }
    let mut failovers = failover::all(hosts);
    if let Some(word) = &why.about {
        failovers.retain(|failover| failover.is_about(word));
    }
    // An address that moved by itself is no failover of the writer, but somebody may ask for it.
    let last = failovers.iter().rposition(Failover::is_of_writer).filter(|_| why.about.is_none());
    let failover = match last {
        Some(last) => Some(failovers.swap_remove(last)),
        None => failovers.pop(),
    };
    Ok(Answer { sources, about: why.about.clone(), since: arguments.since, failover })
}

/// The moves of one host.
fn moves(arguments: &Arguments, files: &[PathBuf], named: &Path) -> Result<(Moves, Tail), Trouble> {
    let mut moves = Moves::of(String::new());
    let mut grouping = Grouping::default();
    let (mut until, mut parts) = (None, Vec::new());
    let tail = timeline::read(files, arguments.since, timeline::is_running(arguments), &mut |event| {
        if let Event::Call(call) = event {
            until = until.max(Some(call.ended));
            grouping.add(call, &mut |part| parts.push(part));
        }
        parts.drain(..).for_each(|part| keep(&mut moves, part));
        Ok(())
    })?;
    grouping.finish(&mut |part| keep(&mut moves, part));
    let name = || named.file_name().unwrap_or(named.as_os_str()).to_string_lossy().into_owned();
    moves.host = tail.host.clone().unwrap_or_else(name);
    moves.until = until;
    Ok((moves, tail))
}

fn keep(moves: &mut Moves, part: Part) {
    if let Part::Move(part) = part {
        moves.add(part);
    }
}

/// What became of a failover, in a word for programs.
fn result(failover: &Failover) -> &'static str {
    match failover.outcome() {
        Fate::Done => "done",
        Fate::Failed | Fate::Misused => "stuck",
        Fate::Killed => "killed",
        Fate::Running => "running",
    }
}

/// The error's meaning and its cure, if its name is known.
fn explained(hindrance: &Hindrance) -> Option<(String, String)> {
    let hosts = Hosts { here: Some(&hindrance.host), new: hindrance.new.as_deref() };
    let row = cures::of(hindrance.code.as_deref()?)?;
    Some((row.means(hosts), row.cure(hosts)))
}

/// All of it in one paragraph. `time` shows a point of time.
fn summary(answer: &Answer, failover: &Failover, time: &dyn Fn(Timestamp) -> String) -> String {
    let mut sentences = vec![beginning(failover, time)];
    sentences.extend(writes(failover, time));
    let hindrances = failover.hindrances();
    for hindrance in hindrances.iter().filter(|one| one.stands) {
        sentences.push(standing(answer, hindrance, time));
    }
    for hindrance in hindrances.iter().filter(|one| one.is_of_replication) {
        sentences.push(without_replication(hindrance, time));
    }
    for hindrance in hindrances.iter().filter(|one| !one.stands && !one.is_of_replication) {
        sentences.push(over(hindrance, time));
    }
    if failover.outcome() == Fate::Done && hindrances.is_empty() && failover.left_behind().is_empty() {
        sentences.push("Nothing stood in the way.".into());
    }
    sentences.join(" ")
}

fn beginning(failover: &Failover, time: &dyn Fn(Timestamp) -> String) -> String {
    let addresses = failover.addresses();
    let addresses =
        if addresses.is_empty() { String::new() } else { format!(" of {}", addresses.join(", ")) };
    let what = if failover.is_of_writer() { "The failover" } else { "The move" };
    let from = time(failover.started);
    let took = amount(milliseconds(failover.started.duration_until(failover.ended)));
    let left = failover.left_behind();
    match failover.outcome() {
        Fate::Done if !left.is_empty() => {
            let left: Vec<_> = left
                .iter()
                .map(|LeftBehind { what, on, missing_on }| {
                    format!("left {what} behind on {on}: mmm_difference {on} {missing_on}")
                })
                .collect();
            format!("{what}{addresses} that began at {from} ended after {took}, but {}.", left.join(", and "))
        }
        Fate::Done => format!("{what}{addresses} that began at {from} went well, and took {took}."),
        Fate::Failed | Fate::Misused => format!("{what}{addresses} that began at {from} is stuck."),
        Fate::Killed => {
            format!("{what}{addresses} that began at {from} ended with a call that was killed.")
        }
        Fate::Running => format!("{what}{addresses} that began at {from} is still going on."),
    }
}

fn writes(failover: &Failover, time: &dyn Fn(Timestamp) -> String) -> Vec<String> {
    let mut sentences = Vec::new();
    if !failover.is_of_writer() {
        return sentences;
    }
    match (failover.closed(), failover.opened()) {
        (Some(closed), Some(opened)) if failover.pause().is_none() => {
            let mut turns = failover.opened_in_between();
            turns.push(opened);
            let turns: Vec<_> = turns
                .iter()
                .map(|turn| format!("{} took writes from {} on", turn.host, time(turn.at)))
                .collect();
            sentences.push(format!(
                "{} took no more writes from {} on; {}. No journal here says for how long nobody could write.",
                closed.host,
                time(closed.at),
                turns.join(", and then ")
            ));
        }
        (Some(closed), Some(opened)) => {
            sentences.push(format!(
                "{} took no more writes from {} on, and {} took writes from {} on.",
                closed.host,
                time(closed.at),
                opened.host,
                time(opened.at)
            ));
            if let Some(pause) = failover.pause() {
                let pause = amount(milliseconds(pause));
                sentences.push(if closed.host == opened.host {
                    format!("For {pause} nobody could write.")
                } else {
                    format!("By the clocks of the two hosts, nobody could write for {pause}.")
                });
            }
        }
        (None, Some(opened)) => sentences.push(format!(
            "{} took writes from {} on; no journal here says since when nobody could write before.",
            opened.host,
            time(opened.at)
        )),
        (Some(closed), None) => sentences.push(format!(
            "{} took no more writes from {} on, and no journal here says that a host took writes after that.",
            closed.host,
            time(closed.at)
        )),
        (None, None) => {}
    }
    sentences
}

/// What stands in the way still.
fn standing(answer: &Answer, hindrance: &Hindrance, time: &dyn Fn(Timestamp) -> String) -> String {
    let Hindrance { host, fate, since, until, times, .. } = hindrance;
    let what = doing(hindrance);
    let since = time(*since);
    match fate {
        Fate::Running => return format!("{what} on {host} began at {since} and has not answered yet."),
        Fate::Killed => {
            return format!("{what} on {host} began at {since} and was killed, or {host} went down.");
        }
        Fate::Done | Fate::Failed | Fate::Misused => {}
    }
    let have = if hindrance.helpers.len() > 1 { "have" } else { "has" };
    let mut text = format!("{what} on {host} {have} been refused since {since}");
    if *times > 1 {
        let _ = write!(text, ", {}, the last one at {}", counted(*times, "time"), time(*until));
    }
    text += &reason(hindrance);
    let end =
        answer.sources.iter().filter(|source| source.host == *host).filter_map(|source| source.until).max();
    let end = end.filter(|end| until.duration_until(*end).as_secs_f64() > STILL_ASKED);
    if let Some(end) = end {
        let _ = write!(text, " There was no such call again until {}, where the journal ends.", time(end));
    }
    match explained(hindrance) {
        Some((means, cure)) => text + &format!(" That means: {means}. What cures it: {cure}."),
        None => text,
    }
}

/// What does not run on a host that is open.
fn without_replication(hindrance: &Hindrance, time: &dyn Fn(Timestamp) -> String) -> String {
    let Hindrance { host, until, .. } = hindrance;
    let text = format!(
        "{host} is open, but its own replication does not run: {} was refused at {}{}",
        doing(hindrance),
        time(*until),
        reason(hindrance)
    );
    match explained(hindrance) {
        Some((means, cure)) => text + &format!(" That means: {means}. What cures it: {cure}."),
        None => text,
    }
}

/// What stood in the way for a while.
fn over(hindrance: &Hindrance, time: &dyn Fn(Timestamp) -> String) -> String {
    let Hindrance { host, since, until, times, .. } = hindrance;
    let what = doing(hindrance);
    let until = if *times > 1 {
        format!(" until {}, {}", time(*until), counted(*times, "time"))
    } else {
        String::new()
    };
    let be = if hindrance.helpers.len() > 1 { "were" } else { "was" };
    let deed = format!("{be} {}", if hindrance.fate == Fate::Killed { "killed" } else { "refused" });
    let before = if hindrance.is_mistyped() { "Besides" } else { "Before that" };
    format!("{before}, {what} on {host} {deed} at {}{until}{}", time(*since), reason(hindrance))
}

/// Behind a call: why it did not do what it should.
fn reason(hindrance: &Hindrance) -> String {
    let code = hindrance.code.as_ref().map_or(String::new(), |code| format!(" ({code})"));
    match &hindrance.text {
        Some(text) => format!("{code}: \"{}\".", text.trim_end_matches('.')),
        None => ".".into(),
    }
}

fn doing(hindrance: &Hindrance) -> String {
    let helpers = hindrance.helpers.join(" and ");
    match &hindrance.new {
        Some(new) => format!("{helpers} {new}"),
        None => helpers,
    }
}
