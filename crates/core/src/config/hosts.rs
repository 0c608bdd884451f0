//! Which host is meant: this one, its peer, one by name, one by the address that a replica names; and how
//! the settings say that it is reached.
//!
//! Nothing here looks a name up: two spellings of one IP address are the same host, two names are not.

use std::net::IpAddr;

use super::{Config, ConfigError, Host, HostName, Mode, Role};
use crate::settings::{Local, Settings, Tls};

impl Config {
    /// The host that the configuration says this is.
    pub fn this(&self) -> &HostName {
        &self.this_host().name
    }

    /// This host's section.
    pub fn this_host(&self) -> &Host {
        &self.hosts[self.this]
    }

    /// The same configuration as the host of this name has it; `None` if there is no such host.
    pub fn of_host(&self, name: &str) -> Option<Self> {
        let this = self.hosts.iter().position(|host| host.name.as_str() == name)?;
        Some(Self { this, ..self.clone() })
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

    /// Every role, in the order of their names.
    pub fn roles(&self) -> &[Role] {
        &self.roles
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
    /// address. An error when two hosts have both in common (docs/CONTRACT.md, 4.5).
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

    /// Adds what our own settings say of hosts and channels.
    pub fn adopt(&mut self, settings: &Settings) -> Result<(), ConfigError> {
        self.channel.clone_from(&settings.replication.channel);
        self.reach_by(&settings.tls, &settings.local)
    }

    /// Says for each host how it is reached. An error when `tls` names a host that there is not.
    fn reach_by(&mut self, tls: &Tls, local: &Local) -> Result<(), ConfigError> {
        if let Some(unknown) = tls.hosts.keys().find(|name| self.host(name).is_none()) {
            let known = self.hosts.iter().map(|host| host.name.as_str()).collect::<Vec<_>>().join(", ");
            return Err(ConfigError::UnknownTlsHost { name: unknown.clone(), known });
        }
        for host in &mut self.hosts {
            host.tls = tls.of(host.name.as_str());
        }
        self.hosts[self.this].socket.clone_from(&local.socket);
        Ok(())
    }
}

/// True for two spellings of one address, `::ffff:10.0.0.1` and `10.0.0.1` included, and for equal names.
pub(super) fn is_same(one: &str, other: &str) -> bool {
    match (one.parse::<IpAddr>(), other.parse::<IpAddr>()) {
        (Ok(one), Ok(other)) => one.to_canonical() == other.to_canonical(),
        _ => one.eq_ignore_ascii_case(other),
    }
}

#[cfg(test)]
mod tests;
