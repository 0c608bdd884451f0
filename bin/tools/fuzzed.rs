//! What `tests/fuzz` feeds with bytes of its own. It is no interface for anybody else.

use std::path::Path;

use mmm_core::report::Format;

use crate::journal::arguments::Arguments;
use crate::journal::{line, timeline};

/// What `mmm_journal --file FILE` shows of this one file.
pub fn journal(file: &Path, all: bool, format: Format) -> Result<Vec<u8>, String> {
    let arguments = Arguments { since: None, moves: 10, all, format, why: None, files: vec![file.into()] };
    let mut shown = Vec::new();
    timeline::show_files(&arguments, file.into(), &[file.into()], false, &mut shown)
        .map_err(|trouble| trouble.to_string())?;
    Ok(shown)
}

/// True of a line of a journal.
pub fn is_line(text: &str) -> bool {
    line::parse(text).is_some()
}
