//! The roles' addresses: each held by one host that may hold it, and `check_ip` says the same.

use super::super::cluster::{Address, Cluster, Member};
use super::super::code::Code;
use super::super::finding::{Check, advice, shell};
use super::listed;

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
                    "{ip}, the address of role {role}, is held by a host that is none of the cluster's ({holder})"
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
mod tests {
    use mmm_network::Mac;

    use super::super::super::cluster::Owner;
    use super::super::sample::{codes, good};
    use super::*;

    fn owner(host: Option<&str>) -> Owner {
        Owner { mac: Mac([2, 0, 0, 0, 0, 9]), host: host.map(Into::into), is_stranger: host.is_none() }
    }

    type Break = fn(&mut Address);

    #[test]
    fn addresses_in_their_places_are_no_finding_wherever_one_looks() {
        for this in ["db1", "db2", "db3"] {
            assert_eq!(codes(&addresses(&good(this))), [""; 0]);
        }
    }

    #[test]
    fn an_address_that_is_held_by_none_by_two_or_by_the_wrong_host_is_found() {
        // The writer's address, as db1 sees it, which holds it.
        let table: [(&str, Break); 7] = [
            ("address-conflict", |address| address.others = Some(vec![owner(Some("db2"))])),
            ("address-conflict", |address| address.others = Some(vec![owner(None)])),
            ("address-nowhere", |address| {
                address.is_here = false;
                address.check_ip = None;
            }),
            ("address-misplaced", |address| {
                (address.is_here, address.check_ip) = (false, None);
                address.others = Some(vec![owner(Some("db3"))]);
            }),
            ("address-misplaced", |address| {
                (address.is_here, address.check_ip) = (false, None);
                address.others = Some(vec![owner(None)]);
            }),
            ("check-ip-wrong", |address| {
                address.check_ip = Some(Ok((1, "OK: IP address is not configured".into())));
            }),
            ("check-ip-wrong", |address| address.check_ip = Some(Err("no".into()))),
        ];
        for (code, damage) in table {
            let mut cluster = good("db1");
            damage(&mut cluster.addresses[0]);
            assert_eq!(codes(&addresses(&cluster)), [code]);
        }
        let mut cluster = good("db1");
        let address = &mut cluster.addresses[0];
        (address.is_here, address.check_ip, address.others) = (false, None, None);
        assert_eq!(codes(&addresses(&cluster)), [""; 0], "nobody could be asked");
        cluster.addresses[0].others = Some(vec![Owner { is_stranger: false, ..owner(None) }]);
        assert_eq!(codes(&addresses(&cluster)), [""; 0], "it may be a host of the cluster");
    }
}
