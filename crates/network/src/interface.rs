//! A network interface: its name as a caller gives it, and what the kernel says about it.
//!
//! Nothing here changes an interface. Its addresses are in [`crate::netlink`].

use std::fmt;
use std::str::FromStr;

use mmm_core::escape;
use netlink_packet_core::{NlaBuffer, NlasIterator};
use netlink_packet_route::link::{LinkFlags, LinkHeader, LinkLayerType};

use crate::error::NetworkError;

/// Longest name of an interface in bytes (IFNAMSIZ without the final zero), label included.
const LONGEST: usize = 15;
/// Bytes of `struct ifinfomsg`, after which a link's attributes begin.
const LINK_HEADER: usize = 16;
/// Attribute of a link: its hardware address (`linux/if_link.h`).
const IFLA_ADDRESS: u16 = 1;
/// Attribute of a link: its name.
pub(crate) const IFLA_IFNAME: u16 = 3;

/// A well-formed name. `eth0:1`, the old way to name a second address, means the device `eth0`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Interface(String);

impl Interface {
    /// The device that is meant, without an alias's label.
    pub fn device(&self) -> &str {
        self.0.split(':').next().unwrap_or_default()
    }
}

impl FromStr for Interface {
    type Err = NetworkError;

    fn from_str(text: &str) -> Result<Self, NetworkError> {
        let refused = |reason| NetworkError::InterfaceName { given: escape::quoted(text), reason };
        if text.len() > LONGEST {
            return Err(refused("longer than 15 characters"));
        }
        // Stricter than the kernel, which takes everything but '/', ':' and blanks: no real name needs more,
        // and what looks like a shell command or an option is a mistake or an attack.
        let is_plain = |c: char| c.is_ascii_alphanumeric() || "_.-+@".contains(c);
        let (device, label) = text.split_once(':').unwrap_or((text, "0"));
        if !device.chars().chain(label.chars()).all(is_plain) {
            return Err(refused(
                "it may hold letters, digits and _ . - + @ only, and one ':' before an alias's label",
            ));
        }
        if device.is_empty() || label.is_empty() || device.starts_with('-') || [".", ".."].contains(&device) {
            return Err(refused("no interface can have this name"));
        }
        Ok(Self(text.to_string()))
    }
}

impl fmt::Display for Interface {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// An interface that exists.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// Its name as the kernel has it.
    pub name: String,
    /// Its number.
    pub index: u32,
    /// Its Ethernet address, if it has one.
    pub mac: Option<[u8; 6]>,
    flags: LinkFlags,
    layer: LinkLayerType,
}

impl Link {
    /// Reads the kernel's description, leaving aside everything that an address helper does not need.
    pub(crate) fn read(payload: &[u8]) -> Option<Self> {
        let header = LinkHeader::parse(payload).ok()?;
        let mut link = Self {
            name: String::new(),
            index: header.index,
            mac: None,
            flags: header.flags,
            layer: header.link_layer_type,
        };
        for attribute in NlasIterator::new(payload.get(LINK_HEADER..)?) {
            let attribute: NlaBuffer<&[u8]> = attribute.ok()?;
            match attribute.kind() {
                IFLA_ADDRESS => link.mac = attribute.value().try_into().ok(),
                IFLA_IFNAME => {
                    let bytes = attribute.value().strip_suffix(&[0]).unwrap_or(attribute.value());
                    link.name = String::from_utf8_lossy(bytes).into_owned();
                }
                _ => {}
            }
        }
        Some(link)
    }

    /// Fails unless the interface is switched on.
    pub fn require_up(&self) -> Result<(), NetworkError> {
        if self.flags.contains(LinkFlags::Up) {
            return Ok(());
        }
        Err(NetworkError::InterfaceDown { device: self.name.clone() })
    }

    /// False while the cable is out, the switch port off or a bridge without ports. Not an error: the
    /// address works as soon as the link is back.
    pub fn has_carrier(&self) -> bool {
        self.flags.contains(LinkFlags::LowerUp)
    }

    /// True if hosts on this interface find each other by asking, over Ethernet.
    pub fn has_neighbours(&self) -> bool {
        self.layer == LinkLayerType::Ether && !self.flags.intersects(LinkFlags::Noarp | LinkFlags::Loopback)
    }
}

impl fmt::Display for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

#[cfg(test)]
mod tests;
