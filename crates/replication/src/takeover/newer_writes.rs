//! Writes that this host has taken and a survivor does not have: they are newer than what only the survivor has.

use std::cmp::Ordering;
use std::time::Duration;

use mmm_core::config::{Config, Host};
use mmm_core::mutant::takes_out;

use crate::binlog::end::log_end;
use crate::binlog::files::{FIRST_EVENT, log_files};
use crate::binlog::pages::{each_event_behind, is_of};
use crate::channel::settling::Settling;
use crate::channel::{self, Chosen, own_gtids};
use crate::errno::NO_EVENT_THERE;
use crate::error::Error;
use crate::gtid::{Gtid, GtidPosition, GtidSet, GtidState};
use crate::position::BinlogPosition;
use crate::record::Record;
use crate::server::dialect::Flavour;
use crate::server::{Server, privilege};
use crate::status::Channel;
use crate::survivors::pursuit::Pursuit;
use crate::survivors::{Survivor, seen};

/// Pause between two looks.
const PAUSE: Duration = Duration::from_millis(10);

/// Refuses if this host has taken writes that the survivor does not have. What only the survivor has is older than
/// these writes, and would overwrite them.
pub(super) fn check_not_open_since(
    local: &mut Server,
    server: &mut Server,
    chosen: &Chosen,
    survivor: &Survivor,
    pursuit: Pursuit,
) -> Result<(), Error> {
    if takes_out("newer-writes") {
        return Ok(());
    }
    let name = survivor.host.name.as_str();
    let mut settling = Settling::default();
    loop {
        // Looked at first: what it applies meanwhile counts for it.
        let seen = channel::again(server, &survivor.channel.name)?;
        // Only a MariaDB does not tell whether they are among what it has fetched and still has to apply.
        let may_have_them = local.dialect().flavour() == Flavour::MariaDb
            && !(seen.has_applied_all() && settling.is_settled(server, &seen)?);
        let own = own_that_survivor_lacks(local, server, chosen, &seen, pursuit)?;
        let Some(own) = own else { return Ok(()) };
        if !may_have_them {
            let reason = format!("{} has taken writes since ({own}), which are newer", pursuit.config.this());
            return Err(pursuit.unfit(name, reason));
        }
        // A question that is cut off would not say this.
        let is_late = server.budget().part(90).is_spent() || !server.budget().pause(PAUSE);
        if is_late || !seen.sql_running {
            let verb = if seen.sql_running { "still applies" } else { "does not apply" };
            let applied = BinlogPosition::shown(seen.applied.as_ref());
            let state = format!("{name} {verb} what it fetched, and has come to {applied}");
            return Err(pursuit.still(name, state));
        }
    }
}

/// The last of this host's own writes that the survivor has not executed, nor fetched as far as it says.
fn own_that_survivor_lacks(
    local: &mut Server,
    server: &mut Server,
    chosen: &Chosen,
    seen: &Channel,
    pursuit: Pursuit,
) -> Result<Option<String>, Error> {
    let (ours, theirs) =
        (local.one(&local.dialect().variables())?, server.one(&server.dialect().variables())?);
    let id = ours.number("server_id").unwrap_or(0);
    Ok(match local.dialect().flavour() {
        // What was replicated later may hide that this write came after the end of the old master's log.
        Flavour::MariaDb => match own_that_lacks(&ours, &theirs)
            .map_err(|column| server.unexpected("SELECT @@…", column))?
        {
            Some((gtid, true)) => Some(gtid.to_string()),
            Some((_, false)) => {
                let applied = chosen.channel.applied.as_ref();
                match seen::opened(pursuit.config.this_host()) {
                    Some(opened) if opened.is_of(applied) => own_behind(local, &opened.end, id)?,
                    Some(_) => {
                        seen::forget_opened(pursuit.config.this_host());
                        None
                    }
                    None => None,
                }
            }
            None => None,
        },
        Flavour::MySql if ours.text("gtid_mode") == "ON" && theirs.text("gtid_mode") == "ON" => {
            let uuid = ours.text("server_uuid").to_string();
            let set = |row: &Record, server: &Server| {
                row.text("executed")
                    .parse::<GtidSet>()
                    .map_err(|_| server.unexpected("SELECT @@…", "executed"))
            };
            let own = set(&ours, local)?
                .filtered(|of| of.eq_ignore_ascii_case(&uuid))
                .without(&set(&theirs, server)?)
                .without(&seen.retrieved.parse().unwrap_or_default());
            if own.is_empty() {
                None
            } else if may_be_given(local, &chosen.channel)? {
                own_since_opened(local, pursuit.config.this_host(), &chosen.channel, id)?
            } else {
                Some(own.to_string())
            }
        }
        Flavour::MySql => own_since_opened(local, pursuit.config.this_host(), &chosen.channel, id)?,
    })
}

/// Whether this host gave its own uuid to what the old master wrote; only the log then tells who wrote it. False if
/// nobody sees that: newer writes must not be overwritten.
fn may_be_given(local: &mut Server, channel: &Channel) -> Result<bool, Error> {
    match own_gtids::gives_own(local, channel) {
        Err(error) if privilege::is_of_schema(&error) => Ok(false),
        told => told,
    }
}

/// MariaDB: this host's own last transaction in a domain, if the survivor does not have it, by what the two hosts say
/// of themselves; and whether it is the newest there. Nothing if the survivor has all.
fn own_that_lacks(ours: &Record, theirs: &Record) -> Result<Option<(Gtid, bool)>, &'static str> {
    let id = ours.number("server_id").unwrap_or(0);
    let logged: GtidState = ours.parsed("binlog_state")?;
    let newest: GtidPosition = ours.parsed("binlog_pos")?;
    let replicated: GtidPosition = ours.parsed("slave_pos")?;
    let their_state: GtidState = theirs.parsed("binlog_state")?;
    let theirs: GtidPosition = theirs.parsed("slave_pos")?;
    let logs_all = ours.is_on("log_slave_updates");
    let lacks = |gtid: &Gtid| {
        // A log that was begun anew has nothing older. The number of another server's transaction says nothing of this
        // one.
        let is_there = their_state.includes(*gtid)
            || theirs
                .get(gtid.domain)
                .is_some_and(|last| last.server == gtid.server && last.sequence >= gtid.sequence);
        u64::from(gtid.server) == id && !is_there
    };
    let is_newest = |gtid: Gtid| {
        // A host that does not log what it replicates still counts it, and gives its own transactions the next numbers.
        let is_followed =
            !logs_all && replicated.get(gtid.domain).is_some_and(|last| last.sequence >= gtid.sequence);
        newest.get(gtid.domain) == Some(gtid) && !is_followed
    };
    let own = logged.iter().filter(lacks).map(|gtid| (gtid, is_newest(gtid)));
    Ok(own.max_by_key(|(_, is_newest)| *is_newest))
}

/// To be called before a host is opened beside a dead master.
pub fn note_opening(local: &mut Server, config: &Config) -> Result<(), Error> {
    let applied = match channel::choose(local, config, |_| None) {
        Ok(chosen) => chosen.channel.applied,
        // Opened by force or without the gate: nothing is taken over into a channel that is not from a host of the
        // cluster.
        Err(Error::Refused(_)) => None,
        Err(error) => return Err(error),
    };
    if let (Some(end), Some(applied)) = (log_end(local)?, applied) {
        let opened = seen::Opened { end, applied: applied.to_string() };
        seen::note_opened(config.this_host(), &opened);
    }
    Ok(())
}

/// Without GTIDs: the position of something that this host wrote itself since it was opened beside the same dead
/// master.
fn own_since_opened(
    local: &mut Server,
    this: &Host,
    channel: &Channel,
    id: u64,
) -> Result<Option<String>, Error> {
    let is_of_this =
        |opened: &seen::Opened| opened.applied == BinlogPosition::shown(channel.applied.as_ref());
    let Some(seen::Opened { end, .. }) = seen::opened(this).filter(is_of_this) else { return Ok(None) };
    own_behind(local, &end, id)
}

/// The position of something that this host wrote itself after `end`; nothing if its log was begun anew since.
fn own_behind(local: &mut Server, end: &BinlogPosition, id: u64) -> Result<Option<String>, Error> {
    let mut own = None;
    let files = log_files(local)?;
    // The file may have been purged.
    let oldest = files.first().map(|file| BinlogPosition::new(file, FIRST_EVENT));
    let end = &oldest.filter(|oldest| oldest.compare(end) == Some(Ordering::Greater)).unwrap_or(end.clone());
    let read = each_event_behind(local, &files, end, "what it wrote itself", |file, row| {
        own = is_of(row, Some(id)).then(|| format!("{file}:{}", row.text("Pos")));
        own.is_some()
    });
    match read {
        Err(Error::Query { code: NO_EVENT_THERE, message, .. }) => {
            log::info!("{} was opened at {end} of another log than it has now: {message}", local.host());
            Ok(None)
        }
        read => read.map(|()| own),
    }
}

#[cfg(test)]
mod tests;
