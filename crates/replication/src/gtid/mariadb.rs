//! MariaDB's global transaction ids: `domain-server-sequence`, positions and binlog states.
//!
//! A *position* names the last transaction of each domain; a *state* names the last sequence number of each server in
//! each domain, so that two states are equal only if the same transactions were logged (MariaDB knowledge base,
//! `gtid_binlog_state`).

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

/// The id of one transaction, which MariaDB calls an event group.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Gtid {
    /// `gtid_domain_id` of the session that wrote it.
    pub domain: u32,
    /// `server_id` of the server that wrote it first.
    pub server: u32,
    /// Its number in the domain.
    pub sequence: u64,
}

impl fmt::Display for Gtid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}-{}", self.domain, self.server, self.sequence)
    }
}

/// A text that is no GTID.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is not a list of MariaDB GTIDs")]
pub struct NotAGtid(pub String);

impl FromStr for Gtid {
    type Err = NotAGtid;

    fn from_str(text: &str) -> Result<Self, NotAGtid> {
        let wrong = || NotAGtid(text.to_string());
        let mut parts = text.trim().split('-');
        let mut next = || parts.next().ok_or_else(wrong);
        let (domain, server, sequence) = (next()?, next()?, next()?);
        if parts.next().is_some() {
            return Err(wrong());
        }
        Ok(Self {
            domain: domain.parse().map_err(|_| wrong())?,
            server: server.parse().map_err(|_| wrong())?,
            sequence: sequence.parse().map_err(|_| wrong())?,
        })
    }
}

/// The GTIDs of a comma-separated list, in its order; a list in brackets is what `Gtid_list` events show.
pub fn parse_list(text: &str) -> Result<Vec<Gtid>, NotAGtid> {
    text.trim()
        .trim_start_matches('[')
        .trim_end_matches(']')
        .split(',')
        .map(str::trim)
        .filter(|item| !item.is_empty())
        .map(str::parse)
        .collect()
}

/// The last transaction of each domain: `gtid_slave_pos`, `gtid_binlog_pos`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GtidPosition(BTreeMap<u32, Gtid>);

impl GtidPosition {
    /// The last transaction of a domain.
    pub fn get(&self, domain: u32) -> Option<Gtid> {
        self.0.get(&domain).copied()
    }

    /// Every domain's last transaction, by domain.
    pub fn iter(&self) -> impl Iterator<Item = Gtid> + '_ {
        self.0.values().copied()
    }

    /// True if no domain is known.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Advances a domain to this transaction.
    pub fn advance(&mut self, gtid: Gtid) {
        self.0.insert(gtid.domain, gtid);
    }

    /// This position without the domains for which `keep` says no.
    #[must_use]
    pub fn filtered(&self, keep: impl Fn(u32) -> bool) -> Self {
        Self(
            self.0
                .iter()
                .filter(|(domain, _)| keep(**domain))
                .map(|(domain, gtid)| (*domain, *gtid))
                .collect(),
        )
    }
}

impl FromIterator<Gtid> for GtidPosition {
    /// If a list names a domain twice, the later entry is the more recent one (`Gtid_list` events).
    fn from_iter<I: IntoIterator<Item = Gtid>>(gtids: I) -> Self {
        let mut position = Self::default();
        gtids.into_iter().for_each(|gtid| position.advance(gtid));
        position
    }
}

impl FromStr for GtidPosition {
    type Err = NotAGtid;

    fn from_str(text: &str) -> Result<Self, NotAGtid> {
        Ok(parse_list(text)?.into_iter().collect())
    }
}

impl fmt::Display for GtidPosition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        join(f, self.iter())
    }
}

/// The last sequence number of each server in each domain: `gtid_binlog_state`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GtidState(BTreeMap<(u32, u32), u64>);

impl GtidState {
    /// The last sequence number that `server` wrote in `domain`.
    pub fn get(&self, domain: u32, server: u32) -> Option<u64> {
        self.0.get(&(domain, server)).copied()
    }

    /// Every entry as the GTID of the server's last transaction in the domain.
    pub fn iter(&self) -> impl Iterator<Item = Gtid> + '_ {
        self.0.iter().map(|(&(domain, server), &sequence)| Gtid { domain, server, sequence })
    }

    /// True if the state includes this transaction, given that each server's transactions are logged in their order.
    pub fn includes(&self, gtid: Gtid) -> bool {
        self.get(gtid.domain, gtid.server).is_some_and(|sequence| sequence >= gtid.sequence)
    }

    /// True if any server has written in this domain.
    pub fn knows(&self, domain: u32) -> bool {
        self.0.range((domain, 0)..=(domain, u32::MAX)).next().is_some()
    }

    /// The highest sequence number of a domain.
    pub fn highest(&self, domain: u32) -> Option<u64> {
        self.0.range((domain, 0)..=(domain, u32::MAX)).map(|(_, sequence)| *sequence).max()
    }

    /// The transaction with the highest number of a domain.
    pub fn newest(&self, domain: u32) -> Option<Gtid> {
        self.of_domain(domain).iter().max_by_key(|gtid| gtid.sequence)
    }

    /// True if a transaction of this number, logged now, would come after a later one of its domain.
    pub fn is_stepped_back_by(&self, gtid: Gtid) -> bool {
        self.highest(gtid.domain).is_some_and(|highest| gtid.sequence <= highest)
    }

    /// Adds a logged transaction.
    pub fn log(&mut self, gtid: Gtid) {
        self.0.insert((gtid.domain, gtid.server), gtid.sequence);
    }

    /// The entries of one domain.
    #[must_use]
    pub fn of_domain(&self, domain: u32) -> Self {
        Self(self.0.range((domain, 0)..=(domain, u32::MAX)).map(|(key, value)| (*key, *value)).collect())
    }

    /// Takes over the entries of another state.
    pub fn merge(&mut self, other: &Self) {
        self.0.extend(other.0.iter().map(|(key, value)| (*key, *value)));
    }
}

impl FromIterator<Gtid> for GtidState {
    fn from_iter<I: IntoIterator<Item = Gtid>>(gtids: I) -> Self {
        let mut state = Self::default();
        gtids.into_iter().for_each(|gtid| state.log(gtid));
        state
    }
}

impl FromStr for GtidState {
    type Err = NotAGtid;

    fn from_str(text: &str) -> Result<Self, NotAGtid> {
        Ok(parse_list(text)?.into_iter().collect())
    }
}

impl fmt::Display for GtidState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        join(f, self.iter())
    }
}

fn join(f: &mut fmt::Formatter<'_>, gtids: impl Iterator<Item = Gtid>) -> fmt::Result {
    for (index, gtid) in gtids.enumerate() {
        let comma = if index == 0 { "" } else { "," };
        write!(f, "{comma}{gtid}")?;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
