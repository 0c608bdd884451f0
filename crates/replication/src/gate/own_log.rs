//! A host that lost the end of its own log, which its peer still has. The host never gets that back: a server drops
//! what comes to it with its own server id, and counts it as fetched and applied (manual, `replicate_same_server_id`).

use std::cmp::Ordering;

use crate::binlog::files::log_files_and_sizes;
use crate::channel;
use crate::error::Error;
use crate::gate::asking::Gate;
use crate::gtid::{GtidSet, GtidState};
use crate::position::BinlogPosition;
use crate::record::Record;
use crate::refusal::Refusal;
use crate::server::Server;
use crate::server::dialect::Flavour;
use crate::status::{Channel, Mode};
use crate::survivors::Logged;

impl Gate<'_> {
    /// Refuses if the peer has what this host once wrote and no longer has. To be asked when this host has applied all
    /// that comes from the peer.
    pub(super) fn check_own_log(&mut self, peer: &mut Server) -> Result<(), Error> {
        // In this order: what this host writes in between is not missing.
        let channels = channel::all(peer)?;
        let statement = peer.dialect().variables();
        let theirs = peer.one(&statement)?;
        let ours = self.local.one(&self.local.dialect().variables())?;
        let lost = lost(peer.dialect().flavour(), &ours, &theirs, &[]);
        let lost = match lost.map_err(|column| peer.unexpected(&statement, column))? {
            None => self.lost_places(&ours, &channels)?,
            lost => lost,
        };
        lost.map_or(Ok(()), |missing| Err(self.own_log_cut(self.peer.name.as_str(), missing)))
    }

    /// The same by what other slaves have of this host, if the peer is silent: what came from there under this host's
    /// own server id was dropped here, and not there.
    pub(super) fn check_own_log_by(&mut self, others: &[Logged]) -> Result<(), Error> {
        if others.is_empty() {
            return Ok(());
        }
        let (flavour, statement) = (self.local.dialect().flavour(), self.local.dialect().variables());
        let ours = self.local.one(&statement)?;
        for Logged { host, variables, retrieved } in others {
            let lost = lost(flavour, &ours, variables, retrieved);
            let lost = lost.map_err(|column| self.local.unexpected(&statement, column))?;
            if let Some(missing) = lost {
                return Err(self.own_log_cut(host, missing));
            }
        }
        Ok(())
    }

    fn own_log_cut(&self, elsewhere: &str, missing: String) -> Error {
        Refusal::OwnLogCut {
            host: self.local.host().into(),
            peer: elsewhere.into(),
            missing,
            then: self.question.otherwise.into(),
        }
        .into()
    }

    /// Without GTIDs, the position to which the peer has executed this host's log shows how long that log once was.
    fn lost_places(&mut self, ours: &Record, channels: &[Channel]) -> Result<Option<String>, Error> {
        let id = ours.number("server_id").unwrap_or(0);
        let from_here = channels.iter().filter(|channel| {
            channel.mode == Mode::FilePosition && channel.source_server_id == id && id != 0
        });
        let places: Vec<_> = from_here.filter_map(|channel| channel.applied.clone()).collect();
        if places.is_empty() || !ours.is_on("log_bin") {
            return Ok(None);
        }
        let files = log_files_and_sizes(self.local)?;
        Ok(places.iter().find_map(|place| beyond(place, &files)))
    }
}

/// What a host has of this one's own transactions that this one has not, by GTID; `retrieved` is what its channels say
/// that they have fetched.
fn lost(
    flavour: Flavour,
    ours: &Record,
    theirs: &Record,
    retrieved: &[String],
) -> Result<Option<String>, &'static str> {
    match flavour {
        Flavour::MariaDb => lost_groups(ours, theirs),
        Flavour::MySql => lost_transactions(ours, theirs, retrieved),
    }
}

/// MariaDB: this host's own last transaction in a domain, if its log ends before that. A log without any transaction of
/// its own was begun anew, as on a copy of another server.
fn lost_groups(ours: &Record, theirs: &Record) -> Result<Option<String>, &'static str> {
    let id = ours.number("server_id").unwrap_or(0);
    let logged: GtidState = ours.parsed("binlog_state")?;
    let theirs: GtidState = theirs.parsed("binlog_state")?;
    let lost = theirs.iter().filter(|gtid| u64::from(gtid.server) == id).find_map(|gtid| {
        let last = logged.get(gtid.domain, gtid.server)?;
        (last < gtid.sequence).then(|| format!("{gtid}, and here it ends with number {last}"))
    });
    Ok(lost)
}

/// MySQL with GTIDs: transactions under this host's own uuid.
fn lost_transactions(
    ours: &Record,
    theirs: &Record,
    retrieved: &[String],
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
