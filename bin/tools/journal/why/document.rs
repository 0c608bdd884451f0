//! The answer for programs; docs/JOURNAL.md describes it.

use std::io;

use jiff::tz::TimeZone;
use mmm_core::escape;
use serde::Serialize;

use super::super::failover::{Hindrance, LeftBehind, Turn};
use super::super::view::document::{RunView, outcome, time};
use super::super::view::milliseconds;
use super::{Answer, explained, result, summary};

/// Of this description.
const SCHEMA: u32 = 1;

#[derive(Serialize)]
struct AnswerView<'t> {
    schema: u32,
    journals: Vec<JournalView<'t>>,
    about: Option<&'t str>,
    since: Option<String>,
    failover: Option<FailoverView<'t>>,
}

#[derive(Serialize)]
struct JournalView<'t> {
    file: String,
    host: &'t str,
    until: Option<String>,
    unreadable_lines: u64,
}

#[derive(Serialize)]
struct FailoverView<'t> {
    result: &'static str,
    started: String,
    ended: String,
    milliseconds: f64,
    summary: String,
    addresses: Vec<&'t str>,
    closed: Option<TurnView>,
    opened: Option<TurnView>,
    pause_milliseconds: Option<f64>,
    left_behind: Vec<LeftBehind>,
    hindrances: Vec<HindranceView>,
    asked: Vec<AskedView<'t>>,
    is_shortened: bool,
}

#[derive(Serialize)]
struct TurnView {
    host: String,
    at: String,
}

#[derive(Serialize)]
struct HindranceView {
    host: String,
    helpers: Vec<String>,
    new_master: Option<String>,
    outcome: &'static str,
    code: Option<String>,
    text: Option<String>,
    since: String,
    until: String,
    times: u64,
    stands: bool,
    means: Option<String>,
    cure: Option<String>,
}

#[derive(Serialize)]
struct AskedView<'t> {
    on: &'t str,
    #[serde(flatten)]
    run: RunView<'t>,
}

pub fn json(answer: &Answer) -> io::Result<String> {
    Ok(escape::json(&view(answer), true).map_err(io::Error::other)? + "\n")
}

pub fn yaml(answer: &Answer) -> io::Result<String> {
    escape::yaml(&view(answer)).map_err(io::Error::other)
}

fn view(answer: &Answer) -> AnswerView<'_> {
    let journals = answer.sources.iter().map(|source| JournalView {
        file: source.file.display().to_string(),
        host: &source.host,
        until: source.until.map(time),
        unreadable_lines: source.unreadable_lines,
    });
    let failover = answer.failover.as_ref().map(|failover| FailoverView {
        result: result(failover),
        started: time(failover.started),
        ended: time(failover.ended),
        milliseconds: milliseconds(failover.started.duration_until(failover.ended)),
        summary: summary(answer, failover, &|at| {
            at.to_zoned(TimeZone::UTC).strftime("%F %T UTC").to_string()
        }),
        addresses: failover.addresses(),
        closed: failover.closed().map(turn),
        opened: failover.opened().map(turn),
        pause_milliseconds: failover.pause().map(milliseconds),
        left_behind: failover.left_behind(),
        hindrances: failover.hindrances().into_iter().map(hindrance).collect(),
        asked: failover
            .asked
            .iter()
            .map(|asked| AskedView { on: &asked.host, run: (&asked.run).into() })
            .collect(),
        is_shortened: failover.is_shortened,
    });
    AnswerView {
        schema: SCHEMA,
        journals: journals.collect(),
        about: answer.about.as_deref(),
        since: answer.since.map(time),
        failover,
    }
}

fn turn(turn: Turn) -> TurnView {
    TurnView { host: turn.host, at: time(turn.at) }
}

fn hindrance(hindrance: Hindrance) -> HindranceView {
    let (means, cure) = explained(&hindrance).unzip();
    HindranceView {
        host: hindrance.host,
        helpers: hindrance.helpers,
        new_master: hindrance.new,
        outcome: outcome(hindrance.fate),
        code: hindrance.code,
        text: hindrance.text,
        since: time(hindrance.since),
        until: time(hindrance.until),
        times: hindrance.times,
        stands: hindrance.stands,
        means,
        cure,
    }
}
