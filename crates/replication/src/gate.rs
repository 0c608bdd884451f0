//! May this host take writes? Only when it has applied everything that its peer has written.
//!
//! `sync_with_master` asks and waits, `mysql_allow_write` asks and hardly does (docs/FAILOVER.md, 5.1). A peer that
//! answers must be read-only, so that it writes nothing. If the peer is silent, everything that was fetched from it
//! must be applied, up to the last complete transaction.

mod asking;
mod beside_survivors;
mod fence;
mod living_peer;
mod own_log;
mod peer;
mod proof;
mod question;
mod reset_log;
mod silent_peer;

pub use fence::{fence, fence_if_due, forget_fence};
pub use proof::{Lost, Proof};
pub use question::Question;

use std::time::Duration;

use mmm_core::config::{Config, Host};
use mmm_core::settings::Settings;
use mmm_core::{Budget, interrupt, report};

use crate::channel::{self, liveness, threads};
use crate::error::Error;
use crate::gate::asking::Gate;
use crate::gate::beside_survivors::{PATIENCE, wait_or_lose, without, without_channel_beside_survivors};
use crate::gate::own_log::check_own_log;
use crate::gate::peer::{
    answers, channel_from_peer, check_source, connect, is_closed, rests, unreadable, wake, writable,
};
use crate::gate::reset_log::check_before_connecting;
use crate::position::BinlogPosition;
use crate::refusal::Refusal;
use crate::rehearsal::{Foreseen, Rehearsal};
use crate::server::Server;
use crate::survivors::seen::{self, Seen};
use crate::takeover::{self, Outcome};

/// Pause before the next attempt to log in to a peer that is alive and lets nobody in.
const RETRY: Duration = Duration::from_millis(100);

/// Asks whether `local` has everything of its peer; refuses if not, or not in time.
pub fn ask(local: &mut Server, config: &Config, question: Question) -> Result<Proof, Error> {
    let pursuit = question.pursuit(config);
    if let Some(Outcome::Stuck { survivor, reason }) = takeover::resume(local, pursuit)? {
        let seen = seen::read(config.this_host(), &survivor);
        let waited = seen.as_ref().map_or(u64::MAX, Seen::silent_for);
        let tail = seen.map_or_else(|| "some transactions".into(), |seen| seen.tail);
        let reason = format!("a part of it was taken over, then: {reason}");
        let lost = Lost { host: config.this().to_string(), survivor, tail, reason };
        let lost = wait_or_lose(config, question, lost, waited, PATIENCE)?;
        return without(local, config, question, lost, None);
    }
    let Some((channel, peer)) = channel_from_peer(local, config)? else {
        log::warn!("{} replicates from nobody", local.host());
        return without_channel(local, config, question);
    };
    let mut connection = connect(peer, question);
    let answers = answers(&connection);
    report::observe(Some(local.host()), "replication", channel.what_is_wrong());
    report::observe(Some(local.host()), "has applied", BinlogPosition::shown(channel.applied.as_ref()));
    let is_at_rest = rests(&channel);
    if is_at_rest {
        if let Ok(connection) = &mut connection {
            check_before_connecting(local, connection, peer, &channel, question)?;
        }
        wake(local, config, answers, question)?;
    }
    let would_wake = is_at_rest && report::is_dry_run();
    let mut gate = Gate {
        local,
        config,
        peer,
        channel: channel.name.clone(),
        would_wake,
        question,
        taken: 0,
        dialled: None,
        supposed: None,
        silent: None,
    };
    let mut proof = gate.with(connection);
    while question.wait && is_living(&proof) && !report::is_dry_run() && question.budget.pause(RETRY) {
        match gate.with(connect(peer, question)) {
            // The time was over while the peer was being looked at again.
            Err(Error::Silent { .. }) if question.budget.share(RETRY) < RETRY => break,
            next => proof = next,
        }
    }
    proof.map_err(|error| {
        let mut is_here =
            || channel::again(local, &channel.name).is_ok_and(|now| now.source() == channel.source());
        if interrupt::is_requested() && is_here() {
            threads::interrupted(local, &channel, &error, |local, now| {
                check_source(local, now, peer, answers, question)
            })
        } else {
            error
        }
    })
}

/// This host replicates from nobody, as the first host of a cluster does, and one that was just restored. A peer that
/// answers must be read-only all the same, so that there are never two writers.
fn without_channel(local: &mut Server, config: &Config, question: Question) -> Result<Proof, Error> {
    let host = local.host().to_string();
    let Ok(peer) = config.peer() else { return Ok(Proof::NothingToApply { beside_silent: false }) };
    let connection = connect(peer, question);
    if let Err(error) = &connection
        && !answers(&connection)
    {
        report::observe(Some(peer.name.as_str()), "does not answer", error);
        check_accepting(&host, peer, question, error)?;
        log::warn!("{}: {error}; nothing shows whether it takes writes", peer.name);
        return without_channel_beside_survivors(local, config, peer, question);
    }
    liveness::forget_accepting(&host, peer);
    forget_fence(config.this_host());
    let mut look = |mut server: Server| {
        let closed = is_closed(&mut server, peer, question)?;
        if closed {
            check_own_log(local, &mut server, question)?;
        }
        Ok(closed)
    };
    let mut closed = connection.and_then(&mut look);
    if matches!(closed, Err(Error::Broken { .. })) {
        // Its own mysql_deny_write ends sessions, ours among them.
        closed = connect(peer, question).and_then(look);
    }
    match closed {
        Ok(true) => {
            seen::forget_all(config);
            Ok(Proof::NothingToApply { beside_silent: false })
        }
        Ok(false) => Err(writable(peer, question)),
        // It was there a moment ago. If it is dead now, the next call finds that.
        Err(error @ (Error::Silent { .. } | Error::Broken { .. } | Error::Connect { .. })) => {
            Err(unreadable(peer, question, error.to_string()))
        }
        Err(other) => Err(other),
    }
}

/// Refuses if the peer, which let nobody in, accepts connections: without a channel, nothing else shows that it is only
/// slow.
fn check_accepting(host: &str, peer: &Host, question: Question, error: &Error) -> Result<(), Error> {
    let limit = question.settings.allow_write.silence;
    let Some(since) = liveness::accepting_for(host, peer, question.budget).filter(|since| *since < limit)
    else {
        return Ok(());
    };
    Err(Refusal::PeerMayBeAlive {
        peer: peer.name.to_string(),
        reason: error.to_string(),
        sign: format!("{host}, which replicates from nobody, has seen that for {since:.0?}"),
        then: question.otherwise.into(),
        limit,
    }
    .into())
}

/// Judges whether `local`, the server of this host of `config`, could be opened if its peer were closed now.
pub fn rehearse(
    rehearsal: Rehearsal,
    local: &mut Server,
    config: &Config,
    settings: &Settings,
    budget: Budget,
) -> Result<Foreseen, Error> {
    let question = Question { otherwise: "writes stay closed", wait: true, opens: false, settings, budget };
    let Some((channel, peer)) = channel_from_peer(local, config)? else {
        return Ok(Foreseen::NotJudged("it replicates from nobody".into()));
    };
    if !local.is_read_only()? {
        return Ok(Foreseen::NotJudged("it takes writes already".into()));
    }
    if !channel.is_running() {
        return Ok(Foreseen::NotJudged(channel.what_is_wrong()));
    }
    let Ok(mut connection) = connect(peer, question) else {
        return Ok(Foreseen::NotJudged(format!("{} does not answer", peer.name)));
    };
    let mut gate = Gate {
        local,
        config,
        peer,
        channel: channel.name,
        would_wake: false,
        question,
        taken: 0,
        dialled: None,
        supposed: Some(rehearsal),
        silent: None,
    };
    Ok(match gate.against(&mut connection) {
        Ok(Proof::AppliedToTheEnd(end)) => {
            Foreseen::Proved(format!("it has applied the log of {} to {end}", peer.name))
        }
        Ok(proof) => Foreseen::Proved(proof.to_string()),
        Err(Error::Refused(refusal)) if refusal.may_pass() => Foreseen::moving(&refusal),
        Err(error) => Foreseen::failed(&error),
    })
}

/// True if the peer is alive and let nobody in, which may pass.
fn is_living(answer: &Result<Proof, Error>) -> bool {
    let is_of_living =
        |refusal: &Refusal| matches!(refusal, Refusal::PeerIsAlive { .. } | Refusal::PeerMayBeAlive { .. });
    matches!(answer, Err(Error::Refused(refusal)) if is_of_living(refusal))
}
