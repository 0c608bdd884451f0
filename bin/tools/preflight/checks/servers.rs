//! The servers themselves: reachable, of versions that go together, told apart by their ids, of one time.

use super::super::cluster::Cluster;
use super::super::code::Code;
use super::super::finding::{Check, advice, shell, sql};
use super::{clashes, listed};

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
        let cure = [
            shell(name, "systemctl status mysql mariadb"),
            advice(format!(
                "is it running, and not stopped (state T)? Is {} port {} reachable from here?",
                host.ip, host.mysql_port
            )),
        ];
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

/// Whether the servers are told apart.
pub fn server_ids(cluster: &Cluster) -> Check {
    let ids: Vec<_> = cluster.seen().map(|(member, seen)| (member.name(), seen.text("server_id"))).collect();
    let shown: Vec<_> = ids.iter().map(|(_, id)| *id).collect();
    let mut check = Check::new("server-ids").saying(format!("{}: every server its own", listed(&shown)));
    let cure = |name: &str| {
        [
            sql(name, "SET GLOBAL server_id = …"),
            advice(format!(
                "a number that no other has, in my.cnf of {name}, too; then STOP and START its replication, and its replicas'"
            )),
        ]
    };
    for (name, _) in ids.iter().filter(|(_, id)| *id == "0") {
        check.fail(
            Code::ServerIdZero,
            name,
            format!("{name} has server_id 0: it neither feeds nor becomes a replica"),
            &cure(name),
        );
    }
    let set: Vec<_> = ids.into_iter().filter(|(_, id)| *id != "0").collect();
    for (first, second) in clashes(&set) {
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
mod tests {
    use super::super::super::cluster::Unreached;
    use super::super::sample::{codes, good, set};
    use super::*;

    #[test]
    fn good_servers_are_held_to_be_good() {
        for check in [servers, versions, server_ids, clocks] {
            assert_eq!(codes(&check(&good("db1"))), [""; 0]);
        }
    }

    #[test]
    fn a_silent_server_is_found_and_one_that_refuses_is_left_to_the_accounts() {
        let mut cluster = good("db1");
        for (answered, expected) in [(false, vec!["server-unreachable"]), (true, vec![])] {
            cluster.members[1].server = Err(Unreached { reason: "no".into(), answered, code: None });
            assert_eq!(codes(&servers(&cluster)), expected);
        }
    }

    #[test]
    fn versions_that_do_not_go_together_are_found() {
        for (host, version, code) in [
            ("db3", "10.6.7-MariaDB", Some("version-older-than-source")),
            ("db3", "11.8.1-MariaDB", None),
            ("db3", "10.11.1-MariaDB", None),
            ("db2", "10.6.7-MariaDB", Some("version-older-than-source")),
        ] {
            let mut cluster = good("db1");
            set(&mut cluster, host, "version", version);
            let found = codes(&versions(&cluster));
            assert_eq!(found.first().copied(), code, "{host} {version}: {found:?}");
        }
        let mut cluster = good("db1");
        for host in ["db1", "db2", "db3"] {
            set(&mut cluster, host, "version", "10.4.2-MariaDB");
        }
        assert_eq!(codes(&versions(&cluster)), ["version-unsupported"; 3]);
    }

    #[test]
    fn ids_have_to_differ_and_not_be_zero() {
        for (id, code) in [("1", "server-id-duplicate"), ("0", "server-id-zero")] {
            let mut cluster = good("db1");
            set(&mut cluster, "db3", "server_id", id);
            assert_eq!(codes(&server_ids(&cluster)), [code]);
        }
    }

    #[test]
    fn a_clock_that_is_wrong_in_either_direction_is_found() {
        for (clock, expected) in [(-3.0, 1), (3.0, 1), (1.9, 0)] {
            let mut cluster = good("db1");
            cluster.members[2].server.as_mut().unwrap().clock = clock;
            assert_eq!(codes(&clocks(&cluster)).len(), expected);
        }
    }
}
