//! How much of an old master's log a host has, and what another host has beyond that.

use std::cmp::Ordering;
use std::fmt;
use std::time::Duration;

use mmm_core::Budget;

use crate::channel::own_gtids;
use crate::channel::settling::Settling;
use crate::error::Error;
use crate::gtid::{Gtid, GtidPosition, GtidSet, GtidState};
use crate::position::BinlogPosition;
use crate::record::Record;
use crate::server::Server;
use crate::server::dialect::Flavour;
use crate::status::Channel;

/// Pause between two looks at a survivor whose appliers come to rest.
const PAUSE: Duration = Duration::from_millis(20);
/// How long that may take.
const RESTING: Duration = Duration::from_secs(2);

/// What a host has of the old master's log.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Share {
    /// Up to where it has fetched that log. For this host, which has applied all that it fetched: up to where it has
    /// applied the log.
    pub place: Option<BinlogPosition>,
    /// The same by GTID.
    pub gtids: Gtids,
    /// True if not all of that has a GTID that the host shows.
    pub is_partly_numbered: bool,
}

/// What a host has by GTID.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Gtids {
    /// Its transactions have none, or not all of them, or each server gives them others.
    #[default]
    None,
    /// MySQL's, fetched or executed.
    Set(GtidSet),
    /// MariaDB's: what it has logged, and the last that it has executed, or fetched, of each domain.
    Position(GtidState, GtidPosition),
}

/// What one host has of the old master's log and another has not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tail {
    /// How many transactions, if that can be told.
    pub count: Option<u64>,
    /// From where to where in the old master's log.
    pub from: Option<BinlogPosition>,
    /// The end of it.
    pub to: Option<BinlogPosition>,
}

impl fmt::Display for Tail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.count {
            Some(1) => f.write_str("1 transaction"),
            Some(count) => write!(f, "{count} transactions"),
            None => write!(
                f,
                "the transactions from {} to {}",
                BinlogPosition::shown(self.from.as_ref()),
                BinlogPosition::shown(self.to.as_ref())
            ),
        }
    }
}

impl Share {
    /// What a server has fetched or executed, by its `channel` from the old master. Half a transaction counts.
    pub fn of(server: &mut Server, channel: &Channel) -> Result<Self, Error> {
        Self::up_to(server, channel, false)
    }

    /// The same. If `is_at_rest`, its appliers have applied everything except half a transaction, which does not count.
    pub fn up_to(server: &mut Server, channel: &Channel, is_at_rest: bool) -> Result<Self, Error> {
        let variables = server.one(&server.dialect().variables())?;
        // GTIDs that a server gave itself compare with nobody's. Positions in the old master's log always compare.
        let has_sets =
            variables.text("gtid_mode") == "ON" && own_gtids::why_no_set(server, channel)?.is_none();
        let unreadable = |what| Error::Unexpected {
            host: server.host().into(),
            statement: server.dialect().show_channels().into(),
            missing: what,
        };
        let gtids = gtids(server.dialect().flavour(), &variables, channel, has_sets, is_at_rest);
        let place = if is_at_rest { channel.applied.clone() } else { channel.fetched.clone() };
        // By file and position, a MariaDB has no numbers of what it has only fetched.
        let is_partly_numbered = channel.fetched_gtids.is_empty() && place != channel.applied;
        Ok(Self { place, gtids: gtids.map_err(|what| unreadable(what.into()))?, is_partly_numbered })
    }

    /// True if GTIDs show that this host has all that another has of the log of the server `source`.
    pub fn shows_all_of(&self, theirs: &Self, source: u64) -> bool {
        match (&self.gtids, &theirs.gtids) {
            (Gtids::Set(ours), Gtids::Set(theirs)) => theirs.is_within(ours),
            (Gtids::Position(state, _), Gtids::Position(_, theirs_last)) => {
                // Behind another server's last transaction of a domain there may be one of the source's that is missing.
                let has = |gtid: Gtid| u64::from(gtid.server) == source && state.includes(gtid);
                !theirs.is_partly_numbered && theirs_last.iter().all(has)
            }
            _ => false,
        }
    }

    /// What `theirs` has of the log of the old master `source_uuid` and this has not; `None` if that is nothing.
    pub fn lacks(&self, theirs: &Self, source_uuid: &str) -> Option<Tail> {
        let tail = |count| Tail { count, from: self.place.clone(), to: theirs.place.clone() };
        let is_further = match (&self.place, &theirs.place) {
            (Some(ours), Some(theirs)) => theirs.compare(ours) == Some(Ordering::Greater),
            _ => false,
        };
        let theirs_are_partly_numbered = theirs.is_partly_numbered;
        match (&self.gtids, &theirs.gtids) {
            (Gtids::Set(ours), Gtids::Set(theirs)) => {
                let of_old = |uuid: &str| source_uuid.is_empty() || uuid.eq_ignore_ascii_case(source_uuid);
                let missing = theirs.without(ours).filtered(of_old).count();
                (missing > 0).then(|| tail(Some(missing)))
            }
            (Gtids::Position(state, ours), Gtids::Position(_, theirs)) if !theirs.is_empty() => {
                // What this host knows nothing of may have come over another channel of theirs; then the position
                // decides.
                let is_known = |domain| state.knows(domain) || ours.get(domain).is_some();
                let missing: u64 = theirs
                    .iter()
                    .filter(|gtid| is_known(gtid.domain) && !state.includes(*gtid))
                    .map(|gtid| {
                        let known = ours.get(gtid.domain).map_or(0, |ours| ours.sequence);
                        gtid.sequence.saturating_sub(known)
                    })
                    .sum();
                // By file and position, what was fetched has no number yet.
                match missing {
                    0 => is_further.then(|| tail(None)),
                    _ if theirs_are_partly_numbered => Some(tail(None)),
                    count => Some(tail(Some(count))),
                }
            }
            _ => is_further.then(|| tail(None)),
        }
    }
}

fn gtids(
    flavour: Flavour,
    variables: &Record,
    channel: &Channel,
    has_sets: bool,
    is_at_rest: bool,
) -> Result<Gtids, &'static str> {
    // The SQL thread says that all is applied as soon as it has handed everything to its workers.
    let is_all_executed = is_at_rest || channel.fetched.is_some() && channel.fetched == channel.applied;
    match flavour {
        Flavour::MySql if has_sets => {
            let executed: GtidSet = variables.text("executed").parse().map_err(|_| "gtid_executed")?;
            let retrieved: GtidSet = channel.retrieved.parse().map_err(|_| "Retrieved_Gtid_Set")?;
            // MySQL 5.6 counts half a transaction as retrieved.
            Ok(Gtids::Set(if is_all_executed { executed } else { executed.with(&retrieved) }))
        }
        Flavour::MySql => Ok(Gtids::None),
        Flavour::MariaDb => {
            let state = variables.text("binlog_state").parse().map_err(|_| "gtid_binlog_state")?;
            let mut last: GtidPosition = variables.text("slave_pos").parse().map_err(|_| "gtid_slave_pos")?;
            if !channel.has_applied_all() {
                let fetched: GtidPosition = channel.fetched_gtids.parse().map_err(|_| "Gtid_IO_Pos")?;
                fetched.iter().for_each(|gtid| last.advance(gtid));
            }
            Ok(Gtids::Position(state, last))
        }
    }
}

/// What only `theirs`, read by `read`, has once its appliers rest: half a transaction that it has fetched is nothing.
pub fn whole_tail(
    own: &Share,
    server: &mut Server,
    source_uuid: &str,
    mut read: impl FnMut(&mut Server) -> Result<Option<Channel>, Error>,
) -> Result<Option<Tail>, Error> {
    let mut settling = Settling::default();
    let resting = Budget::start(Some(server.budget().share(RESTING)));
    loop {
        let Some(channel) = read(server)? else { return Ok(None) };
        let is_at_rest = channel.has_half() && settling.is_settled(server, &channel)?;
        if is_at_rest || !channel.has_half() || !resting.pause(PAUSE) {
            let theirs = Share::up_to(server, &channel, is_at_rest)?;
            return Ok(own.lacks(&theirs, source_uuid));
        }
    }
}

#[cfg(test)]
mod tests;
