//! The agent's configuration as a helper needs it: this host, its peer, the other hosts, their accounts.
//!
//! [`load()`] finds the files, reads them and checks them. Every quirk of the language that the Perl agent
//! accepts is accepted here, with a warning in the log. What the Perl agent dies of is a [`ConfigError`] that
//! names file and line.

use std::fmt;
use std::path::{Path, PathBuf};

use crate::secret::Secret;
use crate::settings::TlsOptions;

mod error;
pub(crate) mod file;
#[cfg(test)]
mod fixture;
mod hosts;
mod load;
mod parse;
#[cfg(test)]
mod print;
mod quirk;
mod rules;
#[cfg(test)]
pub(crate) mod scratch;
mod tree;
mod words;

use quirk::Warning;

pub use error::{ConfigError, Place};

/// A host's name in the configuration: ASCII letters, digits, `_` and `-`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HostName(String);

impl HostName {
    /// A name as a section `<host NAME>` may have it; `None` for anything else.
    pub fn new(name: &str) -> Option<Self> {
        let is_legal = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
        (!name.is_empty() && name.bytes().all(is_legal)).then(|| Self(name.into()))
    }

    /// The name itself.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

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
    /// `cluster_interface`, as written. The agent hands it to the address helpers itself.
    pub cluster_interface: String,
    /// `bin_path`: the folder whose folder `agent` has the helpers that the agent runs.
    pub bin_path: PathBuf,
    /// `agent_user`: the account of the helpers themselves.
    pub agent_user: String,
    /// `agent_password`
    pub agent_password: Secret,
    /// `replication_user`: the account with which other hosts replicate from this one.
    pub replication_user: String,
    /// `replication_password`
    pub replication_password: Secret,
    /// `tls` of the settings
    pub tls: TlsOptions,
    /// `local.socket` of the settings, if this section is this host's.
    pub socket: Option<PathBuf>,
}

impl Host {
    /// The same host, logged in to with the account that replicas have for it.
    #[must_use]
    pub fn as_replica(&self) -> Self {
        Self {
            agent_user: self.replication_user.clone(),
            agent_password: self.replication_password.clone(),
            ..self.clone()
        }
    }
}

/// A section `<role NAME>`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Role {
    /// Its name.
    pub name: String,
    /// `hosts`: those that may hold it.
    pub hosts: Vec<HostName>,
    /// `ips`, as written, without empty items.
    pub ips: Vec<String>,
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
    /// Close at once. The default here (docs/CONTRACT.md, 4.5).
    Hard,
    /// Block new connections and give running ones time first.
    Soft {
        /// `iptables_block_cmd`
        block: String,
        /// `iptables_unblock_cmd`
        unblock: String,
    },
    /// Any other word. The original accepts it until `mysql_deny_write` uses it, which then fails.
    Unknown(String),
}

/// The agent's configuration.
#[derive(Clone, Debug)]
pub struct Config {
    this: usize,
    hosts: Vec<Host>,
    roles: Vec<Role>,
    active_master_role: String,
    /// `max_kill_retries`, default 10. Negative: nothing is killed.
    pub max_kill_retries: i64,
    /// `blocking_type` with its commands
    pub blocking: Blocking,
    /// `replication.channel` of our own settings.
    pub channel: Option<String>,
}

/// Finds, reads and checks the configuration `name` (`mmm_agent`, without path), and logs its quirks.
pub fn load(name: &str) -> Result<Config, ConfigError> {
    let (config, quirks) = examine(name);
    // Also those of a configuration that is refused: they may be the reason.
    for quirk in quirks {
        log::warn!("{quirk}");
    }
    config
}

/// [`load()`] with the quirks for the caller, one line each.
pub fn examine(name: &str) -> (Result<Config, ConfigError>, Vec<String>) {
    let mut warnings = Vec::new();
    let config = load_from(&load::DIRECTORIES.map(Path::new), name, &mut warnings);
    (config, warnings.iter().map(ToString::to_string).collect())
}

/// [`load()`] with another search path, and with the quirks for the caller.
pub(crate) fn load_from(
    directories: &[&Path],
    name: &str,
    warnings: &mut Vec<Warning>,
) -> Result<Config, ConfigError> {
    let (tree, file) = load::read(directories, name, warnings)?;
    rules::check(&tree, &file, warnings)
}

#[cfg(test)]
mod tests;
