//! What a move to a survivor does beyond a move to a new master: it proves where the survivor's tail is from, lets the
//! survivor apply it, and notes the way back.

use std::time::Duration;

use mmm_core::journal::step;
use mmm_core::marker::Marker;

use crate::binlog::end::{executed, log_end};
use crate::binlog::files::log_files;
use crate::binlog::pages::{each_event_behind, is_of_the_file};
use crate::channel::settling::Settling;
use crate::channel::{self, Chosen, threads, workers};
use crate::error::Error;
use crate::facts::Facts;
use crate::gtid::{Gtid, GtidSet};
use crate::note::write;
use crate::plan::{Plan, Proof};
use crate::position::BinlogPosition;
use crate::server::Server;
use crate::server::dialect::Flavour;
use crate::status::{Channel, IoThread, Mode, Place};
use crate::survivors::Survivor;
use crate::survivors::note::{Note, marker_of};
use crate::survivors::pursuit::Pursuit;

/// Pause between two looks.
const PAUSE: Duration = Duration::from_millis(10);

/// A move to a survivor, for its tail alone.
#[derive(Debug)]
pub struct Errand<'a> {
    survivor: &'a str,
    channel: &'a str,
    fetched: Option<BinlogPosition>,
    old: &'a str,
    found: &'a Channel,
    pursuit: Pursuit<'a>,
    tail: Option<Brought>,
    written: Option<(Marker, Note)>,
}

/// Who may have written a survivor's tail.
#[derive(Clone, Copy, Debug)]
struct Origin {
    /// `server_id` of the old master, where either host knows it by now.
    old: Option<u64>,
    /// This host's.
    own: u64,
    /// The survivor's.
    survivor: u64,
}

impl Origin {
    /// What came by way of the old master was not written by the survivor, even if nobody can name its server.
    fn is_known(self, id: u64) -> bool {
        id == self.own || self.old.map_or(id != self.survivor, |old| id == old)
    }
}

/// A survivor's tail, all applied there.
#[derive(Debug)]
struct Brought {
    end: BinlogPosition,
    back: Option<BinlogPosition>,
    gtids: GtidSet,
}

impl<'a> Errand<'a> {
    /// Nothing is done yet.
    pub fn new(survivor: &'a Survivor, chosen: &'a Chosen, pursuit: Pursuit<'a>) -> Self {
        Self {
            survivor: survivor.host.name.as_str(),
            channel: &survivor.channel.name,
            fetched: survivor.channel.fetched.clone(),
            old: chosen.source.name.as_str(),
            found: &chosen.channel,
            pursuit,
            tail: None,
            written: None,
        }
    }

    /// The marker with its note, if they were written.
    pub fn into_marker(self) -> Option<(Marker, Note)> {
        self.written
    }

    /// Checks that only transactions of the old master will come, and lets the survivor apply all that it fetched.
    pub fn bring_in(&mut self, server: &mut Server, facts: &Facts, plan: &Plan) -> Result<(), Error> {
        self.check_origin(server, facts, plan)?;
        let seen = channel::again(server, self.channel)?;
        // Unknown positions, as with GTID_ONLY, say nothing. Nor do those of a MariaDB that somebody has just told to
        // apply its relay log by file and position.
        let is_told = !workers::may_show_too_much(server, &seen)
            && seen.applied.is_some()
            && seen.applied == seen.fetched;
        if !seen.sql_running && !is_told {
            threads::check_backlog(self.survivor, &seen, self.old, threads::silent())?;
            step(&format!("let {} apply what it fetched", self.survivor), || {
                threads::start_applying(server, self.channel)
            })?;
        }
        let at_rest = self.wait_for_rest(server)?;
        if at_rest.io == IoThread::Yes && at_rest.fetched != self.fetched {
            return Err(self.pursuit.is_alive(self.old, self.survivor));
        }
        Ok(())
    }

    /// After the position in the survivor's log, what is not from the old master must be this host's own, which this
    /// host skips.
    fn check_origin(&self, server: &mut Server, facts: &Facts, plan: &Plan) -> Result<(), Error> {
        let (ours, theirs) = (&facts.replica, &facts.new);
        match &plan.proof {
            Proof::SameSet { .. } => {
                let source = &ours.channel.source_uuid;
                let (Some(ours), Some(theirs)) = (&ours.sets, &theirs.sets) else { return Ok(()) };
                let channel = channel::again(server, self.channel)?;
                let fetched: GtidSet = channel.retrieved.parse().unwrap_or_default();
                let foreign = theirs.executed.without(&ours.executed).without(&fetched);
                // A channel that was changed knows no source, and a start with relay_log_recovery forgets what was
                // fetched.
                let sources = [source, &channel.source_uuid];
                let foreign =
                    foreign.filtered(|uuid| !sources.iter().any(|of| uuid.eq_ignore_ascii_case(of)));
                if foreign.is_empty() { Ok(()) } else { Err(self.foreign(&foreign)) }
            }
            Proof::SameGroups { state: there, .. } => {
                let origin = self.origin(server, facts)?;
                let is_foreign = |gtid: &Gtid| {
                    !origin.is_known(gtid.server.into())
                        && there.get(gtid.domain, gtid.server).is_none_or(|seen| seen < gtid.sequence)
                };
                match theirs.state.iter().find(is_foreign) {
                    Some(gtid) => Err(self.foreign(gtid)),
                    None => Ok(()),
                }
            }
            _ => {
                let Place::Position(place) = &plan.place else { return Ok(()) };
                let origin = self.origin(server, facts)?;
                self.check_events(server, place, origin)
            }
        }
    }

    /// A server forgets its source's id at its own restart. A server that was pointed back at a dead master still has
    /// the id of the survivor from which it took over before.
    fn origin(&self, server: &mut Server, facts: &Facts) -> Result<Origin, Error> {
        let theirs = channel::again(server, self.channel)?.source_server_id;
        let ours = facts.replica.channel.source_server_id;
        let survivor = facts.new.server_id;
        let old = [theirs, ours].into_iter().find(|id| *id != 0 && *id != survivor);
        Ok(Origin { old, own: facts.replica.server_id, survivor })
    }

    /// The same without GTIDs: by the server that each event names.
    fn check_events(&self, server: &mut Server, place: &BinlogPosition, origin: Origin) -> Result<(), Error> {
        let mut foreign = None;
        let files = log_files(server)?;
        each_event_behind(server, &files, place, "what it wrote itself", |file, row| {
            let id = row.number("Server_id").unwrap_or(0);
            if !is_of_the_file(row) && !origin.is_known(id) {
                foreign = Some(format!("{file}:{} of server id {id}", row.text("Pos")));
            }
            foreign.is_some()
        })?;
        foreign.map_or(Ok(()), |foreign| Err(self.foreign(foreign)))
    }

    fn foreign(&self, what: impl std::fmt::Display) -> Error {
        let reason = format!("its log holds {what}, which is not from {}", self.old);
        self.unfit(reason)
    }

    fn still(&self, state: String) -> Error {
        self.pursuit.still(self.survivor, state)
    }

    fn unfit(&self, reason: String) -> Error {
        self.pursuit.unfit(self.survivor, reason)
    }

    /// Waits until the survivor has applied all that it fetched, and notes where its log then ends.
    fn wait_for_rest(&mut self, server: &mut Server) -> Result<Channel, Error> {
        let mut settling = Settling::default();
        loop {
            let before = log_end(server)?;
            let seen = channel::again(server, self.channel)?;
            if seen.has_failed_on_data() {
                return Err(self.unfit(seen.what_is_wrong()));
            }
            let is_applied = seen.has_applied_all() && !workers::apply_what_is_shown(server, &seen)?;
            if is_applied && settling.is_settled(server, &seen)? {
                let gtids = match server.dialect().flavour() {
                    Flavour::MariaDb => GtidSet::default(),
                    Flavour::MySql => executed(server)?,
                };
                let now = channel::again(server, self.channel)?;
                let end = log_end(server)?;
                if let (true, true, Some(end)) = (now.applied == seen.applied, before == end, end) {
                    self.tail = Some(Brought { end, back: now.applied.clone(), gtids });
                    return Ok(now);
                }
            }
            if server.budget().part(70).is_spent() || !server.budget().pause(PAUSE) {
                return Err(self.still(format!(
                    "{} has applied the log of {} to {} and fetched it to {}",
                    self.survivor,
                    self.old,
                    BinlogPosition::shown(seen.applied.as_ref()),
                    BinlogPosition::shown(seen.fetched.as_ref())
                )));
            }
        }
    }

    /// Notes the way back, before the channel is changed.
    pub fn mark(&mut self, facts: &Facts, place: &Place, changes_key: bool) -> Result<(), Error> {
        let Some(Brought { end, back, gtids }) = &self.tail else {
            return Err(self.unfit("nothing was proved of it".into()));
        };
        let found = &facts.replica.channel;
        let has_moved = (&found.fetched, &found.applied) != (&self.found.fetched, &self.found.applied);
        if has_moved && self.found.fetched == self.found.applied {
            return Err(self.still(format!(
                "{} has sent more to {} meanwhile",
                self.old,
                self.pursuit.config.this()
            )));
        }
        let note = Note {
            survivor: self.survivor.into(),
            channel: found.name.clone(),
            mode: found.mode,
            begin: if let Place::Position(place) = place { Some(place.clone()) } else { None },
            end: Some(end.clone()),
            // What this host once wrote and lost is dropped here, and never comes.
            gtids: match &facts.replica.sets {
                Some(ours) => gtids.filtered(|uuid| !uuid.eq_ignore_ascii_case(&ours.uuid)),
                None => gtids.clone(),
            },
            had: facts.replica.applied_gtids.clone(),
            host: found.source_host.clone(),
            port: found.source_port,
            from: found.applied.clone(),
            back: back.clone(),
            heartbeat: found.heartbeat.clone(),
            fetches_key: changes_key.then_some(found.key.is_fetched),
            is_open: false,
        };
        let path = marker_of(self.pursuit.config.this_host());
        let marker = write(&path, &note.to_text()).map_err(|reason| self.unfit(reason))?;
        self.written = Some((marker, note));
        Ok(())
    }

    /// The end beyond which the SQL thread must not execute: by file and position, only there is the way back exact.
    pub fn until(&self) -> Option<&BinlogPosition> {
        let (_, note) = self.written.as_ref()?;
        note.end.as_ref().filter(|_| note.mode == Mode::FilePosition)
    }
}
