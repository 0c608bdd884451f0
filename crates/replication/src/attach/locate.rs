//! What a plan needs of the servers' logs.

use std::time::{Duration, Instant};

use mmm_core::Budget;
use mmm_core::config::Host;
use mmm_core::journal::step;

use crate::attach::moving::Move;
use crate::attach::observe::Old;
use crate::attach::shares::SEARCHING_BESIDE_OLD;
use crate::binlog::by_content::{self, own};
use crate::binlog::by_gtid::scan::Scope;
use crate::binlog::located::{Gap, Located};
use crate::binlog::logged::Logged;
use crate::binlog::reading::Log;
use crate::binlog::stream::Reader;
use crate::binlog::{by_gtid, by_set, end, unfinished};
use crate::channel;
use crate::error::Error;
use crate::facts::{Facts, OldMaster, OldState, OwnLog};
use crate::gtid::{Gtid, GtidPosition, GtidState};
use crate::plan::{self, Wanted};

/// How long the old master's log may be looked through.
const LOOK_AT_OLD: Duration = Duration::from_secs(2);

impl Move<'_> {
    /// Looks for what a plan wants, from where the earlier search ended if its result is still of use.
    pub(super) fn locate(
        &mut self,
        facts: &Facts,
        wanted: &Wanted,
        earlier: Option<&Located>,
    ) -> Result<Located, Error> {
        let what = format!("looked into the log of {}", self.new.host());
        match wanted {
            Wanted::Position(at) => self.locate_position(facts, at, false, earlier),
            Wanted::History(at) => self.locate_position(facts, at, true, earlier),
            Wanted::Logged(at) => step(&what, || {
                let mut log = self.log_of_new(facts);
                Ok(match by_gtid::locate(&mut log, at, &Scope::default(), earlier)? {
                    Located::Found { at, position, state, .. } => {
                        let next = match &position {
                            Some(place) => by_gtid::next_behind(&mut log, place, &at)?,
                            None => GtidPosition::default(),
                        };
                        let replicated =
                            facts.new.channel.as_ref().and_then(|channel| channel.applied.clone());
                        let searched = facts.new.state.clone();
                        Located::Logged { at, position, state, next, searched, replicated }
                    }
                    other => other,
                })
            }),
            Wanted::Set(set) => step(&what, || by_set::locate(&mut self.log_of_new(facts), set, earlier)),
            Wanted::LastGroups => step(&what, || self.locate_last(facts)),
        }
    }

    fn log_of_new(&mut self, facts: &Facts) -> Log<'_, '_> {
        let reader = Reader::new(self.new_host, self.connect, self.new.budget());
        let notes = Some(unfinished::note_of(self.this_host, self.new_host.name.as_str()));
        Log { server: &mut self.new, reader, expected: expected(facts), notes }
    }

    fn locate_last(&mut self, facts: &Facts) -> Result<Located, Error> {
        let Some(of) = facts.replica.channel.applied.clone() else {
            return Err(self.replica.unexpected(self.replica.dialect().show_channels(), "a position"));
        };
        let log_of_replica = if facts.replica.logs_updates { end::log_end(self.replica)? } else { None };
        // An old master that can show the position in its own way gets its share of the time.
        let (is_alive, logs_updates) = match &facts.old {
            OldMaster::Answers(old) => (true, facts.old_passes_on(old)),
            _ => (false, false),
        };
        let budget = if is_alive { self.budget.part(SEARCHING_BESIDE_OLD) } else { self.new.budget() };
        let notes = |of: &Host| Some(unfinished::note_of(self.this_host, of.name.as_str()));
        let reader = |of| Reader::new(of, self.connect, budget);
        let (this, other) = (self.this_host, self.new_host);
        let mut replica = Logged { server: &mut *self.replica, reader: reader(this), notes: notes(this) };
        let mut new = Logged { server: &mut self.new, reader: reader(other), notes: notes(other) };
        let sought = match by_content::find(&mut replica, &facts.replica, &mut new, facts.new.server_id) {
            Err(error @ (Error::Refused(_) | Error::Query { .. } | Error::Connect { .. })) if is_alive => {
                error.to_string().into()
            }
            other => other?,
        };
        let (found, end) = (sought.found, facts.new.end.clone());
        // If the position is found, this search is not needed; it may have to read all of the log. In the log of a new
        // master that logs in any order, what is found proves nothing.
        let is_proved = found.is_ok() && facts.new.keeps_order;
        let has_own = match sought.has_own {
            Some(has_own) => has_own,
            None if is_proved || !facts.new.read_only || logs_updates => true,
            None => own::has_own(&mut new, facts.new.server_id)?,
        };
        let now = channel::again(self.replica, &self.channel)?;
        let stood_still = !now.sql_running || now.applied.as_ref() == Some(&of) && now.has_applied_all();
        Ok(Located::Groups { of, end, found, has_own, stood_still, log_of_replica })
    }

    fn locate_position(
        &mut self,
        facts: &Facts,
        at: &GtidPosition,
        looks_back: bool,
        earlier: Option<&Located>,
    ) -> Result<Located, Error> {
        let (replica, new) = (&facts.replica, &facts.new);
        let own = facts.log_of_everything();
        let looks_back = looks_back || own.is_none();
        let of_source = if looks_back { self.log_of_old(facts, at) } else { None };
        let id = |id: u64| u32::try_from(id).unwrap_or(0);
        let (old_id, new_id) = (id(replica.channel.source_server_id), id(new.server_id));
        let mut scope = Scope {
            // Without either log, the order of the new master's log has to show what the replica has.
            order: looks_back && of_source.is_none(),
            masters: if old_id == 0 { Vec::new() } else { vec![old_id, new_id] },
            own: new_id,
            until: new.state.clone(),
            older: plan::older_than_log(facts, at),
        };
        let what = format!("found {at} in the log of {}", self.new_host.name);
        let mut log = self.log_of_new(facts);
        let mut located = step(&what, || by_gtid::locate(&mut log, at, &scope, earlier))?;
        if let (Some(source), Located::Found { state, .. }, false) = (&of_source, &located, scope.order) {
            let is_told = |gtid: Gtid| own.and_then(|own| own.has(gtid)).or(source.has(gtid)).is_some();
            // The source's log may be as young as the replica's.
            if !state.iter().all(|gtid| at.get(gtid.domain).is_none() || is_told(gtid)) {
                scope.order = true;
                let found = Some(&located);
                located = step(&what, || by_gtid::locate(&mut log, at, &scope, found))?;
            }
        }
        if let Located::Found { gaps, .. } = &mut located
            && plan::gaps_count(facts)
        {
            let begun = Instant::now();
            drop_leading(gaps, |gap| begun.elapsed() < LOOK_AT_OLD && self.nobody_wrote(facts, gap));
        }
        Ok(located.beside(of_source, looks_back))
    }

    /// True if the old master's log shows that nobody has ever used the numbers of a gap: somebody has set
    /// `gtid_seq_no`.
    fn nobody_wrote(&mut self, facts: &Facts, gap: &Gap) -> bool {
        let look = |old: &mut Log| by_gtid::holds_nothing_between(old, gap);
        self.ask_old(facts, look).unwrap_or(false)
    }

    /// The old master's log up to the replica's position, if the old master answers and logs all that it passes on.
    fn log_of_old(&mut self, facts: &Facts, at: &GtidPosition) -> Option<OwnLog> {
        self.ask_old(facts, |old| {
            let located = by_gtid::locate(old, at, &Scope::default(), None)?;
            let Located::Found { state, .. } = located else { return Ok(None) };
            Ok(Some(OwnLog { state, begin: by_gtid::oldest_known(old.server)? }))
        })
    }

    /// What the old master's log shows, if the old master answers and logs all that it passes on.
    fn ask_old<T>(
        &mut self,
        facts: &Facts,
        look: impl FnOnce(&mut Log) -> Result<Option<T>, Error>,
    ) -> Option<T> {
        let (OldMaster::Answers(OldState { log_slave_updates: true, .. }), Old::Connected(old)) =
            (&facts.old, &mut self.old)
        else {
            return None;
        };
        let whole = old.budget();
        let budget = Budget::start(Some(whole.share(LOOK_AT_OLD)));
        old.use_budget(budget);
        let reader = Reader::new(self.old_host, self.connect, budget);
        let expected = expected(facts);
        let mut log = Log { server: &mut *old, reader, expected, notes: None };
        let told = look(&mut log).unwrap_or_else(|error| {
            log::warn!("not judged by the log of {}: {error}", self.old_host.name);
            None
        });
        old.use_budget(whole);
        told
    }
}

/// What the replica has logged; mostly the same lies before its position in another server's log.
pub(super) fn expected(facts: &Facts) -> GtidState {
    facts.replica.log.as_ref().map(|log| log.state.clone()).unwrap_or_default()
}

/// Drops the gaps before the first that stays: that one alone already refuses the position, and checking each gap takes
/// time.
fn drop_leading(gaps: &mut Vec<Gap>, mut is_none: impl FnMut(&Gap) -> bool) {
    let first = gaps.iter().position(|gap| !is_none(gap)).unwrap_or(gaps.len());
    gaps.drain(..first);
}

#[cfg(test)]
mod tests;
