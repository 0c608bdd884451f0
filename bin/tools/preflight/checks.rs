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

/// What nobody can judge without a server that says what it has.
const OF_SERVERS: [&str; 22] = [
    "versions",
    "server-ids",
    "clocks",
    "privileges",
    "tls",
    "logs",
    "gtids",
    "filters",
    "auto-increment",
    "appliers",
    "semi-sync",
    "survivors",
    "retries",
    "crash-safety",
    "strict-gtids",
    "retention",
    "events",
    "connections",
    "replication",
    "lag",
    "writes",
    "errant",
];
/// What nobody can judge unless every server says from whom it replicates.
const OF_LINKS: [&str; 8] =
    ["logs", "gtids", "filters", "appliers", "retries", "strict-gtids", "replication", "lag"];

/// Judges all that was seen.
pub fn all(cluster: &Cluster) -> Vec<Check> {
    [
        configuration::configuration,
        configuration::files,
        machine::helpers,
        machine::interface,
        machine::firewall,
        machine::journal,
        machine::state,
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
    .map(|check| unless_unknown(cluster, check(cluster)))
    .collect()
}

/// A check that could not see what it judges is skipped, and not well.
fn unless_unknown(cluster: &Cluster, mut check: Check) -> Check {
    let silent = || cluster.seen().filter(|(_, seen)| !seen.knows_links).map(|(member, _)| member.name());
    if OF_SERVERS.contains(&check.name) && cluster.seen().next().is_none() {
        check.skip();
        return check.saying("not known: no server lets this program in");
    }
    if OF_LINKS.contains(&check.name) && silent().next().is_some() {
        check.skip();
        let silent: Vec<_> = silent().collect();
        return check.saying(format!("not known of {} (privileges)", lists::listed(&silent)));
    }
    check
}

#[cfg(test)]
mod tests;
