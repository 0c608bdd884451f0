//! Why a configuration cannot be used: one variant for each thing that an operator would fix
//! differently. The words are those of the Perl agent, if it has any (docs/CONTRACT.md, 3.2).

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::HostName;
use crate::error::Coded;

/// A line of a configuration file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The file, as it was found.
    pub file: Arc<Path>,
    /// Its line, counted from 1.
    pub line: usize,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "'{}' on line {}", self.file.display(), self.line)
    }
}

/// Why a configuration cannot be used.
#[derive(Debug, thiserror::Error, strum::IntoStaticStr, strum::VariantNames)]
#[strum(serialize_all = "kebab-case", prefix = "config-")]
pub enum ConfigError {
    /// No directory of the search path has a file of this name that may be read.
    #[error("Could not find a readable config file '{name}'{hint}")]
    NotFound {
        /// The file's name, with `.conf`.
        name: String,
        /// Where it was looked for, who includes it, which file could not be opened.
        hint: String,
    },
    /// Mode bit 0002.
    #[error("Configuration file {file} is world writable! Fix it with: chmod 640 {file}", file = .0.display())]
    WorldWritable(PathBuf),
    /// Mode bit 0004.
    #[error("Configuration file {file} is world readable! Fix it with: chmod 640 {file}", file = .0.display())]
    WorldReadable(PathBuf),
    /// A directory, a pipe or a device.
    #[error("Configuration file {file} is not a regular file but {kind}; put the configuration itself there", file = .file.display())]
    NotAFile {
        /// Its path.
        file: PathBuf,
        /// What it is.
        kind: &'static str,
    },
    /// More than 16 MB.
    #[error("Configuration file {file} is larger than 16 MB; put the configuration itself there", file = .0.display())]
    TooLarge(PathBuf),
    /// It was opened and could not be read.
    #[error("Could not read the config file {file}: {source}; copy it anew, or see the kernel's log", file = .file.display())]
    Unreadable {
        /// Its path.
        file: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A file that begins with the mark that some editors write.
    #[error("Configuration file {file} begins with a byte order mark; save it as plain UTF-8 or ASCII", file = .0.display())]
    ByteOrderMark(PathBuf),
    /// A line that does not belong to the language.
    #[error("Invalid config line in file {0}! A variable is written: name, blank, value")]
    InvalidLine(Place),
    /// A variable that no MMM release knows in this place.
    #[error("Unknown variable {name} in {place}! Remove or correct it")]
    UnknownVariable {
        /// What was written.
        name: String,
        /// Where.
        place: Place,
    },
    /// `host x` where `<host x>` is meant.
    #[error("'{name}' should be a section instead of a variable in {place}! Write <{name} …>")]
    NotAVariable {
        /// What was written.
        name: String,
        /// Where.
        place: Place,
    },
    /// A section that no MMM release knows, or one inside another.
    #[error("Invalid section {name} in {place}!{hint}")]
    InvalidSection {
        /// What was written.
        name: String,
        /// Where.
        place: Place,
        /// The section that is still open there.
        hint: String,
    },
    /// `<host>`
    #[error("No section name specified for named section {kind} in {place}! Write <{kind} NAME>")]
    NoSectionName {
        /// The kind of section.
        kind: &'static str,
        /// Where.
        place: Place,
    },
    /// `<monitor x>`
    #[error("Section name specified for unique section {kind} in {place}! Write <{kind}>")]
    UnexpectedSectionName {
        /// The kind of section.
        kind: &'static str,
        /// Where.
        place: Place,
    },
    /// `include` between the tags of a section.
    #[error("Include inside a section in {0}! Put it before the section or after it")]
    IncludeInSection(Place),
    /// Files that include each other.
    #[error("Includes are nested too deeply in {0}! Does the file include itself?")]
    IncludeLoop(Place),
    /// A variable or section that the agent requires.
    #[error("Required config entry '{entry}' is missing; add it {whereto}")]
    Missing {
        /// `this`, `host->db2->ip`
        entry: String,
        /// The section or file that lacks it.
        whereto: String,
    },
    /// A variable that another one requires.
    #[error("Config entry '{entry}' is required because of '{because}', but missing; add it {whereto}")]
    MissingBecause {
        /// `host->db2->peer`
        entry: String,
        /// `mode master`
        because: &'static str,
        /// The section that lacks it.
        whereto: String,
    },
    /// A value that is not among those allowed.
    #[error(
        "Config entry '{entry}' has invalid value '{value}' allowed values are: {allowed} (in {place}{hint})"
    )]
    InvalidValue {
        /// `host->db2->mode`
        entry: String,
        /// What was written.
        value: String,
        /// `'a', 'b'`
        allowed: String,
        /// Where.
        place: Place,
        /// What is likely to be wrong with it.
        hint: &'static str,
    },
    /// A section `<check x>` for a check that the monitor does not have.
    #[error("Invalid check '{name}' in configuration allowed values are: {allowed} (in {place})")]
    InvalidCheck {
        /// What was written.
        name: String,
        /// `'a', 'b'`
        allowed: String,
        /// Where.
        place: Place,
    },
    /// A value that does not begin with a port number.
    #[error(
        "Config entry '{entry}' has invalid value '{value}' in {place}; a port is a number from 1 to 65535"
    )]
    InvalidPort {
        /// `host->db2->mysql_port`
        entry: String,
        /// What was written.
        value: String,
        /// Where.
        place: Place,
    },
    /// A value that a helper needs and that is not UTF-8. Its bytes may be a password: not shown.
    #[error(
        "Config entry '{entry}' in {place} is not UTF-8; save the file as UTF-8, or choose an ASCII value"
    )]
    NotUtf8 {
        /// `host->db2->agent_password`
        entry: String,
        /// Where.
        place: Place,
    },
    /// This host has no `peer`.
    #[error("No peer defined for host {host}; add peer to its section if it is a master")]
    NoPeer {
        /// This host.
        host: HostName,
    },
    /// This host's `peer` is no host.
    #[error(
        "No peer connection info: the peer {peer} of host {host} has no section <host {peer}>; add it, or correct peer"
    )]
    NoPeerSection {
        /// This host.
        host: HostName,
        /// The name in its section.
        peer: HostName,
    },
    /// Two hosts with the same address and the same port.
    #[error(
        "Hosts {first} and {second} both have ip {ip} and port {port}; give each its own ip or mysql_port"
    )]
    SharedAddress {
        /// The address, as asked for.
        ip: String,
        /// The port.
        port: u16,
        /// One host.
        first: HostName,
        /// The other.
        second: HostName,
    },
    /// The settings have a TLS mode for a host that the configuration does not have.
    #[error(
        "tls.hosts in mmm_helpers.yaml names {name}, which is not a host of this configuration; correct it: the hosts are {known}"
    )]
    UnknownTlsHost {
        /// The name there.
        name: String,
        /// The hosts there are.
        known: String,
    },
}

impl Coded for ConfigError {
    fn code(&self) -> &'static str {
        self.into()
    }
}
