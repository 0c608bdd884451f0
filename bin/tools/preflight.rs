//! `mmm_preflight`: would a failover work right now, from this host?
//!
//! The order of work: read the configuration, look at everything side by side (`survey`), judge it (`checks`),
//! show it (`view`, or `watch` as a full screen). Nothing is changed anywhere, and nothing is waited for longer than
//! `--timeout`.

use std::ffi::OsString;
use std::io::{self, IsTerminal, Write};
use std::panic;
use std::path::Path;
use std::process::ExitCode;
use std::thread;
use std::time::Duration;

use mmm_core::Budget;
use mmm_core::config::{self, ConfigError};
use mmm_core::settings::{Settings, SettingsError};
use mmm_replication::rehearsal::Rehearsal;

mod arguments;
mod checks;
mod cluster;
mod code;
mod finding;
mod output;
mod parallel;
mod survey;
mod view;
mod watch;

pub use arguments::command;
use arguments::{Arguments, Output};
pub(crate) use cluster::HelperState;
use code::Code;
use finding::{Check, Severity, advice, shell};
pub(crate) use survey::program;
use view::Report;

use crate::journal::history;
use crate::options;
use crate::terminal::{Delivery, deliver, shows_colour};

/// The extra time for a machine that is frozen itself.
const GRACE: Duration = Duration::from_millis(500);
/// How much longer than the look the journal may take to be read; it is read beside it.
const JOURNAL: Duration = Duration::from_secs(5);

/// The whole of the program.
pub fn run(words: impl IntoIterator<Item = OsString>) -> ExitCode {
    let arguments = match Arguments::read(words) {
        Ok(arguments) => arguments,
        Err(error) => return options::not_run(&error, Severity::Unknown.exit_code()),
    };
    let rehearsal = Rehearsal::begin();
    let stdout = io::stdout();
    let is_terminal = stdout.is_terminal();
    let colour = arguments.colour && shows_colour() && arguments.file.is_none();
    if let Some(pause) = arguments.watch
        && watch::is_possible()
        && let Ok(screen) = watch::FullScreen::take()
    {
        let asked = arguments.clone();
        let look = move || examine_in_time(&asked, rehearsal);
        return watch::run(screen, &arguments.config, pause, colour, look);
    }
    loop {
        let history = (arguments.output == Output::Metrics).then(|| parallel::later(history::read));
        let report = examine_in_time(&arguments, rehearsal);
        // What the look has left of the time is the journal's.
        let rest = Budget::start(Some(JOURNAL));
        let history = history.and_then(|history| parallel::wait(&history, &rest)?.ok());
        let mut text = view::show(&report, arguments.output, colour, history.as_ref());
        if let Some(file) = &arguments.file {
            return match output::replace(file, text.as_bytes()) {
                Ok(()) => ExitCode::from(report.exit_code),
                Err(error) => {
                    // If this fails, too, nothing can be done.
                    let _ = writeln!(
                        io::stderr(),
                        "mmm_preflight: {} was not written, and is as it was: {error}; does its folder exist, with room \
                         for it, and is this root?",
                        file.display()
                    );
                    ExitCode::from(Severity::Unknown.exit_code())
                }
            };
        }
        if let Some(pause) = arguments.watch {
            let clear = if is_terminal { "\x1b[H\x1b[2J" } else { "" };
            text = format!("{clear}{text}Again in {} s; Ctrl-C ends.\n", pause.as_secs_f64());
        }
        let written = deliver(&text, &mut stdout.lock());
        match (arguments.watch, written) {
            (_, Err(error)) => {
                // If this fails, too, nothing can be done.
                let _ = writeln!(
                    io::stderr(),
                    "mmm_preflight: the result could not be written to stdout: {error}; is the disk there full?"
                );
                return ExitCode::from(Severity::Unknown.exit_code());
            }
            (Some(pause), Ok(Delivery::Whole)) => thread::sleep(pause),
            _ => return ExitCode::from(report.exit_code),
        }
    }
}

/// Examines in a thread of its own: a file on a dead mount, or a mistake of this program, must not keep the answer.
fn examine_in_time(arguments: &Arguments, rehearsal: Rehearsal) -> Report {
    let budget = Budget::start(Some(arguments.timeout));
    let config = arguments.config.clone();
    let report = parallel::later(move || panic::catch_unwind(|| examine(&config, rehearsal, budget)));
    let patience = budget.relimited(arguments.timeout + GRACE);
    match parallel::wait(&report, &patience) {
        Some(Ok(report)) => report,
        Some(Err(_)) => {
            blind(&arguments.config, &budget, Code::PreflightFailed, "an internal error; stderr says where")
        }
        None => blind(
            &arguments.config,
            &budget,
            Code::PreflightFailed,
            "nothing could be seen in time: is a disk or a mount of this host frozen?",
        ),
    }
}

fn examine(name: &str, rehearsal: Rehearsal, budget: Budget) -> Report {
    let settings = match Settings::load() {
        Ok(settings) => settings,
        Err(error) => return refused(name, &budget, settings_check(&error)),
    };
    let (config, quirks) = config::examine(name);
    let config = config.and_then(|mut config| config.adopt(&settings).map(|()| config));
    match config {
        Ok(config) => {
            let cluster = survey::look(name, config, quirks, &settings, rehearsal, budget);
            let checks = checks::all(&cluster);
            Report::new(&cluster, checks, budget.elapsed())
        }
        Err(error) => refused(name, &budget, config_check(name, &error)),
    }
}

fn refused(name: &str, budget: &Budget, check: Check) -> Report {
    Report::without_cluster(name, check, budget.elapsed())
}

fn blind(name: &str, budget: &Budget, code: Code, text: &str) -> Report {
    let mut check = Check::new("configuration");
    check.add(Severity::Unknown, code, "", text, &[]);
    refused(name, budget, check)
}

fn config_check(asked: &str, error: &ConfigError) -> Check {
    // Else it is a file that this one includes.
    let is_asked_for = |name: &str| name.strip_suffix(".conf") == Some(asked.trim_end_matches(".conf"));
    match error {
        ConfigError::WorldReadable(file) => open_to_all(file, Code::ConfigWorldReadable, "read"),
        ConfigError::WorldWritable(file) => open_to_all(file, Code::ConfigWorldWritable, "write"),
        ConfigError::NotFound { name, .. } if !is_asked_for(name) => {
            let cure = format!("copy {name} from another host (owner root, mode 640); run this as root");
            unusable(Severity::Unknown, Code::ConfigNotFound, error, &cure)
        }
        ConfigError::NotFound { .. } | ConfigError::Unreadable { .. } => {
            let cure =
                "name the agent's configuration, without path: mmm_preflight mmm_agent; run this as root";
            unusable(Severity::Unknown, Code::ConfigNotFound, error, cure)
        }
        _ => {
            let cure = "correct that, on every host; the helpers refuse to work until then";
            unusable(Severity::Failure, Code::ConfigInvalid, error, cure)
        }
    }
}

fn settings_check(error: &SettingsError) -> Check {
    match error {
        SettingsError::WorldReadable(file) => open_to_all(file, Code::ConfigWorldReadable, "read"),
        SettingsError::WorldWritable(file) => open_to_all(file, Code::ConfigWorldWritable, "write"),
        _ => {
            let cure = "correct that file; every key may be left out, and its default then holds";
            unusable(Severity::Failure, Code::SettingsInvalid, error, cure)
        }
    }
}

fn open_to_all(file: &Path, code: Code, deed: &str) -> Check {
    let mut check = Check::new("files");
    let file = file.display();
    let text = format!("everybody on this host may {deed} {file}: the agent and its helpers refuse it");
    check.fail(code, "", text, &[shell("this host", format!("chown root {file} && chmod 640 {file}"))]);
    check
}

fn unusable(severity: Severity, code: Code, error: &dyn std::error::Error, cure: &str) -> Check {
    let mut check = Check::new("configuration");
    check.add(severity, code, "", &error.to_string(), &[advice(cure)]);
    check
}
