//! Lines in pieces that know what they say: a view colours them by it, and marks those that have changed.

use super::super::finding::Severity;
use crate::terminal::{self, LongWord};

/// What a piece of text says, as far as a view shows it apart.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sense {
    /// How good or bad it is.
    pub tone: Option<Severity>,
    pub subject: Subject,
}

/// What a piece of text is about.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Subject {
    /// Nothing that could change by itself.
    #[default]
    Nothing,
    /// A value that is looked at again with every look.
    Fact(Fact),
    /// It says itself that something has changed.
    News,
}

/// A value of a host.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Fact {
    pub host: String,
    pub what: What,
}

/// Which value it is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum What {
    /// Whether its server answers, and takes writes.
    State,
    Product,
    /// Whom it follows.
    Source,
    /// By position or by GTID.
    Mode,
    /// What its replication threads do.
    Threads,
    Lag,
    Backlog,
    Applied,
    LogEnd,
    /// A role's address that it holds.
    Address(String),
}

/// Some text with one sense.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Piece {
    pub text: String,
    pub sense: Sense,
}

/// A line, or a text that becomes several.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Line(pub Vec<Piece>);

impl Line {
    pub fn plain(text: impl Into<String>) -> Self {
        Self::default().and(text)
    }

    /// With more text that has no sense of its own.
    #[must_use]
    pub fn and(self, text: impl Into<String>) -> Self {
        self.with(text, Sense::default())
    }

    /// With more text that is so good or bad.
    #[must_use]
    pub fn toned(self, text: impl Into<String>, tone: Severity) -> Self {
        self.with(text, Sense { tone: Some(tone), ..Sense::default() })
    }

    /// With a word that says that something has changed.
    #[must_use]
    pub fn news(self, text: impl Into<String>, tone: Option<Severity>) -> Self {
        self.with(text, Sense { tone, subject: Subject::News })
    }

    /// With a value of a host.
    #[must_use]
    pub fn fact(self, host: &str, what: What, text: impl Into<String>, tone: Option<Severity>) -> Self {
        let subject = Subject::Fact(Fact { host: host.into(), what });
        self.with(text, Sense { tone, subject })
    }

    fn with(mut self, text: impl Into<String>, sense: Sense) -> Self {
        self.0.push(Piece { text: text.into(), sense });
        self
    }

    /// With another line at its end.
    #[must_use]
    pub fn then(mut self, other: Self) -> Self {
        self.0.extend(other.0);
        self
    }

    pub fn text(&self) -> String {
        self.0.iter().map(|piece| piece.text.as_str()).collect()
    }

    /// In lines of at most so many columns.
    pub fn wrapped(&self, width: usize, long_word: LongWord) -> Vec<Self> {
        let mut senses = self
            .0
            .iter()
            .flat_map(|piece| piece.text.chars().filter(|c| !c.is_whitespace()).map(move |_| &piece.sense));
        let broken = terminal::wrapped(self.text().split_whitespace(), width.max(1), long_word);
        let lines = broken.iter().map(|text| {
            let mut line = Self::default();
            let mut is_after_blank = false;
            for c in text.chars() {
                if c == ' ' {
                    is_after_blank = true;
                    continue;
                }
                let sense = senses.next().cloned().unwrap_or_default();
                if is_after_blank {
                    // The blank between two words of one piece is that piece's, too.
                    let is_within = line.0.last().is_some_and(|piece| piece.sense == sense);
                    line.push(' ', if is_within { sense.clone() } else { Sense::default() });
                }
                is_after_blank = false;
                line.push(c, sense);
            }
            line
        });
        lines.collect()
    }

    fn push(&mut self, c: char, sense: Sense) {
        match self.0.last_mut() {
            Some(piece) if piece.sense == sense => piece.text.push(c),
            _ => self.0.push(Piece { text: c.into(), sense }),
        }
    }
}

#[cfg(test)]
mod tests;
