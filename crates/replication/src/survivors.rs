//! Who has more of a dead master's log than this host? (docs/FAILOVER.md, 5.2)
//!
//! All other hosts of the configuration are asked at the same time how much they fetched. Positions in the old master's
//! log can be compared, because there is only one such log. If transactions have GTIDs, these count. Nothing is changed
//! here.

pub(crate) mod dialled;
pub(crate) mod errand;
pub(crate) mod note;
pub(crate) mod pursuit;
pub mod seen;
pub(crate) mod share;

use std::cmp::Ordering;
use std::thread;
use std::time::Duration;

use mmm_core::config::{Config, Host};
use mmm_core::{Budget, report};

use crate::channel;
use crate::errno::{NO_CONNECTION_LEFT, SHUTTING_DOWN};
use crate::error::Error;
use crate::position::BinlogPosition;
use crate::record::Record;
use crate::server::Server;
use crate::server::dialect::Dialect;
use crate::server::patience::OTHERS_PATIENCE;
use crate::status::{Channel, IoThread, Mode};
use crate::survivors::dialled::{Dialled, dial, others};
use crate::survivors::share::{Share, Tail};

/// After how long something must have come from an old master that is alive and busy.
const RECEIVING: Duration = Duration::from_millis(100);

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

/// What a host has, whoever it replicates from.
#[derive(Debug)]
pub struct Logged {
    /// The host.
    pub host: String,
    /// What its server says of itself ([`Dialect::variables`]).
    pub variables: Record,
    /// All its channels.
    pub channels: Vec<Channel>,
    /// In whose words.
    pub dialect: Dialect,
}

impl Logged {
    /// Asks a server.
    pub fn of(server: &mut Server) -> Result<Self, Error> {
        let channels = channel::all(server)?;
        let dialect = server.dialect();
        let variables = server.one(&dialect.variables())?;
        Ok(Self { host: server.host().into(), variables, channels, dialect })
    }
}

/// A host that told nothing of what it has.
#[derive(Debug)]
pub struct Untold {
    /// The host.
    pub host: String,
    /// What became of the question.
    pub reason: String,
    /// Whether it is worth asking again.
    pub why: Why,
}

/// Why a host told nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// It did not answer.
    Silent,
    /// It answered, and may tell in a moment: it has no connection left, is just being stopped, or replicates from a host
    /// whose name has no address now.
    ForNow,
    /// It answered, and cannot be examined.
    Unreadable,
}

impl Why {
    fn of(error: &Error) -> Self {
        match error {
            Error::Connect { answered: false, .. } | Error::Silent { .. } | Error::Broken { .. } => {
                Self::Silent
            }
            Error::Connect { code: Some(code), .. }
                if NO_CONNECTION_LEFT.contains(code) || *code == SHUTTING_DOWN =>
            {
                Self::ForNow
            }
            error if channel::is_unresolved(error) => Self::ForNow,
            _ => Self::Unreadable,
        }
    }
}

/// The answers.
#[derive(Debug, Default)]
pub struct Asked<'c> {
    /// Those that have more than this host, the furthest first.
    pub ahead: Vec<Survivor<'c>>,
    /// Those that told nothing.
    pub untold: Vec<Untold>,
    /// One that is still receiving from the old master.
    pub receiving: Option<String>,
    /// What each host that answered has by GTID.
    pub logged: Vec<Logged>,
}

/// A host's channel from the old master, what it has of that master's log, and whether it still receives.
type Answer = Option<(Channel, Share, bool)>;

/// Asks every host of the configuration but this one and `peer`, the old master that `channel` of `local` names, over
/// existing connections if there are some, else over new ones.
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
        let answer = answer.map(|told| {
            told.map(|(logged, answer)| {
                asked.logged.push(logged);
                answer
            })
        });
        match answer {
            Ok(Ok(Some((theirs, share, is_receiving)))) => {
                if is_receiving {
                    asked.receiving = Some(name.into());
                }
                report::observe(Some(name), "has fetched to", BinlogPosition::shown(share.place.as_ref()));
                // A channel that was changed knows no source until the source has answered.
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
                let why = Why::of(&error);
                asked.untold.push(Untold { host: name.into(), reason: error.to_string(), why });
            }
            Err(_) => {
                let reason = "asking it failed".into();
                asked.untold.push(Untold { host: name.into(), reason, why: Why::Unreadable });
            }
        }
    }
    // There is one log, so the host that has fetched most has what all others have. Among equals, one that still
    // applies has to be waited for.
    let applies = |survivor: &Survivor| !survivor.channel.has_applied_all();
    asked.ahead.sort_by(|one, other| {
        further(&other.tail, &one.tail).then_with(|| applies(one).cmp(&applies(other)))
    });
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
) -> Result<(Logged, Answer), Error> {
    server.use_budget(Budget::start(Some(budget.share(OTHERS_PATIENCE))));
    let logged = Logged::of(&mut server)?;
    let Some(channel) = among(&server, &logged.channels, config, peer, ours)?.cloned() else {
        return Ok((logged, None));
    };
    let share = Share::of(&mut server, &channel)?;
    let mut is_receiving = false;
    if channel.io == IoThread::Yes {
        // A connection may outlive a host that lost its power. But if something still comes over it, the host is alive.
        server.budget().pause(RECEIVING);
        let now = channel::again(&mut server, &channel.name)?;
        is_receiving = now.io == IoThread::Yes && now.fetched != channel.fetched;
    }
    Ok((logged, Some((channel, share, is_receiving))))
}

/// The channel from `host` of a server that has none: what it has executed counts as it is, and it has no place in the
/// log of `host`.
pub fn no_channel_from(host: &Host) -> Channel {
    Channel {
        source_host: host.ip.clone(),
        source_port: host.mysql_port,
        mode: Mode::AutoPosition,
        ..Channel::from_record(Record::default())
    }
}

/// A server's channel from the old master `peer`, from which `ours` replicates, too.
///
/// # Errors
/// If no channel was recognised and one of them names a host whose name has no address at the moment.
pub fn channel_from(
    server: &mut Server,
    config: &Config,
    peer: &Host,
    ours: &Channel,
) -> Result<Option<Channel>, Error> {
    let channels = channel::all(server)?;
    among(server, &channels, config, peer, ours).map(Option::<&Channel>::cloned)
}

fn among<'c>(
    server: &Server,
    channels: &'c [Channel],
    config: &Config,
    peer: &Host,
    ours: &Channel,
) -> Result<Option<&'c Channel>, Error> {
    let mut unresolved = None;
    for theirs in channels {
        let is_same = |ours: &str, theirs: &str| !ours.is_empty() && ours.eq_ignore_ascii_case(theirs);
        let is_recognised = (&ours.source_host, ours.source_port)
            == (&theirs.source_host, theirs.source_port)
            || ours.source_server_id != 0 && theirs.source_server_id == ours.source_server_id
            || is_same(&ours.source_uuid, &theirs.source_uuid);
        if is_recognised {
            return Ok(Some(theirs));
        }
        match channel::by_address(server, config, theirs) {
            Ok(Some(host)) if host.name == peer.name => return Ok(Some(theirs)),
            Ok(_) => {}
            Err(error) if channel::is_unresolved(&error) => unresolved = Some(error),
            Err(error) => return Err(error),
        }
    }
    unresolved.map_or(Ok(None), Err)
}

#[cfg(test)]
mod tests;
