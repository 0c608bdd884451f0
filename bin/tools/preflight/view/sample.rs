//! Looks at a cluster, for tests of what is shown.

use std::time::Duration;

use super::super::checks;
use super::super::cluster::Cluster;
use super::Report;

/// As db3 sees a cluster that is well but for `change`.
pub fn look(change: impl FnOnce(&mut Cluster)) -> Report {
    let mut cluster = checks::good("db3");
    change(&mut cluster);
    let checks = checks::all(&cluster);
    Report::new(&cluster, checks, Duration::from_millis(310))
}

/// db3 applies nothing.
pub fn stopped(cluster: &mut Cluster) {
    checks::seen(cluster, "db3").links[0].channel.sql_running = false;
}
