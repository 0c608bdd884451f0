//! `clear_ip`: takes the address of a role from this host.

use std::process::ExitCode;
use std::time::Duration;

use mmm_agent_helpers::{CLEAR_IP, in_background};
use mmm_core::event::{self, Change};
use mmm_core::hook::{self, Moment};
use mmm_core::journal::step;
use mmm_core::mutant::takes_out;
use mmm_core::{Call, Verdict, report, run};
use mmm_network::announcer::withdraw;
use mmm_network::farewell::{self, Farewell, Prepared};
use mmm_network::{Interface, Link, Netlink, NetworkError, VirtualIp, ending};

/// The maximum time for ending the connections of clients, once; for 200 it takes some milliseconds.
const LONGEST_ENDING: Duration = Duration::from_millis(500);

fn main() -> ExitCode {
    if ending::of_this_process().is_some() {
        return ExitCode::SUCCESS;
    }
    match Farewell::of_this_process() {
        Some(farewell) => {
            let log = farewell.as_ref().map(|farewell| farewell.log().clone());
            in_background(&CLEAR_IP, &log.unwrap_or_default(), "the farewell", || farewell?.run())
        }
        None => run(&CLEAR_IP, clear_ip),
    }
}

fn clear_ip(call: &Call) -> Result<Verdict, NetworkError> {
    let interface: Interface = call.arguments.interface.parse()?;
    let ip: VirtualIp = call.arguments.address.parse()?;
    let mut kernel = Netlink::open(call.budget)?;

    let mut was_there = false;
    if let Some(link) = kernel.find_link(&interface)? {
        was_there = take(call, &mut kernel, &link, ip)?;
        if was_there {
            report::plan(format_args!("take {ip} from {link}"), format_args!("{link} holds it"));
            let (interface, address) = (link.name.clone(), ip.to_string());
            event::note(|| Change::AddressRemoved { interface, address });
        }
    } else {
        // An interface that does not exist holds no address, which is what was asked for.
        log::warn!("{}", NetworkError::NoInterface(interface.device().into()));
    }
    // Also if the address was not there: the call that removed it may have failed or been killed before this.
    hook::run(call, Moment::Removed, interface.device(), ip.ip())?;
    Ok(if was_there { Verdict::ok() } else { Verdict::ok_because("IP address is not configured") })
}

/// Takes the address from the interface. Clients are told at once, unless the host answers for the address on another
/// interface.
fn take(call: &Call, kernel: &mut Netlink, link: &Link, ip: VirtualIp) -> Result<bool, NetworkError> {
    if takes_out("address") {
        return Ok(true);
    }
    let holders = kernel.holders(ip)?;
    let is_nowhere_else = holders.iter().all(|index| *index == link.index);
    let goes = is_nowhere_else && !holders.is_empty();
    let farewell = if goes { unheard(farewell::prepare(link, ip, &call.settings)) } else { None };
    // The kernel tells the other side of a connection only while the address is there. This also runs if the address is
    // not there: the call that removed it may have been killed before it ended the connections that came in between.
    let is_able = is_nowhere_else && end_connections(call, ip);
    let begin = || unheard(farewell.map_or(Ok(()), Prepared::begin));
    let was_there = step(&format!("take {ip} from {link}"), || withdraw(kernel, link, ip, begin))?;
    // The connections that came in between: the farewell tells their clients, and nobody has to wait for that here.
    if goes && is_able && !report::is_dry_run() {
        end_connections(call, ip);
    }
    Ok(was_there)
}

/// False if the kernel does not end connections.
fn end_connections(call: &Call, ip: VirtualIp) -> bool {
    match ending::end_all(ip.ip(), call.budget.share(LONGEST_ENDING)) {
        Ok(0) => {}
        Ok(ended) => log::info!("{ended} connections of {ip} ended"),
        Err(error) => {
            log::warn!("{error}");
            return false;
        }
    }
    true
}

/// Clients that are not told find out by themselves; the address is removed all the same.
fn unheard<T: Default>(told: Result<T, NetworkError>) -> T {
    told.unwrap_or_else(|error| {
        log::warn!("{error}");
        T::default()
    })
}
