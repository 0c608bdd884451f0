//! A row of a server's answer, by column name.
//!
//! Servers rename columns (`Master_Host`, `Source_Host`), but do not change their meaning. Names are compared without
//! regard to case, because servers differ in that, too.

use std::str::FromStr;

use mysql::{Row, Value};
/// One row: column names and values as text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Record(Vec<(String, Option<String>)>);

impl Record {
    /// The value of a column; `None` if it is NULL or missing.
    pub fn get(&self, column: &str) -> Option<&str> {
        self.0
            .iter()
            .find(|(name, _)| name.eq_ignore_ascii_case(column))
            .and_then(|(_, value)| value.as_deref())
    }

    /// The value of a column, empty if it is NULL or missing.
    pub fn text(&self, column: &str) -> &str {
        self.get(column).unwrap_or_default()
    }

    /// A column's value; the column's name if it cannot be read.
    pub fn parsed<T: FromStr>(&self, column: &'static str) -> Result<T, &'static str> {
        self.text(column).parse().map_err(|_| column)
    }

    /// The value of a numeric column; `None` if it is NULL, missing or no number.
    pub fn number(&self, column: &str) -> Option<u64> {
        self.get(column)?.parse().ok()
    }

    /// How many bytes its values have.
    pub fn size(&self) -> usize {
        self.0.iter().filter_map(|(_, value)| value.as_ref()).map(String::len).sum()
    }

    /// Shortens the value of a column to at most this many bytes.
    #[must_use]
    pub fn cut(mut self, column: &str, most: usize) -> Self {
        for (name, value) in &mut self.0 {
            if let Some(value) = value.as_mut().filter(|_| name.eq_ignore_ascii_case(column)) {
                let end = (0..=most).rev().find(|end| value.is_char_boundary(*end)).unwrap_or(0);
                value.truncate(end);
                value.shrink_to_fit();
            }
        }
        self
    }

    /// The same row with the column names that MySQL had before 8.0.22, and MariaDB has.
    #[must_use]
    pub fn with_old_names(self) -> Self {
        let old = |name: &str| name.replace("Source", "Master").replace("Replica_", "Slave_");
        Self(self.0.into_iter().map(|(name, value)| (old(&name), value)).collect())
    }

    /// The value of the column at `index`, for `SELECT expression`.
    pub fn at(&self, index: usize) -> Option<&str> {
        self.0.get(index).and_then(|(_, value)| value.as_deref())
    }

    /// True if the column is `1`, `ON` or `YES`.
    pub fn is_on(&self, column: &str) -> bool {
        self.get(column)
            .is_some_and(|value| ["1", "ON", "YES"].iter().any(|on| value.eq_ignore_ascii_case(on)))
    }

    /// True if the column `read_only` is anything but off: `1`, `ON`, or what a MariaDB has from 12.0 on beside them,
    /// `NO_LOCK` and `NO_LOCK_NO_ADMIN` (MDEV-36425).
    pub fn is_read_only(&self) -> bool {
        self.get("read_only")
            .is_some_and(|value| !["0", "OFF", ""].iter().any(|off| value.eq_ignore_ascii_case(off)))
    }
}

impl From<Row> for Record {
    fn from(row: Row) -> Self {
        let names: Vec<String> =
            row.columns_ref().iter().map(|column| column.name_str().into_owned()).collect();
        Self(names.into_iter().zip(row.unwrap().into_iter().map(text_of)).collect())
    }
}

impl<N: Into<String>, V: Into<String>> FromIterator<(N, V)> for Record {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(columns: I) -> Self {
        Self(columns.into_iter().map(|(name, value)| (name.into(), Some(value.into()))).collect())
    }
}

/// A value of a text-protocol row as text.
fn text_of(value: Value) -> Option<String> {
    match value {
        Value::NULL => None,
        Value::Bytes(bytes) => Some(String::from_utf8_lossy(&bytes).into_owned()),
        other => Some(other.as_sql(true).trim_matches('\'').to_string()),
    }
}

#[cfg(test)]
mod tests;
