//! The command line.

use std::ffi::OsString;
use std::time::Duration;

use clap::{Arg, ArgAction, Command, value_parser};

use crate::options;

/// What is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Arguments {
    /// Name of the agent's configuration.
    pub config: String,
    /// True if a person wants it, however long the server has been running.
    pub now: bool,
    /// For how long after its start a server is closed.
    pub within: Duration,
    /// How long the server is waited for.
    pub wait: Duration,
}

/// The command line's definition, for the manual and for completions, too.
pub fn command() -> Command {
    Command::new("mmm_guard")
        .version(env!("CARGO_PKG_VERSION"))
        .about(
            "Closes this host's server to writes and takes the addresses of the cluster's roles off its interface, when \
             the host or the server has just started: until the agent says otherwise, it has no role.",
        )
        .term_width(80)
        .after_help(
            "Exit code: 0 done, or nothing to do, 1 refused, 2 wrong usage, 3 not all of it could be done.\n\
             Run it as root. etc/systemd/mmm-guard.service is a sample of a unit.",
        )
        .arg(options::config())
        .arg(
            Arg::new("now")
                .long("now")
                .action(ArgAction::SetTrue)
                .help("Do it also if the server has been running for long, or the agent has given this host a role"),
        )
        .arg(seconds("within", "300", "For how long after its start a server is closed"))
        .arg(seconds("wait", "300", "How long to wait for a server that does not run yet"))
}

fn seconds(name: &'static str, default: &'static str, help: &'static str) -> Arg {
    Arg::new(name)
        .long(name)
        .value_name("SECONDS")
        .value_parser(value_parser!(u64).range(0..=86_400))
        .default_value(default)
        .help(help)
}

impl Arguments {
    /// Reads a command line that begins with the program's name.
    pub fn read(words: impl IntoIterator<Item = OsString>) -> Result<Self, clap::Error> {
        let matches = command().try_get_matches_from(words)?;
        let seconds =
            |name: &str| Duration::from_secs(matches.get_one::<u64>(name).copied().unwrap_or_default());
        Ok(Self {
            config: matches.get_one::<String>("config").cloned().unwrap_or_default(),
            now: matches.get_flag("now"),
            within: seconds("within"),
            wait: seconds("wait"),
        })
    }
}

#[cfg(test)]
mod tests;
