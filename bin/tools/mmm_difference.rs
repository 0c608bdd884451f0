//! `mmm_difference`: which transactions has one host executed that another has not? It changes nothing.

use std::process::ExitCode;

fn main() -> ExitCode {
    mmm_tools::difference::run(std::env::args_os())
}
