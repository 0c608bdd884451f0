//! One line of the journal, as `crates/core/src/journal.rs` writes it.
//!
//! Nothing here trusts a line: whoever may write the file may have written anything.

use std::borrow::Cow;

use jiff::Timestamp;
use serde::Deserialize;

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
    pub helper: Cow<'t, str>,
    /// Its process.
    pub process: u32,
    /// How grave it is.
    pub level: Level,
    /// What it says.
    pub text: Cow<'t, str>,
}

/// `log.format: json`
#[derive(Deserialize)]
struct Written<'t> {
    time: &'t str,
    #[serde(borrow)]
    helper: Cow<'t, str>,
    process: u32,
    level: &'t str,
    #[serde(borrow)]
    text: Cow<'t, str>,
}

/// `2026-11-22T03:00:00.000Z check_ip[39] INFO  text`, or the same as JSON; `None` for anything else.
pub fn parse(line: &str) -> Option<Line<'_>> {
    if line.starts_with('{') {
        let Written { time, helper, process, level, text } = serde_json::from_str(line).ok()?;
        return read(time, helper, process, &level.to_uppercase(), text);
    }
    let (at, rest) = line.split_once(' ')?;
    let (helper, rest) = rest.split_once('[')?;
    let (process, rest) = rest.split_once("] ")?;
    let (level, text) = rest.split_once(' ')?;
    read(at, helper.into(), process.parse().ok()?, level, text.strip_prefix(' ').unwrap_or(text).into())
}

fn read<'t>(
    at: &str,
    helper: Cow<'t, str>,
    process: u32,
    level: &str,
    text: Cow<'t, str>,
) -> Option<Line<'t>> {
    let is_name = |c: char| c.is_ascii_lowercase() || c == '_';
    if helper.is_empty() || !helper.chars().all(is_name) {
        return None;
    }
    Some(Line {
        at: at.parse().ok()?,
        helper,
        process,
        level: match level {
            "TRACE" | "DEBUG" => Level::Detail,
            "INFO" => Level::Info,
            "WARN" => Level::Warning,
            "ERROR" => Level::Error,
            _ => return None,
        },
        text,
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
