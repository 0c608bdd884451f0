//! What comes from outside (servers, files, arguments), made harmless for the terminal on which it is read.

use std::fmt::Write as _;

use serde::Serialize;

/// The maximum number of characters of a caller's text that an error repeats.
const REPEATED: usize = 64;

/// True for what a terminal obeys instead of showing it: control characters (C0, DEL, C1), and what turns the direction
/// of the text around it.
pub fn is_obeyed(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// The text with `\n`, `\u{1b}` and the like in place of what a terminal obeys.
pub fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        if is_obeyed(c) { safe.extend(c.escape_default()) } else { safe.push(c) }
    }
    safe
}

/// The same on one line, with blanks in place of tabs and ends of lines.
pub fn line(text: &str) -> String {
    let blank = |c: char| if c.is_control() && c.is_whitespace() { ' ' } else { c };
    escaped(&text.chars().map(blank).collect::<String>())
}

/// The same with one blank between words.
pub fn words(text: &str) -> String {
    line(text).split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A caller's text in quotes, with control characters escaped, cut to a length that fits a log line.
pub fn quoted(text: &str) -> String {
    let mut shown: String = text.chars().take(REPEATED).flat_map(char::escape_debug).collect();
    if text.chars().nth(REPEATED).is_some() {
        shown.push('…');
    }
    format!("'{shown}'")
}

/// A JSON document that shows nothing but what a terminal shows.
pub fn json(value: &impl Serialize, is_pretty: bool) -> Result<String, String> {
    let text = if is_pretty { serde_json::to_string_pretty(value) } else { serde_json::to_string(value) };
    let text = text.map_err(|error| error.to_string())?;
    if !text.contains(is_obeyed_within) {
        return Ok(text);
    }
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        if is_obeyed_within(c) {
            // Only strings hold such, and none of them is beyond U+FFFF.
            let _ = write!(safe, "\\u{:04x}", u32::from(c));
        } else {
            safe.push(c);
        }
    }
    Ok(safe)
}

/// The same as YAML. If YAML would show such a character as it is, the document is JSON, which YAML includes.
pub fn yaml(value: &impl Serialize) -> Result<String, String> {
    let text = serde_yaml::to_string(value).map_err(|error| error.to_string())?;
    if text.contains(is_obeyed_within) { Ok(json(value, true)? + "\n") } else { Ok(text) }
}

/// A document's own lines end.
fn is_obeyed_within(c: char) -> bool {
    c != '\n' && is_obeyed(c)
}

#[cfg(test)]
mod tests;
