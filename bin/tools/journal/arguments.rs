//! The command line.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::error::ErrorKind;
use clap::{Arg, ArgAction, Command, value_parser};
use jiff::{Timestamp, Zoned};
use mmm_core::report::Format;

use super::since;
use crate::options;

/// What was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Arguments {
    /// Nothing earlier than this.
    pub since: Option<Timestamp>,
    /// How many role moves, the last ones.
    pub moves: usize,
    /// Every call by itself instead.
    pub all: bool,
    /// How to show it.
    pub format: Format,
    /// Why the last failover came out as it did.
    pub why: Option<Why>,
    /// Journals other than the settings'.
    pub files: Vec<PathBuf>,
}

/// Which failover is to be explained.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Why {
    /// The last one that this host or this address took part in; otherwise the last one.
    pub about: Option<String>,
}

/// The command line's definition, for the manual and for completions, too.
pub fn command() -> Command {
    Command::new("mmm_journal")
        .version(env!("CARGO_PKG_VERSION"))
        .about("Shows the last role moves of this host as a timeline, from the journal of the agent's helpers.")
        .override_usage(
            "mmm_journal [-n N] [--since TIME] [--all] [--format FORMAT] [--file FILE]\n       \
             mmm_journal --why [HOST|ADDRESS] [--since TIME] [--format FORMAT] [--file FILE…]",
        )
        .term_width(80)
        .arg(
            Arg::new("moves")
                .short('n')
                .long("moves")
                .value_name("N")
                .value_parser(value_parser!(u16).range(1..))
                .default_value("10")
                .help("How many role moves, the last ones"),
        )
        .arg(
            Arg::new("since")
                .short('s')
                .long("since")
                .value_name("TIME")
                .value_parser(|text: &str| since::parse(text, &Zoned::now()))
                .help("Only from then on: '2026-11-22 03:00', 03:00, today, yesterday, or 2h ago, as 2h, 90m, 3d"),
        )
        .arg(
            Arg::new("all")
                .short('a')
                .long("all")
                .action(ArgAction::SetTrue)
                .conflicts_with("moves")
                .help("Every call by itself, with every line of it; all of them without --since"),
        )
        .arg(
            Arg::new("why")
                .short('w')
                .long("why")
                .value_name("HOST|ADDRESS")
                .num_args(0..=1)
                .conflicts_with_all(["moves", "all"])
                .help(
                    "Why did it not fail over, or how did it? The last failover, of this host or address: who was asked \
                     when, what stood in the way, and what cures it; with a --file for each host, across them",
                ),
        )
        .arg(
            options::format("text for people, json or yaml for programs, see docs/JOURNAL.md")
                .hide_possible_values(true),
        )
        .arg(
            Arg::new("file")
                .short('f')
                .long("file")
                .value_name("FILE")
                .value_parser(value_parser!(PathBuf))
                .value_hint(clap::ValueHint::FilePath)
                .num_args(1..)
                .action(ArgAction::Append)
                .help("Another journal than log.file of mmm_helpers.yaml; FILE.1, FILE.2.gz, … are read with it"),
        )
}

impl Arguments {
    /// Reads a command line that begins with the program's name.
    pub fn read(words: impl IntoIterator<Item = OsString>) -> Result<Self, clap::Error> {
        let matches = command().try_get_matches_from(words)?;
        let is_asked_why = matches.value_source("why").is_some();
        let files: Vec<PathBuf> = matches.get_many("file").into_iter().flatten().cloned().collect();
        if files.len() > 1 && !is_asked_why {
            let text = "several journals are read together with --why only; give one --file";
            return Err(command().error(ErrorKind::ArgumentConflict, text));
        }
        Ok(Self {
            since: matches.get_one("since").copied(),
            moves: matches.get_one::<u16>("moves").copied().map_or(10, usize::from),
            all: matches.get_flag("all"),
            format: matches.get_one::<Format>("format").copied().unwrap_or_default(),
            why: is_asked_why.then(|| Why { about: matches.get_one("why").cloned() }),
            files,
        })
    }
}

#[cfg(test)]
mod tests;
