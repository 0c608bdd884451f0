//! One line of the journal, as `crates/core/src/journal.rs` writes it.
//!
//! Nothing here trusts a line: whoever may write the file may have written anything.

use jiff::Timestamp;

/// How grave a line is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// `TRACE` and `DEBUG`
    Detail,
    /// `INFO`
    Info,
    /// `WARN`
    Warning,
    /// `ERROR`
    Error,
}

/// One line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line<'t> {
    /// When it was written.
    pub at: Timestamp,
    /// The helper that wrote it.
    pub helper: &'t str,
    /// Its process.
    pub process: u32,
    /// How grave it is.
    pub level: Level,
    /// What it says.
    pub text: &'t str,
}

/// `2026-11-22T03:00:00.000Z check_ip[39] INFO  text`; `None` for anything else.
pub fn parse(line: &str) -> Option<Line<'_>> {
    let (at, rest) = line.split_once(' ')?;
    let (helper, rest) = rest.split_once('[')?;
    let (process, rest) = rest.split_once("] ")?;
    let (level, text) = rest.split_once(' ')?;
    let is_name = |c: char| c.is_ascii_lowercase() || c == '_';
    if helper.is_empty() || !helper.chars().all(is_name) {
        return None;
    }
    Some(Line {
        at: at.parse().ok()?,
        helper,
        process: process.parse().ok()?,
        level: match level {
            "TRACE" | "DEBUG" => Level::Detail,
            "INFO" => Level::Info,
            "WARN" => Level::Warning,
            "ERROR" => Level::Error,
            _ => return None,
        },
        text: text.strip_prefix(' ').unwrap_or(text),
    })
}

/// The strings of `["one", "two"]`, as Rust prints a list of them.
pub fn strings(list: &str) -> Option<Vec<String>> {
    let mut rest = list.strip_prefix('[')?;
    let mut strings = Vec::new();
    while rest != "]" {
        let (string, behind) = string(rest)?;
        strings.push(string);
        rest = behind.strip_prefix(", ").unwrap_or(behind);
    }
    Some(strings)
}

/// The string at the beginning of `"one" and more`, and what comes behind it.
pub fn string(quoted: &str) -> Option<(String, &str)> {
    let mut chars = quoted.strip_prefix('"')?.chars();
    let mut string = String::new();
    loop {
        match chars.next()? {
            '"' => return Some((string, chars.as_str())),
            '\\' => match chars.next()? {
                'n' => string.push('\n'),
                'r' => string.push('\r'),
                't' => string.push('\t'),
                '0' => string.push('\0'),
                'u' => {
                    let (code, behind) = chars.as_str().strip_prefix('{')?.split_once('}')?;
                    string.push(char::from_u32(u32::from_str_radix(code, 16).ok()?)?);
                    chars = behind.chars();
                }
                // A byte that is no text: nobody can type it either.
                'x' => {
                    chars.next()?;
                    chars.next()?;
                    string.push(char::REPLACEMENT_CHARACTER);
                }
                c => string.push(c),
            },
            c => string.push(c),
        }
    }
}

#[cfg(test)]
mod tests;
