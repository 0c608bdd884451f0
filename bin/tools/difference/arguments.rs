//! The command line.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Arg, Command, value_parser};
use mmm_core::report::Format;

use crate::options;

/// The maximum number of listed transactions; more would not fit into memory.
const MOST_LISTED: u64 = 10_000;

/// What is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Arguments {
    /// The host whose transactions are looked for.
    pub from: String,
    /// The host that may lack them.
    pub to: String,
    /// Name of the agent's configuration.
    pub config: String,
    pub format: Format,
    /// Where they are to be saved.
    pub save: Option<PathBuf>,
    /// How many are listed.
    pub limit: u64,
    /// The maximum time of the whole call.
    pub timeout: Duration,
}

/// The command line's definition, for the manual and for completions, too.
pub fn command() -> Command {
    Command::new("mmm_difference")
        .version(env!("CARGO_PKG_VERSION"))
        .about(
            "Which transactions has host A executed that host B has not? Lists them, saves them as a binary log file \
             if wanted, and says what can be done. Changes nothing on any server.",
        )
        .term_width(80)
        .after_help(
            "Exit code: 0 nothing is missing on B, 1 something is, 2 the answer is unknown.\n\
             Run it as root on any host of the cluster. Statements that may hold a password are hidden.\n\n\
             Examples:\n  mmm_difference db3 db2\n  mmm_difference db3 db2 --save /root/db3-only.binlog\n  \
             mmm_difference db3 db2 mmm_agent_cluster2 --format json",
        )
        .arg(
            Arg::new("from")
                .value_name("A")
                .required(true)
                .help("Host whose transactions are looked for, by its name in the configuration"),
        )
        .arg(Arg::new("to").value_name("B").required(true).help("Host that may lack them"))
        .arg(options::config())
        .arg(options::format("A text for people, or a document for programs"))
        .arg(
            Arg::new("save")
                .long("save")
                .value_name("FILE")
                .value_parser(value_parser!(PathBuf))
                .help("Save what B lacks as a new binary log file, for mysqlbinlog or mariadb-binlog"),
        )
        .arg(
            Arg::new("limit")
                .long("limit")
                .value_name("COUNT")
                .value_parser(value_parser!(u64).range(0..=MOST_LISTED))
                .default_value("100")
                .help("List at most so many transactions; the others are still counted and saved"),
        )
        .arg(
            Arg::new("timeout")
                .long("timeout")
                .value_name("SECONDS")
                .value_parser(value_parser!(u64).range(1..=86_400))
                .default_value("60")
                .help("The maximum time of the whole call"),
        )
}

impl Arguments {
    /// Reads a command line that begins with the program's name.
    pub fn read(words: impl IntoIterator<Item = OsString>) -> Result<Self, clap::Error> {
        let matches = command().try_get_matches_from(words)?;
        let text = |name: &str| matches.get_one::<String>(name).cloned().unwrap_or_default();
        let number = |name: &str| matches.get_one::<u64>(name).copied().unwrap_or_default();
        Ok(Self {
            from: text("from"),
            to: text("to"),
            config: text("config"),
            format: matches.get_one::<Format>("format").copied().unwrap_or_default(),
            save: matches.get_one::<PathBuf>("save").cloned(),
            limit: number("limit"),
            timeout: Duration::from_secs(number("timeout")),
        })
    }
}

#[cfg(test)]
mod tests;
