//! What an agent requires of its configuration (docs/CONTRACT.md, 4.3), and the configuration that a tree makes.
//!
//! Everything that the original's check refuses is refused, in the order of sections and names and not by
//! chance. A value at which the original fails only later does not stop a helper that never uses it.

mod host;

use std::path::Path;

use super::hosts::is_same;
use super::quirk::{Quirk, Warning};
use super::tree::{Entries, Entry, Section, Tree, entry_name};
use super::words::{self, Kind};
use super::{Blocking, Config, ConfigError, Host, HostName, Role};

/// The name of a template among hosts and checks.
const TEMPLATE: &str = "default";
const DEFAULT_RETRIES: i64 = 10;
const BLOCK: &str = "iptables_block_cmd";
const UNBLOCK: &str = "iptables_unblock_cmd";

/// Checks a tree and makes the configuration of it; `file` is named for what no file says.
pub fn check(tree: &Tree, file: &Path, warnings: &mut Vec<Warning>) -> Result<Config, ConfigError> {
    let rules = Rules { tree, file };
    rules.booleans()?;
    let hosts = rules.hosts(warnings)?;
    let this = rules.this(&hosts)?;
    let active_master_role = rules.active_master_role()?;
    rules.monitoring(warnings)?;
    rules.copy_methods()?;
    let max_kill_retries = rules.max_kill_retries(warnings);
    let blocking = rules.blocking(&hosts[this], warnings)?;
    Ok(Config {
        this,
        hosts,
        roles: listed_roles(tree),
        active_master_role,
        max_kill_retries,
        blocking,
        channel: None,
    })
}

struct Rules<'a> {
    tree: &'a Tree,
    file: &'a Path,
}

impl<'a> Rules<'a> {
    fn booleans(&self) -> Result<(), ConfigError> {
        booleans(None, "", &self.tree.top)?;
        let sections = &self.tree.sections;
        sections.iter().try_for_each(|((kind, name), section)| booleans(Some(*kind), name, &section.entries))
    }

    /// A variable or section that stands outside any section and is missing.
    fn missing(&self, entry: &str, example: &str) -> ConfigError {
        let whereto = format!("to '{}', as: {example}", self.file.display());
        ConfigError::Missing { entry: entry.into(), whereto }
    }

    fn names(&self, kind: Kind) -> impl Iterator<Item = &'a str> + Clone + use<'a> {
        self.tree.of(kind).map(|(name, _)| name)
    }

    fn host_names(&self) -> impl Iterator<Item = &'a str> + Clone + use<'a> {
        self.names(Kind::Host).filter(|name| *name != TEMPLATE)
    }

    fn hosts(&self, warnings: &mut Vec<Warning>) -> Result<Vec<Host>, ConfigError> {
        let template = self.tree.section(Kind::Host, TEMPLATE);
        let mut hosts: Vec<Host> = Vec::new();
        for (name, section) in self.tree.of(Kind::Host).filter(|(name, _)| *name != TEMPLATE) {
            let host = host::View { name, section, template }.check(self.host_names(), warnings)?;
            if let Some(other) =
                hosts.iter().find(|other| is_same(&other.ip, &host.ip) && other.mysql_port == host.mysql_port)
            {
                let quirk = Quirk::SharedAddress { first: other.name.to_string(), second: name.into() };
                warnings.push(Warning { place: section.place.clone(), quirk });
            }
            hosts.push(host);
        }
        if hosts.is_empty() { Err(self.missing("host", "<host NAME> … </host>")) } else { Ok(hosts) }
    }

    /// The index of this host.
    fn this(&self, hosts: &[Host]) -> Result<usize, ConfigError> {
        let this = self.tree.top.get("this").ok_or_else(|| self.missing("this", "this NAME"))?;
        one_of(this, self.host_names(), || "this".into())?;
        // Just found among the very names that the hosts have.
        Ok(hosts.iter().position(|host| this.is(host.name.as_str())).unwrap_or_default())
    }

    /// Checks the roles and gives the active master's.
    fn active_master_role(&self) -> Result<String, ConfigError> {
        let mut roles = self.tree.of(Kind::Role).peekable();
        if roles.peek().is_none() {
            return Err(self.missing("role", "<role NAME> … </role>"));
        }
        for (name, section) in roles {
            let label = |key| move || entry_name(Some(Kind::Role), name, key);
            let Some(_) = section.entries.get("ips") else {
                let whereto = format!("to <role {name}> in {}", section.place);
                return Err(ConfigError::Missing { entry: label("ips")(), whereto });
            };
            optional(section, "mode", ["exclusive", "balanced"], label("mode"))?;
            optional(section, "hosts", self.host_names(), label("hosts"))?;
            optional(section, "prefer", self.host_names(), label("prefer"))?;
        }
        let active = self
            .tree
            .top
            .get("active_master_role")
            .ok_or_else(|| self.missing("active_master_role", "active_master_role NAME"))?;
        one_of(active, self.names(Kind::Role), || "active_master_role".into())?;
        text(active, || "active_master_role".into())
    }

    /// What only the monitor uses, and the agent's check looks at all the same.
    fn monitoring(&self, warnings: &mut Vec<Warning>) -> Result<(), ConfigError> {
        const CHECKS: [&str; 5] = ["ping", "ping_ip", "mysql", "rep_threads", "rep_backlog"];
        if let Some(monitor) = self.tree.section(Kind::Monitor, "") {
            let modes = ["active", "manual", "wait", "passive"];
            optional(monitor, "mode", modes, || "monitor->mode".into())?;
        }
        if let Some(socket) = self.tree.section(Kind::Socket, "") {
            optional(socket, "type", ["plain", "ssl"], || "socket->type".into())?;
            let is_ssl = socket.entries.get("type").is_some_and(|kind| kind.is("ssl"));
            for entry in ["cert_file", "key_file", "ca_file"] {
                if is_ssl && !socket.entries.contains_key(entry) {
                    let quirk = Quirk::NoCertificate { entry };
                    warnings.push(Warning { place: socket.place.clone(), quirk });
                }
            }
        }
        for (name, section) in self.tree.of(Kind::Check) {
            if name != TEMPLATE && !CHECKS.contains(&name) {
                let allowed = quoted(CHECKS);
                return Err(ConfigError::InvalidCheck {
                    name: name.into(),
                    allowed,
                    place: section.place.clone(),
                });
            }
        }
        Ok(())
    }

    fn copy_methods(&self) -> Result<(), ConfigError> {
        let mut methods = self.tree.of(Kind::CopyMethod).peekable();
        if let (Some(method), Some(_)) = (self.tree.top.get("default_copy_method"), methods.peek()) {
            one_of(method, self.names(Kind::CopyMethod), || "default_copy_method".into())?;
        }
        for (name, section) in methods {
            for key in ["backup_command", "restore_command"] {
                if !section.entries.contains_key(key) {
                    return Err(ConfigError::Missing {
                        entry: entry_name(Some(Kind::CopyMethod), name, key),
                        whereto: format!("to <copy_method {name}> in {}", section.place),
                    });
                }
            }
        }
        Ok(())
    }

    /// If this value is a word, the original dies before it kills, and leaves the old master's clients connected.
    fn max_kill_retries(&self, warnings: &mut Vec<Warning>) -> i64 {
        let Some(entry) = self.tree.top.get("max_kill_retries") else { return DEFAULT_RETRIES };
        let value = entry.bytes();
        let (sign, digits) = match value.strip_prefix(b"-") {
            Some(digits) => (-1, digits),
            None => (1, value),
        };
        let taken = match leading_number(digits) {
            Some((number, [])) => return number.saturating_mul(sign),
            Some((number, _)) => number.saturating_mul(sign),
            None => DEFAULT_RETRIES,
        };
        warnings.push(Warning { place: entry.place.clone(), quirk: Quirk::Retries { taken } });
        taken
    }

    fn blocking(&self, this: &Host, warnings: &mut Vec<Warning>) -> Result<Blocking, ConfigError> {
        let template = self.tree.section(Kind::Host, TEMPLATE).map(|section| &section.entries);
        let own = self.tree.section(Kind::Host, this.name.as_str()).map(|section| &section.entries);
        let get =
            |key| [own, template, Some(&self.tree.top)].into_iter().flatten().find_map(|all| all.get(key));
        let Some(blocking) = get("blocking_type").filter(|entry| !entry.is("hard")) else {
            return Ok(Blocking::Hard);
        };
        if !blocking.is("soft") {
            return Ok(Blocking::Unknown(String::from_utf8_lossy(blocking.bytes()).into_owned()));
        }
        let (block, unblock) = (get(BLOCK), get(UNBLOCK));
        let half = match (block, unblock) {
            (Some(entry), None) => Some((entry, BLOCK, UNBLOCK)),
            (None, Some(entry)) => Some((entry, UNBLOCK, BLOCK)),
            _ => None,
        };
        if let Some((entry, set, missing)) = half {
            warnings
                .push(Warning { place: entry.place.clone(), quirk: Quirk::HalfBlocking { set, missing } });
        }
        let command = |entry: Option<&Entry>, key: &str, action| match entry {
            Some(entry) => text(entry, || key.into()),
            None => Ok(reject_new_connections(action, this.mysql_port)),
        };
        Ok(Blocking::Soft { block: command(block, BLOCK, "-I")?, unblock: command(unblock, UNBLOCK, "-D")? })
    }
}

/// Not on `lo`: the helpers of this host reach its server by its own address, and must still reach it.
fn reject_new_connections(action: &str, port: u16) -> String {
    format!(
        "/sbin/iptables {action} INPUT ! -i lo -p tcp --syn --dport {port} -j REJECT --reject-with tcp-reset"
    )
}

fn listed_roles(tree: &Tree) -> Vec<Role> {
    let listed = |section: &Section, key| -> Vec<String> {
        let values = section.entries.get(key).into_iter().flat_map(Entry::values);
        let texts = values.map(|item| String::from_utf8_lossy(item).into_owned());
        texts.filter(|item| !item.is_empty()).collect()
    };
    let role = |(name, section): (&str, &Section)| Role {
        name: name.into(),
        hosts: listed(section, "hosts").iter().filter_map(|name| HostName::new(name)).collect(),
        ips: listed(section, "ips"),
    };
    tree.of(Kind::Role).map(role).collect()
}

fn booleans(kind: Option<Kind>, name: &str, entries: &Entries) -> Result<(), ConfigError> {
    const WORDS: [&str; 8] = ["true", "on", "yes", "1", "false", "off", "no", "0"];
    for (key, entry) in entries.iter().filter(|(key, _)| words::is_boolean(key)) {
        if !WORDS.iter().any(|word| entry.bytes().eq_ignore_ascii_case(word.as_bytes())) {
            return Err(invalid(entry, entry.bytes(), WORDS, entry_name(kind, name, key)));
        }
    }
    Ok(())
}

/// Requires that a value, or every item of a list, is one of the words allowed.
fn one_of<'a, I>(entry: &Entry, allowed: I, label: impl FnOnce() -> String) -> Result<(), ConfigError>
where
    I: IntoIterator<Item = &'a str> + Clone,
{
    let is_allowed = |value: &[u8]| allowed.clone().into_iter().any(|word| word.as_bytes() == value);
    match entry.values().find(|value| !is_allowed(value)) {
        Some(value) => Err(invalid(entry, value, allowed, label())),
        None => Ok(()),
    }
}

/// [`one_of`] for a variable that may be missing.
fn optional<'a, I>(
    section: &Section,
    key: &str,
    allowed: I,
    label: impl FnOnce() -> String,
) -> Result<(), ConfigError>
where
    I: IntoIterator<Item = &'a str> + Clone,
{
    section.entries.get(key).map_or(Ok(()), |entry| one_of(entry, allowed, label))
}

fn invalid<'a>(
    entry: &Entry,
    value: &[u8],
    allowed: impl IntoIterator<Item = &'a str>,
    label: String,
) -> ConfigError {
    ConfigError::InvalidValue {
        entry: label,
        value: String::from_utf8_lossy(value).into_owned(),
        allowed: quoted(allowed),
        place: entry.place.clone(),
        hint: if value.contains(&b'#') { "; a comment needs a line of its own" } else { "" },
    }
}

fn quoted<'a>(words: impl IntoIterator<Item = &'a str>) -> String {
    words.into_iter().map(|word| format!("'{word}'")).collect::<Vec<_>>().join(", ")
}

/// A value as text. The client library takes user, password and host as UTF-8 only.
fn text(entry: &Entry, label: impl FnOnce() -> String) -> Result<String, ConfigError> {
    match std::str::from_utf8(entry.bytes()) {
        Ok(text) => Ok(text.into()),
        Err(_) => Err(ConfigError::NotUtf8 { entry: label(), place: entry.place.clone() }),
    }
}

/// The digits with which a value begins as a number, and the rest of it.
fn leading_number(value: &[u8]) -> Option<(i64, &[u8])> {
    let end = value.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(value.len());
    let (digits, rest) = value.split_at(end);
    let add = |sum: i64, digit: &u8| sum.saturating_mul(10).saturating_add(i64::from(digit - b'0'));
    (!digits.is_empty()).then(|| (digits.iter().fold(0, add), rest))
}

#[cfg(test)]
mod tests;
