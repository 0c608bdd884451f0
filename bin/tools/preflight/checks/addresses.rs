//! The roles' addresses: each held by one host that may hold it, and `check_ip` says the same.

use super::super::cluster::{Address, Cluster, Member};
use super::super::code::Code;
use super::super::finding::{Check, advice, shell};
use super::lists::listed;

/// Who holds the roles' addresses.
pub fn addresses(cluster: &Cluster) -> Check {
    let unknown = cluster.addresses.iter().filter(|address| address.others.is_none()).count();
    let mut check = Check::new("addresses").saying(match unknown {
        0 => format!("{}, each held by one host that may hold it", cluster.addresses.len()),
        _ => format!("{unknown} of {} could not be asked for (by ARP)", cluster.addresses.len()),
    });
    for address in &cluster.addresses {
        holders(cluster, address, &mut check);
        helper(cluster, address, &mut check);
    }
    check
}

fn holders(cluster: &Cluster, address: &Address, check: &mut Check) {
    let (ip, role) = (&address.ip, &address.role);
    let holders = cluster.holders(address);
    let interface =
        |host: &str| cluster.member(host).map_or("eth0", |member| member.host.cluster_interface.as_str());
    let remove = |host: &str| shell(host, format!("ip addr del {ip}/32 dev {}", interface(host)));
    let show = advice("on the monitor's host: mmm_control show says who should have it; on the other:");
    match holders.as_slice() {
        [] if address.others.is_none() => {}
        [] => {
            let text = format!("nobody on this network answers for {ip}, the address of role {role}");
            let cure = advice(
                "on the monitor's host: mmm_control show, and set_online for hosts that should have roles; does mmm_mond run?",
            );
            check.warn(Code::AddressNowhere, "", text, &[cure]);
        }
        [holder] if cluster.member(holder).is_some() => {
            let role = cluster.roles.iter().find(|one| one.name == *role);
            if !role.is_some_and(|role| role.hosts.iter().any(|host| host.as_str() == holder)) {
                let text = format!("{holder} holds {ip}, but the role {} is not for {holder}", address.role);
                check.fail(Code::AddressMisplaced, holder, text, &[remove(holder)]);
            }
        }
        [holder] => {
            if address.others.iter().flatten().any(|owner| owner.is_stranger) {
                let text = format!(
                    "{ip}, the address of role {role}, is held by a host that is not of the cluster ({holder})"
                );
                let cure = advice(format!(
                    "find the host with the hardware address {holder}, and take {ip} from it"
                ));
                check.fail(Code::AddressMisplaced, "", text, &[cure]);
            }
        }
        several => {
            let text = format!(
                "{} hold {ip} (role {role}) at once: clients reach one or the other",
                listed(several)
            );
            // The writer's address belongs to the one that takes writes.
            let rightful = cluster
                .writer()
                .map(Member::name)
                .filter(|writer| *role == cluster.active_role && several.iter().any(|host| host == writer));
            let mut cure = Vec::new();
            if rightful.is_none() {
                cure.push(show);
            }
            cure.extend(
                several.iter().filter(|host| rightful != Some(host.as_str())).map(|host| remove(host)),
            );
            check.fail(Code::AddressConflict, several.first().map_or("", String::as_str), text, &cure);
        }
    }
}

/// Whether the agent hears the same from `check_ip`.
fn helper(cluster: &Cluster, address: &Address, check: &mut Check) {
    let (this, ip) = (cluster.this.as_str(), &address.ip);
    let Some(answer) = &address.check_ip else { return };
    let expected = i32::from(!address.is_here);
    let what = match answer {
        Ok((code, _)) if *code == expected => return,
        Ok((code, line)) => format!("'{line}' and exit code {code}"),
        Err(reason) => reason.clone(),
    };
    let truth = if address.is_here { "is" } else { "is not" };
    let text = format!("{ip} {truth} on the interface of {this}, but check_ip says: {what}");
    let Some(member) = cluster.this() else { return };
    let call = format!(
        "{} {} {} {ip}",
        member.helper("check_ip").display(),
        cluster.config,
        member.host.cluster_interface
    );
    check.fail(
        Code::CheckIpWrong,
        this,
        text,
        &[shell(this, call), advice("its messages on a terminal say why (a hook of the site?)")],
    );
}

#[cfg(test)]
mod tests;
