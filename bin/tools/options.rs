//! Options that several of the tools have.

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
