//! What a person's terminal wants: colours, lines that are no wider than it, numbers that are read at a glance.

use std::env;
use std::io::{self, IsTerminal, Write};

/// True if stdout is a terminal that shows colours to somebody who has not refused them (no-color.org: `NO_COLOR`
/// present and not empty).
pub fn shows_colour() -> bool {
    io::stdout().is_terminal()
        && env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
        && env::var_os("TERM").is_none_or(|term| term != "dumb")
}

/// What has become of a result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Delivery {
    /// All of it was written.
    Whole,
    /// The reader has closed the pipe.
    Broken,
}

/// Writes a result to the end. A reader that closed the pipe has seen enough; any other failure is returned.
pub fn deliver(text: &str, to: &mut impl Write) -> io::Result<Delivery> {
    match to.write_all(text.as_bytes()).and_then(|()| to.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(Delivery::Broken),
        written => written.map(|()| Delivery::Whole),
    }
}

/// A text in a colour, by its number (ECMA-48, SGR).
pub fn painted(text: &str, colour: &str) -> String {
    format!("\u{1b}[{colour}m{text}\u{1b}[0m")
}

/// What becomes of a word that is longer than a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LongWord {
    /// It has a line of its own, wider than the others: it is to be copied.
    Whole,
    /// It is broken anywhere.
    Broken,
}

/// Words in lines of at most `width` columns.
pub fn wrapped<'t>(
    words: impl IntoIterator<Item = &'t str>,
    width: usize,
    long_word: LongWord,
) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = String::new();
    for mut word in words {
        let used = columns(&line);
        if used > 0 && used + 1 + columns(word) > width {
            lines.push(std::mem::take(&mut line));
        } else if used > 0 {
            line.push(' ');
        }
        while long_word == LongWord::Broken && columns(word) > width {
            let end = word.char_indices().nth(width).map_or(word.len(), |(end, _)| end);
            let (head, rest) = word.split_at(end);
            lines.push(head.into());
            word = rest;
        }
        line.push_str(word);
    }
    lines.push(line);
    lines
}

/// How many columns a text takes, its colours left out.
fn columns(text: &str) -> usize {
    let mut is_colour = false;
    let shown = text.chars().filter(|c| {
        is_colour |= *c == '\u{1b}';
        let is_shown = !is_colour;
        is_colour &= *c != 'm';
        is_shown
    });
    shown.count()
}

/// `1,204 bytes`, `1 byte`
pub fn counted(number: u64, what: &str) -> String {
    format!("{} {what}{}", grouped(number), if number == 1 { "" } else { "s" })
}

/// With a comma before every three digits.
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests;
