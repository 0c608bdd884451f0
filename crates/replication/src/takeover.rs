//! Takes over from a surviving slave what only that slave has of a dead master's log, before this host opens
//! (docs/FAILOVER.md, 5.2).
//!
//! This host's one channel is pointed at the survivor, executes its log to the end, and is pointed back at the old
//! master: by GTID in the mode that it had, by file and position after what it then has. A file says so before. A call
//! that is killed leaves one of three states: not yet changed, at the survivor, changed back. The next call of any
//! helper continues from whichever it finds.

mod finishing;
mod newer_writes;
mod outcome;
mod way_back;

pub use newer_writes::note_opening;
pub use outcome::Outcome;
pub use way_back::abandon;
pub(crate) use way_back::given_up;

pub use crate::survivors::pursuit::Pursuit;
pub use crate::survivors::seen;

use std::time::Duration;

use mmm_core::config::Host;
use mmm_core::journal::step;
use mmm_core::marker::Marker;
use mmm_core::mutant::takes_out;

use crate::attach;
use crate::attach::observe::Old;
use crate::channel::{self, Chosen, threads};
use crate::error::Error;
use crate::facts::OldMaster;
use crate::server::dialect::Threads;
use crate::server::patience::OTHERS_PATIENCE;
use crate::server::{Server, lock};
use crate::survivors::Survivor;
use crate::survivors::errand::Errand;
use crate::survivors::note::{Note, marker_of};
use crate::survivors::share::{Share, whole_tail};
use crate::takeover::finishing::finish;
use crate::takeover::newer_writes::check_not_open_since;
use crate::takeover::way_back::{find_way_back, waits_nowhere};

/// Pause between two looks.
const PAUSE: Duration = Duration::from_millis(10);

/// Lets `local` fetch from `survivor` what it lacks. `chosen` is its channel from the old master, which is silent. An
/// error that another try may overcome comes as [`StillTakingOver`](crate::Refusal::StillTakingOver).
pub fn take_over(
    local: &mut Server,
    chosen: &Chosen,
    survivor: &Survivor,
    silence: &Error,
    pursuit: Pursuit,
) -> Result<Outcome, Error> {
    let Pursuit { config, settings, budget, .. } = pursuit;
    lock::take(local)?;
    let now = channel::again(local, &chosen.channel.name)?;
    if now.source() != chosen.channel.source() {
        let state = format!("another call has pointed it at {}", now.source());
        return Err(pursuit.still(survivor.host.name.as_str(), state));
    }
    if now.applied != chosen.channel.applied {
        return Ok(Outcome::Changed);
    }
    let most = settings.limits.connect.min(OTHERS_PATIENCE);
    let mut server = Server::connect(survivor.host, most, budget)?;
    server.use_budget(budget.part(90));
    // Its own set_active_master waits meanwhile. The lock ends with this connection.
    lock::take(&mut server)?;
    let own = Share::of(local, &chosen.channel)?;
    let read = |server: &mut Server| channel::again(server, &survivor.channel.name).map(Some);
    if whole_tail(&own, &mut server, &chosen.channel.source_uuid, read)?.is_none() {
        log::info!("what only {} has is less than a whole transaction", survivor.host.name);
        return Ok(Outcome::Nothing);
    }
    catch_up(&mut server, chosen, survivor, pursuit)?;
    check_not_open_since(local, &mut server, chosen, survivor, pursuit)?;
    let old =
        Old::Failed(OldMaster::Silent { host: chosen.source.name.to_string(), reason: silence.to_string() });
    let this = config.this_host();
    let errand = Errand::new(survivor, chosen, pursuit);
    let (moved, errand) = attach::borrow(local, this, chosen, survivor.host, old, errand, settings, budget);
    let Some((marker, note)) = errand.and_then(Errand::into_marker) else {
        // Nothing was changed.
        return moved.map(|()| Outcome::Done);
    };
    if let Err(error) = &moved {
        log::warn!("{error}");
    }
    let outcome = finish(local, marker, note, pursuit)?;
    match (outcome, moved) {
        (Outcome::Done, Err(error)) => Err(error),
        (outcome, _) => Ok(outcome),
    }
}

/// Lets a survivor whose SQL thread was stopped, by its own `set_active_master` for instance, apply the old master's
/// log up to this host's position and no further. So the survivor can still be attached to this host if the takeover
/// fails.
fn catch_up(
    server: &mut Server,
    chosen: &Chosen,
    survivor: &Survivor,
    pursuit: Pursuit,
) -> Result<(), Error> {
    let name = &survivor.channel.name;
    let theirs = channel::again(server, name)?;
    let new = survivor.host.name.as_str();
    if theirs.delay > 0 && !theirs.has_applied_all() {
        let reason = format!("it applies with a delay of {} s (MASTER_DELAY)", theirs.delay);
        return Err(pursuit.unfit(new, reason));
    }
    if theirs.has_failed_on_data() {
        return Err(pursuit.unfit(new, theirs.what_is_wrong()));
    }
    if theirs.sql_running || theirs.has_applied_all() {
        return Ok(());
    }
    threads::check_backlog(new, &theirs, chosen.source.name.as_str(), threads::silent())?;
    let (Some(ours), Some(applied)) = (&chosen.channel.applied, &theirs.applied) else { return Ok(()) };
    if applied.has_reached(ours) {
        return Ok(());
    }
    let what = format!("let {new} apply up to {ours}");
    step(&what, || {
        let statement = server.dialect().start_until(name, Threads::Sql, ours);
        server.execute(&statement)?;
        loop {
            let now = channel::again(server, name)?;
            if now.applied.as_ref().is_some_and(|applied| applied.has_reached(ours)) {
                return Ok(());
            }
            if now.has_failed_on_data() {
                return Err(pursuit.unfit(new, now.what_is_wrong()));
            }
            if !server.budget().pause(PAUSE) {
                return Err(pursuit.still(new, format!("{new} has not yet applied the log up to {ours}")));
            }
        }
    })
}

/// True if a killed call has left something of a takeover. Costs one look into its folder if there is nothing.
pub fn is_left(this: &Host) -> bool {
    Marker::left_behind(&marker_of(this)).is_some()
}

/// Completes or undoes what a killed call has left of a takeover. Costs one look into its folder if there is nothing.
pub fn resume(local: &mut Server, pursuit: Pursuit) -> Result<Option<Outcome>, Error> {
    resume_on(local, pursuit, false)
}

/// The same on a host that has just been closed, and `was_open` before.
pub fn resume_on(local: &mut Server, pursuit: Pursuit, was_open: bool) -> Result<Option<Outcome>, Error> {
    if takes_out("takeover-repair") {
        return Ok(None);
    }
    let path = marker_of(pursuit.config.this_host());
    if Marker::is_in_use(&path) {
        // Its call holds the lock until it is done.
        lock::take(local)?;
    }
    let Some((mut marker, text)) = Marker::leftover(&path) else { return Ok(None) };
    let Some(note) = Note::from_text(&text) else {
        log::error!("{} has no text that can be read: {text}; it is removed", path.display());
        marker.remove();
        return Ok(None);
    };
    let now = channel::all(local)?.into_iter().find(|channel| channel.name == note.channel);
    if note.is_open && now.as_ref().is_some_and(waits_nowhere) {
        drop(marker);
        return find_way_back(local, pursuit).map(|()| Some(Outcome::Done));
    }
    log::warn!("an earlier call was ended while {} took over from {}", local.host(), note.survivor);
    // From now on the takeover is this call's.
    if let Err(error) = marker.write(&text) {
        log::warn!("{}: {error}", path.display());
    }
    lock::take(local)?;
    if note.is_open || was_open || !local.is_read_only()? {
        drop(marker);
        log::error!("{} was opened: it will not take over the rest", local.host());
        abandon(local, pursuit.config)?;
        return find_way_back(local, pursuit).map(|()| Some(Outcome::Done));
    }
    finish(local, marker, note, pursuit).map(Some)
}
