//! This host's channel from its peer, and a connection to the peer.

use mmm_core::config::{Config, Host};
use mmm_core::report;

use crate::binlog::resend;
use crate::channel::{self, liveness, threads};
use crate::error::Error;
use crate::gate::question::Question;
use crate::refusal::Refusal;
use crate::server::patience::OTHERS_PATIENCE;
use crate::server::{Server, lock};
use crate::status::{Channel, IoThread};

/// Connects to the peer, without waiting long: it is often dead.
pub(super) fn connect(peer: &Host, question: Question) -> Result<Server, Error> {
    liveness::connect(peer, question.settings.limits.connect.min(OTHERS_PATIENCE), question.budget)
}

/// True if the peer lets the agent in, or refuses it.
pub(super) fn answers(connection: &Result<Server, Error>) -> bool {
    matches!(connection, Ok(_) | Err(Error::Connect { answered: true, .. }))
}

/// Whether the peer, which lets the agent in, takes no writes.
pub(super) fn is_closed(server: &mut Server, peer: &Host, question: Question) -> Result<bool, Error> {
    let closed = match server.is_read_only() {
        Err(error @ Error::Query { .. }) => return Err(unreadable(peer, question, error.to_string())),
        told => told?,
    };
    report::observe(Some(server.host()), "read_only", report::on_off(closed));
    Ok(closed)
}

/// The refusal beside a peer that takes writes.
pub(super) fn writable(peer: &Host, question: Question) -> Error {
    Refusal::PeerWritable { peer: peer.name.to_string(), then: question.otherwise.into() }.into()
}

/// The refusal beside a peer that is alive and does not say what is needed.
pub(super) fn unreadable(peer: &Host, question: Question, reason: String) -> Error {
    Refusal::PeerUnreadable { peer: peer.name.to_string(), reason, then: question.otherwise.into() }.into()
}

/// The channel from the peer, and the peer; `None` if this host replicates from nobody.
pub(super) fn channel_from_peer<'c>(
    local: &mut Server,
    config: &'c Config,
) -> Result<Option<(Channel, &'c Host)>, Error> {
    let chosen = match channel::choose(local, config, |_| None) {
        Err(Error::Refused(refusal)) if matches!(*refusal, Refusal::NotAReplica { .. }) => return Ok(None),
        other => other?,
    };
    let peer = config.peer()?;
    if chosen.source.name == peer.name {
        return Ok(Some((chosen.channel, peer)));
    }
    Err(Refusal::WrongSource {
        host: local.host().into(),
        peer: peer.name.to_string(),
        source_address: format!("{} ({})", chosen.source.name, chosen.channel.source()),
    }
    .into())
}

/// True if a thread is stopped without an error; what it has not applied may be what is missing.
pub(super) fn rests(channel: &Channel) -> bool {
    // An I/O thread that cannot reach a dead peer has an error, and what it fetched still has to be applied.
    let io_rests = channel.io == IoThread::No && channel.io_error.is_none();
    !channel.has_failed_on_data() && (!channel.sql_running || io_rests)
}

/// Whether the peer can send again what a start of the channel would discard. If nothing would be discarded, it need not
/// be asked once more whether it `answers`.
pub(super) fn check_source(
    local: &mut Server,
    channel: &Channel,
    peer: &Host,
    answers: bool,
    question: Question,
) -> threads::Sends {
    if !answers {
        return threads::silent();
    }
    if !channel.would_discard() {
        return Ok(());
    }
    let most = question.settings.limits.connect.min(OTHERS_PATIENCE);
    resend::check_source(local, channel, Some(peer), most, question.budget)
}

/// Starts threads that are stopped, unless another helper stopped them for a moment.
pub(super) fn wake(
    local: &mut Server,
    config: &Config,
    answers: bool,
    question: Question,
) -> Result<(), Error> {
    lock::take(local)?;
    let channel = channel_from_peer(local, config)?.filter(|(channel, _)| rests(channel));
    let Some((channel, peer)) = channel else { return Ok(()) };
    let sends = check_source(local, &channel, peer, answers, question);
    threads::check_backlog(local.host(), &channel, peer.name.as_str(), sends)?;
    log::warn!("{}: {}; starting it", channel.title(), channel.what_is_wrong());
    threads::start(local, &channel.name)
}
