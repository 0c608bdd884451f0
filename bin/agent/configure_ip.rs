//! `configure_ip`: adds the address of a role to this host and makes it known to the network.

use std::process::ExitCode;
use std::time::Duration;

use mmm_agent_helpers::{CONFIGURE_IP, IS_CONFIGURED, in_background};
use mmm_core::event::{self, Change};
use mmm_core::hook::{self, Moment};
use mmm_core::journal::step;
use mmm_core::settings::Settings;
use mmm_core::{Call, Verdict, report, run};
use mmm_network::announcer::{self, Announcer, withdraw};
use mmm_network::{Holding, Interface, Link, Netlink, NetworkError, VirtualIp, conflict, farewell};

fn main() -> ExitCode {
    match Announcer::of_this_process() {
        Some(announcer) => {
            let log = announcer.as_ref().map(|announcer| announcer.log().clone());
            in_background(&CONFIGURE_IP, &log.unwrap_or_default(), "announcing", || announcer?.run())
        }
        None => run(&CONFIGURE_IP, configure_ip),
    }
}

fn configure_ip(call: &Call) -> Result<Verdict, NetworkError> {
    let interface: Interface = call.arguments.interface.parse()?;
    let ip: VirtualIp = call.arguments.address.parse()?;
    let network = &call.settings.network;
    let mut kernel = Netlink::open(call.budget)?;
    let missing = || NetworkError::NoInterface(interface.device().into());
    let link = kernel.find_link(&interface)?.ok_or_else(missing)?;
    link.require_up()?;

    let found = kernel.find(&link, ip)?;
    report::observe(
        None,
        &format!("interface {link}"),
        if link.has_carrier() { "up" } else { "up, no carrier" },
    );
    let is_there = found.as_ref().is_some_and(|held| !held.is_duplicate);
    let is_young = found.as_ref().is_some_and(Holding::is_young);
    if let Some(held) = &found {
        report::observe(None, "address", format_args!("{link} holds {held}"));
    }
    if is_there && !is_young {
        // The process that refreshes the announcements may have been killed.
        if network.announce.refresh.is_some() {
            announce(&mut kernel, &link, ip, &call.settings);
        }
        return Ok(Verdict::ok_because(IS_CONFIGURED));
    }

    if !link.has_carrier() {
        log::warn!(
            "interface {link} has no carrier: {ip} cannot be reached before its cable or port is back"
        );
    }
    let mut was_added = false;
    if !is_there {
        report::plan(
            format_args!("add {ip} to {link} and announce it"),
            format_args!("{link} does not hold it"),
        );
        if found.is_some() {
            step(&format!("remove {ip}, another host's, from {link}"), || {
                withdraw(&mut kernel, &link, ip, || ())
            })?;
        }
        was_added = add(call, &mut kernel, &link, ip).map_err(|error| error.while_adding(ip, &link))?;
    }
    // All of this is repeated for an address that was just added: the call that added it may have been killed.
    if let Err(error) = complete(call, &mut kernel, &link, ip) {
        // A failure of this step is in the journal, too; the first failure is the cause.
        let _ = step(&format!("take {ip} back from {link}"), || withdraw(&mut kernel, &link, ip, || ()));
        return Err(error.while_adding(ip, &link));
    }
    if was_added {
        let (interface, address) = (link.name.clone(), ip.to_string());
        event::note(|| Change::AddressAdded { interface, address });
    }
    announce(&mut kernel, &link, ip, &call.settings);
    Ok(if is_there { Verdict::ok_because(IS_CONFIGURED) } else { Verdict::ok() })
}

/// False if another program has added it at the same moment.
fn add(call: &Call, kernel: &mut Netlink, link: &Link, ip: VirtualIp) -> Result<bool, NetworkError> {
    let network = &call.settings.network;
    if let Some(time) = network.probe {
        let time = call.budget.part(50).share(time);
        step(&format!("ask for {ip} on {link}"), || conflict::probe(link, ip, time))?;
    }
    let was_added = step(&format!("add {ip} to {link}"), || kernel.add(link, ip, network.dad.is_some()))?;
    // Not before this point: until now the farewell has to refuse what comes.
    farewell::end(link, ip);
    Ok(was_added)
}

/// Makes an address that is on the interface this host's own, for the network and for the site's cloud.
fn complete(call: &Call, kernel: &mut Netlink, link: &Link, ip: VirtualIp) -> Result<(), NetworkError> {
    // Without detection the kernel still needs a moment.
    let longest = call.settings.network.dad.unwrap_or(Duration::from_secs(1));
    let limit = call.budget.part(80).share(longest);
    step(&format!("see whether {ip} can be used on {link}"), || {
        conflict::await_detection(kernel, link, ip, limit)
    })?;
    hook::run(call, Moment::Added, &link.name, ip.ip())?;
    Ok(())
}

/// The address works for every host that asks for it, so the role is served even if this fails.
fn announce(kernel: &mut Netlink, link: &Link, ip: VirtualIp, settings: &Settings) {
    if step(&format!("announce {ip} on {link}"), || announcer::announce(kernel, link, ip, settings)).is_err()
    {
        log::warn!("{ip} works on {link} all the same, once other hosts have forgotten where it was");
    }
}
