//! `configure_ip`: adds the address of a role to this host and makes it known to the network.

use std::process::ExitCode;

use mmm_core::journal::step;
use mmm_core::settings::Settings;
use mmm_core::{Call, Program, Shape, Verdict, journal, run};
use mmm_network::announce::Announcement;
use mmm_network::{Announcer, Interface, Link, Netlink, NetworkError, VirtualIp};

static PROGRAM: Program = Program {
    name: "configure_ip",
    shape: Shape::Address,
    extras: &[],
    one_is_an_answer: false,
    about: "Adds an IP address to a network interface of this host as /32 (IPv6: /128), looks whether it is \
            there, and announces it by ARP: once at once, four times in the background.",
    prints: "  OK                            exit 0, added\n  \
             OK: IP address is configured  exit 0, it was there\n  \
             ERROR: …                      exit 255\n  \
             Usage: …                      exit 1",
    example: "configure_ip mmm_agent eth0 192.168.0.100",
};

fn main() -> ExitCode {
    match Announcer::of_this_process() {
        Some(announcer) => announce_in_background(announcer),
        None => run(&PROGRAM, configure_ip),
    }
}

fn configure_ip(call: &Call) -> Result<Verdict, NetworkError> {
    let interface: Interface = call.arguments.interface.parse()?;
    let ip: VirtualIp = call.arguments.address.parse()?;
    let mut kernel = Netlink::open(call.budget)?;
    let missing = || NetworkError::NoInterface(interface.device().into());
    let link = kernel.find_link(&interface)?.ok_or_else(missing)?;
    link.require_up()?;
    if kernel.holds(&link, ip)? {
        return Ok(Verdict::ok_because("IP address is configured"));
    }

    if !link.has_carrier() {
        log::warn!(
            "interface {link} has no carrier: {ip} cannot be reached before its cable or port is back"
        );
    }
    let add = || {
        kernel.add(&link, ip)?;
        if kernel.holds(&link, ip)? { Ok(()) } else { Err(NetworkError::Vanished) }
    };
    step(&format!("add {ip} to {link}"), add).map_err(|error| error.while_adding(ip, &link))?;

    // The address is there and works for whoever asks for it by ARP, so the role is held all the same.
    if step(&format!("announce {ip} on {link}"), || announce(&link, ip)).is_err() {
        log::warn!("{ip} works on {link} all the same, once other hosts have forgotten where it was");
    }
    Ok(Verdict::ok())
}

fn announce(link: &Link, ip: VirtualIp) -> Result<(), NetworkError> {
    let Some(announcement) = Announcement::prepare(link, ip)? else { return Ok(()) };
    announcement.send()?;
    Announcer::start(link, ip, announcement)
}

/// The whole of the background process; nobody waits for its exit code.
fn announce_in_background(announcer: Result<Announcer, NetworkError>) -> ExitCode {
    journal::open(PROGRAM.name, &Settings::load().unwrap_or_default().log, 0);
    match announcer.and_then(Announcer::run) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            log::warn!("announcing in the background ended: {error}");
            ExitCode::FAILURE
        }
    }
}
