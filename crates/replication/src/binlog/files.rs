//! The files of a server's log.

use mmm_core::progress::{self, Waiting};

use crate::error::Error;
use crate::server::Server;

/// Where the events of every log file begin, after its magic number.
pub(crate) const FIRST_EVENT: u64 = 4;

pub(crate) fn log_files(server: &mut Server) -> Result<Vec<String>, Error> {
    let statement = "SHOW BINARY LOGS";
    Ok(server.rows(statement)?.iter().map(|row| row.text("Log_name").to_string()).collect())
}

/// The files of a server's log and their sizes.
pub(crate) fn log_files_and_sizes(server: &mut Server) -> Result<Vec<(String, u64)>, Error> {
    let rows = server.rows("SHOW BINARY LOGS")?;
    Ok(rows.iter().map(|row| (row.text("Log_name").into(), row.number("File_size").unwrap_or(0))).collect())
}

/// The files of a server's log and their sizes, if a person sees what is left; empty if the account may not ask.
pub(crate) fn log_sizes(server: &mut Server, face: &Waiting) -> Vec<(String, u64)> {
    if !face.is_seen() {
        return Vec::new();
    }
    log_files_and_sizes(server).unwrap_or_default()
}

/// The progress line for reading a file, and the file's size.
pub(crate) fn reading(server: &mut Server, file: &str) -> (Waiting, Option<u64>) {
    let face = progress::waiting(format!("reading {file} of {}", server.host()));
    let sizes = log_sizes(server, &face);
    (face, sizes.into_iter().find(|(name, _)| name == file).map(|(_, size)| size))
}

/// The last of a log's files whose beginning `lies_before` the position that is looked for, and what `lies_before`
/// returned for it. The beginnings are ordered in time, so the file is found by bisection.
pub(crate) fn last_that_begins<T>(
    files: &[String],
    mut lies_before: impl FnMut(&str) -> Result<Option<T>, Error>,
) -> Result<Option<(usize, T)>, Error> {
    let (mut low, mut high, mut last) = (0, files.len(), None);
    while low < high {
        let middle = usize::midpoint(low, high);
        match lies_before(&files[middle])? {
            Some(begin) => {
                low = middle + 1;
                last = Some((middle, begin));
            }
            None => high = middle,
        }
    }
    Ok(last)
}
