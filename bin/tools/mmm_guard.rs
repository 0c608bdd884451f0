//! `mmm_guard`: a host that comes back takes no writes and holds no address, until the agent says otherwise.

use std::process::ExitCode;

fn main() -> ExitCode {
    mmm_tools::guard::run(std::env::args_os())
}
