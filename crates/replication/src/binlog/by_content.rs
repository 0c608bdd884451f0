//! Where in the new master's log a replica continues, found by what both have logged.
//!
//! For MySQL without GTIDs: only the groups themselves show what a replica has (docs/FAILOVER.md, 2.6). [`tail`] reads
//! what the replica executed last, [`search`] does the thinking, and [`backwards`] reads a whole log for it, and notes
//! (as `search_note` writes it) how far it came.

pub(crate) mod backwards;
mod last_of_other;
pub(crate) mod own;
pub(crate) mod own_log;
pub(crate) mod search;
mod search_note;
pub(crate) mod tail;

use crate::binlog::by_content::backwards::Backwards;
use crate::binlog::by_content::last_of_other::last_of_other;
use crate::binlog::by_content::search::{Outcome, Search, Wanted};
use crate::binlog::group::Group;
use crate::binlog::located::Found;
use crate::binlog::logged::Logged;
use crate::error::Error;
use crate::facts::Replica;

/// The result of a search.
#[derive(Debug)]
pub struct Sought {
    /// The position; else why no position can be proved.
    pub found: Result<Found, String>,
    /// Whether the new master's log holds transactions of its own; `None` if not all of it was read.
    pub has_own: Option<bool>,
}

impl From<String> for Sought {
    fn from(why: String) -> Self {
        Self { found: Err(why), has_own: None }
    }
}

/// Looks for the position.
pub fn find(replica: &mut Logged, facts: &Replica, new: &mut Logged, new_id: u64) -> Result<Sought, Error> {
    let (host, new_host) = (facts.host.clone(), new.server.host().to_string());
    let wanted = |groups: &[Group]| Wanted::new(groups, id(facts.server_id), id(new_id));
    let is_enough = |groups: &[Group]| wanted(groups).is_some();
    let tail = match tail::read(replica, facts, is_enough)? {
        Ok(tail) => tail,
        Err(why) => return Ok(why.into()),
    };
    let Some(wanted) = wanted(&tail.groups) else {
        let count = tail.groups.len();
        return Ok(
            format!("the {count} transactions that {host} still has logged are too few or too alike").into()
        );
    };
    let search = Search::new(wanted.clone());
    let mut log = Backwards::new(new, &search)?;
    let search = log.search(search)?;
    let has_own = search.has_own();
    let outcome = search.finish();
    let mut is_same = false;
    if let Outcome::Found(place) = &outcome
        && place.is_doubtful(&wanted)
        && tail.is_own_log
    {
        let last = last_of_other(replica, &wanted);
        // So that the next call has all its time for this.
        is_same = place.other.is_settled_by(&last.inspect_err(|_| log.keep())?);
    }
    log.forget();
    let place = match outcome {
        Outcome::Found(place) => place,
        Outcome::Nowhere => {
            let why = format!(
                "what {host} executed last, at {} of its log, is not in the log of {new_host}, or other transactions \
                 lie before it there",
                tail.last
            );
            return Ok(Sought { found: Err(why), has_own: Some(has_own) });
        }
        Outcome::Ambiguous => {
            return Ok(
                format!("what {host} executed last is in several places of the log of {new_host}").into()
            );
        }
    };
    if place.is_doubtful(&wanted) && !is_same {
        let why = format!(
            "the log of {new_host} has other transactions before {}, and {host} cannot show that it has them",
            place.position
        );
        return Ok(why.into());
    }
    let last = place.group.begin;
    let found = Found { position: place.position, same: place.same, last, last_of_replica: tail.last };
    Ok(Sought { found: Ok(found), has_own: None })
}

/// Servers have ids of 32 bits; none has 0.
pub(super) fn id(id: u64) -> u32 {
    u32::try_from(id).unwrap_or(0)
}
