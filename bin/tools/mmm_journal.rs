//! `mmm_journal`: what the helpers did on this host, read back from their journal.

use std::process::ExitCode;

fn main() -> ExitCode {
    mmm_tools::journal::run(std::env::args_os())
}
