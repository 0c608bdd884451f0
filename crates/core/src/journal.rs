//! What a call leaves behind for people: a few lines in the log file, and on a terminal on stderr.
//!
//! An agent sees none of it: EPEL's agent joins stderr to stdout, where a line after the result would fail
//! the call (docs/CONTRACT.md, 1.1). A journal that cannot be written never stops a helper.

mod daemon;
mod line;
pub(crate) mod terminal;
pub mod words;
mod writer;

use std::fmt::Display;
use std::io::{self, IsTerminal, Write};
use std::sync::OnceLock;
use std::time::Instant;

use env_logger::{Builder, Logger, Target};
use log::{LevelFilter, Log, Metadata, Record};

use crate::escape;
use crate::report;
use crate::settings::LogSettings;
use line::Shape;
pub use writer::{finish, keep_up, place};

/// The lines about the answer. On a terminal the answer itself stands there already, and is the last line.
pub(crate) const ANSWER: &str = "answer";

/// What is drawn on the terminal steps aside while this runs.
type StepAside = fn(&mut dyn FnMut());

/// Set by what draws there, so that a helper that never waits carries nothing of it.
static STEP_ASIDE: OnceLock<StepAside> = OnceLock::new();

/// Lets `step_aside` run whatever writes to the terminal from now on.
pub(crate) fn write_within(step_aside: StepAside) {
    let _ = STEP_ASIDE.set(step_aside);
}

/// Starts the journal: the file or the log daemon that the settings name, and stderr if it is a terminal.
///
/// Each `-v` raises stderr by one from `info`. `RUST_LOG` overrides the levels of both if a person calls: an agent's
/// environment does not decide what root logs.
pub fn open(helper: &'static str, settings: &LogSettings, verbose: u8) {
    let mut outlets: Vec<(LevelFilter, Box<dyn Log>)> = Vec::new();
    let is_by_hand = io::stderr().is_terminal() || report::is_on();
    let shape = Shape { helper, target: settings.target, format: settings.format };
    if settings.level != LevelFilter::Off && writer::open(shape, &settings.file) {
        let filter = filter(settings.level, is_by_hand).build();
        outlets.push((filter.filter(), Box::new(ToWriter { filter, shape })));
    }
    if io::stderr().is_terminal() {
        let level = match verbose {
            0 => LevelFilter::Info,
            1 => LevelFilter::Debug,
            _ => LevelFilter::Trace,
        };
        let terminal = to_terminal(level);
        outlets.push((terminal.filter(), Box::new(terminal)));
    }
    let Some(level) = outlets.iter().map(|(level, _)| *level).max() else { return };
    let outlets = outlets.into_iter().map(|(_, outlet)| outlet).collect();
    if log::set_boxed_logger(Box::new(Outlets(outlets))).is_ok() {
        log::set_max_level(level);
    }
}

/// Runs one step of a procedure and notes how long it took and whether it failed.
pub fn step<T, E: Display>(what: &str, work: impl FnOnce() -> Result<T, E>) -> Result<T, E> {
    step_on(what, what, work)
}

/// As [`step`]. A dry run that had nothing to do only says what it looked at: `object`.
pub fn step_on<T, E: Display>(what: &str, object: &str, work: impl FnOnce() -> Result<T, E>) -> Result<T, E> {
    let (started, planned) = (Instant::now(), report::count_planned());
    let result = work();
    if report::count_planned() > planned {
        // A dry run plans the step and does not carry it out.
        log::info!("would have: {what}");
        return result;
    }
    let looked = format!("looked at: {object}");
    let what = if report::is_dry_run() && object != what { looked.as_str() } else { what };
    let time = started.elapsed();
    let milliseconds = time.as_secs_f64() * 1000.0;
    let error = result.as_ref().err();
    match error {
        None => log::info!("{what}: {milliseconds:.1} ms"),
        Some(error) => log::warn!("{what}: failed after {milliseconds:.1} ms: {error}"),
    }
    report::step(what, time, error.map(|error| error as &dyn Display));
    result
}

fn filter(level: LevelFilter, is_by_hand: bool) -> Builder {
    let mut builder = Builder::new();
    builder.filter_level(level);
    if is_by_hand {
        builder.parse_default_env();
    }
    builder
}

fn to_terminal(level: LevelFilter) -> Logger {
    let mut builder = filter(level, true);
    builder.target(Target::Pipe(Box::new(terminal::Stderr)));
    if level <= LevelFilter::Info {
        builder.filter_module(ANSWER, LevelFilter::Off);
    }
    builder.format(|line, record| match record.level() {
        log::Level::Info => writeln!(line, "  {}", one_line(record)),
        level => writeln!(line, "  {level}: {}", one_line(record)),
    });
    builder.build()
}

/// A record on one line, without what would forge another.
fn one_line(record: &Record) -> String {
    escape::escaped(&record.args().to_string())
}

/// The file, or a log daemon.
struct ToWriter {
    /// Only says what is written.
    filter: Logger,
    shape: Shape,
}

impl Log for ToWriter {
    fn enabled(&self, metadata: &Metadata) -> bool {
        self.filter.enabled(metadata)
    }

    fn log(&self, record: &Record) {
        if self.filter.matches(record) {
            writer::leave(self.shape.line(record));
        }
    }

    fn flush(&self) {}
}

struct Outlets(Vec<Box<dyn Log>>);

impl Log for Outlets {
    fn enabled(&self, metadata: &Metadata) -> bool {
        is_ours(metadata) && self.0.iter().any(|outlet| outlet.enabled(metadata))
    }

    fn log(&self, record: &Record) {
        if is_ours(record.metadata()) {
            let mut write = || self.0.iter().for_each(|outlet| outlet.log(record));
            match STEP_ASIDE.get() {
                Some(step_aside) => step_aside(&mut write),
                None => write(),
            }
        }
    }

    fn flush(&self) {
        self.0.iter().for_each(Log::flush);
    }
}

/// Only this project's own records: a library's debug output may hold what must not be logged.
fn is_ours(metadata: &Metadata) -> bool {
    // The programs' own crates carry the names of the helpers, without the prefix.
    !["mysql", "rustls", "netlink", "yaml", "mysql_common"].iter().any(|other| {
        metadata
            .target()
            .strip_prefix(other)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with("::") || rest.starts_with("_packet"))
    })
}
