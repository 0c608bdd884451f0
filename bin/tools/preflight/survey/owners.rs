//! Who holds the roles' addresses: this host, by its kernel and by the installed `check_ip`; others, by ARP.

use std::time::Duration;

use mmm_core::Budget;
use mmm_core::config::{Config, HostName, Role};
use mmm_network::{Interface, Link, Mac, Netlink, VirtualIp, conflict};

use super::super::cluster::{Address, HelperState, Owner, helper};
use super::super::parallel::{later, wait};
use super::program;

/// How long hosts are asked for an address.
const ASKING: Duration = Duration::from_millis(300);

/// Looks for every role's address.
pub fn look(config_name: &str, config: &Config, budget: Budget) -> Vec<Address> {
    let mut here = Here::find(config, budget);
    let asked = |ip: &str| {
        let (link, ip) = (here.as_ref()?.link.clone(), ip.parse::<VirtualIp>().ok()?);
        Some(later(move || conflict::owners(&link, ip, ASKING).ok().flatten()))
    };
    let hosts: Vec<_> = config.hosts().iter().map(|host| (host.name.clone(), asked(&host.ip))).collect();
    let roles: Vec<_> = config
        .roles()
        .iter()
        .flat_map(|role| role.ips.iter().map(move |ip| (role, ip)))
        .map(|(role, ip)| (role, ip, asked(ip)))
        .collect();

    let heard = |answer: &Option<_>| answer.as_ref().and_then(|answer| wait(answer, &budget)).flatten();
    let macs: Vec<(HostName, Vec<Mac>)> =
        hosts.into_iter().map(|(name, answer)| (name, heard(&answer).unwrap_or_default())).collect();
    // A host whose `ip` is on another network has a hardware address that is not known here.
    let are_known = macs.iter().all(|(name, macs)| name == config.this() || !macs.is_empty());
    let owner = |mac: Mac| {
        let host = macs.iter().find(|(_, macs)| macs.contains(&mac)).map(|(name, _)| name.to_string());
        Owner { mac, is_stranger: host.is_none() && are_known, host }
    };
    let can_check =
        matches!(program::inspect(config.this_host(), "check_ip", &budget).state, HelperState::Version(_));
    roles
        .into_iter()
        .map(|(role, ip, answer)| Address {
            role: role.name.clone(),
            ip: ip.clone(),
            is_here: here.as_mut().is_some_and(|here| here.holds(ip)),
            check_ip: (can_check && is_for_this(role, config))
                .then(|| check_ip(config_name, config, ip, &budget)),
            others: heard(&answer).map(|macs: Vec<Mac>| macs.into_iter().map(owner).collect()),
        })
        .collect()
}

fn is_for_this(role: &Role, config: &Config) -> bool {
    role.hosts.contains(config.this())
}

/// Asks as the agent does, but for a document, so that the call can be kept out of the journal.
fn check_ip(config_name: &str, config: &Config, ip: &str, budget: &Budget) -> Result<(i32, String), String> {
    let host = config.this_host();
    let arguments = ["--format", "json", config_name, &host.cluster_interface, ip];
    let (code, text) =
        program::run(&helper(host, "check_ip"), &arguments, budget.share(Duration::from_secs(8)))?;
    let document: serde_json::Value = serde_json::from_str(text.trim()).unwrap_or_default();
    Ok((code, document["message"].as_str().unwrap_or_default().into()))
}

/// The interface that carries the addresses.
struct Here {
    kernel: Netlink,
    link: Link,
}

impl Here {
    fn find(config: &Config, budget: Budget) -> Option<Self> {
        let interface: Interface = config.this_host().cluster_interface.parse().ok()?;
        let mut kernel = Netlink::open(budget).ok()?;
        let link = kernel.find_link(&interface).ok()??;
        Some(Self { kernel, link })
    }

    fn holds(&mut self, ip: &str) -> bool {
        let Ok(ip) = ip.parse::<VirtualIp>() else { return false };
        self.kernel.find(&self.link, ip).is_ok_and(|held| held.is_some_and(|held| !held.is_duplicate))
    }
}
