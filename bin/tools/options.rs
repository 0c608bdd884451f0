//! Options that several of the tools have.

use clap::Arg;
use clap::builder::PossibleValuesParser;

/// The agent's configuration.
pub fn config() -> Arg {
    Arg::new("config")
        .value_name("CONFIG")
        .default_value("mmm_agent")
        .help("Name of the agent's configuration, without path")
}

/// How the result is shown.
pub fn format(help: &'static str) -> Arg {
    Arg::new("format")
        .long("format")
        .value_name("FORMAT")
        .value_parser(PossibleValuesParser::new(["text", "json", "yaml"]))
        .default_value("text")
        .help(help)
}
