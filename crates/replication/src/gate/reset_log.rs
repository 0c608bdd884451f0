//! A peer whose log was begun anew.

use std::cmp::Ordering;
use std::time::{Duration, Instant};

use mmm_core::config::Host;

use crate::binlog::by_gtid;
use crate::binlog::end::{executed, log_end};
use crate::channel;
use crate::error::Error;
use crate::gate::asking::{Gate, PAUSE};
use crate::gate::question::Question;
use crate::gtid::{Gtid, GtidPosition, GtidSet, GtidState};
use crate::position::BinlogPosition;
use crate::record::Record;
use crate::refusal::Refusal;
use crate::server::Server;
use crate::server::dialect::Flavour;
use crate::status::{Channel, Mode};

/// How long a peer that lacks what it once had may take to apply it, before the helper stops checking that.
const APPLIES_NO_MORE: Duration = Duration::from_millis(500);
/// How long the peer has to lack it at every look. A server names what it has just received before it says that it still
/// has to apply that, and sends what it writes before it says that it has executed that; on a busy machine for more than
/// one look (seen on MySQL 9.7).
const LASTS: Duration = Duration::from_millis(400);

/// Refuses if this host has fetched more from the peer than the peer's log has.
pub(super) fn check_reset(
    host: &str,
    peer: &Host,
    channel: &Channel,
    end: &BinlogPosition,
    question: Question,
) -> Result<(), Error> {
    let Some(fetched) = &channel.fetched else { return Ok(()) };
    if fetched.compare(end).is_some_and(Ordering::is_le) {
        return Ok(());
    }
    Err(Refusal::LogWasReset {
        host: host.into(),
        peer: peer.name.to_string(),
        end: end.clone(),
        fetched: fetched.clone(),
        then: question.otherwise.into(),
    }
    .into())
}

/// The same before the I/O thread connects again: by GTID the thread then forgets where it was. A log of another name
/// is left to the thread. So is the log of a MySQL that was begun anew and has all that this host has, as on a rebuilt
/// peer.
pub(super) fn check_before_connecting(
    local: &mut Server,
    connection: &mut Server,
    peer: &Host,
    channel: &Channel,
    question: Question,
) -> Result<(), Error> {
    let end = log_end(connection).ok().flatten();
    let end = end.filter(|end| channel.fetched.as_ref().is_some_and(|at| at.compare(end).is_some()));
    let Some(end) = end else { return Ok(()) };
    match check_reset(local.host(), peer, channel, &end, question) {
        Err(_)
            if channel.mode == Mode::AutoPosition && executed(local)?.is_within(&executed(connection)?) =>
        {
            Ok(())
        }
        other => other,
    }
}

impl Gate<'_> {
    /// When a log that was reset is long enough again, servers continue in the middle of it. By GTID they take new
    /// transactions for old ones of the same numbers, and a position may happen to lie between two transactions.
    /// Returned is what the peer says of itself ([`crate::server::dialect::Dialect::variables`]).
    pub(super) fn check_numbers(&mut self, peer: &mut Server) -> Result<Record, Error> {
        let budget = self.question.budget;
        let until = Instant::now() + budget.share(APPLIES_NO_MORE);
        let mut missing = Missing::default();
        loop {
            let (forgotten, theirs) = self.forgotten(peer)?;
            let Some(Forgotten { gtid, is_certain, is_end }) = forgotten else { return Ok(theirs) };
            let now = Instant::now();
            let lasts = missing.look(now, is_certain, &gtid).is_some_and(|time| time >= budget.share(LASTS));
            // A peer that has much to apply, or is blocked, must not keep this host closed.
            let is_given_up = !is_certain && now >= until;
            if !lasts && !is_given_up && budget.pause(PAUSE) {
                continue;
            }
            if !is_certain {
                return Ok(theirs);
            }
            let (host, peer) = (self.local.host().into(), self.peer.name.to_string());
            let then = self.question.otherwise.into();
            return Err(if is_end {
                Refusal::PeerLogCut { host, peer, gtid, then }
            } else {
                Refusal::LogBegunAnew { host, peer, gtid, then }
            }
            .into());
        }
    }

    /// What the peer must have had once and does not have, and what it says of itself.
    fn forgotten(&mut self, peer: &mut Server) -> Result<(Option<Forgotten>, Record), Error> {
        // In this order: what is executed in between is then not missing.
        let channels = channel::all(peer)?;
        let statement = peer.dialect().variables();
        let (ours, theirs) = (self.local.one(&self.local.dialect().variables())?, peer.one(&statement)?);
        let forgotten = match peer.dialect().flavour() {
            Flavour::MariaDb => match no_longer_known(&ours, &theirs, &channels) {
                // The log has to be read to know where it begins.
                Ok(lost) if !lost.is_empty() => {
                    Ok(no_longer_logged(&lost, &by_gtid::oldest_known(peer)?, &channels))
                }
                other => other.map(|_| None),
            },
            Flavour::MySql => {
                let is_only_source = channel::all(self.local)?.len() < 2;
                no_longer_executed(&ours, &theirs, &channels, is_only_source)
            }
        };
        let forgotten = forgotten.map_err(|column| peer.unexpected(&statement, column))?;
        Ok((forgotten, theirs))
    }
}

/// What the peer has certainly lacked at every look, and since when.
#[derive(Debug, Default)]
struct Missing(Option<(Instant, String)>);

impl Missing {
    /// For how long the peer has lacked something of what it lacks at this look, if that is certain.
    fn look(&mut self, now: Instant, is_certain: bool, gtid: &str) -> Option<Duration> {
        let since = match self.0.take() {
            _ if !is_certain => return None,
            Some((since, earlier)) if is_shared(&earlier, gtid) => since,
            _ => now,
        };
        self.0 = Some((since, gtid.into()));
        Some(now - since)
    }
}

/// True if two looks have found something in common missing.
fn is_shared(earlier: &str, now: &str) -> bool {
    let sets = earlier.parse::<GtidSet>().ok().zip(now.parse::<GtidSet>().ok());
    earlier == now || sets.is_some_and(|(earlier, now)| !earlier.within(&now).is_empty())
}

/// What a server must have had once and does not have.
#[derive(Debug, PartialEq, Eq)]
struct Forgotten {
    /// Its GTIDs.
    gtid: String,
    /// False while that server may still have to apply it.
    is_certain: bool,
    /// True if it is only the end of what that server wrote itself.
    is_end: bool,
}

/// MariaDB: transactions of this host that the peer has replicated, so that its log once held them, and that are not in
/// the state of that log. By file and position, a peer that lags may name what it has fetched as what it has
/// replicated. A peer whose SQL thread is stopped shows nothing, nor does a peer that does not log what it replicates.
fn no_longer_known(ours: &Record, theirs: &Record, channels: &[Channel]) -> Result<Vec<Gtid>, &'static str> {
    let tells_nothing = channels.iter().any(|channel| lags(channel) && !channel.sql_running);
    if tells_nothing || !theirs.is_on("log_slave_updates") {
        return Ok(Vec::new());
    }
    let logged: GtidState = ours.parsed("binlog_state")?;
    let state: GtidState = theirs.parsed("binlog_state")?;
    let replicated: GtidPosition = theirs.parsed("slave_pos")?;
    let lost = logged.iter().filter(|gtid| {
        state.get(gtid.domain, gtid.server).is_none()
            && replicated.get(gtid.domain).is_some_and(|last| last.sequence >= gtid.sequence)
    });
    Ok(lost.collect())
}

/// Of these, one that is not older than the `begin` of the peer's log.
fn no_longer_logged(lost: &[Gtid], begin: &GtidState, channels: &[Channel]) -> Option<Forgotten> {
    let lost =
        lost.iter().find(|gtid| begin.highest(gtid.domain).is_some_and(|begin| begin <= gtid.sequence))?;
    let is_certain = !channels.iter().any(lags);
    Some(Forgotten { gtid: lost.to_string(), is_certain, is_end: false })
}

fn lags(channel: &Channel) -> bool {
    channel.applied != channel.fetched
}

/// MySQL: what this host has executed and did not write itself must have come from the peer, and what it wrote itself
/// the peer may have fetched and applied. The peer forgets both only with its whole log. What a stopped SQL thread has
/// not applied is not missing.
///
/// If the peer is not this host's only source, what others wrote may have come from elsewhere. A peer that lags may
/// also still have to apply it.
fn no_longer_executed(
    ours: &Record,
    theirs: &Record,
    channels: &[Channel],
    is_only_source: bool,
) -> Result<Option<Forgotten>, &'static str> {
    let (own, peers) = (ours.text("server_uuid"), theirs.text("server_uuid"));
    let ours: GtidSet = ours.parsed("executed")?;
    let theirs: GtidSet = theirs.parsed("executed")?;
    let is_peers = |uuid: &str| uuid.eq_ignore_ascii_case(peers);
    let from_peer = |uuid: &str| {
        !uuid.eq_ignore_ascii_case(own) && theirs.knows(uuid) && (is_only_source || is_peers(uuid))
    };
    let mut lost = ours.filtered(from_peer).without(&theirs);
    let of_peer = lost.filtered(is_peers);
    let lags = channels.iter().any(|channel| !channel.has_applied_all());
    let mut is_certain = !of_peer.is_empty() || (!lost.is_empty() && !lags);
    if let Some(channel) = channels.iter().find(|channel| channel.source_uuid == own) {
        let retrieved: GtidSet = channel.retrieved.parse().map_err(|_| "Retrieved_Gtid_Set")?;
        if channel.has_applied_all() || channel.sql_running {
            lost = lost.with(&retrieved.without(&theirs));
        }
        is_certain |= channel.has_applied_all();
    }
    // With the whole log, a server forgets what others wrote, too, and the beginning of what it wrote itself.
    let is_end = lost == of_peer && of_peer.is_behind(&theirs.filtered(is_peers));
    Ok((!lost.is_empty()).then(|| Forgotten { gtid: lost.to_string(), is_certain, is_end }))
}

#[cfg(test)]
mod tests;
