//! MySQL's global transaction ids: sets of `uuid:first-last` intervals.
//!
//! Text form as in `@@gtid_executed` (manual section "GTID Sets"): sources separated by commas, intervals by
//! colons, a tag (MySQL 8.3 and later) between them, blanks and line ends anywhere between.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

/// Inclusive intervals of transaction numbers, sorted, neither overlapping nor adjacent.
type Intervals = Vec<(u64, u64)>;

/// A set of MySQL GTIDs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GtidSet(BTreeMap<String, Intervals>);

/// A text that is no GTID set.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is not a MySQL GTID set")]
pub struct NotAGtidSet(pub String);

impl GtidSet {
    /// True if nothing is in it.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// True if there are transactions of `uuid`, under whatever tag.
    pub fn knows(&self, uuid: &str) -> bool {
        self.0.keys().any(|source| uuid_of(source).eq_ignore_ascii_case(uuid))
    }

    /// The transactions of those uuids for which `keep` says yes.
    #[must_use]
    pub fn filtered(&self, keep: impl Fn(&str) -> bool) -> Self {
        let kept = self.0.iter().filter(|(source, _)| keep(uuid_of(source)));
        Self(kept.map(|(source, intervals)| (source.clone(), intervals.clone())).collect())
    }

    /// Everything of both.
    #[must_use]
    pub fn with(&self, other: &Self) -> Self {
        let mut both = self.clone();
        for (source, intervals) in &other.0 {
            let all = both.0.entry(source.clone()).or_default();
            all.extend(intervals);
            normalise(all);
        }
        both
    }

    /// How many transactions are in it.
    pub fn count(&self) -> u64 {
        self.0
            .values()
            .flatten()
            .fold(0, |sum, (first, last)| (last - first).saturating_add(1).saturating_add(sum))
    }

    /// True if the transaction `number` of `source`, a uuid with or without `:tag`, is in it.
    pub fn has(&self, source: &str, number: u64) -> bool {
        self.0.get(source).is_some_and(|intervals| {
            let behind = intervals.partition_point(|(first, _)| *first <= number);
            behind > 0 && intervals[behind - 1].1 >= number
        })
    }

    /// What is in this set and in `other`.
    #[must_use]
    pub fn within(&self, other: &Self) -> Self {
        self.without(&self.without(other))
    }

    /// Adds the transactions `first` to `last` of `source`, a uuid with or without `:tag`.
    pub fn add(&mut self, source: &str, first: u64, last: u64) {
        let intervals = self.0.entry(source.to_ascii_lowercase()).or_default();
        // Logs are read in their order: nearly always it continues the last one, or comes after it.
        match intervals.last_mut() {
            Some((begin, end)) if *begin <= first && first <= end.saturating_add(1) => *end = last.max(*end),
            Some((_, end)) if first <= *end => {
                intervals.push((first, last));
                normalise(intervals);
            }
            _ => intervals.push((first, last)),
        }
    }

    /// What is in this set and not in `other`.
    #[must_use]
    pub fn without(&self, other: &Self) -> Self {
        let mut rest = Self::default();
        for (source, intervals) in &self.0 {
            let taken = other.0.get(source).map_or(&[][..], Vec::as_slice);
            let left = left_of(intervals, taken);
            if !left.is_empty() {
                rest.0.insert(source.clone(), left);
            }
        }
        rest
    }

    /// True if each source's transactions have higher numbers than those of that source in `other`, which has some.
    pub fn is_behind(&self, other: &Self) -> bool {
        let last = |source: &str| other.0.get(source).and_then(|intervals| intervals.last());
        self.0.iter().all(|(source, intervals)| {
            let first = intervals.first().map(|(first, _)| *first);
            last(source).is_some_and(|(_, last)| first.is_some_and(|first| first > *last))
        })
    }

    /// True if `other` holds everything that is in this set.
    pub fn is_within(&self, other: &Self) -> bool {
        self.without(other).is_empty()
    }
}

/// A source without its tag.
fn uuid_of(source: &str) -> &str {
    source.split_once(':').map_or(source, |(uuid, _)| uuid)
}

/// Sorts intervals and joins those that overlap or follow each other.
fn normalise(intervals: &mut Intervals) {
    intervals.sort_unstable();
    intervals.dedup_by(|(first, last), (_, end)| {
        let joins = *first <= end.saturating_add(1);
        if joins {
            *end = (*end).max(*last);
        }
        joins
    });
}

/// What is left of `intervals` when `taken` is taken away.
fn left_of(intervals: &[(u64, u64)], taken: &[(u64, u64)]) -> Intervals {
    let mut left = Intervals::new();
    for &(first, last) in intervals {
        let mut next = Some(first);
        let begin = taken.partition_point(|(_, end)| *end < first);
        for &(taken_first, taken_last) in taken[begin..].iter().take_while(|(begin, _)| *begin <= last) {
            if let Some(next) = next.filter(|next| *next < taken_first) {
                left.push((next, taken_first - 1));
            }
            // After the largest number there is none.
            next = taken_last.checked_add(1);
        }
        if let Some(next) = next.filter(|next| *next <= last) {
            left.push((next, last));
        }
    }
    left
}

impl FromStr for GtidSet {
    type Err = NotAGtidSet;

    fn from_str(text: &str) -> Result<Self, NotAGtidSet> {
        let wrong = || NotAGtidSet(text.chars().take(80).collect());
        let mut set = Self::default();
        for part in text.split(',').map(str::trim).filter(|part| !part.is_empty()) {
            let mut fields = part.split(':').map(str::trim);
            let uuid = fields.next().filter(|uuid| is_uuid(uuid)).ok_or_else(wrong)?;
            let mut source = uuid.to_string();
            let mut intervals = 0;
            for field in fields {
                if field.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_') {
                    source = format!("{uuid}:{field}");
                    continue;
                }
                let (first, last) = field.split_once('-').unwrap_or((field, field));
                let number = |text: &str| text.trim().parse::<u64>().map_err(|_| wrong());
                let (first, last) = (number(first)?, number(last)?);
                if first == 0 || last < first {
                    return Err(wrong());
                }
                set.0.entry(source.to_ascii_lowercase()).or_default().push((first, last));
                intervals += 1;
            }
            if intervals == 0 {
                return Err(wrong());
            }
        }
        set.0.values_mut().for_each(normalise);
        Ok(set)
    }
}

fn is_uuid(text: &str) -> bool {
    text.len() == 36 && text.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-')
}

impl fmt::Display for GtidSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, (source, intervals)) in self.0.iter().enumerate() {
            let comma = if index == 0 { "" } else { "," };
            write!(f, "{comma}{source}")?;
            for (first, last) in intervals {
                if first == last { write!(f, ":{first}")? } else { write!(f, ":{first}-{last}")? }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
