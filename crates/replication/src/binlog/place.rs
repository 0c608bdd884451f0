//! Where in the new master's log a replica goes on, told by what both have logged.

use crate::binlog::search::{Outcome, Search, Wanted};
use crate::binlog::stream::Reader;
use crate::binlog::tail;
use crate::error::Error;
use crate::facts::Replica;
use crate::history::log_files;
use crate::position::BinlogPosition;
use crate::server::Server;

/// The one place behind all that a replica has, and what shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// The place.
    pub position: BinlogPosition,
    /// How many groups before it are the same in both logs.
    pub same: usize,
    /// Where the last of them begins in the new master's log.
    pub last: u64,
    /// Where it begins in the replica's log.
    pub last_of_replica: BinlogPosition,
}

/// A server that is asked, and its log.
pub struct Logged<'l, 'h> {
    /// The server.
    pub server: &'l mut Server,
    /// The reader of its log.
    pub reader: Reader<'h>,
}

/// Finds the place; else why there is none that can be proved.
pub fn find(
    replica: &mut Logged,
    facts: &Replica,
    new: &mut Logged,
    new_id: u64,
) -> Result<Result<Found, String>, Error> {
    let tail = match tail::read(replica.server, &replica.reader, facts)? {
        Ok(tail) => tail,
        Err(why) => return Ok(Err(why)),
    };
    let (host, new_host) = (facts.host.clone(), new.server.host().to_string());
    let id = |id: u64| u32::try_from(id).unwrap_or(0);
    let Some(wanted) = Wanted::new(&tail.groups, id(facts.server_id), id(new_id)) else {
        return Ok(Err(format!(
            "the {} transactions that {host} still has logged are too few or too alike",
            tail.groups.len()
        )));
    };
    let mut search = Search::new(wanted.clone());
    for name in log_files(new.server)?.iter().rev() {
        let mut file = search.file(name);
        new.reader.each_group(name, |group| file.group(group))?;
        file.end();
        if search.is_settled() {
            break;
        }
    }
    let place = match search.finish() {
        Outcome::Found(place) => place,
        Outcome::Nowhere => {
            return Ok(Err(format!(
                "what {host} executed last, at {} of its log, is not in the log of {new_host}, or other \
                 transactions lie before it there",
                tail.last
            )));
        }
        Outcome::Ambiguous => {
            return Ok(Err(format!(
                "what {host} executed last is in several places of the log of {new_host}"
            )));
        }
    };
    if place.is_doubtful(&wanted) {
        let is_same = tail.is_own_log
            && place.other.is_settled_by(&tail::last_of_other(replica.server, &replica.reader, &wanted)?);
        if !is_same {
            return Ok(Err(format!(
                "the log of {new_host} has other transactions before {}, and {host} cannot show that it has them",
                place.position
            )));
        }
    }
    let last = place.group.begin;
    Ok(Ok(Found { position: place.position, same: place.same, last, last_of_replica: tail.last }))
}
