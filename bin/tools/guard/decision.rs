//! Whether this host may be closed: it has just started, or nobody serves clients here.
//!
//! Someone may run the program by mistake where clients write. Then it must do nothing.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

/// What is known of this host.
#[derive(Clone, Debug)]
pub struct Situation {
    /// A person has said `--now`.
    pub is_wanted: bool,
    /// For how long after its start a server is closed.
    pub within: Duration,
    /// How long the machine has been running.
    pub machine: Duration,
    /// What the server does.
    pub server: Service,
    /// True if an agent is running.
    pub agent_runs: bool,
    /// The last call that gave this host a role, and when it began.
    pub given: Option<(String, Timestamp)>,
    /// The time.
    pub now: Timestamp,
}

/// What a server does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Service {
    /// Nobody accepts connections.
    Down,
    /// Something does, and there is no log-in, for this reason.
    Closed(String),
    /// It answers, and has been running for so long.
    Up(Duration),
}

/// Why nothing is done.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The agent has decided since the server's start.
    #[error(
        "nothing was done: the agent is running and has given this host a role since its server started ({helper} at \
         {at}), so clients may be writing. To close it all the same, use mysql_deny_write, or mmm_guard --now"
    )]
    AgentDecided {
        /// The helper that it called.
        helper: String,
        /// When.
        at: String,
    },
    /// It did not start just now.
    #[error(
        "nothing was done: the server has been running for {} s, and this program is for the first {} s after its start. \
         To close it all the same, use mysql_deny_write, or mmm_guard --now",
        .running.as_secs(), .within.as_secs()
    )]
    RunsForLong {
        /// How long it has been running.
        running: Duration,
        /// `--within`
        within: Duration,
    },
    /// Nobody can tell when it started.
    #[error(
        "nothing was done: a server accepts connections here and cannot be asked since when it runs: {reason}. Fix that, or \
         use mmm_guard --now"
    )]
    CannotTell {
        /// Why not.
        reason: String,
    },
}

impl Situation {
    /// Why nothing may be done, if that is so.
    pub fn refusal(&self) -> Option<Refusal> {
        if self.is_wanted {
            return None;
        }
        match &self.server {
            Service::Down => None,
            Service::Closed(_) if self.machine <= self.within => None,
            Service::Closed(reason) => Some(Refusal::CannotTell { reason: reason.clone() }),
            Service::Up(running) => self.decided(*running).or_else(|| {
                let (running, within) = (*running, self.within);
                (running > within).then_some(Refusal::RunsForLong { running, within })
            }),
        }
    }

    /// A server tells only the whole seconds for which it has been running; it may have started up to a second earlier.
    fn decided(&self, running: Duration) -> Option<Refusal> {
        let running = SignedDuration::try_from(running.saturating_add(Duration::from_secs(1))).ok()?;
        let started = self.now.checked_sub(running).ok()?;
        let (helper, at) = self.given.as_ref().filter(|(_, at)| self.agent_runs && *at >= started)?;
        Some(Refusal::AgentDecided { helper: helper.clone(), at: format!("{at:.0}") })
    }
}

#[cfg(test)]
mod tests;
