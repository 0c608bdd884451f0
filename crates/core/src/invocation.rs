//! From the command line to a call's arguments, for every MMM generation, and the help for people.
//!
//! The generations differ only in the number of arguments (docs/CONTRACT.md, 2), so the count alone decides.
//! This module knows no configuration and checks no value beyond "not empty".

use std::ffi::OsString;
use std::time::Duration;

use clap::builder::StyledStr;
use clap::error::ErrorKind;
use clap::{Arg, ArgAction, ArgMatches, Command};

use crate::contract::USAGE;
use crate::report::{Format, Output};

/// Which arguments a helper takes, beside the configuration's name that MMM 2.2 and later put first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// `[CONFIG] INTERFACE IP`, or `CONFIG INTERFACE IP ENI` of the AWS fork.
    Address,
    /// `[CONFIG] HOST`; MMM 2.3.1 sends `HOST,FILE,POSITION`.
    NewMaster,
    /// `[CONFIG]` alone.
    Plain,
}

/// An option for people; the agent never sends one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extra {
    /// `--force`: skip the helper's own safety check, and say so.
    Force,
    /// `--wait SECONDS|forever` in place of the configured budget of a call.
    Wait,
}

/// What a helper is: its name, its arguments and its help.
#[derive(Debug)]
pub struct Program {
    /// The file name under which the agent runs it.
    pub name: &'static str,
    /// Its arguments.
    pub shape: Shape,
    /// True if it changes something, so that it has `--dry-run`.
    pub changes: bool,
    /// Options for people beyond `--help`, `--version`, `-v`, `--format` and `--dry-run`.
    pub extras: &'static [Extra],
    /// True if exit code 1 is an answer (`check_ip`, `mysql_may_write`), so that no failure may use it.
    pub one_is_an_answer: bool,
    /// True if it works with default settings if the settings cannot be used: what takes an address away or closes a
    /// server must not depend on an optional file.
    pub works_without_settings: bool,
    /// What it does, in a sentence or two.
    pub about: &'static str,
    /// Result lines and exit codes, one a line.
    pub prints: &'static str,
    /// One example call.
    pub example: &'static str,
}

/// The arguments of one call.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Invocation {
    /// Name of the agent's configuration, `mmm_agent` if none was given.
    pub config: String,
    /// Network interface, as given; empty unless the shape is [`Shape::Address`].
    pub interface: String,
    /// IP address, as given; empty unless the shape is [`Shape::Address`].
    pub address: String,
    /// Fourth argument of the AWS fork, the elastic network interface.
    pub eni: Option<String>,
    /// Host name of the new master; empty unless the shape is [`Shape::NewMaster`].
    pub new_master: String,
    /// `--force` was given.
    pub force: bool,
    /// `--wait` was given: `Some(None)` is for ever.
    pub wait: Option<Option<Duration>>,
    /// How many `-v` were given.
    pub verbose: u8,
}

/// What the command line asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Request {
    /// Do the helper's work.
    Work(Invocation),
    /// Print this text for a person and exit with 0.
    Show(String),
    /// Wrong number of arguments or unknown option.
    Usage {
        /// `Usage: …`, one line, as the originals print it.
        line: String,
        /// What was wrong with it.
        reason: String,
    },
    /// The number of arguments is right, a value is not.
    Unusable(String),
}

impl Program {
    /// The arguments in the form in which the originals' usage line names them.
    fn parameters(&self) -> &'static str {
        match self.shape {
            Shape::Address => "<config_file> <interface> <ip>",
            Shape::NewMaster => "<config_file> <new_master>",
            Shape::Plain => "<config_file>",
        }
    }

    /// The command line, for its reader, its help and its manual page.
    pub fn command(&self) -> Command {
        let mut command = Command::new(self.name)
            .no_binary_name(true)
            .version(env!("CARGO_PKG_VERSION"))
            .about(self.about)
            .term_width(80)
            .override_usage(format!(
                "{} {}",
                self.name,
                self.parameters().replace("<config_file>", "[config]")
            ))
            .after_help(StyledStr::from(format!(
                "Prints, as its last line:\n{}\n\nExample:\n  {}\n\n\
                 Without [config], mmm_agent is meant: mmm_agent.conf in /etc, /etc/mmm or /etc/mysql-mmm.",
                self.prints, self.example
            )))
            .disable_help_subcommand(true)
            .arg(Arg::new("words").num_args(0..).value_parser(clap::value_parser!(OsString)).hide(true))
            .arg(
                Arg::new("verbose")
                    .short('v')
                    .long("verbose")
                    .action(ArgAction::Count)
                    .help("Show more on stderr; twice for every statement"),
            )
            .arg(
                Arg::new("format")
                    .long("format")
                    .value_name("text|json|yaml")
                    .value_parser(parse_format)
                    .help("How the result is written"),
            );
        if self.changes {
            command = command.arg(
                Arg::new("dry-run")
                    .long("dry-run")
                    .action(ArgAction::SetTrue)
                    .help("Change nothing; show what would be done and why"),
            );
        }
        for extra in self.extras {
            command = command.arg(match extra {
                Extra::Force => Arg::new("force")
                    .long("force")
                    .action(ArgAction::SetTrue)
                    .help("Skip the safety check, and say what was skipped"),
                Extra::Wait => Arg::new("wait")
                    .long("wait")
                    .value_name("SECONDS|forever")
                    .value_parser(parse_wait)
                    .help("How long the whole call may take, in place of limits.call"),
            });
        }
        command
    }

    /// Reads a command line, and how its answer is to be given. `argv` starts with the program's own path, which
    /// the usage line repeats.
    pub fn read(&self, argv: &[OsString]) -> (Request, Output) {
        let argv0 = argv.first().map_or_else(|| self.name.into(), |name| name.to_string_lossy());
        let usage = |reason: String| Request::Usage {
            line: format!("{USAGE} {argv0} {}", self.parameters()),
            reason,
        };
        let error = match self.command().try_get_matches_from(argv.iter().skip(1)) {
            Ok(matches) => return (self.request(&matches, usage), self.output(&matches)),
            Err(error) => error,
        };
        let request = if matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) {
            // A person calls it without other words. Beside other words, `--help` is a hostile role address,
            // and exit 0 would mean "configured" (docs/CONTRACT.md, 3.3).
            if argv.len() == 2 {
                Request::Show(error.to_string())
            } else {
                usage("--help and --version take no other argument".into())
            }
        } else {
            let text = error.to_string();
            let first = text.lines().next().unwrap_or_default();
            usage(first.trim_start_matches("error: ").to_string())
        };
        (request, Output::default())
    }

    fn request(&self, matches: &ArgMatches, usage: impl Fn(String) -> Request) -> Request {
        let mut words = Vec::new();
        for word in matches.get_many::<OsString>("words").into_iter().flatten() {
            match word.to_str() {
                Some(text) => words.push(text.to_string()),
                None => {
                    return Request::Unusable(format!(
                        "argument {} is not UTF-8; correct it",
                        words.len() + 1
                    ));
                }
            }
        }
        let Some((positions, eni)) = self.arrange(words.len()) else {
            return usage(format!("{} arguments given", words.len()));
        };
        // An empty argument is a role without an address, never a sign of another generation (docs/CONTRACT.md, 2).
        if let Some(empty) = words.iter().position(String::is_empty) {
            return Request::Unusable(format!(
                "argument {} is empty; correct the role or host that it is taken from",
                empty + 1
            ));
        }
        let word = |index: Option<usize>| index.map_or_else(String::new, |index| words[index].clone());
        let mut call = Invocation {
            config: positions.config.map_or_else(|| "mmm_agent".into(), |index| words[index].clone()),
            interface: word(positions.interface),
            address: word(positions.address),
            eni: eni.map(|index| words[index].clone()),
            new_master: word(positions.new_master),
            verbose: matches.get_count("verbose"),
            ..Invocation::default()
        };
        if self.extras.contains(&Extra::Force) {
            call.force = matches.get_flag("force");
        }
        if self.extras.contains(&Extra::Wait) {
            call.wait = matches.get_one::<Option<Duration>>("wait").copied();
        }
        Request::Work(call)
    }

    fn output(&self, matches: &ArgMatches) -> Output {
        let format = matches.get_one::<Format>("format").copied().unwrap_or_default();
        Output { format, dry_run: self.changes && matches.get_flag("dry-run") }
    }

    /// Which word means what, by the number of words; `None` if no generation sends that many.
    fn arrange(&self, count: usize) -> Option<(Positions, Option<usize>)> {
        let mut at = Positions::default();
        let mut eni = None;
        match (self.shape, count) {
            (Shape::Address, 2) => (at.interface, at.address) = (Some(0), Some(1)),
            (Shape::Address, 3 | 4) => {
                (at.config, at.interface, at.address) = (Some(0), Some(1), Some(2));
                eni = (count == 4).then_some(3);
            }
            (Shape::NewMaster, 1) => at.new_master = Some(0),
            (Shape::NewMaster, 2) => (at.config, at.new_master) = (Some(0), Some(1)),
            (Shape::Plain, 0) => {}
            (Shape::Plain, 1) => at.config = Some(0),
            _ => return None,
        }
        Some((at, eni))
    }
}

#[derive(Default)]
struct Positions {
    config: Option<usize>,
    interface: Option<usize>,
    address: Option<usize>,
    new_master: Option<usize>,
}

fn parse_format(text: &str) -> Result<Format, &'static str> {
    text.parse().map_err(|_| "neither text nor json nor yaml")
}

fn parse_wait(text: &str) -> Result<Option<Duration>, String> {
    if text == "forever" {
        return Ok(None);
    }
    let seconds: f64 = text.parse().map_err(|_| "neither a number of seconds nor 'forever'".to_string())?;
    Duration::try_from_secs_f64(seconds).map(Some).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests;
