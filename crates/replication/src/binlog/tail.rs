//! What a replica executed last: from its own log, else from its relay log on this host's disk.
//!
//! Its own log tells that only as long as it was kept: what was executed before the server was started last may not
//! have been logged. So it is read back to that start; where it holds nothing since, the relay log has to tell.

use std::collections::VecDeque;
use std::path::Path;

use crate::binlog::event::Event;
use crate::binlog::group::{Group, Groups};
use crate::binlog::relay;
use crate::binlog::search::{DEPTH, LastOf, Wanted};
use crate::binlog::stream::Reader;
use crate::error::Error;
use crate::facts::Replica;
use crate::history::log_files;
use crate::position::BinlogPosition;
use crate::server::Server;

/// A replica's last groups.
#[derive(Debug)]
pub struct Tail {
    /// The groups, the newest last.
    pub groups: Vec<Group>,
    /// Where the newest begins.
    pub last: BinlogPosition,
    /// True where they come from its own log, which can tell of older ones.
    pub is_own_log: bool,
}

impl Tail {
    /// Puts an older file's groups before those of the newer ones; true when there are enough.
    fn add(tail: &mut Option<Self>, file: &str, older: &VecDeque<Group>, is_own_log: bool) -> bool {
        let Some(newest) = older.back() else { return false };
        let tail = tail.get_or_insert_with(|| Self {
            groups: Vec::new(),
            last: BinlogPosition::new(file, newest.begin),
            is_own_log,
        });
        let room = DEPTH - tail.groups.len();
        tail.groups.splice(..0, older.iter().skip(older.len().saturating_sub(room)).copied());
        tail.groups.len() == DEPTH
    }
}

/// The last groups of a file, and whether the server was started with it.
#[derive(Default)]
struct Last {
    made: Groups,
    groups: VecDeque<Group>,
    begins_run: bool,
}

impl Last {
    /// The file's next event.
    fn event(&mut self, event: &Event, replica: &Replica) {
        self.begins_run |= event.begins_run();
        let group = self.made.event(event).filter(|group| u64::from(group.server_id) != replica.server_id);
        if let Some(group) = group {
            if self.groups.len() == DEPTH {
                self.groups.pop_front();
            }
            self.groups.push_back(group);
        }
    }
}

/// The last groups that came over the replica's channel; else why they cannot be told.
pub fn read(server: &mut Server, reader: &Reader, replica: &Replica) -> Result<Result<Tail, String>, Error> {
    let host = &replica.host;
    if replica.other_channels {
        return Ok(Err(format!(
            "{host} has several channels, whose transactions its log does not tell apart"
        )));
    }
    let own = if replica.logs_updates { own_log(server, reader, replica)? } else { None };
    if let Some(tail) = own {
        return Ok(Ok(tail));
    }
    let relay = relay_log(server, replica)?;
    Ok(relay.map_err(|why| {
        format!("{host} has logged nothing of its master's since its server was started, and {why}")
    }))
}

/// `None` where its own log tells nothing.
fn own_log(server: &mut Server, reader: &Reader, replica: &Replica) -> Result<Option<Tail>, Error> {
    let mut tail = None;
    for file in log_files(server)?.iter().rev() {
        let mut last = Last::default();
        reader.each_event(file, |event| last.event(event, replica))?;
        if Tail::add(&mut tail, file, &last.groups, true) || last.begins_run {
            break;
        }
    }
    Ok(tail)
}

/// From the file that is being applied, up to what is applied, and the files before it that still exist.
fn relay_log(server: &mut Server, replica: &Replica) -> Result<Result<Tail, String>, Error> {
    let base = server.one("SELECT @@GLOBAL.relay_log_basename AS base")?;
    let (Some(folder), Some(place)) = (Path::new(base.text("base")).parent(), &replica.channel.relay) else {
        return Ok(Err("it has no relay log".into()));
    };
    let mut tail = None;
    let (mut file, mut until) = (Some(place.file.clone()), Some(place.offset));
    while let Some(name) = file {
        let (mut last, path) = (Last::default(), folder.join(&name));
        if let Err(error) = relay::each_event(&path, until.take(), |event| last.event(event, replica)) {
            return Ok(Err(format!("its relay log {} cannot be read: {error}", path.display())));
        }
        let is_enough = Tail::add(&mut tail, &name, &last.groups, false);
        file = before(&name).filter(|name| !is_enough && folder.join(name).exists());
    }
    Ok(tail.ok_or_else(|| "its relay log holds nothing that is applied".into()))
}

/// The relay log file before this one.
fn before(name: &str) -> Option<String> {
    let (base, number) = name.rsplit_once('.')?;
    let earlier = number.parse::<u64>().ok()?.checked_sub(1)?;
    Some(format!("{base}.{earlier:0width$}", width = number.len()))
}

/// The replica's last groups of the other kind, from its own log.
///
/// Beyond the server's last start only where the log's own server wrote them. Had the replica executed a later one
/// unlogged, that server's log would have it before the place, and it would be missed here.
pub fn last_of_other(server: &mut Server, reader: &Reader, wanted: &Wanted) -> Result<LastOf, Error> {
    let mut last = LastOf::default();
    for file in log_files(server)?.iter().rev() {
        let (mut of_file, mut groups, mut begins_run) = (LastOf::default(), Groups::default(), false);
        reader.each_event(file, |event| {
            begins_run |= event.begins_run();
            if let Some(group) = groups.event(event).filter(|group| wanted.is_other(group.server_id)) {
                of_file.then(&group);
            }
        })?;
        last.behind(&of_file);
        if last.is_whole || begins_run && wanted.last_is_own() {
            break;
        }
    }
    Ok(last)
}
