//! The servers themselves: whether they answer, their versions, their server ids, their clocks.

use super::super::cluster::{Cluster, ip};
use super::super::code::Code;
use super::super::finding::{Check, advice, shell, sql};
use super::lists::{clashes, listed};

/// Clocks that differ by more seconds than this make lag and logs misleading.
const CLOCK: f64 = 2.0;

/// Whether every server answers the agent's account.
pub fn servers(cluster: &Cluster) -> Check {
    let names: Vec<_> = cluster.seen().map(|(member, _)| member.name()).collect();
    let mut check = Check::new("servers").saying(format!("{} answer", listed(&names)));
    for member in &cluster.members {
        let Err(unreached) = &member.server else { continue };
        let (name, host) = (member.name(), &member.host);
        if unreached.answered {
            // Its own check names the account.
            continue;
        }
        let is_running = "is it running, and not stopped (state T)?";
        let mut cure = vec![shell(name, "systemctl status mysql mariadb")];
        if let Some(socket) = &host.socket {
            let socket = socket.display();
            cure.push(advice(format!(
                "{is_running} Is {socket} its socket? If not, correct local.socket in mmm_helpers.yaml of {name}"
            )));
        } else {
            if ip(&host.ip).is_none() {
                cure.push(shell(&cluster.this, format!("getent ahosts {}", host.ip)));
            }
            cure.push(advice(format!(
                "{is_running} Is {} port {} reachable from here?",
                host.ip, host.mysql_port
            )));
        }
        check.fail(
            Code::ServerUnreachable,
            name,
            format!("the server of {name} does not answer: {}", unreached.reason),
            &cure,
        );
    }
    check
}

/// Whether the versions are known and go together.
pub fn versions(cluster: &Cluster) -> Check {
    let mut products: Vec<_> = cluster.seen().map(|(_, seen)| seen.product()).collect();
    products.sort();
    products.dedup();
    let mut check = Check::new("versions").saying(listed(&products));
    for (member, seen) in cluster.seen() {
        let name = member.name();
        let oldest = if seen.is_mariadb() { (10, 5) } else { (5, 6) };
        let (major, minor, _) = seen.version();
        if (major, minor) < oldest {
            let text = format!(
                "{name} runs {}; {} {}.{} is the oldest that is known to work",
                seen.product(),
                seen.family(),
                oldest.0,
                oldest.1
            );
            check.warn(Code::VersionUnsupported, name, text, &[advice("upgrade it (docs/SERVERS.md)")]);
        }
        let Some(source) =
            seen.link().and_then(|link| link.source.as_deref()).and_then(|name| cluster.member(name))
        else {
            continue;
        };
        let Some(theirs) = source.seen() else { continue };
        if theirs.is_mariadb() != seen.is_mariadb() {
            let text = format!(
                "{name} runs {}, its source {} runs {}",
                seen.product(),
                source.name(),
                theirs.product()
            );
            check.fail(
                Code::ServerFamiliesDiffer,
                name,
                text,
                &[advice("MySQL and MariaDB cannot move slaves among each other: use one")],
            );
        } else if (major, minor) < (theirs.version().0, theirs.version().1) {
            let text = format!(
                "{name} runs {}, older than its source {} ({})",
                seen.product(),
                source.name(),
                theirs.product()
            );
            check.warn(
                Code::VersionOlderThanSource,
                name,
                text,
                &[advice(format!("upgrade {name}: slaves first, then masters"))],
            );
        }
    }
    check
}

/// Whether each server has an id of its own.
pub fn server_ids(cluster: &Cluster) -> Check {
    let ids: Vec<_> = cluster.seen().map(|(member, seen)| (member.name(), seen.text("server_id"))).collect();
    let shown: Vec<_> = ids.iter().map(|(_, id)| *id).collect();
    let mut check = Check::new("server-ids").saying(format!("{}: every server its own", listed(&shown)));
    let cure = |name: &str| {
        [
            sql(name, "SET GLOBAL server_id = …"),
            advice(format!(
                "a number that no other server has, also in my.cnf of {name}; then STOP and START its replication, and that of its replicas"
            )),
        ]
    };
    for (name, _) in ids.iter().filter(|(_, id)| *id == "0") {
        check.fail(
            Code::ServerIdZero,
            name,
            format!("{name} has server_id 0: it can be neither a source nor a replica"),
            &cure(name),
        );
    }
    let set: Vec<_> = ids.into_iter().filter(|(_, id)| *id != "0").collect();
    // Two names of one server have a finding of their own.
    let one_server = super::configuration::same_servers(cluster);
    for (first, second) in clashes(&set).into_iter().filter(|pair| !one_server.contains(pair)) {
        let id = set.iter().find(|(name, _)| *name == second).map_or("", |(_, id)| id);
        let text = format!(
            "{first} and {second} both have server_id {id}: each takes the other's rows for its own and drops them"
        );
        check.fail(Code::ServerIdDuplicate, second, text, &cure(second));
    }
    check
}

/// Whether the hosts agree on the time.
pub fn clocks(cluster: &Cluster) -> Check {
    let most = cluster.seen().map(|(_, seen)| seen.clock.abs()).fold(0.0, f64::max);
    let mut check =
        Check::new("clocks").saying(format!("within {:.1} s of this host's", (most * 10.0).ceil() / 10.0));
    for (member, seen) in cluster.seen().filter(|(_, seen)| seen.clock.abs() > CLOCK) {
        let (name, direction) = (member.name(), if seen.clock > 0.0 { "ahead of" } else { "behind" });
        let text = format!(
            "the clock of {name} is {:.1} s {direction} this host's: lag and logs will mislead",
            seen.clock.abs()
        );
        check.warn(
            Code::ClockDiffers,
            name,
            text,
            &[
                shell(name, "timedatectl"),
                advice("is time synchronisation (chrony, ntpd) running there, and here?"),
            ],
        );
    }
    check
}

#[cfg(test)]
mod tests;
