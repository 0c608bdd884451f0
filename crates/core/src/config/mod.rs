//! The agent's configuration as a helper needs it: this host, its peer, the other hosts, their accounts.

use std::fmt;

use crate::secret::Secret;

/// A host's name in the configuration: ASCII letters, digits, `_` and `-`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HostName(String);

impl fmt::Display for HostName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A section `<host NAME>` with the template applied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Host {
    /// Its name.
    pub name: HostName,
    /// `ip`, as written: an address, or a name to look up.
    pub ip: String,
    /// `mysql_port`, default 3306.
    pub mysql_port: u16,
    /// `mode`
    pub mode: Mode,
    /// `peer`, which a master must have.
    pub peer: Option<HostName>,
    /// `agent_user`: the account of the helpers themselves.
    pub agent_user: String,
    /// `agent_password`
    pub agent_password: Secret,
    /// `replication_user`: the account with which other hosts replicate from this one.
    pub replication_user: String,
    /// `replication_password`
    pub replication_password: Secret,
}

/// `mode` of a host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// May hold the writer role.
    Master,
    /// Reads only.
    Slave,
}

/// `blocking_type`: what `mysql_deny_write` does before it closes the server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Blocking {
    /// Close at once. The default here (contract 8).
    Hard,
    /// Block new connections and give running ones time first.
    Soft {
        /// `iptables_block_cmd`
        block: String,
        /// `iptables_unblock_cmd`
        unblock: String,
    },
}

/// The agent's configuration.
#[derive(Clone, Debug)]
pub struct Config {
    this: HostName,
    hosts: Vec<Host>,
    /// `max_kill_retries`
    pub max_kill_retries: i64,
    /// `blocking_type` with its commands
    pub blocking: Blocking,
}

/// Why a configuration cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// placeholder
    #[error("placeholder")]
    Placeholder,
}

impl Config {
    /// The host that the configuration says this is.
    pub fn this(&self) -> &HostName {
        &self.this
    }
    /// Every host, in the order of their names.
    pub fn hosts(&self) -> &[Host] {
        &self.hosts
    }
}

/// Finds, reads and checks the configuration `name` (`mmm_agent`, without path).
pub fn load(_name: &str) -> Result<Config, ConfigError> {
    Err(ConfigError::Placeholder)
}
