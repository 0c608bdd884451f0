//! The configuration: what its files say, and whether what this host can see of the others agrees with it.
//!
//! The other hosts' files cannot be read from here; their servers can be asked who they are.

use mmm_core::settings::Events;

use super::super::cluster::{Cluster, ip};
use super::super::code::Code;
use super::super::finding::{Check, Severity, advice};
use super::lists::clashes;

/// Compares the configuration with what was seen.
pub fn configuration(cluster: &Cluster) -> Check {
    let mut check = Check::new("configuration").saying(format!(
        "{}: {} hosts, {} roles; nothing seen contradicts it",
        cluster.config,
        cluster.members.len(),
        cluster.roles.len()
    ));
    let this = cluster.this.as_str();
    for quirk in &cluster.quirks {
        check.warn(
            Code::ConfigQuirk,
            "",
            format!("probably a mistake: {quirk}"),
            &[advice("correct that line, on every host")],
        );
    }
    if cluster.machine.has_own_ip == Some(false) {
        let ip = cluster.this().map_or("", |member| member.host.ip.as_str());
        let text =
            format!("the configuration says that this host is {this}, but {ip} is not on this machine");
        check.fail(
            Code::ThisElsewhere,
            this,
            text,
            &[advice(format!(
                "correct 'this' in {}.conf of this host (a copy of another's?)",
                cluster.config
            ))],
        );
    }
    peers(cluster, &mut check);
    roles(cluster, &mut check);
    one_server_each(cluster, &mut check);
    check
}

fn peers(cluster: &Cluster, check: &mut Check) {
    let masters: Vec<_> = cluster.members.iter().filter(|member| member.is_master()).collect();
    if masters.len() < 2 {
        let text = "only one host is in mode master: there is none to fail over to";
        check.warn(
            Code::OneMaster,
            "",
            text,
            &[advice("give a second host 'mode master' and 'peer', on every host")],
        );
    }
    for member in masters {
        let Some(peer) = &member.host.peer else { continue };
        let back = cluster
            .member(peer.as_str())
            .filter(|peer| peer.is_master())
            .and_then(|peer| peer.host.peer.as_ref());
        if back != Some(&member.host.name) {
            let name = member.name();
            let text = format!("the peer of {name} is {peer}, but {peer} is no master whose peer is {name}");
            check.fail(
                Code::PeerNotMutual,
                name,
                text,
                &[if peer == &member.host.name {
                    advice(format!("correct peer of {name} in mmm_common.conf"))
                } else {
                    advice("correct 'peer' and 'mode' of both in mmm_common.conf")
                }],
            );
        }
    }
}

fn roles(cluster: &Cluster, check: &mut Check) {
    let addresses: Vec<_> =
        cluster.addresses.iter().map(|address| (address.role.as_str(), ip(&address.ip))).collect();
    for (first, second) in clashes(&addresses) {
        let text = format!("the roles {first} and {second} have an address in common");
        check.fail(
            Code::RoleAddressShared,
            "",
            text,
            &[advice("give every role its own 'ips' in mmm_common.conf")],
        );
    }
    for address in &cluster.addresses {
        let same = |host: &str| host == address.ip || ip(host).is_some() && ip(host) == ip(&address.ip);
        if let Some(member) = cluster.members.iter().find(|member| same(&member.host.ip)) {
            let text =
                format!("{}, of role {}, is the address of host {}", address.ip, address.role, member.name());
            check.fail(
                Code::RoleAddressShared,
                member.name(),
                text,
                &[advice("a role needs an address of its own: correct 'ips'")],
            );
        }
    }
    let active = cluster.roles.iter().find(|role| role.name == cluster.active_role);
    for name in active.iter().flat_map(|role| &role.hosts) {
        if cluster.member(name.as_str()).is_some_and(|member| !member.is_master()) {
            let text = format!("{name} may get the role {}, but is in mode slave", cluster.active_role);
            let cure =
                advice(format!("take it out of 'hosts' of role {} in mmm_common.conf", cluster.active_role));
            check.fail(Code::WriterRoleOnSlave, name.as_str(), text, &[cure]);
        }
    }
}

/// Pairs of hosts that are one server.
pub fn same_servers(cluster: &Cluster) -> Vec<(&str, &str)> {
    let servers: Vec<_> = cluster
        .seen()
        .map(|(member, seen)| {
            (
                member.name(),
                (seen.text("hostname"), seen.text("port"), seen.text("server_uuid"), seen.text("server_id")),
            )
        })
        .collect();
    clashes(&servers)
}

fn one_server_each(cluster: &Cluster, check: &mut Check) {
    for (first, second) in same_servers(cluster) {
        let text = format!("{first} and {second} are one and the same server: two addresses lead to it");
        check.fail(
            Code::SameServer,
            second,
            text,
            &[advice(format!("correct 'ip' or 'mysql_port' of {first} and {second}"))],
        );
    }
}

/// The files' modes. This check sees no file that everybody may read or write: such a file ended the look before.
pub fn files(cluster: &Cluster) -> Check {
    let mut check = Check::new("files").saying("nobody else may read or write what holds the passwords");
    for (key, reason) in &cluster.machine.untrusted {
        let text = format!("{key}: the helpers do not run its program: {reason}");
        let cure = advice("do what that says: whoever can change that file is root as soon as a role moves");
        check.fail(Code::HookUntrusted, &cluster.this, text, &[cure]);
    }
    for (key, reason) in &cluster.machine.missing {
        // No helper waits for what reports its events.
        let (severity, consequence) = if *key == Events::KEY {
            (Severity::Warning, "no event is reported")
        } else {
            (Severity::Failure, "the helper that needs it fails")
        };
        let text = format!("{key}: {reason}: {consequence}");
        let cure = advice(format!(
            "install the program, make it executable (chmod 755), or correct {key} in mmm_helpers.yaml of {}",
            cluster.this
        ));
        check.add(severity, Code::HookMissing, &cluster.this, &text, &[cure]);
    }
    check
}

#[cfg(test)]
mod tests;
