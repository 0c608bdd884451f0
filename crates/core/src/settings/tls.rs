//! `tls` and `local`: how the helpers reach the servers. docs/CONNECTIONS.md has what each mode is worth.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::PathBuf;

use serde::Deserialize;

use super::value;
use crate::process;

/// How a connection is secured, and how far the server's certificate is believed; each proves more than the
/// one before.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TlsMode {
    /// No TLS.
    #[default]
    Off,
    /// TLS where the server offers it, otherwise none.
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
    /// A PEM file with the authorities that are believed; the only ones. `verify-…` need it.
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
    /// The authorities, where the mode asks them.
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
                        authorities to believe; the system's are in /etc/ssl/certs/ca-certificates.crt"
                .into());
        }
        if self.cert.is_some() != self.key.is_some() {
            return Err("cert and key of tls are needed both, or none of them".into());
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
mod tests {
    use super::super::tests::read;
    use super::*;
    use crate::config::scratch::Scratch;

    #[test]
    fn a_host_of_its_own_mode_keeps_the_files() {
        let scratch = Scratch::new();
        let path = |name| scratch.file(name, "").display().to_string();
        let tls = read(&format!(
            "tls: {{mode: verify-ca, ca: {}, cert: {}, key: {}, hosts: {{db3: required, db4: off}}}}",
            path("ca"),
            path("cert"),
            path("key")
        ))
        .unwrap()
        .tls;
        let identity = tls.cert.clone().zip(tls.key.clone());
        assert!(identity.is_some());
        let options =
            |mode, ca: &Option<PathBuf>| TlsOptions { mode, ca: ca.clone(), identity: identity.clone() };
        assert_eq!(tls.of("db1"), options(TlsMode::VerifyCa, &tls.ca));
        assert_eq!(tls.of("db3"), options(TlsMode::Required, &None));
        assert_eq!(tls.of("db4"), options(TlsMode::Off, &None));
    }

    #[test]
    fn every_mode_has_the_name_that_servers_use() {
        let table = [
            ("off", TlsMode::Off),
            ("preferred", TlsMode::Preferred),
            ("required", TlsMode::Required),
            ("verify-ca", TlsMode::VerifyCa),
            ("verify-identity", TlsMode::VerifyIdentity),
        ];
        for (name, mode) in table {
            let text = format!("tls: {{ca: /dev/null, mode: {name}}}");
            assert_eq!(read(&text).unwrap().tls.of("db1").mode, mode, "{name}");
        }
    }

    #[test]
    fn without_settings_nothing_is_secured_and_no_file_is_read() {
        assert_eq!(Tls::default().of("db1"), TlsOptions::default());
        for text in ["tls:\nlocal:\n", "tls: {hosts: }", "tls: {ca: /no/such}", "tls: {cert: /a, key: /b}"] {
            assert_eq!(read(text).unwrap().tls.of("db1").mode, TlsMode::Off, "{text}");
        }
    }

    #[test]
    fn what_cannot_be_used_together_is_refused() {
        let table = [
            ("tls: {mode: verify-ca}", "need its ca"),
            ("tls: {hosts: {db3: verify-identity}}", "need its ca"),
            ("tls: {cert: /dev/null}", "needed both"),
            ("tls: {mode: required, key: /dev/null}", "needed both"),
            ("tls: {mode: required, ca: /no/such}", "ca of tls, /no/such, cannot be read: No such file"),
            (
                "tls: {hosts: {db3: required}, cert: /no/such, key: /dev/null}",
                "cert of tls, /no/such, cannot",
            ),
            ("tls: {mode: yes}", "unknown variant `yes`, expected one of `off`, `preferred`"),
            ("tls: {hosts: {db3: {mode: off}}}", "tls.hosts"),
            ("tls: {ca: ca.pem}", "whole path"),
            ("tls: {verify: true}", "unknown field `verify`"),
            ("local: {socket: mysqld.sock}", "whole path"),
            ("local: {port: 3306}", "unknown field `port`"),
        ];
        for (text, words) in table {
            let error = read(text).expect_err(text);
            assert!(error.starts_with("Invalid settings in 'FILE'"), "{text}: {error}");
            assert!(error.contains(words), "{text}: {error}");
        }
    }
}
