//! Options that several of the tools have.

use std::process::ExitCode;

use clap::Arg;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use mmm_core::report::Format;
use strum::VariantNames;

/// The agent's configuration.
pub fn config() -> Arg {
    Arg::new("config")
        .value_name("CONFIG")
        .default_value("mmm_agent")
        .help("Name of the agent's configuration, without path")
}

/// How the result is shown, a [`Format`].
pub fn format(help: &'static str) -> Arg {
    Arg::new("format")
        .long("format")
        .value_name("FORMAT")
        .value_parser(PossibleValuesParser::new(Format::VARIANTS).try_map(|word| word.parse::<Format>()))
        .default_value("text")
        .help(help)
}

/// Prints the help that was asked for, or what is wrong with the arguments, for which a program ends with `usage`.
pub fn not_run(error: &clap::Error, usage: u8) -> ExitCode {
    // If this fails, nothing can be done.
    let _ = error.print();
    ExitCode::from(if error.use_stderr() { usage } else { 0 })
}
