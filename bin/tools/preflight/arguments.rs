//! The command line.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Arg, ArgAction, Command, value_parser};
use mmm_core::report::Format;
use strum::VariantNames;

use crate::options;

/// What is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Arguments {
    /// Name of the agent's configuration.
    pub config: String,
    pub output: Output,
    /// The file that is written instead of stdout.
    pub file: Option<PathBuf>,
    /// Time between two looks; `None` for one look.
    pub watch: Option<Duration>,
    /// The maximum time of one look.
    pub timeout: Duration,
    /// False if no colour is wanted, not even on a terminal.
    pub colour: bool,
}

/// How it is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Output {
    /// A screen or a document.
    As(Format),
    /// A monitoring plugin's line.
    Plugin,
    /// Metrics as Prometheus reads them, with those of this host's journal.
    Metrics,
}

/// The value of `--format` for metrics.
const METRICS: &str = "openmetrics";

/// The command line's definition, for the manual and for completions, too.
pub fn command() -> Command {
    Command::new("mmm_preflight")
        .version(env!("CARGO_PKG_VERSION"))
        .about(
            "Would a failover work right now, from this host? Looks at the configuration, every server, replication, \
             accounts, addresses and helpers, and says how to fix each problem that it finds. Changes nothing.",
        )
        .term_width(80)
        .after_help(
            "Exit code: 0 good, 1 warnings, 2 failures, 3 could not look.\n\
             Run it as root, as the agent runs its helpers. docs/PREFLIGHT.md has every finding's code.\n\n\
             Examples:\n  mmm_preflight\n  mmm_preflight mmm_agent_cluster2 --watch=10\n  mmm_preflight --plugin\n  \
             mmm_preflight --format openmetrics --output FILE",
        )
        .arg(options::config())
        .arg(
            Arg::new("format")
                .long("format")
                .value_name("FORMAT")
                .value_parser(
                    PossibleValuesParser::new(Format::VARIANTS.iter().copied().chain([METRICS])).map(|word| {
                        if word == METRICS { Output::Metrics } else { Output::As(word.parse().unwrap_or_default()) }
                    }),
                )
                .default_value("text")
                .help("A screen for people, a document for programs, or metrics for Prometheus"),
        )
        .arg(
            Arg::new("output")
                .short('o')
                .long("output")
                .value_name("FILE")
                .value_parser(value_parser!(PathBuf))
                .value_hint(clap::ValueHint::FilePath)
                .conflicts_with_all(["watch", "plugin"])
                .help("Write to this file, which is replaced as a whole (mode 0644), instead of stdout"),
        )
        .arg(
            Arg::new("watch")
                .long("watch")
                .value_name("SECONDS")
                .num_args(0..=1)
                .require_equals(true)
                .default_missing_value("5")
                .value_parser(seconds)
                .conflicts_with_all(["format", "plugin"])
                .help("Look again every so often: as a full screen on a terminal (h shows its keys), else until Ctrl-C"),
        )
        .arg(
            Arg::new("plugin")
                .long("plugin")
                .action(ArgAction::SetTrue)
                .conflicts_with("format")
                .help("One line with performance data, as Nagios and Icinga want it"),
        )
        .arg(
            Arg::new("timeout")
                .long("timeout")
                .value_name("SECONDS")
                .value_parser(seconds)
                .default_value("8")
                .help("The maximum time of one look"),
        )
        .arg(
            Arg::new("no-color")
                .long("no-color")
                .action(ArgAction::SetTrue)
                .help("No colour even on a terminal, as with NO_COLOR in the environment"),
        )
}

impl Arguments {
    /// Reads a command line that begins with the program's name.
    pub fn read(words: impl IntoIterator<Item = OsString>) -> Result<Self, clap::Error> {
        let matches = command().try_get_matches_from(words)?;
        let text = |name: &str| matches.get_one::<String>(name).map_or("", String::as_str);
        let format = matches.get_one::<Output>("format").copied().unwrap_or(Output::As(Format::Text));
        let output = if matches.get_flag("plugin") { Output::Plugin } else { format };
        Ok(Self {
            config: text("config").into(),
            output,
            file: matches.get_one("output").cloned(),
            watch: matches.get_one::<Duration>("watch").copied(),
            timeout: matches.get_one::<Duration>("timeout").copied().unwrap_or(Duration::from_secs(8)),
            colour: !matches.get_flag("no-color"),
        })
    }
}

fn seconds(text: &str) -> Result<Duration, String> {
    let seconds: f64 = text.parse().map_err(|_| "not a number of seconds".to_string())?;
    if !(0.5..=3600.0).contains(&seconds) {
        return Err("from half a second to an hour".into());
    }
    Ok(Duration::from_secs_f64(seconds))
}

#[cfg(test)]
mod tests;
