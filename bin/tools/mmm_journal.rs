//! `mmm_journal`: what the helpers did on this host, read back from their journal.

use std::process::ExitCode;

use mmm_tools::journal_cli::{Options, command};

fn main() -> ExitCode {
    mmm_tools::journal::run(&Options::from_matches(&command().get_matches()))
}
