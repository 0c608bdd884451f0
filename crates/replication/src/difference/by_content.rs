//! The difference without global ids, by the contents of the transactions.
//!
//! First it is looked for as a slave's position is: the last transactions that the other executed are looked for in
//! this server's log. If that proves no position, for instance because a slave wrote a transaction itself, the logs are
//! compared as a whole, as far back as memory allows.

use std::collections::{BTreeSet, HashMap};

use crate::binlog::by_content;
use crate::binlog::end::log_end;
use crate::binlog::files::log_files;
use crate::binlog::group::{Groups, Print};
use crate::binlog::logged::Logged;
use crate::binlog::stream::Start;
use crate::difference::plan::{Method, Place, Plan, Skip, Wanted};
use crate::difference::side::Side;
use crate::error::Told;
use crate::facts::Replica;
use crate::gtid::GtidPosition;
use crate::record::Record;
use crate::status::Channel;

/// How many transactions of the other's log are kept in memory, each by half of what identifies it.
const MOST: usize = 1 << 20;
/// How many missing ones are kept, by their positions.
const MOST_MISSING: usize = 200_000;

/// Finds the difference, or says why it cannot be found.
pub fn find(
    (one, side): (&mut Logged, &Side),
    (other, other_side): (&mut Logged, &Side),
    other_is_here: bool,
) -> Told<Plan> {
    if !side.logs_updates {
        let what = if side.logs { "does not log what it replicates" } else { "keeps no log" };
        return Ok(Err(format!("{} {what}, and without GTIDs nothing else shows what it has", side.host)));
    }
    // This comes first: what is logged from now on may reach the other meanwhile.
    let Some(end) = log_end(one.server)? else {
        return Ok(Err(format!("{} does not say where its log ends", side.host)));
    };
    let mut names = log_files(one.server)?;
    names.truncate(names.iter().position(|name| *name == end.file).map_or(names.len(), |last| last + 1));
    let end = (names.len().saturating_sub(1), end.offset);
    let facts = facts(other_side, other_is_here);
    let found = by_content::find(other, &facts, one, side.server_id)?.found;
    let (first, wanted, since) = match found {
        Ok(found) => {
            let file = names.iter().position(|name| *name == found.position.file).unwrap_or(0);
            let (begin, but) = ((file, found.position.offset), id(other_side.server_id));
            (file, Wanted::Between { begin, end, but }, None)
        }
        Err(why) if !other_side.logs_updates => return Ok(Err(why)),
        Err(why) => {
            log::info!("{why}: the logs are compared as a whole");
            match whole((one, side), (other, other_side), &names)? {
                Ok((mut places, since)) => {
                    places.split_off(&end);
                    let first = places.first().map_or(names.len(), |(file, _)| *file);
                    (first, Wanted::At(places), Some(since))
                }
                Err(why) => return Ok(Err(why)),
            }
        }
    };
    let skip = match &wanted {
        Wanted::Between { begin: (_, offset), .. } => Skip::Before(*offset),
        _ => Skip::Nothing,
    };
    let holds_any = |index: &usize| match &wanted {
        Wanted::At(places) => places.range((*index, 0)..(index + 1, 0)).next().is_some(),
        _ => true,
    };
    let files = names.into_iter().enumerate().skip(first).filter(|(index, _)| holds_any(index)).collect();
    Ok(Ok(Plan {
        method: Method::Content,
        gtids: String::new(),
        count: None,
        purged: None,
        unlogged: None,
        since,
        files,
        wanted,
        skip,
    }))
}

/// The other server in the form that the search for a slave's position needs.
fn facts(side: &Side, is_here: bool) -> Replica {
    let channel = side.channels.first().cloned();
    let mut channel = channel.unwrap_or_else(|| Channel::from_record(Record::default()));
    if !is_here {
        // Another host's relay log is not on this host's disk.
        channel.relay = None;
    }
    Replica {
        host: side.host.clone(),
        server_id: side.server_id,
        channel,
        other_channels: side.channels.len() > 1,
        gtid_position: GtidPosition::default(),
        may_be_ahead: false,
        applied_gtids: String::new(),
        sets: None,
        why_no_set: None,
        logs_updates: side.logs_updates,
        log: None,
        temporary_tables: 0,
        moves_itself: false,
    }
}

type Places = BTreeSet<Place>;

/// The positions of those that are in the one log and not in the other, and since when the logs were compared.
fn whole(
    (one, side): (&mut Logged, &Side),
    (other, other_side): (&mut Logged, &Side),
    names: &[String],
) -> Told<(Places, u32)> {
    let mut theirs = Known::default();
    for name in log_files(other.server)?.iter().rev() {
        let mut created = 0;
        let mut groups = Groups::default();
        other.reader.each_event(name, |event| {
            created = if created == 0 { event.time } else { created };
            if let Some(group) = groups.event(event) {
                *theirs.prints.entry(half(group.print)).or_default() += 1;
            }
        })?;
        theirs.since = created;
        if theirs.prints.len() > MOST {
            break;
        }
    }
    let (mut first, mut since) = (names.len(), theirs.since);
    for (index, name) in names.iter().enumerate().rev() {
        let mut created = 0;
        one.reader.each_until(name, Start::First, |event, _| {
            created = event.time;
            true
        })?;
        first = index;
        if created < theirs.since {
            break;
        }
        if index == 0 {
            since = since.max(created);
        }
    }
    let but = id(other_side.server_id);
    let (mut places, mut has_common) = (Places::new(), false);
    for (index, name) in names.iter().enumerate().skip(first) {
        one.reader.each_group(name, |group| {
            if theirs.takes(group.print) {
                has_common = true;
            } else if group.server_id != but && group.time >= since && places.len() <= MOST_MISSING {
                places.insert((index, group.begin));
            }
        })?;
    }
    let (host, other_host) = (&side.host, &other_side.host);
    if !has_common {
        return Ok(Err(format!(
            "the logs of {host} and {other_host} have no transaction in common (none was written yet, or the common ones \
             are purged), and without GTIDs nothing else shows \
             what is missing"
        )));
    }
    if places.len() > MOST_MISSING {
        return Ok(Err(format!(
            "more than {MOST_MISSING} transactions of {host} are not in the log of {other_host}"
        )));
    }
    Ok(Ok((places, since)))
}

/// The other server's transactions.
#[derive(Default)]
struct Known {
    /// How many there are of each; there can be more than one in the same second.
    prints: HashMap<u64, u32>,
    /// When the oldest file that holds them was begun.
    since: u32,
}

impl Known {
    /// True if there is one more of these, which is then removed.
    fn takes(&mut self, print: Print) -> bool {
        let Some(count) = self.prints.get_mut(&half(print)).filter(|count| **count > 0) else { return false };
        *count -= 1;
        true
    }
}

#[allow(clippy::cast_possible_truncation)]
fn half(print: Print) -> u64 {
    print.0 as u64
}

/// Servers have ids of 32 bits; none has 0.
fn id(id: u64) -> u32 {
    u32::try_from(id).unwrap_or(0)
}
