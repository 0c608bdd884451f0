//! `network`: how an address is announced, checked for conflicts, and made known to a cloud.

use std::time::Duration;

use serde::de::Error;
use serde::{Deserialize, Deserializer};

use super::value;

/// What a word of a hook may stand for.
const PLACEHOLDERS: [&str; 4] = ["interface", "address", "host", "eni"];
/// Most announcements of one address without a pause.
const MOST: u32 = 1000;

/// `network`
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields, expecting = "keys with their values")]
pub struct Network {
    /// How an address is announced.
    #[serde(deserialize_with = "value::section")]
    pub announce: Announce,
    /// The maximum time of IPv6's duplicate address detection, default 5 s; `None`: it is skipped.
    #[serde(deserialize_with = "value::duration_or_off")]
    pub dad: Option<Duration>,
    /// How long other hosts are asked by ARP for an address before it is added; `None` (default): not at all.
    #[serde(deserialize_with = "value::duration_or_off")]
    pub probe: Option<Duration>,
    /// How long after `clear_ip` what still comes for the address is refused, so that a client retries at once.
    /// Default 3 s; `None`: nothing is answered.
    #[serde(deserialize_with = "value::duration_or_off")]
    pub farewell: Option<Duration>,
    /// Commands of the site.
    #[serde(deserialize_with = "value::section")]
    pub hooks: Hooks,
}

impl Default for Network {
    fn default() -> Self {
        Self {
            announce: Announce::default(),
            dad: Some(Duration::from_secs(5)),
            probe: None,
            farewell: Some(Duration::from_secs(3)),
            hooks: Hooks::default(),
        }
    }
}

/// `network.announce`
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields, expecting = "keys with their values")]
pub struct Announce {
    /// How often a new address is announced, the first time included. Default 5.
    #[serde(deserialize_with = "count")]
    pub count: u32,
    /// The time between. Default 200 ms.
    #[serde(deserialize_with = "value::duration")]
    pub interval: Duration,
    /// After that, how often again while the address is held; `None` (default): not again.
    #[serde(deserialize_with = "value::duration_or_off")]
    pub refresh: Option<Duration>,
}

impl Default for Announce {
    fn default() -> Self {
        Self { count: 5, interval: Duration::from_millis(200), refresh: None }
    }
}

/// `network.hooks`
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields, expecting = "keys with their values")]
pub struct Hooks {
    /// Run by `configure_ip` once the address is on the interface.
    #[serde(deserialize_with = "value::section")]
    pub added: Hook,
    /// Run by `clear_ip` once the address is not on the interface.
    #[serde(deserialize_with = "value::section")]
    pub removed: Hook,
    /// Run by `check_ip` if the address is on the interface.
    #[serde(deserialize_with = "value::section")]
    pub checked: Hook,
}

/// A command of the site.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields, expecting = "keys with their values")]
pub struct Hook {
    /// The absolute path of the program, and its arguments; empty (default): nothing is run.
    #[serde(deserialize_with = "words")]
    pub command: Vec<String>,
    /// Its maximum time. Default 5 s.
    #[serde(deserialize_with = "value::duration")]
    pub limit: Duration,
}

impl Default for Hook {
    fn default() -> Self {
        Self { command: Vec::new(), limit: Duration::from_secs(5) }
    }
}

/// The next placeholder in a word of a hook: what stands before it, its name, and the rest behind it. Braces
/// around anything but letters and underscores are ordinary characters.
pub(crate) fn split_placeholder(word: &str) -> Option<(&str, &str, &str)> {
    word.match_indices('{').find_map(|(start, _)| {
        let (name, rest) = word[start + 1..].split_once('}')?;
        let is_name = !name.is_empty() && name.chars().all(|c| c.is_ascii_alphabetic() || c == '_');
        is_name.then_some((&word[..start], name, rest))
    })
}

fn count<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u32, D::Error> {
    let count = u32::deserialize(deserializer)?;
    if (1..=MOST).contains(&count) {
        return Ok(count);
    }
    Err(D::Error::custom(format_args!("invalid value {count}, expected a number from 1 to {MOST}")))
}

fn words<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    command(deserializer, &PLACEHOLDERS)
}

/// The words of a command, in which these placeholders may stand.
pub(super) fn command<'de, D: Deserializer<'de>>(
    deserializer: D,
    placeholders: &[&str],
) -> Result<Vec<String>, D::Error> {
    let words = Vec::<String>::deserialize(deserializer)?;
    check_command::<D::Error>(&words)?;
    // The program has to be known, so that it can be checked who could change it.
    if words.first().is_some_and(|program| split_placeholder(program).is_some()) {
        return Err(D::Error::custom("expected a program without a placeholder"));
    }
    for word in &words {
        let mut rest = word.as_str();
        while let Some((_, name, behind)) = split_placeholder(rest) {
            if !placeholders.contains(&name) {
                return Err(D::Error::custom(format_args!(
                    "unknown placeholder {{{name}}}, expected one of {{{}}}",
                    placeholders.join("}, {")
                )));
            }
            rest = behind;
        }
    }
    Ok(words)
}

/// What holds for every command.
pub(super) fn check_command<E: Error>(words: &[String]) -> Result<(), E> {
    if words.first().is_some_and(|program| !program.starts_with('/')) {
        return Err(E::custom("expected the absolute path of the program, beginning with /"));
    }
    if words.iter().any(|word| word.contains('\0')) {
        return Err(E::custom("a word of a command cannot hold a NUL"));
    }
    Ok(())
}

#[cfg(test)]
mod tests;
