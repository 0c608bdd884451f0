//! A peer that answers: it must write nothing, and this host must have applied its log to the end.

use std::time::{Duration, Instant};

use mmm_core::mutant::takes_out;
use mmm_core::progress::{self, Left};
use mmm_core::report;

use crate::binlog::end::{executed, log_end};
use crate::binlog::files;
use crate::binlog::standstill::LogMark;
use crate::channel::{self, awaited, settling, wait, workers};
use crate::error::Error;
use crate::gate::asking::{Gate, PAUSE};
use crate::gate::own_log::check_own_log;
use crate::gate::peer::{is_closed, writable};
use crate::gate::proof::Proof;
use crate::gate::reset_log::{check_before_connecting, check_reset};
use crate::gtid::{Gtid, GtidPosition, GtidSet, GtidState};
use crate::position::BinlogPosition;
use crate::record::Record;
use crate::server::Server;
use crate::server::dialect::Flavour;
use crate::status::{Channel, IoThread, Mode};

/// How long a call that does not wait gives this host to come to the end of the peer's log: if the peer gets something
/// from elsewhere all the time, that end is hardly ever reached at the first look.
const A_MOMENT: Duration = Duration::from_millis(500);

impl Gate<'_> {
    /// The peer answers: it must write nothing, and this host must have applied its log to the end.
    pub(super) fn against(&mut self, peer: &mut Server) -> Result<Proof, Error> {
        // In this order: what was fetched before the end was read cannot lie beyond it.
        let mut before = channel::again(self.local, &self.channel)?;
        if before.io != IoThread::Yes {
            check_before_connecting(self.local, peer, self.peer, &before, self.question)?;
            self.fetch_again(&before)?;
            before = channel::again(self.local, &self.channel)?;
        }
        self.check_closed(peer)?;
        let mark = self.examined(LogMark::read(peer))?;
        let end = self.shown_end(peer, mark.end().cloned())?;
        check_reset(self.local.host(), self.peer, &before, &end, self.question)?;
        let theirs = self.check_numbers(peer)?;
        // By auto-position, what a server has executed decides: it skips what it has, without moving its position.
        let target = if before.mode == Mode::AutoPosition { Some(executed(peer)?) } else { None };
        let domains = last_of_domains(&theirs, &before)
            .map_err(|column| peer.unexpected(&peer.dialect().variables(), column))?;
        let mut now = channel::again(self.local, &self.channel)?;
        if target.is_none() {
            settling::look_closer(self.local, &mut now)?;
        }
        let mut is_reached = self.has_reached(&now, &end, target.as_ref(), &domains)?;
        if !is_reached && now.is_running() && now.has_applied_all() {
            // By auto-position, what this host lost of its own log is missing for ever.
            check_own_log(self.local, peer, self.question)?;
        }
        if !is_reached && now.io == IoThread::Yes && now.fetched == before.fetched {
            self.fetch_again(&now)?;
        }
        if !is_reached && self.would_wake && self.question.wait {
            return Ok(Proof::ToBeApplied(Some(end)));
        }
        let mut face = progress::waiting(format!(
            "waiting for {} to apply what {} wrote",
            self.local.host(),
            peer.host()
        ));
        let logs = files::log_sizes(peer, &face);
        let until = Instant::now() + A_MOMENT;
        while !is_reached
            && (self.question.wait && now.sql_running || now.is_running() && Instant::now() < until)
            && !self.question.budget.is_spent()
        {
            if face.is_seen() {
                let count =
                    self.missing_transactions(peer).filter(|count| *count > 0).map(Left::Transactions);
                face.left(count.or_else(|| awaited::bytes(now.applied.as_ref(), Some(&end), &logs)));
            }
            if target.is_some() || !self.question.wait {
                self.question.budget.pause(PAUSE);
                now = channel::again(self.local, &self.channel)?;
                if target.is_none() {
                    settling::look_closer(self.local, &mut now)?;
                }
            } else {
                now = wait::a_while(self.local, &now, &end)?;
            }
            is_reached = self.has_reached(&now, &end, target.as_ref(), &domains)?;
            let is_there = now.executed().is_some_and(|executed| executed.has_reached(&end));
            if !is_reached && target.is_none() && (is_there || now.has_applied_all()) {
                self.question.budget.pause(PAUSE);
            }
        }
        drop(face);
        if !is_reached {
            let missing = self.count_missing(peer).unwrap_or_else(|| "changes".into());
            return Err(self.not_applied(&now, missing, &end));
        }
        self.check_closed(peer)?;
        let again = self.examined(log_end(peer))?;
        let again = self.shown_end(peer, again)?;
        // What it gets from elsewhere and passes on is not what it writes: that comes to an open host, too.
        if again != end && self.supposed.is_none() && self.writes_itself(peer, &mark)? {
            return Err(self.not_applied(&now, "new changes".into(), &again));
        }
        check_own_log(self.local, peer, self.question)?;
        Ok(Proof::AppliedToTheEnd(end))
    }

    fn has_reached(
        &mut self,
        now: &Channel,
        end: &BinlogPosition,
        target: Option<&GtidSet>,
        domains: &GtidPosition,
    ) -> Result<bool, Error> {
        if takes_out("peer-end") {
            return Ok(true);
        }
        if let Some(target) = target {
            return Ok(target.is_within(&executed(self.local)?));
        }
        let is_there = now.executed().is_some_and(|executed| executed.has_reached(end));
        if is_there && now.fetched == now.applied && workers::apply_what_is_shown(self.local, now)? {
            return Ok(false);
        }
        if !is_there || domains.iter().count() < 2 {
            return Ok(is_there);
        }
        let statement = self.local.dialect().variables();
        let ours = self.local.one(&statement)?;
        let late = late_domain(&ours, domains).map_err(|column| self.local.unexpected(&statement, column))?;
        // Of a domain that this host has not begun, only what was fetched shows whether it will come.
        Ok(late.is_none() && !workers::may_apply_older(self.local, now)?)
    }

    /// Refuses if the peer takes writes.
    fn check_closed(&mut self, peer: &mut Server) -> Result<(), Error> {
        let closed = is_closed(peer, self.peer, self.question)?;
        if !closed && self.supposed.is_none() && !takes_out("peer-closed") {
            return Err(writable(self.peer, self.question));
        }
        Ok(())
    }

    /// The end of the peer's log, if there is one.
    fn shown_end(&self, peer: &Server, end: Option<BinlogPosition>) -> Result<BinlogPosition, Error> {
        let end = end.ok_or_else(|| self.unreadable("it has no binary log".into()))?;
        report::observe(Some(peer.host()), "its log ends at", &end);
        Ok(end)
    }

    /// True if the peer has written something itself since `mark`.
    fn writes_itself(&self, peer: &mut Server, mark: &LogMark) -> Result<bool, Error> {
        let now = self.examined(LogMark::read(peer))?;
        self.examined(now.was_written_since(mark, peer))
    }

    /// What a peer that is alive has told. If it refuses a statement, it cannot be examined.
    fn examined<T>(&self, told: Result<T, Error>) -> Result<T, Error> {
        told.map_err(|error| match error {
            Error::Query { .. } => self.unreadable(error.to_string()),
            other => other,
        })
    }

    /// How many transactions are missing, in words, where that can be told.
    fn count_missing(&mut self, peer: &mut Server) -> Option<String> {
        match self.missing_transactions(peer)? {
            0 => None,
            1 => Some("1 transaction".into()),
            more => Some(format!("{more} transactions")),
        }
    }

    /// The same, by the numbers of their GTIDs.
    fn missing_transactions(&mut self, peer: &mut Server) -> Option<u64> {
        let missing = match peer.dialect().flavour() {
            Flavour::MariaDb => {
                let statement = "SELECT @@gtid_binlog_pos, @@gtid_current_pos";
                let theirs: GtidPosition = peer.one(statement).ok()?.at(0)?.parse().ok()?;
                let ours: GtidPosition = self.local.one(statement).ok()?.at(1)?.parse().ok()?;
                let known = |domain| ours.get(domain).map_or(0, |ours| ours.sequence);
                theirs.iter().map(|gtid| gtid.sequence.saturating_sub(known(gtid.domain))).sum()
            }
            Flavour::MySql => {
                let theirs = executed(peer).ok()?;
                theirs.without(&executed(self.local).ok()?).count()
            }
        };
        Some(missing)
    }
}

/// MariaDB by GTID: the last transaction of each domain that the channel applies. Parallel appliers run domains out of
/// order. Their position is that of the newest transaction that is done, whatever an older one of another domain still does.
fn last_of_domains(theirs: &Record, channel: &Channel) -> Result<GtidPosition, &'static str> {
    let is_filtered =
        ["Replicate_Do_Domain_Ids", "Replicate_Ignore_Domain_Ids", "Replicate_Ignore_Server_Ids"]
            .iter()
            .any(|filter| channel.filters.iter().any(|set| set.starts_with(filter)));
    if is_filtered || !matches!(channel.mode, Mode::SlavePos | Mode::CurrentPos) {
        return Ok(GtidPosition::default());
    }
    theirs.parsed("binlog_pos")
}

/// The last transaction of a domain that this host has begun and does not have to the end. What it wrote itself does not come.
fn late_domain(ours: &Record, theirs: &GtidPosition) -> Result<Option<Gtid>, &'static str> {
    let id = ours.number("server_id").unwrap_or(0);
    let applied: GtidPosition = ours.parsed("slave_pos")?;
    let logged: GtidState = ours.parsed("binlog_state")?;
    Ok(theirs
        .iter()
        .filter(|last| u64::from(last.server) != id && !logged.includes(*last))
        .find(|last| applied.get(last.domain).is_some_and(|applied| applied.sequence < last.sequence)))
}

#[cfg(test)]
mod tests;
