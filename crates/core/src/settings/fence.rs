//! `allow_write.fence`: how a peer that does not answer is kept from taking writes.

use std::time::Duration;

use serde::{Deserialize, Deserializer};

use super::{network, value};

/// What a word of the command may stand for.
const PLACEHOLDERS: [&str; 4] = ["peer", "peer_address", "host", "address"];

/// How much of a call it may use, in percent.
const SHARE: u32 = 80;

/// `allow_write.fence`
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields, expecting = "keys with their values")]
pub struct Fence {
    /// The absolute path of the program, and its arguments; empty (default): writes are opened beside a silent peer
    /// without it.
    #[serde(deserialize_with = "words")]
    pub command: Vec<String>,
    /// Its maximum time. Default 5 s.
    #[serde(deserialize_with = "value::duration")]
    pub limit: Duration,
}

impl Fence {
    /// Its name in the settings.
    pub const KEY: &str = "allow_write.fence";

    /// Its maximum time in a call of that length: four fifths of it, so that the peer can be asked before.
    pub fn most(&self, call: Option<Duration>) -> Duration {
        call.map_or(self.limit, |call| self.limit.min(call * SHARE / 100))
    }

    /// True if there is one.
    pub fn is_set(&self) -> bool {
        !self.command.is_empty()
    }
}

impl Default for Fence {
    fn default() -> Self {
        Self { command: Vec::new(), limit: Duration::from_secs(5) }
    }
}

fn words<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    network::command(deserializer, &PLACEHOLDERS)
}
