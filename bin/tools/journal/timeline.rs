//! The whole way from the files to what is shown.

use std::collections::VecDeque;
use std::env;
use std::ffi::OsString;
use std::fmt;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use mmm_core::report::Format;
use mmm_core::settings::{LogSettings, LogTarget, PATH, Settings};

use super::arguments::Arguments;
use super::calls::{Assembly, Call, Event};
use super::moves::{Grouping, Part};
use super::view::document::{Json, Yaml};
use super::view::text::Text;
use super::view::{Head, Item, Tail, View};
use super::{files, line, why};
use crate::options;
use crate::terminal::shows_colour;

/// The exit code if the arguments are unusable.
const WRONG_ARGUMENTS: u8 = 2;

/// Why there is nothing to show.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Trouble {
    #[error(
        "the journal {file} cannot be read: {source}. {advice}",
        file = .file.display(),
        advice = advice(.source)
    )]
    Journal { file: PathBuf, source: io::Error },
    #[error("could not write: {0}")]
    Output(#[from] io::Error),
}

fn advice(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::PermissionDenied => "Only root may read it: run this as root".into(),
        _ => format!("Each helper adds to it; log.file in {PATH} says where it is, or give --file"),
    }
}

/// The whole of the program.
pub fn run(words: impl IntoIterator<Item = OsString>) -> ExitCode {
    let arguments = match Arguments::read(words) {
        Ok(arguments) => arguments,
        Err(error) => return options::not_run(&error, WRONG_ARGUMENTS),
    };
    match show(&arguments, &mut io::stdout().lock()) {
        Ok(()) => ExitCode::SUCCESS,
        // The reader closed the pipe and has read enough.
        Err(Trouble::Output(error)) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(trouble) => {
            complain(&trouble);
            ExitCode::FAILURE
        }
    }
}

/// If this fails, too, nothing can be done.
fn complain(trouble: &dyn fmt::Display) {
    // mmm_guard and mmm_preflight read the journal, too.
    let program = env::args_os().next().map(PathBuf::from);
    let program = program.as_ref().and_then(|program| program.file_name()?.to_str());
    let _ = writeln!(io::stderr(), "{}: {trouble}", program.unwrap_or("mmm_journal"));
}

fn show(arguments: &Arguments, out: &mut dyn Write) -> Result<(), Trouble> {
    if let Some(why) = &arguments.why {
        return why::show(why, arguments, out);
    }
    let file = arguments.files.first().cloned().unwrap_or_else(configured);
    let files = files::find(&file).map_err(|source| Trouble::Journal { file: file.clone(), source })?;
    show_files(arguments, file, &files, shows_colour(), out)
}

/// Shows what is in these files of the journal `file`.
pub(crate) fn show_files(
    arguments: &Arguments,
    file: PathBuf,
    files: &[PathBuf],
    is_coloured: bool,
    out: &mut dyn Write,
) -> Result<(), Trouble> {
    let mut view: Box<dyn View> = match arguments.format {
        Format::Text => Box::new(Text::new(is_coloured, TimeZone::system(), arguments.all)),
        Format::Json => Box::new(Json::default()),
        Format::Yaml => Box::new(Yaml::default()),
    };
    let is_running = is_running(arguments);
    let mut head = Head { file, since: arguments.since, host: None };
    let tail = if arguments.all {
        view.begin(&head, out)?;
        read(files, arguments.since, is_running, &mut |event| Ok(view.item(&Item::Event(event), out)?))?
    } else {
        let mut moves = LastMoves { most: arguments.moves, ..LastMoves::default() };
        let mut grouping = Grouping::default();
        let tail = read(files, arguments.since, is_running, &mut |event| {
            if let Event::Call(call) = event {
                grouping.add(call, &mut |part| moves.add(part));
            }
            Ok(())
        })?;
        grouping.finish(&mut |part| moves.add(part));
        head.host.clone_from(&tail.host);
        view.begin(&head, out)?;
        for part in moves.parts {
            view.item(&Item::Part(part), out)?;
        }
        tail
    };
    view.end(&tail, out)?;
    Ok(out.flush()?)
}

/// Of another host's journal the processes are not here.
pub(super) fn is_running(arguments: &Arguments) -> fn(&Call) -> bool {
    if arguments.files.is_empty() { lives } else { |_| false }
}

/// Where the settings say that the journal is.
pub(super) fn configured() -> PathBuf {
    let log = match Settings::load() {
        Ok(settings) => settings.log,
        Err(error) => {
            complain(&format_args!("{error}; taking the default journal"));
            LogSettings::default()
        }
    };
    if log.target != LogTarget::File {
        complain(&format_args!(
            "the helpers' lines go to {} (log.target); {} has only what that did not take",
            log.target,
            log.file.display()
        ));
    }
    log.file
}

/// Whether the process that made a call is still there: its name, which the kernel cuts off, is the helper's.
pub(super) fn lives(call: &Call) -> bool {
    std::fs::read_to_string(format!("/proc/{}/comm", call.process))
        .is_ok_and(|name| !name.trim_end().is_empty() && call.helper.starts_with(name.trim_end()))
}

/// Reads every file; a file that ends in rubbish is read up to there.
pub(super) fn read(
    files: &[PathBuf],
    since: Option<Timestamp>,
    is_running: impl Fn(&Call) -> bool,
    work: &mut dyn FnMut(Event) -> Result<(), Trouble>,
) -> Result<Tail, Trouble> {
    let mut tail = Tail::default();
    let mut assembly = Assembly::default();
    // Times of this form sort as text does, which is much faster than reading them.
    let since = since.map(|since| format!("{since:.3}"));
    for file in files {
        let result = read_one(file, since.as_deref(), &mut assembly, &mut tail, work);
        match result {
            Err(Trouble::Journal { file, source }) => {
                complain(&format_args!("{} was not read to its end: {source}", file.display()));
            }
            other => other?,
        }
    }
    assembly.finish(is_running);
    drain(&mut assembly, &mut tail, work)?;
    Ok(tail)
}

fn read_one(
    file: &Path,
    since: Option<&str>,
    assembly: &mut Assembly,
    tail: &mut Tail,
    work: &mut dyn FnMut(Event) -> Result<(), Trouble>,
) -> Result<(), Trouble> {
    // Which of the two failed, reading or what is done with it?
    let mut failure = Ok(());
    let read = files::each_line(file, |text| {
        if since.is_some_and(|since| text.get(..since.len()).is_some_and(|at| at < since)) || text.is_empty()
        {
            return Ok(());
        }
        match line::parse(text) {
            None => tail.unreadable_lines += 1,
            Some(line) => assembly.add(&line),
        }
        failure = drain(assembly, tail, work);
        if failure.is_err() { Err(io::Error::other("enough")) } else { Ok(()) }
    });
    failure?;
    read.map_err(|source| Trouble::Journal { file: file.into(), source })
}

fn drain(
    assembly: &mut Assembly,
    tail: &mut Tail,
    work: &mut dyn FnMut(Event) -> Result<(), Trouble>,
) -> Result<(), Trouble> {
    while let Some(event) = assembly.take() {
        match &event {
            Event::Call(call) => {
                tail.calls += 1;
                if call.host.is_some() {
                    tail.host.clone_from(&call.host);
                }
            }
            Event::Line { .. } => tail.lines += 1,
        }
        work(event)?;
    }
    Ok(())
}

/// The last moves, with the checks between and behind them.
#[derive(Debug, Default)]
struct LastMoves {
    parts: VecDeque<Part>,
    moves: usize,
    most: usize,
}

impl LastMoves {
    fn add(&mut self, part: Part) {
        if matches!(part, Part::Move(_)) {
            if self.moves == self.most {
                let first =
                    self.parts.iter().position(|part| matches!(part, Part::Move(_))).unwrap_or_default();
                self.parts.drain(..=first);
                if matches!(self.parts.front(), Some(Part::Checks(_))) {
                    self.parts.pop_front();
                }
            } else {
                self.moves += 1;
            }
        }
        self.parts.push_back(part);
    }
}
