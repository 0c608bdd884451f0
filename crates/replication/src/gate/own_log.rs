//! A host that lost the end of its own log, which its peer still has. The host never gets that back: a server drops
//! what comes to it with its own server id, and counts it as fetched and applied (manual, `replicate_same_server_id`).

use std::cmp::Ordering;

use crate::binlog::files::log_files_and_sizes;
use crate::error::Error;
use crate::gate::question::Question;
use crate::gtid::{Gtid, GtidPosition, GtidSet, GtidState};
use crate::position::BinlogPosition;
use crate::record::Record;
use crate::refusal::Refusal;
use crate::server::Server;
use crate::server::dialect::Flavour;
use crate::status::{Channel, Mode};
use crate::survivors::Logged;

/// Refuses if the peer has what this host once wrote and no longer has. To be asked when this host has applied all that
/// comes from the peer.
pub(super) fn check_own_log(local: &mut Server, peer: &mut Server, question: Question) -> Result<(), Error> {
    let theirs = Logged::of(peer)?;
    // Read after theirs: what this host writes in between is not missing.
    let ours = local.one(&local.dialect().variables())?;
    // By position, the peer alone is asked: a slave that nobody has used for long may stand in an older log.
    match lost_places(local, &ours, &theirs.channels)? {
        Some(missing) => Err(own_log_cut(local, &theirs.host, missing, question)),
        None => check_own_log_by(local, &[theirs], question),
    }
}

/// Without GTIDs, the position to which another host has this host's log shows how long that log once was.
fn lost_places(local: &mut Server, ours: &Record, channels: &[Channel]) -> Result<Option<String>, Error> {
    let id = ours.number("server_id").unwrap_or(0);
    let from_here = channels
        .iter()
        .filter(|channel| channel.mode == Mode::FilePosition && channel.source_server_id == id && id != 0);
    // A server that trims its log at its start may have sent half a transaction of what it trims.
    let whole = |channel: &Channel| {
        if channel.has_half() { channel.applied.clone() } else { channel.fetched.clone() }
    };
    let places: Vec<_> = from_here.filter_map(whole).collect();
    if places.is_empty() || !ours.is_on("log_bin") {
        return Ok(None);
    }
    let files = log_files_and_sizes(local)?;
    Ok(places.iter().find_map(|place| beyond(place, &files)))
}

/// The same by what other slaves have of this host, if the peer is silent: what came from there under this host's own
/// server id was dropped here, and not there.
pub(super) fn check_own_log_by(
    local: &mut Server,
    others: &[Logged],
    question: Question,
) -> Result<(), Error> {
    if others.is_empty() {
        return Ok(());
    }
    let ours = local.one(&local.dialect().variables())?;
    for logged in others {
        let lost = lost(&ours, logged).map_err(|column| Error::Unexpected {
            host: logged.host.clone(),
            statement: logged.dialect.variables(),
            missing: column.into(),
        })?;
        if let Some(missing) = lost {
            return Err(own_log_cut(local, &logged.host, missing, question));
        }
    }
    Ok(())
}

fn own_log_cut(local: &Server, elsewhere: &str, missing: String, question: Question) -> Error {
    let (host, peer, then) = (local.host().into(), elsewhere.into(), question.otherwise.into());
    Refusal::OwnLogCut { host, peer, missing, then }.into()
}

/// What a host has executed or fetched of this one's own transactions that this one has not, by GTID.
fn lost(ours: &Record, theirs: &Logged) -> Result<Option<String>, &'static str> {
    let Logged { variables, channels, dialect, .. } = theirs;
    match dialect.flavour() {
        Flavour::MariaDb => lost_groups(ours, variables, channels),
        Flavour::MySql => {
            let is_whole = |channel: &&Channel| !(dialect.counts_half_as_retrieved() && channel.has_half());
            let retrieved: Vec<_> =
                channels.iter().filter(is_whole).map(|channel| channel.retrieved.as_str()).collect();
            lost_transactions(ours, variables, &retrieved)
        }
    }
}

/// MariaDB: this host's own last transaction in a domain, if its log ends before that. A log without any transaction of
/// its own was begun anew, as on a copy of another server.
fn lost_groups(ours: &Record, theirs: &Record, channels: &[Channel]) -> Result<Option<String>, &'static str> {
    let id = ours.number("server_id").unwrap_or(0);
    let logged: GtidState = ours.parsed("binlog_state")?;
    let executed: GtidState = theirs.parsed("binlog_state")?;
    let mut known: Vec<Gtid> = executed.iter().collect();
    for channel in channels {
        let fetched: GtidPosition = channel.fetched_gtids.parse().map_err(|_| "Gtid_IO_Pos")?;
        known.extend(fetched.iter());
    }
    let lost = known.into_iter().filter(|gtid| u64::from(gtid.server) == id).find_map(|gtid| {
        let last = logged.get(gtid.domain, gtid.server)?;
        (last < gtid.sequence).then(|| format!("{gtid}, and here it ends with number {last}"))
    });
    Ok(lost)
}

/// MySQL with GTIDs: transactions under this host's own uuid; `retrieved` is what the other host's channels have fetched.
fn lost_transactions(
    ours: &Record,
    theirs: &Record,
    retrieved: &[&str],
) -> Result<Option<String>, &'static str> {
    let own = ours.text("server_uuid");
    if own.is_empty() || ours.text("gtid_mode") != "ON" {
        return Ok(None);
    }
    let mut known: GtidSet = theirs.parsed("executed")?;
    for set in retrieved {
        known = known.with(&set.parse().map_err(|_| "Retrieved_Gtid_Set")?);
    }
    let lost = known.filtered(|uuid| uuid.eq_ignore_ascii_case(own)).without(&ours.parsed("executed")?);
    Ok((!lost.is_empty()).then(|| lost.to_string()))
}

/// True of a position beyond the end of its file, if later files exist: every start of a server begins one. A log that
/// was reset on purpose may be shorter, too, but continues in its first file.
fn beyond(place: &BinlogPosition, files: &[(String, u64)]) -> Option<String> {
    let size = files.iter().find(|(file, _)| *file == place.file).map(|(_, size)| *size)?;
    let end = files.last().map(|(file, size)| BinlogPosition::new(file, *size))?;
    let is_closed = place.file != end.file && place.compare(&end) == Some(Ordering::Less);
    (is_closed && place.offset > size).then(|| format!("{place}, and here that file ends at {size}"))
}

#[cfg(test)]
mod tests;
