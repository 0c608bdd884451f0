//! Every check, in the order in which people read them: each a pure function from what was seen to findings.

use super::cluster::Cluster;
use super::finding::Check;

mod accounts;
mod addresses;
mod configuration;
mod machine;
mod masters;
mod moving;
mod replication;
#[cfg(test)]
mod sample;
mod servers;
mod writes;

pub use replication::LATE;
#[cfg(test)]
pub use sample::good;

/// Judges all that was seen.
pub fn all(cluster: &Cluster) -> Vec<Check> {
    [
        configuration::configuration,
        configuration::files,
        machine::helpers,
        machine::interface,
        machine::firewall,
        machine::journal,
        machine::leftovers,
        servers::servers,
        servers::versions,
        servers::server_ids,
        servers::clocks,
        accounts::accounts,
        accounts::privileges,
        accounts::tls,
        masters::logs,
        masters::gtids,
        masters::filters,
        masters::auto_increment,
        masters::appliers,
        masters::semi_sync,
        replication::replication,
        replication::lag,
        writes::writes,
        addresses::addresses,
        moving::moving,
    ]
    .iter()
    .map(|check| check(cluster))
    .collect()
}

/// `a, b and c`
fn listed<T: AsRef<str>>(words: &[T]) -> String {
    match words {
        [] => String::new(),
        [one] => one.as_ref().into(),
        [most @ .., last] => {
            let most: Vec<&str> = most.iter().map(AsRef::as_ref).collect();
            format!("{} and {}", most.join(", "), last.as_ref())
        }
    }
}

/// Pairs of hosts that have the same of something.
fn clashes<'a, T: PartialEq>(all: &[(&'a str, T)]) -> Vec<(&'a str, &'a str)> {
    let mut pairs = Vec::new();
    for (place, (second, value)) in all.iter().enumerate() {
        if let Some((first, _)) = all[..place].iter().find(|(_, other)| other == value) {
            pairs.push((*first, *second));
        }
    }
    pairs
}

#[cfg(test)]
mod tests;
