//! Looks at the peer again and again until the answer is certain.

use std::time::Duration;

use mmm_core::config::{Config, Host};
use mmm_core::report;

use crate::channel::liveness::Shown;
use crate::channel::{self, liveness, threads};
use crate::error::Error;
use crate::gate::fence::forget_fence;
use crate::gate::peer::{connect, unreadable};
use crate::gate::proof::Proof;
use crate::gate::question::Question;
use crate::position::BinlogPosition;
use crate::refusal::Refusal;
use crate::rehearsal::Rehearsal;
use crate::server::{Server, lock};
use crate::status::Channel;
use crate::survivors::dialled::Dialled;
use crate::survivors::seen;

/// Pause between two looks.
pub(super) const PAUSE: Duration = Duration::from_millis(10);

/// One call's question.
pub(super) struct Gate<'a> {
    pub(super) local: &'a mut Server,
    pub(super) config: &'a Config,
    pub(super) peer: &'a Host,
    pub(super) channel: String,
    /// True in a dry run if some threads are stopped that would have been started.
    pub(super) would_wake: bool,
    pub(super) question: Question<'a>,
    /// From how many survivors something was taken over.
    pub(super) taken: usize,
    /// Connections to other slaves, once the peer was found silent.
    pub(super) dialled: Option<Dialled>,
    /// Set if a peer that takes writes is judged as if it were closed.
    pub(super) supposed: Option<Rehearsal>,
    /// What the channel showed of the peer before it was watched and found silent.
    pub(super) silent: Option<Shown>,
}

impl Gate<'_> {
    /// Judges by the state of the connection to the peer.
    pub(super) fn with(&mut self, mut connection: Result<Server, Error>) -> Result<Proof, Error> {
        loop {
            if let Some(proof) = self.by(connection)? {
                return Ok(proof);
            }
            connection = connect(self.peer, self.question);
        }
    }

    fn by(&mut self, connection: Result<Server, Error>) -> Result<Option<Proof>, Error> {
        let answer = match connection.and_then(|mut peer| self.against(&mut peer)) {
            // Its own mysql_deny_write ends sessions, ours among them.
            Err(Error::Broken { host, .. }) if host == self.peer.name.as_str() => {
                connect(self.peer, self.question).and_then(|mut peer| self.against(&mut peer))
            }
            other => other,
        };
        match answer {
            Err(
                error
                @ (Error::Connect { answered: false, .. } | Error::Silent { .. } | Error::Broken { .. }),
            ) => self.unless_alive(&error),
            answer => {
                forget_fence(self.config.this_host());
                if answer.is_ok() {
                    seen::forget_all(self.config);
                    seen::forget_opened(self.config.this_host());
                }
                match answer {
                    Err(error @ Error::Connect { .. }) => Err(self.unreadable(error.to_string())),
                    answer => answer.map(Some),
                }
            }
        }
    }

    /// Lets the I/O thread connect at once to a peer that answers, if the thread would not do so by itself for a while.
    pub(super) fn fetch_again(&mut self, seen: &Channel) -> Result<(), Error> {
        // A rehearsal starts nothing, and the channel may be another host's.
        if self.supposed.is_some() || !liveness::is_missed(self.local, seen, self.peer)? {
            return Ok(());
        }
        lock::take(self.local)?;
        let now = channel::again(self.local, &self.channel)?;
        self.would_wake |= report::is_dry_run();
        if now.io == seen.io { threads::fetch_again(self.local, &now) } else { Ok(()) }
    }

    pub(super) fn not_applied(&self, now: &Channel, missing: String, target: &BinlogPosition) -> Error {
        let stopped = !now.is_running();
        let reason = match now.sql_state.as_str() {
            _ if stopped => format!(" ({})", now.what_is_wrong()),
            "" => String::new(),
            state => format!(" (its SQL thread: {state})"),
        };
        let target_text = match &now.applied {
            Some(applied) if applied.file == target.file => target.offset.to_string(),
            _ => target.to_string(),
        };
        Refusal::NotApplied {
            peer: self.peer.name.to_string(),
            missing,
            applied: BinlogPosition::shown(now.applied.as_ref()),
            target: target_text,
            then: format!("{}{reason}", self.question.otherwise),
        }
        .into()
    }

    pub(super) fn unreadable(&self, reason: String) -> Error {
        unreadable(self.peer, self.question, reason)
    }
}
