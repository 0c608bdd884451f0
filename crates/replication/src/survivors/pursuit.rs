//! Who pursues what only a survivor has, and with which budget.

use std::time::Duration;

use mmm_core::Budget;
use mmm_core::config::Config;
use mmm_core::settings::Settings;

use crate::error::Error;
use crate::refusal::Refusal;

/// Who asks, and with which budget.
#[derive(Clone, Copy, Debug)]
pub struct Pursuit<'a> {
    /// The configuration.
    pub config: &'a Config,
    /// The settings.
    pub settings: &'a Settings,
    /// The time of the call.
    pub budget: Budget,
    /// What does not happen until it is done, for a refusal's text.
    pub otherwise: &'a str,
}

impl Pursuit<'_> {
    /// It is not done yet, and the next call continues it.
    pub fn still(&self, survivor: &str, state: String) -> Error {
        let (host, survivor, then) = (self.config.this().to_string(), survivor.into(), self.otherwise.into());
        Refusal::StillTakingOver { host, survivor, state, then }.into()
    }

    /// What `survivor` alone has cannot be taken over.
    pub fn unfit(&self, survivor: &str, reason: String) -> Error {
        let (host, survivor) = (self.config.this().to_string(), survivor.into());
        Refusal::TailUnfit { host, survivor, reason }.into()
    }

    /// The old master `peer`, which does not answer this host, is heard by `survivor`.
    pub fn is_alive(&self, peer: &str, survivor: &str) -> Error {
        Refusal::PeerIsAlive {
            peer: peer.into(),
            reason: "it does not answer this host".into(),
            host: survivor.into(),
            heard: Duration::ZERO,
            then: self.otherwise.into(),
            limit: self.settings.allow_write.silence,
        }
        .into()
    }
}
