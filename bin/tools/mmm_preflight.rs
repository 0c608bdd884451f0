//! `mmm_preflight`: would a failover work right now, from this host? It looks at everything and changes nothing.

use std::process::ExitCode;

fn main() -> ExitCode {
    mmm_tools::preflight::run(std::env::args_os())
}
