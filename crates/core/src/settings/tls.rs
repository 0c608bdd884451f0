//! `tls` and `local`: how the helpers reach the servers. docs/CONNECTIONS.md says what each mode proves.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::PathBuf;

use serde::Deserialize;

use super::value;
use crate::process;

/// How a connection is secured, and what is checked of the server's certificate. Each mode proves more than
/// the one before.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TlsMode {
    /// No TLS.
    #[default]
    Off,
    /// TLS if the server offers it, otherwise none.
    Preferred,
    /// TLS, whatever the server's certificate is.
    Required,
    /// TLS, and the certificate is signed by an authority in `ca`.
    VerifyCa,
    /// TLS, signed by an authority in `ca`, and made out to the host's `ip`.
    VerifyIdentity,
}

/// `tls`
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields, expecting = "keys with their values")]
pub struct Tls {
    /// The mode of every host that `hosts` does not name. Default `off`.
    pub mode: TlsMode,
    /// A PEM file with the authorities to trust, and no others. `verify-…` need it.
    #[serde(deserialize_with = "value::some_path")]
    pub ca: Option<PathBuf>,
    /// A PEM file with the certificate that is shown to servers.
    #[serde(deserialize_with = "value::some_path")]
    pub cert: Option<PathBuf>,
    /// A PEM file with the key of `cert`.
    #[serde(deserialize_with = "value::some_path")]
    pub key: Option<PathBuf>,
    /// Hosts with a mode of their own.
    #[serde(deserialize_with = "value::section")]
    pub hosts: BTreeMap<String, TlsMode>,
}

/// `local`
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields, expecting = "keys with their values")]
pub struct Local {
    /// The Unix socket by which this host's own server is reached, instead of TCP.
    #[serde(deserialize_with = "value::some_path")]
    pub socket: Option<PathBuf>,
}

/// What a connection to one host needs to know.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TlsOptions {
    /// The mode.
    pub mode: TlsMode,
    /// The authorities, if the mode needs them.
    pub ca: Option<PathBuf>,
    /// Certificate and key to show.
    pub identity: Option<(PathBuf, PathBuf)>,
}

impl Tls {
    /// What holds for one host.
    pub fn of(&self, host: &str) -> TlsOptions {
        let mode = self.hosts.get(host).copied().unwrap_or(self.mode);
        TlsOptions {
            mode,
            ca: self.ca.clone().filter(|_| mode >= TlsMode::VerifyCa),
            identity: self.cert.clone().zip(self.key.clone()),
        }
    }

    /// Why these keys cannot be used together, in words.
    pub(super) fn check(&self) -> Result<(), String> {
        let strictest = self.hosts.values().copied().fold(self.mode, TlsMode::max);
        if strictest >= TlsMode::VerifyCa && self.ca.is_none() {
            return Err("the modes verify-ca and verify-identity of tls need its ca, the file with the \
                        authorities to trust; the system's are in /etc/ssl/certs/ca-certificates.crt"
                .into());
        }
        if self.cert.is_some() != self.key.is_some() {
            return Err("set both cert and key of tls, or neither".into());
        }
        if strictest == TlsMode::Off {
            return Ok(());
        }
        for (name, path) in [("ca", &self.ca), ("cert", &self.cert), ("key", &self.key)] {
            if let Some(path) = path {
                // The client library reads it once more.
                process::probe(path);
                File::open(path)
                    .map_err(|error| format!("{name} of tls, {}, cannot be read: {error}", path.display()))?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
