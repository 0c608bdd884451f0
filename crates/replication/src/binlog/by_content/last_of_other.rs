//! A replica's last groups of the other kind than its very last one.

use crate::binlog::begin::Begin;
use crate::binlog::by_content::backwards::{Backwards, ByGroup};
use crate::binlog::by_content::search::{LastOf, Wanted};
use crate::binlog::by_content::search_note::{key, of_last, to_last};
use crate::binlog::group::Group;
use crate::binlog::logged::Logged;
use crate::error::Error;
use crate::note::value;

/// The replica's last groups of the other kind, from its own log.
///
/// Beyond the server's last start only where the log's own server wrote them. Had the replica executed a later one
/// unlogged, that server's log would have it before the place, and it would be missed here.
pub(super) fn last_of_other(replica: &mut Logged, wanted: &Wanted) -> Result<LastOf, Error> {
    let search = LastOfOther::new(wanted);
    let mut log = Backwards::new(replica, &search)?;
    let ended = log.search(search)?;
    log.forget();
    Ok(ended.last)
}

/// The search.
#[derive(Clone, Debug)]
struct LastOfOther<'w> {
    wanted: &'w Wanted,
    last: LastOf,
    of_file: LastOf,
    has_begun: bool,
    is_over: bool,
}

impl<'w> LastOfOther<'w> {
    fn new(wanted: &'w Wanted) -> Self {
        let none = LastOf::default();
        Self { wanted, last: none, of_file: none, has_begun: false, is_over: false }
    }
}

impl ByGroup for LastOfOther<'_> {
    fn key(&self) -> String {
        format!("other {}", key(self.wanted))
    }

    fn to_text(&self) -> String {
        format!(
            "of_newer={}\tof_file={}\thas_begun={}",
            of_last(&self.last),
            of_last(&self.of_file),
            self.has_begun
        )
    }

    fn resumed(&self, text: &str, _: &str) -> Option<Self> {
        let last = |name| to_last(&value(text, name)?);
        let has_begun = value(text, "has_begun")?.parse().ok()?;
        Some(Self { last: last("of_newer")?, of_file: last("of_file")?, has_begun, ..Self::new(self.wanted) })
    }

    fn open(&mut self, _: &str) {}

    fn group(&mut self, group: &Group) {
        if self.wanted.is_of_replica(group.server_id) {
            return;
        }
        self.has_begun = true;
        if self.wanted.is_other(group.server_id) {
            self.of_file.then(group);
        }
    }

    fn end(&mut self, begin: &Begin) {
        self.last.behind(&std::mem::take(&mut self.of_file));
        // A run without any was passed over by the other search, too.
        self.is_over = self.last.is_whole || begin.is_of_run && self.has_begun && self.wanted.last_is_own();
    }

    fn is_settled(&self) -> bool {
        self.is_over
    }

    fn newer(&mut self, group: &Group) -> bool {
        self.wanted.is_of_replica(group.server_id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::binlog::group::Print;

    /// Server ids: the old master, the new one, the replica.
    const IDS: [(&str, u32); 3] = [("o", 1), ("n", 2), ("r", 3)];

    /// A log as text: `o1` is a group of the old master's, `n1` of the new one's, `r1` of the replica's; `|` begins another
    /// file, `S` says that the server was started with it.
    fn files(log: &str) -> Vec<(Begin, Vec<Group>)> {
        let group = |word: &str| {
            let server_id = IDS.iter().find(|(letter, _)| word.starts_with(letter))?.1;
            let time = word[1..].parse().ok()?;
            let print = Print(u128::from(server_id) << 64 | u128::from(time));
            Some(Group { print, server_id, time, begin: 0, end: 9 })
        };
        let file = |text: &str| {
            let begin = Begin { is_of_run: text.contains('S'), ..Begin::default() };
            (begin, text.split_whitespace().filter_map(group).collect())
        };
        log.split('|').map(file).collect()
    }

    fn read_on(search: &mut LastOfOther, groups: &[Group]) {
        for group in groups {
            search.group(group);
        }
    }

    fn read_down(search: &mut LastOfOther, files: &[(Begin, Vec<Group>)]) {
        for (begin, groups) in files.iter().rev() {
            if search.is_settled() {
                break;
            }
            read_on(search, groups);
            search.end(begin);
        }
    }

    #[test]
    fn a_search_in_two_calls_comes_to_what_a_single_one_does() {
        for (tail, log, last, alike) in [
            ("n1 n2 o1 o2", "n1 n2 o1 o2", 2, 1),
            ("n1 n2 o1 o2", "S n1 n2 | n2 o1 r7 | S o2 r8 r9", 2, 2),
            ("o1 o2 n1 n2", "o1 o1 | S o2 o2 | n1 n2", 2, 2),
            ("o1 o2 n1 n2", "o2 o2 | S o2 n1 n2", 2, 1),
        ] {
            let tail: Vec<Group> = files(tail).into_iter().flat_map(|(_, groups)| groups).collect();
            let wanted = Wanted::new(&tail, 3, 2).expect("enough groups");
            let log = files(log);
            let mut single = LastOfOther::new(&wanted);
            read_down(&mut single, &log);
            let told = |last: &LastOf| (last.group.map(|group| group.time), last.alike);
            assert_eq!(told(&single.last), (Some(last), alike));
            for (number, (begin, groups)) in log.iter().enumerate() {
                for cut in 0..=groups.len() {
                    let mut first = LastOfOther::new(&wanted);
                    read_down(&mut first, &log[number + 1..]);
                    if first.is_settled() {
                        continue;
                    }
                    read_on(&mut first, &groups[..cut]);
                    let mut second = LastOfOther::new(&wanted).resumed(&first.to_text(), "").expect("a note");
                    read_on(&mut second, &groups[cut..]);
                    second.end(begin);
                    read_down(&mut second, &log[..number]);
                    assert_eq!(second.last, single.last, "cut at {cut} of {number}");
                }
            }
        }
    }

    #[test]
    fn what_the_replica_wrote_itself_since_then_changes_nothing() {
        let tail: Vec<Group> = files("n1 n2 o1 o2").into_iter().flat_map(|(_, groups)| groups).collect();
        let wanted = Wanted::new(&tail, 3, 2).expect("enough groups");
        for (newer, changes_nothing) in [("r9", true), ("n9", false), ("o9", false)] {
            let newer = files(newer).remove(0).1[0];
            assert_eq!(LastOfOther::new(&wanted).newer(&newer), changes_nothing, "{newer:?}");
        }
    }

    #[test]
    fn half_a_note_is_none() {
        let tail: Vec<Group> = files("n1 n2 o1 o2").into_iter().flat_map(|(_, groups)| groups).collect();
        let wanted = Wanted::new(&tail, 3, 2).expect("enough groups");
        for text in ["", "of_newer=0/0/\tof_file=0/0/", "of_newer=0/0\tof_file=0/0/\thas_begun=true"] {
            assert!(LastOfOther::new(&wanted).resumed(text, "").is_none(), "{text}");
        }
    }
}
