//! What this machine itself says: rights, interface, helpers, commands, journal, leftovers. Changes nothing.

use std::env;
use std::fs;
use std::io;
use std::net::{IpAddr, UdpSocket};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use mmm_core::config::{Blocking, Config, Host};
use mmm_core::settings::{LogSettings, Settings};
use mmm_core::{Budget, firewall, marker};
use mmm_network::{Interface, Netlink, NetworkError, capability};
use mmm_replication::hold;
use nix::sys::statvfs::{FsFlags, statvfs};
use nix::unistd::{AccessFlags, access, geteuid};

use super::super::cluster::{self, Machine};
use super::super::finding::{advice, shell};
use super::{installation, local_server, program};

/// A disk with less room than this is full, in bytes.
const ROOM: u64 = 1 << 20;

/// Looks at this machine.
pub fn look(config: &Config, settings: &Settings, budget: Budget) -> Machine {
    let host = config.this_host();
    let has = |which| capability::has(which).unwrap_or(false);
    let (installation, elsewhere) = installation::look(&cluster::helper(host, ""));
    Machine {
        is_root: geteuid().is_root(),
        has_net_admin: has(capability::NET_ADMIN),
        has_net_raw: has(capability::NET_RAW),
        has_own_ip: cluster::ip(&host.ip).and_then(is_local),
        interface: interface(host, budget).map_err(|error| explain(host, &error)),
        helpers: program::helpers(host, &budget),
        installation,
        elsewhere,
        firewall: firewall_commands(&config.blocking),
        journal: (settings.log.file.clone(), journal(&settings.log)),
        state: (marker::FOLDER.into(), writable(Path::new(marker::FOLDER))),
        leftovers: [firewall::left_behind(host), hold::left_behind(host)].into_iter().flatten().collect(),
        untrusted: untrusted(settings),
        missing: missing(settings),
        server: local_server::look(host, budget),
    }
}

/// The machine, if it did not answer in time.
pub fn silent(settings: &Settings) -> Machine {
    Machine {
        is_root: geteuid().is_root(),
        has_net_admin: true,
        has_net_raw: true,
        has_own_ip: None,
        interface: Err((
            "this machine did not answer in time".into(),
            "is a disk or a mount of this host frozen?".into(),
        )),
        helpers: Vec::new(),
        installation: None,
        elsewhere: None,
        firewall: Vec::new(),
        journal: (settings.log.file.clone(), Ok(())),
        state: (marker::FOLDER.into(), Ok(())),
        leftovers: Vec::new(),
        untrusted: Vec::new(),
        missing: Vec::new(),
        server: None,
    }
}

fn is_local(ip: IpAddr) -> Option<bool> {
    match UdpSocket::bind((ip, 0)) {
        Ok(_) => Some(true),
        Err(error) if error.kind() == io::ErrorKind::AddrNotAvailable => Some(false),
        Err(_) => None,
    }
}

/// Whether the interface has a carrier; an error if addresses cannot be added to it.
fn interface(host: &Host, budget: Budget) -> Result<bool, NetworkError> {
    let interface: Interface = host.cluster_interface.parse()?;
    let link = Netlink::open(budget)?.find_link(&interface)?;
    let link = link.ok_or_else(|| NetworkError::NoInterface(interface.device().into()))?;
    link.require_up()?;
    Ok(link.has_carrier())
}

fn explain(host: &Host, error: &NetworkError) -> (String, String) {
    let name = host.name.as_str();
    match error {
        NetworkError::InterfaceDown { device } => {
            (format!("interface {device} is down"), shell(name, format!("ip link set {device} up")))
        }
        NetworkError::NoInterface(device) => (
            format!("there is no interface {device}"),
            advice(format!(
                "create it, or correct cluster_interface of {name} in mmm_common.conf (see: ip link)"
            )),
        ),
        other => (other.to_string(), shell(name, "ip link")),
    }
}

/// The packet filter's commands that cannot be run, each with the reason.
fn firewall_commands(blocking: &Blocking) -> Vec<(String, String)> {
    let Blocking::Soft { block, unblock } = blocking else { return Vec::new() };
    let problem = |command: &String| {
        let program = command.split_ascii_whitespace().next().unwrap_or_default();
        find_program(program).err().map(|reason| (command.clone(), reason))
    };
    [block, unblock].into_iter().filter_map(problem).collect()
}

fn find_program(name: &str) -> Result<PathBuf, String> {
    let path = env::var_os("PATH").unwrap_or_else(|| "/usr/sbin:/usr/bin:/sbin:/bin".into());
    let places: Vec<PathBuf> = if name.contains('/') {
        vec![name.into()]
    } else {
        env::split_paths(&path).map(|folder| folder.join(name)).collect()
    };
    places
        .into_iter()
        .find(|path| is_executable(path))
        .ok_or_else(|| format!("there is no program {name} that can be run"))
}

fn is_executable(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|data| data.is_file() && data.permissions().mode() & 0o111 != 0)
}

/// Commands that the helpers will not run, each with the reason.
fn untrusted(settings: &Settings) -> Vec<(&'static str, String)> {
    let reason = |(key, program)| Some((key, settings.find_program(program).err()?));
    settings.commands().filter_map(reason).collect()
}

/// Commands that cannot be started, each with the reason.
fn missing(settings: &Settings) -> Vec<(&'static str, String)> {
    let reason = |(key, program)| {
        let found = settings.find_program(program).ok()?;
        let Some(path) = found else { return Some((key, format!("there is no program {program}"))) };
        (!is_executable(&path)).then(|| (key, format!("{} is no file that can be run", path.display())))
    };
    settings.commands().filter_map(reason).collect()
}

/// Fails if the journal cannot be written; makes no file.
fn journal(log: &LogSettings) -> Result<(), String> {
    writable(&log.file)
}

/// Fails if a file or folder cannot be written, or not be made where it is not there; makes nothing.
fn writable(path: &Path) -> Result<(), String> {
    let mut places = path.ancestors();
    let target = if path.exists() { Some(path) } else { places.nth(1) };
    let target = target.filter(|target| !target.as_os_str().is_empty()).unwrap_or(Path::new("/"));
    let shown = target.display();
    let mut needed = AccessFlags::W_OK;
    if target.is_dir() {
        needed |= AccessFlags::X_OK;
    }
    access(target, needed).map_err(|error| format!("{shown}: {}", error.desc()))?;
    let system = statvfs(target).map_err(|error| format!("{shown}: {}", error.desc()))?;
    if system.flags().contains(FsFlags::ST_RDONLY) {
        return Err(format!("{shown} is mounted read-only"));
    }
    // The last blocks are kept for root.
    let blocks = if geteuid().is_root() { system.blocks_free() } else { system.blocks_available() };
    let free = blocks.saturating_mul(system.fragment_size());
    if free < ROOM {
        return Err(format!("the disk of {shown} is full: {} KiB are free", free >> 10));
    }
    if system.files() > 0 && system.files_free() == 0 {
        return Err(format!("the disk of {shown} has no room for another file (inodes)"));
    }
    Ok(())
}

#[cfg(test)]
mod tests;
