//! `check_ip`: does this host hold the address of a role?

use std::process::ExitCode;

use mmm_agent_helpers::{CHECK_IP, IS_CONFIGURED};
use mmm_core::hook::{self, Moment};
use mmm_core::{Call, Verdict, report, run};
use mmm_network::{Interface, Netlink, NetworkError, VirtualIp};

fn main() -> ExitCode {
    run(&CHECK_IP, check_ip)
}

fn check_ip(call: &Call) -> Result<Verdict, NetworkError> {
    let interface: Interface = call.arguments.interface.parse()?;
    let ip: VirtualIp = call.arguments.address.parse()?;
    let mut kernel = Netlink::open(call.budget)?;

    // An interface that does not exist holds no address. 255 would say that nothing is known. Then the monitor would
    // learn nothing of this host, and it may have to fail over from just this host.
    let Some(link) = kernel.find_link(&interface)? else {
        log::warn!("{}", NetworkError::NoInterface(interface.device().into()));
        return Ok(Verdict::second_answer("IP address is not configured"));
    };
    match kernel.find(&link, ip)? {
        None => return Ok(Verdict::second_answer("IP address is not configured")),
        Some(held) if held.is_duplicate => {
            log::warn!("the kernel does not use {held}: another host has it");
            return Ok(Verdict::second_answer("IP address is not configured"));
        }
        Some(held) => report::observe(None, "address", format_args!("{link} holds {held}")),
    }
    match hook::run(call, Moment::Checked, &link.name, ip.ip()) {
        Ok(()) => Ok(Verdict::ok_because(IS_CONFIGURED)),
        Err(error) if error.is_no() => Ok(Verdict::second_answer("IP address is not configured")),
        Err(error) => Err(error.into()),
    }
}
