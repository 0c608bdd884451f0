//! `clear_ip`: takes the address of a role from this host.

use std::process::ExitCode;

use mmm_core::journal::step;
use mmm_core::{Call, Program, Shape, Verdict, run};
use mmm_network::{Interface, Netlink, NetworkError, VirtualIp};

static PROGRAM: Program = Program {
    name: "clear_ip",
    shape: Shape::Address,
    extras: &[],
    one_is_an_answer: false,
    about: "Removes an IP address from a network interface of this host, with whatever prefix length it is \
            held, and looks whether it is gone. Other addresses stay.",
    prints: "  OK                                exit 0, removed\n  \
             OK: IP address is not configured  exit 0, it was not there (or there is no such interface)\n  \
             ERROR: …                          exit 255\n  \
             Usage: …                          exit 1",
    example: "clear_ip mmm_agent eth0 192.168.0.100",
};

/// The same address can be held with several prefix lengths; who holds it with more than these is adding it
/// again as fast as it is removed.
const MOST_REMOVALS: u32 = 8;

fn main() -> ExitCode {
    run(&PROGRAM, clear_ip)
}

fn clear_ip(call: &Call) -> Result<Verdict, NetworkError> {
    let interface: Interface = call.arguments.interface.parse()?;
    let ip: VirtualIp = call.arguments.address.parse()?;
    let mut kernel = Netlink::open(call.budget)?;

    // An interface that does not exist holds no address: what was asked for is the case.
    let Some(link) = kernel.find_link(&interface)? else {
        log::warn!("{}", NetworkError::NoInterface(interface.device().into()));
        return Ok(Verdict::ok_because("IP address is not configured"));
    };
    if !kernel.holds(&link, ip)? {
        return Ok(Verdict::ok_because("IP address is not configured"));
    }
    // A process that still announces the address finds it gone, and ends.
    for _ in 0..MOST_REMOVALS {
        step(&format!("remove {ip} from {link}"), || kernel.remove(&link, ip))?;
        if !kernel.holds(&link, ip)? {
            return Ok(Verdict::ok());
        }
    }
    Err(NetworkError::StillThere { ip: ip.to_string(), device: link.name })
}
