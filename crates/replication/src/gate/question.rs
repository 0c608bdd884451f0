//! How a caller asks.

use mmm_core::Budget;
use mmm_core::config::Config;
use mmm_core::settings::{AllowWrite, Settings, Survivors};

use crate::survivors::pursuit::Pursuit;

/// How a caller asks.
#[derive(Clone, Copy, Debug)]
pub struct Question<'a> {
    /// What does not happen if the answer is no, for the refusal's text.
    pub otherwise: &'a str,
    /// True to wait, within the budget, for a yes.
    pub wait: bool,
    /// True if writes are opened after a yes, so that nothing may come from another slave any more.
    pub opens: bool,
    /// The settings: limits of connections, after how much silence a peer that lets nobody in counts as dead, and what
    /// is done about transactions that only another slave has.
    pub settings: &'a Settings,
    /// The time of the call.
    pub budget: Budget,
}

impl<'a> Question<'a> {
    /// Without the gate, nobody is asked.
    pub(super) fn survivors(self) -> Survivors {
        let AllowWrite { gate, survivors, .. } = self.settings.allow_write;
        if gate { survivors } else { Survivors::Off }
    }

    pub(super) fn pursuit(self, config: &'a Config) -> Pursuit<'a> {
        let Self { settings, budget, otherwise, .. } = self;
        Pursuit { config, settings, budget, otherwise }
    }
}
