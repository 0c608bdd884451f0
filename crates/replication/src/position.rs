//! A position in a server's binary log, and which of two comes first.

use std::cmp::Ordering;
use std::fmt;

use crate::record::Record;

/// File name and byte offset, as `SHOW MASTER STATUS` gives them: the end of the last transaction.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct BinlogPosition {
    /// File name without folder, such as `mysql-bin.000007`.
    pub file: String,
    /// Offset in bytes.
    pub offset: u64,
}

impl BinlogPosition {
    /// A position from its parts.
    pub fn new(file: impl Into<String>, offset: u64) -> Self {
        Self { file: file.into(), offset }
    }

    /// A position as it is shown: `FILE:OFFSET`.
    pub fn from_text(text: &str) -> Option<Self> {
        let (file, offset) = text.rsplit_once(':')?;
        Some(Self::new(file, offset.parse().ok()?))
    }

    /// The position in two columns of a row; `None` if the file name is empty (never replicated).
    pub fn from_columns(row: &Record, file: &str, offset: &str) -> Option<Self> {
        let name = row.get(file).filter(|name| !name.is_empty())?;
        Some(Self::new(name, row.number(offset)?))
    }

    /// A position for a text, even if there is none.
    pub fn shown(position: Option<&Self>) -> String {
        position.map_or_else(|| "nothing".into(), ToString::to_string)
    }

    /// Base name and number: `mysql-bin` and 7.
    fn parts(&self) -> Option<(&str, u64)> {
        let (base, number) = self.file.rsplit_once('.')?;
        Some((base, number.parse().ok()?))
    }

    /// Which of two positions *of the same server* comes first; `None` if the logs' base names differ, so that they
    /// cannot be compared (docs/ORDERS.md, A26). Numbers are compared as numbers: 999999 is before 1000000.
    pub fn compare(&self, other: &Self) -> Option<Ordering> {
        let ((base, number), (other_base, other_number)) = (self.parts()?, other.parts()?);
        (base == other_base).then(|| number.cmp(&other_number).then(self.offset.cmp(&other.offset)))
    }

    /// True if this position is certainly at or beyond `target`.
    pub fn has_reached(&self, target: &Self) -> bool {
        self.compare(target).is_some_and(Ordering::is_ge)
    }
}

impl fmt::Display for BinlogPosition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.file, self.offset)
    }
}

#[cfg(test)]
mod tests;
