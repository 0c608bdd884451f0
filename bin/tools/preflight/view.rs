//! What was found, as it is shown: a screen for people, a document for programs, a line for a monitoring plugin.

mod metrics;
pub mod page;
pub mod piece;
mod plugin;
mod report;
#[cfg(test)]
pub mod sample;
mod screen;

use jiff::Timestamp;
use mmm_core::escape;
use mmm_core::report::Format;

use super::arguments::Output;
pub use report::{HostRow, Report};

use crate::journal::history::History;

/// One look, as it was asked for.
pub fn show(report: &Report, output: Output, colour: bool, history: Option<&History>) -> String {
    match output {
        Output::As(Format::Text) => screen::draw(report, colour),
        Output::As(Format::Json) => escape::json(report, true).unwrap_or_default() + "\n",
        Output::As(Format::Yaml) => escape::yaml(report).unwrap_or_default(),
        Output::Plugin => plugin::line(report),
        Output::Metrics => metrics::text(report, history, Timestamp::now()),
    }
}
