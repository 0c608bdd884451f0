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
mod tests {
    use std::path::PathBuf;

    use super::super::HostName;
    use super::super::fixture::{CLUSTER, changed, config};
    use crate::settings::{Local, Tls, TlsMode};

    #[test]
    fn the_peer_is_the_one_of_this_host() {
        for (this, peer) in [("db1", "db2"), ("db2", "db1")] {
            let config = config(changed(&[("this db1", &format!("this {this}"))]));
            assert_eq!(config.peer().unwrap().name.as_str(), peer);
            assert_eq!(config.this().as_str(), this);
        }
        let error = config(changed(&[("this db1", "this db3")])).peer().unwrap_err().to_string();
        assert!(error.starts_with("No peer defined for host db3"), "{error}");
    }

    #[test]
    fn hosts_are_found_by_name_and_the_template_is_none() {
        let config = config(CLUSTER);
        assert_eq!(config.host("db3").unwrap().ip, "10.0.0.3");
        for name in ["default", "db4", "DB3", "", "db3 "] {
            assert_eq!(config.host(name), None, "{name}");
        }
    }

    #[test]
    fn roles_are_listed_with_their_hosts_and_addresses() {
        let config = config(changed(&[("ips 10.0.0.100", "ips 10.0.0.100,, 10.0.0.101,")]));
        let role = &config.roles()[0];
        let hosts: Vec<_> = role.hosts.iter().map(HostName::as_str).collect();
        assert_eq!((role.name.as_str(), hosts), ("writer", vec!["db1", "db2"]));
        assert_eq!(role.ips, ["10.0.0.100", "10.0.0.101"]);
    }

    #[test]
    fn only_hosts_in_mode_master_are_masters() {
        let config = config(CLUSTER);
        let masters: Vec<_> = config.masters().map(|host| host.name.as_str()).collect();
        assert_eq!(masters, ["db1", "db2"]);
    }

    #[test]
    fn a_host_is_found_by_any_spelling_of_its_address() {
        let ips = [("10.0.0.2", "2001:db8::2"), ("10.0.0.3", "db3.example.com")];
        let config = config(changed(&ips));
        let table = [
            ("10.0.0.1", Some("db1")),
            ("::ffff:10.0.0.1", Some("db1")),
            ("::FFFF:0a00:1", Some("db1")),
            ("2001:DB8:0:0:0::2", Some("db2")),
            ("DB3.example.COM", Some("db3")),
            ("10.0.0.10", None),
            ("10.0.0.", None),
            ("db1", None),
            ("", None),
        ];
        for (ip, name) in table {
            let host = config.host_at(ip, 3306).unwrap();
            assert_eq!(host.map(|host| host.name.as_str()), name, "{ip}");
        }
        assert_eq!(config.host_at("10.0.0.1", 3307).unwrap(), None, "another server on that host");
    }

    #[test]
    fn hosts_that_share_an_address_are_told_apart_by_port() {
        let port = ("ip 10.0.0.3", "ip 10.0.0.1\nmysql_port 3307");
        let config_of = |changes: &[(&str, &str)]| config(changed(changes));
        let config = config_of(&[port]);
        assert_eq!(config.host_at("10.0.0.1", 3306).unwrap().unwrap().name.as_str(), "db1");
        assert_eq!(config.host_at("10.0.0.1", 3307).unwrap().unwrap().name.as_str(), "db3");
        assert_eq!(config.host_at("10.0.0.1", 3308).unwrap(), None);
        let config = config_of(&[("ip 10.0.0.3", "ip ::ffff:10.0.0.1")]);
        let error = config.host_at("10.0.0.1", 3306).unwrap_err().to_string();
        assert!(error.starts_with("Hosts db1 and db3 both are 10.0.0.1 port 3306"), "{error}");
        assert!(config.host_at("10.0.0.2", 3306).unwrap().is_some(), "the others are still found");
    }
    #[test]
    fn only_this_host_is_reached_by_the_socket_and_each_by_its_tls_mode() {
        let mut config = config(CLUSTER);
        let tls = Tls { mode: TlsMode::Required, ..Tls::default() };
        let tls = Tls { hosts: [("db3".to_string(), TlsMode::Off)].into(), ..tls };
        let socket = Some(PathBuf::from("/run/mysqld/mysqld.sock"));
        config.reach_by(&tls, &Local { socket: socket.clone() }).unwrap();
        let modes: Vec<_> = config.hosts().iter().map(|host| host.tls.mode).collect();
        assert_eq!(modes, [TlsMode::Required, TlsMode::Required, TlsMode::Off]);
        let sockets: Vec<_> = config.hosts().iter().map(|host| host.socket.clone()).collect();
        assert_eq!(sockets, [socket, None, None]);
    }

    #[test]
    fn a_host_that_there_is_not_cannot_have_a_tls_mode() {
        let tls = Tls { hosts: [("db33".to_string(), TlsMode::Off)].into(), ..Tls::default() };
        let error = config(CLUSTER).reach_by(&tls, &Local::default()).unwrap_err().to_string();
        assert!(error.contains("names db33") && error.ends_with("db1, db2, db3"), "{error}");
    }
}
