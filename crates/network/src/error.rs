//! What can go wrong with an interface or an address, as an operator reads it.
//!
//! Every text says what failed, where, and what to do next; the system's own words are kept as the source.

use std::fmt;
use std::io;
use std::time::Duration;

use mmm_core::Coded;
use mmm_core::hook::HookError;
use nix::errno::Errno;

use crate::address::VirtualIp;
use crate::interface::Link;

/// Why an address helper failed.
#[derive(Debug, thiserror::Error, strum::IntoStaticStr, strum::VariantNames)]
#[strum(serialize_all = "kebab-case")]
pub enum NetworkError {
    /// The text is no interface name.
    #[error(
        "{given} is not the name of a network interface: {reason}; correct cluster_interface of this host"
    )]
    #[strum(serialize = "unusable-interface-name")]
    InterfaceName {
        /// What was given, quoted.
        given: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// The text is no address that a role can have.
    #[error("{given} is not an IP address for a role: {reason}; correct the role's ips")]
    #[strum(serialize = "unusable-address")]
    Address {
        /// What was given, quoted.
        given: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// This host has no such interface.
    #[error(
        "interface {0} does not exist on this host; create it, or correct cluster_interface of this host"
    )]
    NoInterface(String),
    /// The interface is switched off.
    #[error("interface {device} is down; bring it up with: ip link set {device} up")]
    InterfaceDown {
        /// Its name.
        device: String,
    },
    /// The right for it is missing.
    #[error("no permission to {doing}; run as root or with the capability {capability}")]
    NotPermitted {
        /// What was refused.
        doing: String,
        /// The capability that allows it.
        capability: &'static str,
        /// The kernel's answer.
        source: io::Error,
    },
    /// The kernel did not answer in time.
    #[error(
        "could not {doing}: the kernel did not answer within the time limit; is another program locking the network configuration?"
    )]
    #[strum(serialize = "kernel-silent")]
    NoAnswer {
        /// What was asked.
        doing: String,
        /// How that showed.
        source: io::Error,
    },
    /// The kernel refused, for any other reason.
    #[error("could not {doing}: {source}; see the kernel's log (dmesg)")]
    #[strum(serialize = "kernel-refused")]
    Refused {
        /// What was asked.
        doing: String,
        /// The kernel's answer.
        source: io::Error,
    },
    /// The address was not added. The first words are the original's, typing error included, because
    /// scripts search for them.
    #[error("Could not configure ip adress {ip} on interface {device}! {source}")]
    #[strum(serialize = "")]
    NotConfigured {
        /// The address.
        ip: String,
        /// The interface.
        device: String,
        /// Why.
        source: Box<NetworkError>,
    },
    /// Added, but not there when looked for afterwards.
    #[error("the kernel accepted it, but it is not there; is another program removing it?")]
    #[strum(serialize = "address-vanished")]
    Vanished,
    /// Removed, but still there when looked for afterwards.
    #[error("{ip} was removed from interface {device} but is there again; find the program that adds it")]
    #[strum(serialize = "address-still-there")]
    StillThere {
        /// The address.
        ip: String,
        /// The interface.
        device: String,
    },
    /// Removing the address would take others with it.
    #[error(
        "{ip}/{prefix} was not removed from interface {device}: the kernel would remove other addresses of its \
         network, too; remove it after: sysctl -w net.ipv4.conf.{device}.promote_secondaries=1"
    )]
    WouldTakeOthers {
        /// The address.
        ip: String,
        /// Its prefix length.
        prefix: u8,
        /// The interface.
        device: String,
        /// Why the kernel could not be told to keep them.
        source: io::Error,
    },
    /// IPv6 is switched off there.
    #[error(
        "could not {doing}: IPv6 is switched off; switch it on with: sysctl -w net.ipv6.conf.{device}.disable_ipv6=0"
    )]
    NoIpv6 {
        /// What was asked.
        doing: String,
        /// The interface.
        device: String,
        /// The kernel's answer.
        source: io::Error,
    },
    /// A probe was answered.
    #[error("{ip} is in use by the host with the MAC address {owner}; take it away there first")]
    #[strum(serialize = "address-in-use")]
    InUse {
        /// The address.
        ip: String,
        /// Who answered.
        owner: Mac,
    },
    /// IPv6's duplicate address detection found another owner.
    #[error(
        "another host has it (duplicate address detection failed), so it was removed again; take it away there first"
    )]
    #[strum(serialize = "address-duplicate")]
    Duplicate,
    /// IPv6's duplicate address detection did not end.
    #[error(
        "duplicate address detection did not end within {limit:.1?}, so it was removed again; raise network.dad, or \
         lower net.ipv6.conf.{device}.dad_transmits"
    )]
    #[strum(serialize = "address-undecided")]
    Undecided {
        /// The interface.
        device: String,
        /// How long it was waited for.
        limit: Duration,
    },
    /// A command of the site failed.
    #[error(transparent)]
    #[strum(serialize = "")]
    Hook(#[from] HookError),
    /// An address could not be announced to the network.
    #[error(
        "could not {doing}: {source}; other hosts may send to the old owner until their ARP entries expire"
    )]
    #[strum(serialize = "address-not-announced")]
    NotAnnounced {
        /// What failed.
        doing: &'static str,
        /// The system's answer.
        source: io::Error,
    },
    /// What still comes for an address cannot be refused.
    #[error(
        "could not refuse what still comes for the address: {source}; clients that connect to it meanwhile retry only a second \
         later"
    )]
    #[strum(serialize = "farewell-failed")]
    NotRefused {
        /// The system's answer.
        source: io::Error,
    },
}

impl Coded for NetworkError {
    fn code(&self) -> &'static str {
        match self {
            Self::NotConfigured { source, .. } => source.code(),
            Self::Hook(error) => error.code(),
            other => other.into(),
        }
    }
}

impl NetworkError {
    /// What the kernel answered to a netlink request, with one variant for each thing that an operator would do about
    /// it.
    pub(crate) fn from_kernel(doing: impl Into<String>, source: io::Error) -> Self {
        let doing = doing.into();
        match source.kind() {
            io::ErrorKind::PermissionDenied => {
                Self::NotPermitted { doing, capability: "CAP_NET_ADMIN", source }
            }
            io::ErrorKind::TimedOut => Self::NoAnswer { doing, source },
            _ => Self::Refused { doing, source },
        }
    }

    /// What the kernel answered to a packet socket.
    pub(crate) fn from_packets(doing: &'static str, source: io::Error) -> Self {
        match source.kind() {
            io::ErrorKind::PermissionDenied => {
                Self::NotPermitted { doing: doing.into(), capability: "CAP_NET_RAW", source }
            }
            _ => Self::Refused { doing: doing.into(), source },
        }
    }

    /// The same failure, as the reason why `ip` is not on `link`.
    #[must_use]
    pub fn while_adding(self, ip: VirtualIp, link: &Link) -> Self {
        Self::NotConfigured { ip: ip.to_string(), device: link.name.clone(), source: Box::new(self) }
    }
}

/// An Ethernet address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mac(pub [u8; 6]);

impl fmt::Display for Mac {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, byte) in self.0.iter().enumerate() {
            let colon = if place == 0 { "" } else { ":" };
            write!(f, "{colon}{byte:02x}")?;
        }
        Ok(())
    }
}

/// True for what the kernel says of an interface that is not there.
pub(crate) fn is_missing_device(error: &io::Error) -> bool {
    [Errno::ENODEV, Errno::ENXIO].iter().any(|code| error.raw_os_error() == Some(*code as i32))
}

#[cfg(test)]
mod tests;
