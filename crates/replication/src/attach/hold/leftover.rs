//! What a killed call leaves of a pause of another host's SQL thread, and how the next call repairs it.

use std::path::{Path, PathBuf};

use mmm_core::Budget;
use mmm_core::config::{Config, Host};
use mmm_core::journal::step;
use mmm_core::marker::{self, Marker};
use mmm_core::mutant::takes_out;
use mmm_core::settings::Limits;

use crate::channel::{self, threads};
use crate::error::Error;
use crate::note::FOLDER;
use crate::server::patience::OTHERS_PATIENCE;
use crate::server::{Server, lock};
use crate::status::IoThread;

pub(super) fn marker_of(this: &Host) -> PathBuf {
    marker::path(Path::new(FOLDER), "hold", this)
}

/// Writes the marker; returns what it says of another host that an earlier call could not reach.
pub(super) fn mark(this: &Host, undo: &str) -> Result<Result<Marker, String>, (PathBuf, std::io::Error)> {
    let path = marker_of(this);
    let write = || {
        let mut marker = Marker::create(&path)?;
        if let Some(earlier) = marker.undo()?.filter(|earlier| earlier != undo) {
            return Ok(Err(earlier));
        }
        marker.write(undo)?;
        Ok(Ok(marker))
    };
    write().map_err(|error| (path.clone(), error))
}

/// The marker of a call that was killed while it had paused another host's SQL thread, and its text; changes nothing.
pub fn left_behind(this: &Host) -> Option<(PathBuf, String)> {
    let path = marker_of(this);
    Marker::left_behind(&path).map(|undo| (path, undo))
}

/// Starts the SQL thread that a killed call has left paused. If there is none, this costs one failed `open`. It never
/// stops the caller.
pub fn mend(config: &Config, limits: &Limits, budget: Budget) {
    if takes_out("hold-repair") {
        return;
    }
    let Some((mut marker, undo)) = Marker::leftover(&marker_of(config.this_host())) else { return };
    let (name, channel) = undo.split_once(' ').unwrap_or((&undo, ""));
    log::warn!("an earlier call was killed while the SQL thread of {name} was paused");
    let most = limits.connect.min(OTHERS_PATIENCE);
    let mended = config.host(name).map(|host| {
        let mut server = Server::connect(host, most, budget)?;
        server.use_budget(Budget::start(Some(budget.share(OTHERS_PATIENCE))));
        start_again(&mut server, channel)
    });
    match mended {
        Some(Err(error)) => log::warn!("it may still be stopped, and the next call tries again: {error}"),
        Some(Ok(())) => marker.remove(),
        None => {
            log::error!("{name} is no host of the configuration any more: see that it replicates");
            marker.remove();
        }
    }
}

/// Starts an SQL thread that a killed call stopped, unless somebody else has changed it since.
fn start_again(server: &mut Server, name: &str) -> Result<(), Error> {
    lock::take(server)?;
    let found = channel::all(server)?.into_iter().find(|channel| channel.name == name);
    let Some(channel) = found.filter(|channel| !channel.sql_running) else { return Ok(()) };
    let was_stopped_whole = channel.io == IoThread::No && channel.io_error.is_none();
    if was_stopped_whole || channel.sql_error.is_some() {
        log::warn!("{} is left as it is: {}", server.host(), channel.what_is_wrong());
        return Ok(());
    }
    step(&format!("started the SQL thread of {} again", server.host()), || {
        threads::start_applying(server, name)
    })
}
