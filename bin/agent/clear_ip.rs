//! `clear_ip`: takes the address of a role from this host.

use std::process::ExitCode;

use mmm_agent_helpers::CLEAR_IP;
use mmm_core::hook::{self, Moment};
use mmm_core::journal::step;
use mmm_core::{Call, Verdict, report, run};
use mmm_network::announcer::withdraw;
use mmm_network::{Interface, Netlink, NetworkError, VirtualIp};

fn main() -> ExitCode {
    run(&CLEAR_IP, clear_ip)
}

fn clear_ip(call: &Call) -> Result<Verdict, NetworkError> {
    let interface: Interface = call.arguments.interface.parse()?;
    let ip: VirtualIp = call.arguments.address.parse()?;
    let mut kernel = Netlink::open(call.budget)?;

    let mut was_there = false;
    if let Some(link) = kernel.find_link(&interface)? {
        was_there = step(&format!("take {ip} from {link}"), || withdraw(&mut kernel, &link, ip))?;
        if was_there {
            report::plan(format_args!("take {ip} from {link}"), format_args!("{link} holds it"));
        }
    } else {
        // An interface that does not exist holds no address: what was asked for is the case.
        log::warn!("{}", NetworkError::NoInterface(interface.device().into()));
    }
    // Even where it was not there: the call that removed it may have failed or been killed before this.
    hook::run(call, Moment::Removed, interface.device(), ip.ip())?;
    Ok(if was_there { Verdict::ok() } else { Verdict::ok_because("IP address is not configured") })
}
