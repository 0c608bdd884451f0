//! Who has more of a dead master's log than this host? (docs/FAILOVER.md, 5.2)
//!
//! Every other host of the configuration is asked, side by side, how much it fetched. Places in the old master's log
//! are comparable, since there is one such log; where transactions have GTIDs, these count. Nothing is changed here.

use std::cmp::Ordering;
use std::fmt;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use mmm_core::Budget;
use mmm_core::config::{Config, Host, HostName};
use mmm_core::report;

use crate::channel;
use crate::dialect::Flavour;
use crate::error::Error;
use crate::gtid::{GtidPosition, GtidState};
use crate::gtid_set::GtidSet;
use crate::observe::OTHERS_PATIENCE;
use crate::position::BinlogPosition;
use crate::record::Record;
use crate::refusal::Refusal;
use crate::server::Server;
use crate::settling::Settling;
use crate::status::{Channel, IoThread};

/// Pause between two looks at a survivor whose appliers come to rest.
const PAUSE: Duration = Duration::from_millis(20);
/// How long that may take.
const RESTING: Duration = Duration::from_secs(2);
/// After how long something must have come from an old master that is alive and busy.
const RECEIVING: Duration = Duration::from_millis(100);

/// How old a connection may be that was made for a question.
const FRESH: Duration = Duration::from_secs(1);

/// What a host has of the old master's log.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Share {
    /// To where it has fetched that log; this host, which has applied all that it fetched, to where it has applied it.
    pub place: Option<BinlogPosition>,
    /// The same by GTID.
    pub gtids: Gtids,
    /// True where not all of that has a GTID that this host tells.
    pub is_partly_numbered: bool,
}

/// What a host has by GTID.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Gtids {
    /// Its transactions have none, or not all of them.
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
    /// How many transactions, where that can be told.
    pub count: Option<u64>,
    /// From where to where in the old master's log.
    pub from: Option<BinlogPosition>,
    /// The end of it.
    pub to: Option<BinlogPosition>,
}

/// A host that has more of the old master's log than this one.
#[derive(Debug)]
pub struct Survivor<'c> {
    /// The host.
    pub host: &'c Host,
    /// Its channel from the old master.
    pub channel: Channel,
    /// What only it has.
    pub tail: Tail,
}

/// What asking came to.
#[derive(Debug, Default)]
pub struct Asked<'c> {
    /// Those that have more than this host, the furthest first.
    pub ahead: Vec<Survivor<'c>>,
    /// Those that did not answer, and why.
    pub silent: Vec<(String, String)>,
    /// Those that answered and could not be examined, and why.
    pub unreadable: Vec<(String, String)>,
    /// One that is still receiving from the old master.
    pub receiving: Option<String>,
}

impl fmt::Display for Tail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.count {
            Some(1) => f.write_str("1 transaction"),
            Some(count) => write!(f, "{count} transactions"),
            None => write!(
                f,
                "the transactions from {} to {}",
                Refusal::place(self.from.as_ref()),
                Refusal::place(self.to.as_ref())
            ),
        }
    }
}

impl Share {
    /// What a server has fetched or executed, by its `channel` from the old master. Half a transaction counts.
    pub fn of(server: &mut Server, channel: &Channel) -> Result<Self, Error> {
        Self::up_to(server, channel, false)
    }

    /// The same; `is_at_rest`: its appliers have applied all there is of it but half a transaction, which does not count.
    pub fn up_to(server: &mut Server, channel: &Channel, is_at_rest: bool) -> Result<Self, Error> {
        let variables = server.one(&server.dialect().variables())?;
        let unreadable = |what| Error::Unexpected {
            host: server.host().into(),
            statement: server.dialect().show_channels().into(),
            missing: what,
        };
        let gtids = gtids(server.dialect().flavour(), &variables, channel, is_at_rest);
        let place = if is_at_rest { channel.applied.clone() } else { channel.fetched.clone() };
        // By file and position, a MariaDB has no numbers of what it has only fetched.
        let is_partly_numbered = channel.fetched_gtids.is_empty() && place != channel.applied;
        Ok(Self { place, gtids: gtids.map_err(|what| unreadable(what.into()))?, is_partly_numbered })
    }

    /// What `theirs` has of the log of the old master `source_uuid` and this has not; `None` where that is nothing.
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
                // What this host knows nothing of may be of another channel of theirs; there the place decides.
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
    is_at_rest: bool,
) -> Result<Gtids, &'static str> {
    // That all is applied, its thread says as soon as it has handed all to its workers.
    let is_all_executed = is_at_rest || channel.fetched.is_some() && channel.fetched == channel.applied;
    match flavour {
        Flavour::MySql if variables.text("gtid_mode") == "ON" => {
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

/// The hosts that may have more than this one: all of the configuration but this one and `peer`, the old master.
fn others<'c>(config: &'c Config, peer: &Host) -> impl Iterator<Item = &'c Host> {
    let peer = peer.name.clone();
    config.hosts().iter().filter(move |host| host.name != *config.this() && host.name != peer)
}

/// A connection that somebody else makes.
type OnItsWay = JoinHandle<Result<Server, Error>>;

/// Connections on the way to those hosts, in the background: what is waited for meanwhile costs nothing more.
#[derive(Debug)]
pub struct Dialled {
    since: Instant,
    hosts: Vec<(HostName, OnItsWay)>,
}

impl Dialled {
    /// Connects to every host that [`ask`] would ask, within `most`.
    pub fn start(config: &Config, peer: &Host, most: Duration, budget: Budget) -> Self {
        let dial = |host: &Host| {
            let host = host.clone();
            (host.name.clone(), thread::spawn(move || dial(&host, most, budget)))
        };
        Self { since: Instant::now(), hosts: others(config, peer).map(dial).collect() }
    }

    /// The one to `host`. A host may have been restarted since; what is old tells nothing of it.
    fn take(&mut self, host: &Host) -> Option<OnItsWay> {
        let at = self.hosts.iter().position(|(name, _)| *name == host.name)?;
        (self.since.elapsed() < FRESH).then(|| self.hosts.swap_remove(at).1)
    }
}

fn dial(host: &Host, most: Duration, budget: Budget) -> Result<Server, Error> {
    Server::connect(host, most.min(OTHERS_PATIENCE), budget)
}

/// Asks every host of the configuration but this one and `peer`, the old master that `channel` of `local` names, over
/// the connections that are there, else over new ones.
pub fn ask<'c>(
    local: &mut Server,
    config: &'c Config,
    peer: &Host,
    channel: &Channel,
    mut dialled: Option<Dialled>,
    most: Duration,
    budget: Budget,
) -> Result<Asked<'c>, Error> {
    let own = Share::of(local, channel)?;
    let answers: Vec<_> = thread::scope(|scope| {
        let asked: Vec<_> = others(config, peer)
            .map(|host| {
                let on_its_way = dialled.as_mut().and_then(|dialled| dialled.take(host));
                let ask = move || {
                    let connected = on_its_way.and_then(|thread| thread.join().ok());
                    let server = connected.unwrap_or_else(|| dial(host, most, budget))?;
                    ask_one(server, config, peer, channel, budget)
                };
                (host, scope.spawn(ask))
            })
            .collect();
        asked.into_iter().map(|(host, thread)| (host, thread.join())).collect()
    });
    let mut asked = Asked::default();
    for (host, answer) in answers {
        let name = host.name.as_str();
        match answer {
            Ok(Ok(Some((theirs, share, is_receiving)))) => {
                if is_receiving {
                    asked.receiving = Some(name.into());
                }
                report::observe(Some(name), "has fetched to", Refusal::place(share.place.as_ref()));
                // A channel that was changed knows no source until that has answered.
                let uuid =
                    [&channel.source_uuid, &theirs.source_uuid].into_iter().find(|uuid| !uuid.is_empty());
                if let Some(tail) = own.lacks(&share, uuid.map_or("", |uuid| uuid)) {
                    log::warn!("{name} has {tail} that {} lacks", local.host());
                    asked.ahead.push(Survivor { host, channel: theirs, tail });
                }
            }
            Ok(Ok(None)) => log::info!("{name} does not replicate from {}", peer.name),
            Ok(Err(error)) => {
                log::warn!("{name} cannot tell what it has of the log of {}: {error}", peer.name);
                report::observe(Some(name), "does not answer", &error);
                let is_silent = matches!(
                    error,
                    Error::Connect { answered: false, .. } | Error::Silent { .. } | Error::Broken { .. }
                );
                let list = if is_silent { &mut asked.silent } else { &mut asked.unreadable };
                list.push((name.into(), error.to_string()));
            }
            Err(_) => asked.unreadable.push((name.into(), "asking it failed".into())),
        }
    }
    // There is one log, so the furthest has what all others have.
    asked.ahead.sort_by(|one, other| further(&other.tail, &one.tail));
    Ok(asked)
}

fn further(one: &Tail, other: &Tail) -> Ordering {
    let by_place = match (&one.to, &other.to) {
        (Some(one), Some(other)) => one.compare(other),
        _ => None,
    };
    by_place.filter(|order| order.is_ne()).unwrap_or_else(|| one.count.cmp(&other.count))
}

fn ask_one(
    mut server: Server,
    config: &Config,
    peer: &Host,
    ours: &Channel,
    budget: Budget,
) -> Result<Option<(Channel, Share, bool)>, Error> {
    server.use_budget(Budget::start(Some(budget.share(OTHERS_PATIENCE))));
    let Some(channel) = channel_from(&mut server, config, peer, ours)? else { return Ok(None) };
    let share = Share::of(&mut server, &channel)?;
    let mut is_receiving = false;
    if channel.io == IoThread::Yes {
        // A connection outlives a host that lost its power. One over which something comes does not.
        server.budget().pause(RECEIVING);
        let now = channel::again(&mut server, &channel.name)?;
        is_receiving = now.io == IoThread::Yes && now.fetched != channel.fetched;
    }
    Ok(Some((channel, share, is_receiving)))
}

/// A server's channel from the old master `peer`, from which `ours` replicates, too.
pub fn channel_from(
    server: &mut Server,
    config: &Config,
    peer: &Host,
    ours: &Channel,
) -> Result<Option<Channel>, Error> {
    for theirs in channel::all(server)? {
        let is_named = (&ours.source_host, ours.source_port) == (&theirs.source_host, theirs.source_port)
            || channel::by_address(config, &theirs)?.is_some_and(|host| host.name == peer.name);
        let is_same_id = ours.source_server_id != 0 && theirs.source_server_id == ours.source_server_id;
        if is_named || is_same_id {
            return Ok(Some(theirs));
        }
    }
    Ok(None)
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
mod tests {
    use super::*;

    const O: &str = "3e11fa47-71ca-11e1-9e33-c80aa9429562";
    const S: &str = "4e11fa47-71ca-11e1-9e33-c80aa9429562";

    macro_rules! at {
        ($offset:expr) => {
            Some(BinlogPosition::new("bin.000007", $offset))
        };
    }

    #[test]
    fn what_another_host_has_more_counts_by_gtid_where_there_are_gtids_and_else_by_place() {
        let set = |text: &str| Gtids::Set(text.parse().unwrap());
        let position =
            |state: &str, last: &str| Gtids::Position(state.parse().unwrap(), last.parse().unwrap());
        let none = || Gtids::None;
        for (ours, theirs, expected, why) in [
            ((at!(300), none()), (at!(300), none()), None, "as much"),
            ((at!(300), none()), (at!(500), none()), Some(None), "more, of which nobody knows the number"),
            ((at!(500), none()), (at!(300), none()), None, "less"),
            ((None, none()), (at!(300), none()), None, "places that do not compare tell nothing"),
            (
                (at!(300), set(&format!("{O}:1-5"))),
                (at!(500), set(&format!("{O}:1-9"))),
                Some(Some(4)),
                "by set",
            ),
            (
                (at!(300), set(&format!("{O}:1-5"))),
                (at!(500), set(&format!("{O}:1-5"))),
                None,
                "half a transaction",
            ),
            (
                (at!(300), set(&format!("{O}:1-5"))),
                (at!(300), set(&format!("{O}:1-5,{S}:1"))),
                None,
                "its own row",
            ),
            (
                (at!(300), position("0-1-5", "0-1-5")),
                (at!(300), position("0-1-9", "0-1-9")),
                Some(Some(4)),
                "numbers",
            ),
            (
                (at!(300), position("0-1-5", "0-1-5")),
                (at!(500), position("0-1-5", "0-1-5")),
                Some(None),
                "not applied",
            ),
            (
                (at!(300), position("0-2-6,0-1-5", "0-1-5")),
                (at!(300), position("", "0-2-6")),
                None,
                "our own",
            ),
            (
                (at!(300), position("0-1-5", "0-1-5")),
                (at!(300), position("0-1-5", "0-1-5")),
                None,
                "the same",
            ),
        ] {
            let share = |(place, gtids)| Share { place, gtids, is_partly_numbered: false };
            let tail = share(ours).lacks(&share(theirs), O);
            assert_eq!(tail.map(|tail| tail.count), expected, "{why}");
        }
    }

    #[test]
    fn the_furthest_comes_first() {
        let tail = |to, count| Tail { count, from: at!(100), to };
        assert_eq!(further(&tail(at!(900), None), &tail(at!(500), None)), Ordering::Greater);
        assert_eq!(further(&tail(None, Some(9)), &tail(None, Some(3))), Ordering::Greater);
        assert_eq!(further(&tail(at!(900), Some(3)), &tail(at!(500), Some(9))), Ordering::Greater);
    }
}
