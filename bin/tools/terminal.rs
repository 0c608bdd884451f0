//! What a person's terminal wants.

use std::env;
use std::io::{self, IsTerminal};

/// True where stdout is a terminal that shows colours to somebody who has not refused them (no-color.org: `NO_COLOR`
/// present and not empty).
pub fn shows_colour() -> bool {
    io::stdout().is_terminal()
        && env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
        && env::var_os("TERM").is_none_or(|term| term != "dumb")
}
