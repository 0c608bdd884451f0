//! Which host is meant: this one, its peer, one by name, one by the address that a replica names.
//!
//! Nothing here looks a name up: two spellings of one IP address are the same host, two names are not.

use std::net::IpAddr;

use super::{Config, ConfigError, Host, HostName, Mode};

impl Config {
    /// The host that the configuration says this is.
    pub fn this(&self) -> &HostName {
        &self.this_host().name
    }

    /// This host's section.
    pub fn this_host(&self) -> &Host {
        &self.hosts[self.this]
    }

    /// Every host, in the order of their names.
    pub fn hosts(&self) -> &[Host] {
        &self.hosts
    }

    /// The host of this name; the template `default` is none.
    pub fn host(&self, name: &str) -> Option<&Host> {
        self.hosts.iter().find(|host| host.name.as_str() == name)
    }

    /// The hosts that may hold the writer role, in the order of their names.
    pub fn masters(&self) -> impl Iterator<Item = &Host> {
        self.hosts.iter().filter(|host| host.mode == Mode::Master)
    }

    /// The role whose holder is the master of the slaves.
    pub fn active_master_role(&self) -> &str {
        &self.active_master_role
    }

    /// This host's peer.
    pub fn peer(&self) -> Result<&Host, ConfigError> {
        let this = self.this_host();
        let peer = this.peer.as_ref().ok_or_else(|| ConfigError::NoPeer { host: this.name.clone() })?;
        self.host(peer.as_str())
            .ok_or_else(|| ConfigError::NoPeerSection { host: this.name.clone(), peer: peer.clone() })
    }

    /// The host whose server listens at `ip` and `port`: both must match, since hosts may share an
    /// address. An error when two hosts have both in common (contract 8).
    pub fn host_at(&self, ip: &str, port: u16) -> Result<Option<&Host>, ConfigError> {
        let mut found = self.hosts.iter().filter(|host| host.mysql_port == port && is_same(&host.ip, ip));
        let first = found.next();
        if let (Some(first), Some(second)) = (first, found.next()) {
            return Err(ConfigError::SharedAddress {
                ip: ip.into(),
                port,
                first: first.name.clone(),
                second: second.name.clone(),
            });
        }
        Ok(first)
    }
}

/// True for two spellings of one address, `::ffff:10.0.0.1` and `10.0.0.1` included, and for equal names.
fn is_same(one: &str, other: &str) -> bool {
    match (one.parse::<IpAddr>(), other.parse::<IpAddr>()) {
        (Ok(one), Ok(other)) => one.to_canonical() == other.to_canonical(),
        _ => one.eq_ignore_ascii_case(other),
    }
}
