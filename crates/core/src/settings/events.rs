//! `events`: a command of the site that learns what the helpers change.

use std::time::Duration;

use serde::{Deserialize, Deserializer};

use super::{network, value};

/// `events`
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields, expecting = "keys with their values")]
pub struct Events {
    /// The absolute path of the program, and its arguments; empty (default): nobody is told. Nothing is filled in.
    #[serde(deserialize_with = "words")]
    pub command: Vec<String>,
    /// The maximum time for one event. Default 10 s. No answer waits for it.
    #[serde(deserialize_with = "value::duration")]
    pub limit: Duration,
}

impl Events {
    /// Its name in the settings.
    pub const KEY: &str = "events.command";
}

impl Default for Events {
    fn default() -> Self {
        Self { command: Vec::new(), limit: Duration::from_secs(10) }
    }
}

fn words<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    let words = Vec::<String>::deserialize(deserializer)?;
    network::check_command::<D::Error>(&words).map(|()| words)
}
