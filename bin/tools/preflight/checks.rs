//! Every check, in the order in which people read them: each a pure function from what was seen to findings.

use super::cluster::Cluster;
use super::finding::Check;

mod accounts;
mod addresses;
mod configuration;
mod lists;
mod machine;
mod masters;
mod moving;
mod rehearsal;
mod replication;
#[cfg(test)]
mod sample;
mod servers;
mod settings;
mod writes;

pub use replication::LATE;
#[cfg(test)]
pub use sample::{good, seen};

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
        settings::survivors,
        settings::fence,
        settings::retries,
        settings::start,
        settings::crash_safety,
        settings::strict_gtids,
        settings::retention,
        settings::engines,
        settings::events,
        settings::connections,
        replication::replication,
        replication::lag,
        writes::writes,
        addresses::addresses,
        moving::moving,
        rehearsal::rehearsal,
        rehearsal::errant,
    ]
    .iter()
    .map(|check| check(cluster))
    .collect()
}

#[cfg(test)]
mod tests;
