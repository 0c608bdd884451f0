//! What a replica executed last: from its own log, else from its relay log on this host's disk.
//!
//! Its own log shows that only for the time in which it was kept: what was executed before the server's last start may
//! not have been logged. So the log is read back to that start. If that is too little, the relay log has to show the
//! rest, or to confirm that the log was kept before.

use std::collections::VecDeque;
use std::ffi::OsStr;
use std::path::Path;

use crate::binlog::by_content::own_log::{self, take};
use crate::binlog::by_content::search::DEPTH;
use crate::binlog::event::{Event, kind};
use crate::binlog::files::log_files;
use crate::binlog::group::{Group, Groups};
use crate::binlog::logged::Logged;
use crate::binlog::relay;
use crate::error::{Error, Told};
use crate::facts::Replica;
use crate::position::BinlogPosition;
use crate::server::Server;

/// A replica's last groups.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tail {
    /// The groups, the newest last.
    pub groups: Vec<Group>,
    /// Where the newest begins.
    pub last: BinlogPosition,
    /// True if they come from its own log, which can show older ones.
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

/// The last groups of a relay log file.
#[derive(Default)]
struct Last {
    made: Groups,
    groups: VecDeque<Group>,
}

impl Last {
    /// The file's next event.
    fn event(&mut self, event: &Event, replica: &Replica) {
        if let Some(group) = self.made.event(event) {
            take(&mut self.groups, &group, replica.server_id);
        }
    }
}

/// The last groups that came over the replica's channel; else why they cannot be found. `is_enough` says whether groups
/// distinguish one position from another.
pub fn read(log: &mut Logged, replica: &Replica, is_enough: impl Fn(&[Group]) -> bool) -> Told<Tail> {
    let host = &replica.host;
    if replica.other_channels {
        return Ok(Err(format!(
            "{host} has several channels, whose transactions its log does not tell apart"
        )));
    }
    let own_log = |log: &mut Logged, at_least: usize| {
        if replica.logs_updates { own_log(log, replica, at_least) } else { Ok(None) }
    };
    let own = match own_log(log, 0)? {
        Some(tail) if is_enough(&tail.groups) => return Ok(Ok(tail)),
        other => other,
    };
    let relay = match relay_log(log.server, replica)? {
        Ok(relay) => relay,
        Err(why) => {
            return Ok(own.ok_or_else(|| {
                format!("{host} has logged nothing of its master's since its server was started, and {why}")
            }));
        }
    };
    let older = own_log(log, relay.groups.len())?;
    let count = |tail: Option<&Tail>| tail.map_or(0, |tail| tail.groups.len());
    log::debug!(
        "{host}: {} transactions in its log since its server was started, {} in its relay log, {} in its log before",
        count(own.as_ref()),
        relay.groups.len(),
        count(older.as_ref())
    );
    Ok(longest(own, relay, older).ok_or_else(|| {
        format!(
            "the log of {host} and its relay log do not end with the same transaction; was its server killed?"
        )
    }))
}

/// Which of these shows most of a replica: its log since its server was started, its relay log, or its log as far back
/// as it reaches; `None` if they contradict each other.
///
/// If the relay log ends with groups that an older run of the server has logged as its last ones, that run has logged
/// all that it executed.
fn longest(own: Option<Tail>, relay: Tail, older: Option<Tail>) -> Option<Tail> {
    let older = older.unwrap_or_else(|| Tail { groups: Vec::new(), ..relay.clone() });
    if are_unique(&relay.groups) && ends_with(&older.groups, &relay.groups) {
        return Some(older);
    }
    match own {
        Some(own) => Some(if ends_with(&relay.groups, &own.groups) { relay } else { own }),
        None if ends_with(&relay.groups, &older.groups) || ends_with(&older.groups, &relay.groups) => {
            Some(relay)
        }
        // The position in the relay log was not written down in time: the log knows more.
        None => {
            let last = relay.groups.last()?.print;
            older.groups.iter().all(|group| group.print != last).then_some(relay)
        }
    }
}

/// Groups of different seconds do not come a second time in the same order, nor do very many that are not all alike.
fn are_unique(groups: &[Group]) -> bool {
    let some_pair = |differ: fn(&[Group]) -> bool| groups.windows(2).any(differ);
    some_pair(|pair| pair[0].time != pair[1].time)
        || groups.len() == DEPTH && some_pair(|pair| pair[0].print != pair[1].print)
}

fn ends_with(groups: &[Group], end: &[Group]) -> bool {
    let pairs = groups.iter().rev().zip(end.iter().rev());
    groups.len() >= end.len() && pairs.into_iter().all(|(one, other)| one.print == other.print)
}

/// Back to where the server was started last, or to the run that has the last `at_least` groups; `None` if the log
/// shows nothing.
fn own_log(log: &mut Logged, replica: &Replica, at_least: usize) -> Result<Option<Tail>, Error> {
    let mut tail = None;
    for file in log_files(log.server)?.iter().rev() {
        let part = own_log::read(log, file, replica.server_id)?;
        let is_whole = Tail::add(&mut tail, file, &part.groups, true);
        let known = tail.as_ref().map_or(0, |tail| tail.groups.len());
        if is_whole || part.begin.is_of_run && known >= at_least {
            break;
        }
    }
    Ok(tail)
}

/// From the file that is being applied, up to what is applied, and the files before it that still exist.
///
/// A server with `relay_log_recovery` gives up at its start what it had fetched and not applied: it begins a new file and
/// leaves the old one with what nobody executed. Only a file that was followed by the next one in the same run of the
/// server ends with the name of that one.
fn relay_log(server: &mut Server, replica: &Replica) -> Told<Tail> {
    let base = server.one("SELECT @@GLOBAL.relay_log_basename AS base")?;
    let (Some(folder), Some(place)) = (Path::new(base.text("base")).parent(), &replica.channel.relay) else {
        return Ok(Err("it has no relay log".into()));
    };
    let recovery = server.one("SELECT @@GLOBAL.relay_log_recovery AS is_on")?;
    let gives_up = recovery.text("is_on") == "1";
    let (mut tail, mut newer) = (None, None);
    let (mut file, mut until) = (Some(place.file.clone()), Some(place.offset));
    while let Some(name) = file {
        if Path::new(&name).file_name() != Some(OsStr::new(&name)) {
            return Ok(Err(format!("it names {name:?} as a file of its relay log")));
        }
        let (mut last, path) = (Last::default(), folder.join(&name));
        let mut next = None;
        let read = relay::each_event(&path, until.take(), |event| {
            last.event(event, replica);
            next = next_file(event);
        });
        if let Err(error) = read {
            return Ok(Err(format!("its relay log {} cannot be read: {error}", path.display())));
        }
        if gives_up && newer.is_some() && next != newer {
            break;
        }
        let is_enough = Tail::add(&mut tail, &name, &last.groups, false);
        newer = Some(name.clone().into_bytes());
        file = before(&name).filter(|name| !is_enough && folder.join(name).exists());
    }
    Ok(tail.ok_or_else(|| "its relay log holds nothing that is applied".into()))
}

/// The file that an event names as the one that follows.
fn next_file(event: &Event) -> Option<Vec<u8>> {
    // Before the name stands a position.
    (event.kind == kind::ROTATE).then(|| event.body.get(8..).unwrap_or_default().to_vec())
}

/// The relay log file before this one.
fn before(name: &str) -> Option<String> {
    let (base, number) = name.rsplit_once('.')?;
    let earlier = number.parse::<u64>().ok()?.checked_sub(1)?;
    Some(format!("{base}.{earlier:0width$}", width = number.len()))
}

#[cfg(test)]
mod tests;
