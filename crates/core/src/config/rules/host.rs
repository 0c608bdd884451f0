//! One host's section with the template behind it: what it must have and what its values mean.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

use super::{leading_number, one_of, text};
use crate::config::quirk::{Quirk, Warning};
use crate::config::tree::{Entry, Section, entry_name};
use crate::config::words::Kind;
use crate::config::{ConfigError, Host, HostName, Mode};
use crate::secret::Secret;
use crate::settings::TlsOptions;

const DEFAULT_PORT: u16 = 3306;
const REQUIRED: [&str; 9] = [
    "ip",
    "mode",
    "pid_path",
    "bin_path",
    "cluster_interface",
    "agent_user",
    "agent_password",
    "replication_user",
    "replication_password",
];

/// A host as its files describe it.
pub struct View<'a> {
    pub name: &'a str,
    pub section: &'a Section,
    pub template: Option<&'a Section>,
}

impl<'a> View<'a> {
    /// Checks the host; a master's peer must be one of `names`.
    pub fn check(
        &self,
        names: impl Iterator<Item = &'a str> + Clone,
        warnings: &mut Vec<Warning>,
    ) -> Result<Host, ConfigError> {
        REQUIRED.into_iter().try_for_each(|key| self.required(key).map(drop))?;
        let mode = self.required("mode")?;
        one_of(mode, ["master", "slave"], || self.label("mode"))?;
        let mode = if mode.is("master") { Mode::Master } else { Mode::Slave };
        Ok(Host {
            name: HostName(self.name.into()),
            ip: self.text("ip")?,
            mysql_port: self.port(warnings)?,
            mode,
            peer: self.peer(mode, names, warnings)?,
            cluster_interface: self.text("cluster_interface")?,
            bin_path: OsStr::from_bytes(self.required("bin_path")?.bytes()).into(),
            agent_user: self.text("agent_user")?,
            agent_password: Secret::new(self.text("agent_password")?),
            replication_user: self.text("replication_user")?,
            replication_password: Secret::new(self.text("replication_password")?),
            tls: TlsOptions::default(),
            socket: None,
        })
    }

    /// The host's own value, even an empty one, or else the template's.
    fn get(&self, key: &str) -> Option<&'a Entry> {
        self.section.entries.get(key).or_else(|| self.template?.entries.get(key))
    }

    fn required(&self, key: &str) -> Result<&'a Entry, ConfigError> {
        let missing = || ConfigError::Missing { entry: self.label(key), whereto: self.whereto() };
        self.get(key).ok_or_else(missing)
    }

    fn text(&self, key: &str) -> Result<String, ConfigError> {
        text(self.required(key)?, || self.label(key))
    }

    fn label(&self, key: &str) -> String {
        entry_name(Some(Kind::Host), self.name, key)
    }

    fn whereto(&self) -> String {
        let own = format!("to <host {}> in {}", self.name, self.section.place);
        match self.template {
            Some(template) => format!("{own} or to <host default> in {}", template.place),
            None => own,
        }
    }

    /// A slave's peer is not checked before a helper asks for it.
    fn peer(
        &self,
        mode: Mode,
        names: impl Iterator<Item = &'a str> + Clone,
        warnings: &mut Vec<Warning>,
    ) -> Result<Option<HostName>, ConfigError> {
        let Some(peer) = self.get("peer") else {
            return match mode {
                Mode::Slave => Ok(None),
                Mode::Master => Err(ConfigError::MissingBecause {
                    entry: self.label("peer"),
                    because: "mode master",
                    whereto: self.whereto(),
                }),
            };
        };
        if mode == Mode::Master {
            one_of(peer, names, || self.label("peer"))?;
        }
        if peer.is(self.name) {
            let quirk = Quirk::OwnPeer { host: self.name.into() };
            warnings.push(Warning { place: peer.place.clone(), quirk });
        }
        Ok(std::str::from_utf8(peer.bytes()).ok().and_then(HostName::new))
    }

    /// The number at the value's beginning, as the original's client library takes it.
    fn port(&self, warnings: &mut Vec<Warning>) -> Result<u16, ConfigError> {
        let Some(entry) = self.get("mysql_port") else { return Ok(DEFAULT_PORT) };
        let label = || self.label("mysql_port");
        let mut warn = |quirk| warnings.push(Warning { place: entry.place.clone(), quirk });
        if entry.bytes().is_empty() {
            warn(Quirk::DefaultPort { entry: label() });
            return Ok(DEFAULT_PORT);
        }
        let number = leading_number(entry.bytes());
        let port = number.and_then(|(number, rest)| Some((u16::try_from(number).ok()?, rest)));
        let Some((port @ 1.., rest)) = port else {
            let value = String::from_utf8_lossy(entry.bytes()).into_owned();
            return Err(ConfigError::InvalidPort { entry: label(), value, place: entry.place.clone() });
        };
        if !rest.is_empty() {
            warn(Quirk::PortPrefix { entry: label(), port });
        }
        Ok(port)
    }
}
