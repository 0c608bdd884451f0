//! `allow_write.fence`: a command of the site that keeps a silent peer from taking writes, before this host is opened.
//!
//! A peer that nobody hears may still serve clients that reach it. Only what cuts it off from them, or switches it off,
//! makes sure of that.

use std::path::{Path, PathBuf};

use mmm_core::config::{Config, Host};
use mmm_core::event::{self, Change};
use mmm_core::journal::words;
use mmm_core::{hook, marker, report};

use crate::error::Error;
use crate::gate::proof::Proof;
use crate::gate::question::Question;
use crate::note::{self, Moment};
use crate::refusal::Refusal;

/// For how many seconds a success counts after it was last needed. The agent calls every three seconds; after a longer
/// pause the peer may have come back meanwhile.
const MEMORY: u64 = 60;

/// Sees to it that a peer that does not answer takes no writes. True if that was done now: what the peer sent until then
/// has to be looked at again.
pub fn fence(config: &Config, question: Question, proof: &Proof) -> Result<bool, Error> {
    if !question.settings.allow_write.fence.is_set() {
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
    if is_noted(this, peer) {
        log::info!("{} is fenced", peer.name);
        keep(this, peer);
        return Ok(false);
    }
    hook::fence(question.settings, question.budget, this, peer).map_err(|failure| Refusal::NotFenced {
        host: this.name.to_string(),
        peer: peer.name.to_string(),
        failure: failure.to_string(),
        then: question.otherwise.into(),
    })?;
    if report::is_dry_run() {
        return Ok(false);
    }
    log::warn!("{}{}", peer.name, words::WAS_FENCED);
    keep(this, peer);
    event::note(|| Change::PeerFenced { peer: peer.name.to_string() });
    Ok(true)
}

/// The next silence is another one: the peer answers, or this host was opened.
pub fn forget_fence(this: &Host) {
    note::remove(&path(this));
}

fn is_noted(this: &Host, peer: &Host) -> bool {
    let Some(text) = marker::Marker::noted(&path(this)) else { return false };
    let value = |name| note::value(&text, name);
    let now = Moment::now();
    let is_recent = value("when")
        .and_then(|when| when.parse().ok())
        .is_some_and(|when: u64| now.seconds.checked_sub(when).is_some_and(|age| age <= MEMORY));
    is_recent && value("peer").as_deref() == Some(peer.name.as_str()) && value("boot") == Some(now.boot)
}

fn keep(this: &Host, peer: &Host) {
    if report::is_dry_run() {
        return;
    }
    let Moment { seconds, boot } = Moment::now();
    // The next call fences it once more.
    if let Err(error) = note::write(&path(this), &format!("peer={}\twhen={seconds}\tboot={boot}", peer.name))
    {
        log::error!("{error}");
    }
}

fn path(this: &Host) -> PathBuf {
    marker::path(Path::new(note::FOLDER), "fenced", this)
}
