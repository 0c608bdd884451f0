//! Finds a replica's last groups in another server's log. No server is asked here.
//!
//! The log is read from its newest file to its oldest, each file forwards. Its groups are of two kinds: those that its
//! own server wrote, and which the replica's source got in that order; and those of the source, which this server got
//! in the source's order. So for each kind, both a position in the log and the replica have all groups up to a last
//! one. The position is right if these last ones are the same:
//! - of the kind of the replica's very last group, if that group lies just before the position, and the replica's last
//!   groups lie in the same order before no other position;
//! - of the other kind, if the last one before the position is the replica's last one.
//!
//! The search goes back to that last one of the other kind: the replica has it, so no earlier position can be right. If
//! the log has none of its own server's, the replica has none either: if the replica had a later one, its source would
//! have had it before the source's own last group, so this server would have written it before it got that group.

use std::collections::VecDeque;

use mmm_core::mutant::takes_out;

use crate::binlog::group::{Group, Print};
use crate::position::BinlogPosition;

/// How many of a replica's last groups are compared. This is more than the 512 that a parallel applier of MySQL may
/// have under way between two checkpoints (`slave_checkpoint_group`).
pub const DEPTH: usize = 1024;
/// The maximum number of positions that are kept if the same groups seem to come again and again; far fewer are enough
/// to refuse.
const MOST: usize = 64;

/// What is looked for.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// The replica's last groups, the newest last, at most [`DEPTH`]. None that the replica wrote.
    pub(super) tail: Vec<Print>,
    /// How many of them must be found: enough to include one that is of the last one's kind and differs from it. If
    /// groups are all alike, a log may have fewer of them than the replica.
    pub(super) enough: usize,
    /// The same for the other kind; `None` if the groups do not reach so far back.
    pub(super) enough_for_other: Option<usize>,
    pub(super) replica_id: u32,
    pub(super) own_id: u32,
    /// True if the log's own server wrote the replica's very last group.
    pub(super) last_is_own: bool,
}

impl Wanted {
    /// The end of `groups`, those that a replica executed last, to be found in the log of the server with the id
    /// `own_id`. `None` if they are too few, or too alike, to distinguish one position from another.
    pub fn new(groups: &[Group], replica_id: u32, own_id: u32) -> Option<Self> {
        let newest = groups.iter().rev().filter(|group| group.server_id != replica_id).take(DEPTH);
        let last = newest.clone().next()?;
        let last_is_own = last.server_id == own_id;
        // How many are needed to see two different ones of a kind.
        let enough = |is_own: bool| {
            let mut first = None;
            let position = newest.clone().position(|group| {
                (group.server_id == own_id) == is_own && *first.get_or_insert(group.print) != group.print
            });
            position.map(|index| index + 1)
        };
        let (enough, enough_for_other) = (enough(last_is_own)?, enough(!last_is_own));
        let mut tail: Vec<Print> = newest.map(|group| group.print).collect();
        tail.reverse();
        Some(Self { tail, enough, enough_for_other, replica_id, own_id, last_is_own })
    }

    /// True of the print of the replica's very last group.
    fn ends_with(&self, print: Print) -> bool {
        self.tail.last() == Some(&print)
    }

    /// True if the log's own server wrote the replica's very last group.
    pub fn last_is_own(&self) -> bool {
        self.last_is_own
    }

    /// True of a group that the replica wrote itself.
    pub fn is_of_replica(&self, server_id: u32) -> bool {
        server_id == self.replica_id
    }

    /// True of a group that is of the other kind than the replica's last one; the replica's own are of neither.
    pub fn is_other(&self, server_id: u32) -> bool {
        !self.is_of_replica(server_id) && (server_id == self.own_id) != self.last_is_own
    }
}

/// The last groups of one kind in a log: those at the end that are all alike, nearly always a single one. Groups of the
/// same second can be alike, and a host that has the first need not have the second.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LastOf {
    /// The last one; `None` until one was seen.
    pub group: Option<Group>,
    /// How many there are.
    pub alike: usize,
    /// True if a different one was seen before them, so that there are no more.
    pub is_whole: bool,
}

impl LastOf {
    /// The next group of that kind.
    pub fn then(&mut self, group: &Group) {
        let before = std::mem::take(self);
        let goes_on = before.group.is_some_and(|last| last.print == group.print);
        *self = Self {
            group: Some(*group),
            alike: if goes_on { before.alike + 1 } else { 1 },
            is_whole: if goes_on { before.is_whole } else { before.group.is_some() },
        };
    }

    /// Adds an older part of the log, which ends where this one begins.
    pub fn behind(&mut self, older: &Self) {
        match (self.group, older.group) {
            (None, _) => *self = *older,
            (Some(_), _) if self.is_whole => {}
            (Some(first), Some(last)) if first.print == last.print => {
                self.alike += older.alike;
                self.is_whole = older.is_whole;
            }
            (Some(_), last) => self.is_whole = last.is_some(),
        }
    }

    /// True if the other log ends with the same ones, and no more of them.
    pub fn is_settled_by(&self, other: &Self) -> bool {
        let print = |last: &Self| last.group.map(|group| group.print);
        self.is_whole && other.is_whole && print(self) == print(other) && self.alike == other.alike
    }
}

/// A position after the replica's last group, as far as that is known by now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// Where that group ends.
    pub position: BinlogPosition,
    /// That group.
    pub group: Group,
    /// How many groups are the same before it, with itself.
    pub same: usize,
    /// How many of the tail, its first ones, have not been compared yet: they lie in an older file.
    pub(super) missing: usize,
    /// The last groups of the other kind before the position.
    pub other: LastOf,
}

impl Place {
    /// True if the groups compared do not show that the replica has the last ones of the other kind.
    pub fn is_doubtful(&self, wanted: &Wanted) -> bool {
        !self.shows_other(wanted) && (self.other.group.is_some() || wanted.last_is_own)
    }

    fn shows_other(&self, wanted: &Wanted) -> bool {
        wanted.enough_for_other.is_some_and(|enough| self.same >= enough)
    }

    /// True if older files show nothing new of it.
    fn is_settled(&self, wanted: &Wanted) -> bool {
        self.missing == 0 && (self.shows_other(wanted) || self.other.is_whole)
    }
}

/// The result of a search.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The only position.
    Found(Place),
    /// The groups are nowhere in the log.
    Nowhere,
    /// They are at several positions.
    Ambiguous,
}

/// The search.
#[derive(Clone, Debug)]
pub struct Search {
    pub(super) wanted: Wanted,
    pub(super) places: Vec<Place>,
    pub(super) has_own: bool,
    pub(super) file: File,
}

/// One file of the log, read forwards.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct File {
    pub(super) name: String,
    /// The last groups so far, as many as are wanted at most.
    pub(super) last: VecDeque<Print>,
    pub(super) other: LastOf,
    pub(super) places: Vec<Place>,
}

impl Search {
    /// Begins a search.
    pub fn new(wanted: Wanted) -> Self {
        Self { wanted, places: Vec::new(), has_own: false, file: File::default() }
    }

    /// Begins with the next older file.
    pub fn begin(&mut self, name: &str) {
        self.file = File { name: name.into(), ..File::default() };
    }

    /// Takes the file's next group.
    pub fn take(&mut self, group: &Group) {
        self.has_own |= group.server_id == self.wanted.own_id;
        let (wanted, file) = (&self.wanted, &mut self.file);
        if wanted.is_of_replica(group.server_id) {
            return;
        }
        if file.last.len() == wanted.tail.len() {
            file.last.pop_front();
        }
        file.last.push_back(group.print);
        if wanted.is_other(group.server_id) {
            file.other.then(group);
        }
        if wanted.ends_with(group.print)
            && file.places.len() < MOST
            && let Some(same) = ends_alike(&file.last, &wanted.tail).or(one_is_enough().then_some(1))
        {
            file.places.push(Place {
                position: BinlogPosition::new(file.name.clone(), group.end),
                group: *group,
                same,
                missing: if one_is_enough() { 0 } else { wanted.tail.len() - same },
                other: file.other,
            });
        }
    }

    /// The file has been read.
    pub fn close(&mut self) {
        let File { last, other, mut places, .. } = std::mem::take(&mut self.file);
        let tail = &self.wanted.tail;
        self.places.retain_mut(|place| {
            if place.missing > 0 {
                match ends_alike(&last, &tail[..place.missing]) {
                    Some(same) => {
                        place.missing -= same;
                        place.same += same;
                    }
                    None => return false,
                }
            }
            place.other.behind(&other);
            true
        });
        self.places.append(&mut places);
    }

    /// Takes a group of a file that is newer than what was read. False if the search has to begin again: a position may
    /// lie after it.
    pub fn take_newer(&mut self, group: &Group) -> bool {
        self.has_own |= group.server_id == self.wanted.own_id;
        self.wanted.is_of_replica(group.server_id) || !self.wanted.ends_with(group.print)
    }

    /// True if older files cannot change the outcome.
    pub fn is_settled(&self) -> bool {
        self.places.len() >= MOST
            || !self.places.is_empty() && self.places.iter().all(|place| place.is_settled(&self.wanted))
    }

    /// True if a group of the log's own server was seen.
    pub fn has_own(&self) -> bool {
        self.has_own
    }

    /// What was found, when the search is settled or the log at its beginning.
    pub fn finish(mut self) -> Outcome {
        match (self.places.pop(), self.places.is_empty()) {
            (None, _) => Outcome::Nowhere,
            (Some(place), _) if one_is_enough() => Outcome::Found(place),
            (Some(place), true) if place.same >= self.wanted.enough => Outcome::Found(place),
            (Some(_), _) => Outcome::Ambiguous,
        }
    }
}

/// Never, except in tests: the groups before the last one decide, too.
fn one_is_enough() -> bool {
    takes_out("same-last")
}

/// How many groups the two have in common at their ends, if one is the end of the other.
fn ends_alike(last: &VecDeque<Print>, tail: &[Print]) -> Option<usize> {
    let mut pairs = last.iter().rev().zip(tail.iter().rev());
    pairs.all(|(one, other)| one == other).then_some(last.len().min(tail.len()))
}

#[cfg(test)]
mod tests;
