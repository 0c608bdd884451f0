//! `allow_write.fence`: a command of the site that keeps a silent peer from taking writes, before this host is opened.
//!
//! A peer that nobody hears may still serve clients that reach it. Only what cuts it off from them, or switches it off,
//! makes sure of that.

use std::path::{Path, PathBuf};

use mmm_core::config::{Config, Host};
use mmm_core::event::{self, Change};
use mmm_core::journal::words;
use mmm_core::settings::Fence;
use mmm_core::{hook, marker, report};

use crate::channel::liveness;
use crate::error::Error;
use crate::gate::peer::{answers, channel_from_peer, connect};
use crate::gate::proof::Proof;
use crate::gate::question::Question;
use crate::note::{self, Moment};
use crate::refusal::Refusal;
use crate::server::Server;

/// For how many seconds a success counts after it was last needed. The agent calls every three seconds; after a longer
/// pause the peer may have come back meanwhile.
const MEMORY: u64 = 60;

/// The same of a call that had proved everything and had too little time left for the command.
const DUE: u64 = 15;

/// Runs the command first if the last call had everything else proved, and had used too much of its time for it.
pub fn fence_if_due(local: &mut Server, config: &Config, question: Question) -> Result<(), Error> {
    if !question.settings.allow_write.fence.is_set() {
        return Ok(());
    }
    let (this, peer) = (config.this_host(), config.peer()?);
    if !is_noted(&due(this), peer, DUE) {
        return Ok(());
    }
    if answers(&connect(peer, question)) || is_heard(local, config, question)? {
        note::remove(&due(this));
        return Ok(());
    }
    run(config, question, peer).map(|_| ())
}

/// True if the kernel shows that something came from the peer over its replication connection.
fn is_heard(local: &mut Server, config: &Config, question: Question) -> Result<bool, Error> {
    let Some((channel, peer)) = channel_from_peer(local, config)? else { return Ok(false) };
    liveness::is_heard(local, &channel, peer, question.settings.allow_write.silence)
}

/// Sees to it that a peer that does not answer takes no writes. True if that was done now: what the peer sent until then
/// has to be looked at again.
pub fn fence(config: &Config, question: Question, proof: &Proof) -> Result<bool, Error> {
    let fence = &question.settings.allow_write.fence;
    if !fence.is_set() {
        return Ok(false);
    }
    let (this, peer) = (config.this_host(), config.peer()?);
    let is_silent = match proof {
        Proof::AppliedAllFetched(_) | Proof::WithoutTail { .. } | Proof::ToBeTakenOver { .. } => true,
        Proof::NothingToApply { beside_silent } => *beside_silent,
        Proof::AppliedToTheEnd(_) | Proof::ToBeApplied(_) => false,
    };
    if !is_silent {
        return Ok(false);
    }
    if is_noted(&path(this), peer, MEMORY) {
        log::info!("{} is fenced", peer.name);
        keep(&path(this), peer);
        return Ok(false);
    }
    let most = fence.most(question.budget.limit());
    let left = question.budget.share(most);
    // Ended half-way, a command that needs its limit would never succeed.
    if left < most && keep(&due(this), peer) {
        let failure = format!(
            "{left:.1?} of this call are left, and it may take {most:.1?}: the next call runs it first"
        );
        return Err(not_fenced(config, question, peer, format!("{}: {failure}", Fence::KEY)));
    }
    run(config, question, peer)
}

/// Runs the command. False in a dry run, which only names it.
fn run(config: &Config, question: Question, peer: &Host) -> Result<bool, Error> {
    let this = config.this_host();
    note::remove(&due(this));
    hook::fence(question.settings, question.budget, this, peer)
        .map_err(|failure| not_fenced(config, question, peer, failure.to_string()))?;
    if report::is_dry_run() {
        return Ok(false);
    }
    log::warn!("{}{}", peer.name, words::WAS_FENCED);
    keep(&path(this), peer);
    event::note(|| Change::PeerFenced { peer: peer.name.to_string() });
    Ok(true)
}

fn not_fenced(config: &Config, question: Question, peer: &Host, failure: String) -> Error {
    Refusal::NotFenced {
        host: config.this().to_string(),
        peer: peer.name.to_string(),
        failure,
        then: question.otherwise.into(),
    }
    .into()
}

/// The next silence is another one: the peer answers, or this host was opened.
pub fn forget_fence(this: &Host) {
    note::remove(&path(this));
    note::remove(&due(this));
}

fn is_noted(path: &Path, peer: &Host, most: u64) -> bool {
    let Some(text) = marker::Marker::noted(path) else { return false };
    let value = |name| note::value(&text, name);
    let now = Moment::now();
    let is_recent = value("when")
        .and_then(|when| when.parse().ok())
        .is_some_and(|when: u64| now.seconds.checked_sub(when).is_some_and(|age| age <= most));
    is_recent && value("peer").as_deref() == Some(peer.name.as_str()) && value("boot") == Some(now.boot)
}

/// Notes the peer and the moment. True if that is noted now; else the next call runs the command once more.
fn keep(path: &Path, peer: &Host) -> bool {
    if report::is_dry_run() {
        return false;
    }
    let Moment { seconds, boot } = Moment::now();
    let written = note::write(path, &format!("peer={}\twhen={seconds}\tboot={boot}", peer.name));
    if let Err(error) = &written {
        log::error!("{error}");
    }
    written.is_ok()
}

fn path(this: &Host) -> PathBuf {
    marker::path(Path::new(note::FOLDER), "fenced", this)
}

fn due(this: &Host) -> PathBuf {
    marker::path(Path::new(note::FOLDER), "fence-due", this)
}
