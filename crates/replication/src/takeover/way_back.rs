//! Back from a survivor to the old master.

use std::path::Path;

use mmm_core::config::{Config, Host};
use mmm_core::journal::step;
use mmm_core::marker::Marker;
use mmm_core::settings::{Settings, Survivors};
use mmm_core::{Budget, report};

use crate::attach;
use crate::channel::{self, Chosen, threads};
use crate::error::Error;
use crate::position::BinlogPosition;
use crate::refusal::Refusal;
use crate::server::dialect::Target;
use crate::server::patience::OTHERS_PATIENCE;
use crate::server::{Server, lock};
use crate::status::{Channel, IoThread, Place};
use crate::survivors::note::{Note, marker_of};
use crate::survivors::pursuit::Pursuit;

/// A binary log that no server has.
const NO_PLACE: &str = "taken-over-in-part.000001";

/// Points the channel at the old master, and starts it.
pub(super) fn change_back(
    local: &mut Server,
    config: &Config,
    note: &Note,
    place: &Place,
) -> Result<(), Error> {
    let peer = config.peer()?;
    let (statement, shown) = local.dialect().change(
        &note.channel,
        &Target {
            host: &note.host,
            port: note.port,
            user: &peer.replication_user,
            password: peer.replication_password.expose(),
            heartbeat: &note.heartbeat,
            fetches_key: note.fetches_key,
            place,
        },
    );
    let what = format!("went back from {} to {}", note.survivor, peer.name);
    log::info!("{shown}");
    step(&what, || {
        local.execute_as(&statement, &shown)?;
        threads::start(local, &note.channel)
    })
}

/// Starts a channel that was pointed back at the old master, unless that would discard what the old master cannot send
/// again.
fn start_from_old(local: &mut Server, config: &Config, now: &Channel) -> Result<(), Error> {
    if now.sql_running && now.io != IoThread::No {
        return Ok(());
    }
    if let Err(refusal) =
        threads::check_backlog(local.host(), now, config.peer()?.name.as_str(), threads::silent())
    {
        log::error!("{refusal}");
        return Ok(());
    }
    step("started replication from the old master", || threads::start(local, &now.name))
}

/// The way back by what this host executed last. The old master, which may be closed, takes nothing over from this
/// host.
pub(super) fn attach_to_peer(
    local: &mut Server,
    config: &Config,
    chosen: &Chosen,
    peer: &Host,
    settings: &Settings,
    budget: Budget,
) -> Result<(), Error> {
    let mut settings = settings.clone();
    settings.allow_write.survivors = Survivors::Off;
    attach::attach(local, config.this_host(), chosen, peer, &settings, budget)
}

/// Refuses if a takeover is noted that could not be taken up, and the channel points at its survivor.
fn check_free(local: &mut Server, config: &Config, path: &Path) -> Result<(), Error> {
    let noted = if report::is_dry_run() { None } else { Marker::noted(path) };
    let Some(note) = noted.and_then(|text| Note::from_text(&text)) else { return Ok(()) };
    let now = channel::all(local)?.into_iter().find(|channel| channel.name == note.channel);
    let Some(now) = now.filter(|now| !waits_nowhere(now)) else { return Ok(()) };
    let points_at = config.host_at(&now.source_host, now.source_port)?;
    if points_at.is_none_or(|host| host.name.as_str() != note.survivor) {
        return Ok(());
    }
    Err(Refusal::StillTakingOver {
        host: config.this().to_string(),
        survivor: note.survivor,
        state: format!("another process holds {}", path.display()),
        then: "writes stay closed".into(),
    }
    .into())
}

/// Gives up a takeover that a killed call or a lost survivor has left: this host is open, or about to be, and nothing
/// of the survivor's may come any more. What the survivor was seen to have is forgotten once this host is open, and not
/// before: a call that is ended in between has not reported it.
///
/// # Errors
/// Also if another process holds what is noted of it, and the channel still points at the survivor.
pub fn abandon(local: &mut Server, config: &Config) -> Result<(), Error> {
    let path = marker_of(config.this_host());
    let Some((mut marker, text)) = Marker::leftover(&path) else {
        return check_free(local, config, &path);
    };
    let Some(mut note) = Note::from_text(&text) else {
        marker.remove();
        return Ok(());
    };
    let Some(now) = channel::all(local)?.into_iter().find(|channel| channel.name == note.channel) else {
        marker.remove();
        return Ok(());
    };
    if waits_nowhere(&now) {
        return Ok(());
    }
    let points_at = config.host_at(&now.source_host, now.source_port)?;
    if points_at.is_none_or(|host| host.name.as_str() != note.survivor) {
        if (&now.source_host, now.source_port) == (&note.host, note.port) {
            // A call that was going back may have been killed before this.
            if let Err(error) = start_from_old(local, config, &now) {
                log::error!("replication from the old master is not started: {error}");
            }
        }
        marker.remove();
        return Ok(());
    }
    let stopped = threads::stop(local, &note.channel)?;
    let way_back = note.way_back(&stopped, local.one(local.dialect().applied_gtids())?.text("gtids"));
    // No position is right. At a position that does not exist, nothing comes, not even after a restart of the server.
    let place = way_back.unwrap_or_else(|| {
        note.is_open = true;
        log::error!(
            "{} is at {} in the log of {}, of which it has taken over a part, and nothing shows its position in the \
             log of its old master: it fetches nothing until the old master answers",
            config.this(),
            BinlogPosition::shown(stopped.applied.as_ref()),
            note.survivor
        );
        Place::Position(BinlogPosition::new(NO_PLACE, 4))
    });
    if note.is_open
        && let Err(error) = marker.write(&note.to_text())
    {
        log::error!("{}: {error}", marker.path().display());
    }
    change_back(local, config, &note, &place)?;
    if !note.is_open {
        marker.remove();
    }
    Ok(())
}

/// True if a channel was pointed at a position that does not exist.
pub(super) fn waits_nowhere(channel: &Channel) -> bool {
    channel.applied.as_ref().is_some_and(|place| place.file == NO_PLACE)
}

/// The survivor of whose tail this host has a part, if the rest was given up to open writes and its `channel` waits for
/// the old master. Costs one look into its folder if that is not so.
pub fn given_up(this: &Host, channel: &Channel) -> Option<String> {
    let note = Marker::noted(&marker_of(this)).and_then(|text| Note::from_text(&text));
    note.filter(|note| note.is_open && waits_nowhere(channel)).map(|note| note.survivor)
}

/// If this host was opened with a part of a survivor's tail: lets its channel continue from the old master, once the
/// old master answers and what this host executed last shows the position in the old master's log.
pub(super) fn find_way_back(local: &mut Server, pursuit: Pursuit) -> Result<(), Error> {
    let Pursuit { config, settings, budget, .. } = pursuit;
    let Some((mut marker, text)) = Marker::leftover(&marker_of(config.this_host())) else { return Ok(()) };
    let peer = config.peer()?;
    let (Some(note), true) = (Note::from_text(&text), Server::answers(peer, OTHERS_PATIENCE, budget)) else {
        return Ok(());
    };
    let found = channel::all(local)?.into_iter().find(|channel| channel.name == note.channel);
    let (Some(channel), Some(survivor)) = (found.filter(waits_nowhere), config.host(&note.survivor)) else {
        log::warn!("somebody has set replication up again");
        marker.remove();
        return Ok(());
    };
    lock::take(local)?;
    let chosen = Chosen { channel, source: survivor };
    attach_to_peer(local, config, &chosen, peer, settings, budget)?;
    marker.remove();
    Ok(())
}
