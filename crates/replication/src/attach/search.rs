//! What a plan needs of the servers' logs.

use std::time::Duration;

use mmm_core::Budget;
use mmm_core::journal::step;

use super::Move;
use crate::binlog::place::{self, Logged};
use crate::binlog::stream::Reader;
use crate::channel;
use crate::error::Error;
use crate::facts::{Facts, OldMaster, OldState, OwnLog};
use crate::gtid::GtidPosition;
use crate::history::{self, Located};
use crate::observe::{self, Old};
use crate::plan::Wanted;
use crate::prefix;

/// How long the old master's log may be looked through.
const LOOK_AT_OLD: Duration = Duration::from_secs(2);

impl Move<'_> {
    pub(super) fn locate(&mut self, facts: &Facts, wanted: &Wanted) -> Result<Located, Error> {
        let new = &mut self.new;
        let what = format!("looked into the log of {}", new.host());
        match wanted {
            Wanted::Position(at) => self.locate_position(facts, at),
            Wanted::Set(set) => step(&what, || prefix::locate(new, set)),
            Wanted::LastGroups => step(&what, || self.locate_last(facts)),
        }
    }

    fn locate_last(&mut self, facts: &Facts) -> Result<Located, Error> {
        let Some(of) = facts.replica.channel.applied.clone() else {
            return Err(self.replica.unexpected(self.replica.dialect().show_channels(), "a position"));
        };
        let log_of_replica = if facts.replica.logs_updates { observe::log_end(self.replica)? } else { None };
        // An old master that can tell the place in its own way gets its share of the time.
        let (is_alive, logs_updates) = match &facts.old {
            OldMaster::Answers(old) => (true, old.log_slave_updates),
            _ => (false, false),
        };
        let budget = if is_alive { self.budget.part(30) } else { self.new.budget() };
        let mut replica =
            Logged { server: &mut *self.replica, reader: Reader::new(self.this_host, self.connect, budget) };
        let mut new =
            Logged { server: &mut self.new, reader: Reader::new(self.new_host, self.connect, budget) };
        let sought = match place::find(&mut replica, &facts.replica, &mut new, facts.new.server_id) {
            Err(error @ (Error::Refused(_) | Error::Query { .. } | Error::Connect { .. })) if is_alive => {
                error.to_string().into()
            }
            other => other?,
        };
        let (found, end) = (sought.found, facts.new.end.clone());
        // A place that is found needs no such look, which can be one through all of the log.
        let has_own = match sought.has_own {
            Some(has_own) => has_own,
            None if found.is_ok() || !facts.new.read_only || logs_updates => true,
            None => place::has_own(&mut new, facts.new.server_id)?,
        };
        let now = channel::again(self.replica, &self.channel)?;
        let stood_still = !now.sql_running || now.applied.as_ref() == Some(&of) && now.has_applied_all();
        Ok(Located::Groups { of, end, found, has_own, stood_still, log_of_replica })
    }

    fn locate_position(&mut self, facts: &Facts, at: &GtidPosition) -> Result<Located, Error> {
        let keeps_log = facts.replica.log_of_everything().is_some();
        let of_source = if keeps_log { None } else { self.log_of_old(facts, at) };
        // Without either, the order of the new master's log has to tell what the replica has.
        let needs_order = !keeps_log && of_source.is_none();
        let located = step(&format!("found {at} in the log of {}", self.new_host.name), || {
            history::locate(&mut self.new, at, needs_order)
        })?;
        Ok(located.beside(of_source))
    }

    /// The old master's log up to the replica's place, where it answers and logs all that it passes on.
    fn log_of_old(&mut self, facts: &Facts, at: &GtidPosition) -> Option<OwnLog> {
        let (OldMaster::Answers(OldState { log_slave_updates: true, .. }), Old::Connected(old)) =
            (&facts.old, &mut self.old)
        else {
            return None;
        };
        let whole = old.budget();
        old.use_budget(Budget::start(Some(whole.share(LOOK_AT_OLD))));
        let mut look = || -> Result<Option<OwnLog>, Error> {
            let Located::Found { state, .. } = history::locate(old, at, false)? else { return Ok(None) };
            Ok(Some(OwnLog { state, begin: history::oldest_known(old)? }))
        };
        let log = look().unwrap_or_else(|error| {
            log::warn!("not judged by the log of {}: {error}", self.old_host.name);
            None
        });
        old.use_budget(whole);
        log
    }
}
