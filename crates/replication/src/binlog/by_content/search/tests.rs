//! The search on logs made up by hand, and on random histories of two masters and a replica.

use proptest::prelude::*;

use super::*;
use crate::binlog::by_content::search_note::{from_text, to_text};

/// Server ids: the old master, the new one whose log is searched, the replica.
const OLD: u32 = 1;
const NEW: u32 = 2;
const REPLICA: u32 = 3;

fn group(server_id: u32, content: u32, end: u64) -> Group {
    let print = Print(u128::from(server_id) << 64 | u128::from(content));
    Group { print, server_id, time: content, begin: end - 1, end }
}

/// A log as text: `o1` is a group of the old master's, `n1` of the new one's, `r1` of the replica's; `|` begins
/// another file. Groups are numbered through all files: that is their offset.
fn files(log: &str) -> Vec<Vec<Group>> {
    let mut end = 0;
    log.split('|')
        .map(|file| {
            file.split_whitespace()
                .map(|word| {
                    end += 1;
                    let server_id = match &word[..1] {
                        "o" => OLD,
                        "n" => NEW,
                        _ => REPLICA,
                    };
                    group(server_id, word[1..].parse().expect("a number"), end)
                })
                .collect()
        })
        .collect()
}

/// What a replica with these last groups looks for.
fn wanted(groups: &[Group]) -> Option<Wanted> {
    Wanted::new(groups, REPLICA, NEW)
}

/// How far the search went back, and what it found.
fn search(wanted: &Wanted, log: &[Vec<Group>]) -> (usize, Outcome) {
    let mut search = Search::new(wanted.clone());
    let mut read = 0;
    for (number, groups) in log.iter().enumerate().rev() {
        search.begin(&format!("bin.{number:06}"));
        for group in groups {
            search.take(group);
        }
        search.close();
        read += 1;
        if search.is_settled() {
            break;
        }
    }
    (read, search.finish())
}

/// The offset of the place that is found, whether it is doubtful, and how many files were read.
fn found(tail: &str, log: &str) -> (u64, bool, usize) {
    let wanted = wanted(&files(tail).concat()).expect("enough groups");
    match search(&wanted, &files(log)) {
        (read, Outcome::Found(place)) => (place.position.offset, place.is_doubtful(&wanted), read),
        (_, other) => panic!("{tail} in {log}: {other:?}"),
    }
}

fn outcome(tail: &str, log: &str) -> Outcome {
    search(&wanted(&files(tail).concat()).expect("enough groups"), &files(log)).1
}

#[test]
fn the_place_is_behind_the_replicas_last_group() {
    assert_eq!(found("o1 o2", "n1 o1 o2 n2 n3").0, 3);
    assert_eq!(found("n0 n1 o1 o2", "n0 n1 | o1 | o2 | n2 n3"), (4, false, 4));
    assert_eq!(found("n0 o1 n1", "n0 o1 n1 n2 n3").0, 3);
}

#[test]
fn files_older_than_the_last_own_group_that_the_replica_has_are_not_read() {
    assert_eq!(found("o0 n0 n1 o1", "o9 | o0 n0 n1 o1 | n2"), (5, false, 2));
    assert_eq!(found("o0 o1", "n0 | n1 o0 o1 | n2"), (4, true, 3), "n1 may be one of several that are alike");
    assert_eq!(found("o0 o1", "o0 | o1 | n2"), (2, false, 3), "an older group of its own could be anywhere");
}

#[test]
fn an_own_group_that_the_compared_ones_do_not_show_is_doubtful() {
    assert!(found("o1 o2", "n9 n1 o1 o2").1, "it is not among those compared");
    assert!(!found("n0 n1 o1 o2", "n0 n1 o1 o2").1);
    assert!(found("n1 o1 o2", "n1 n1 o1 o2").1, "the log may have more that are alike");
    assert!(!found("o1 o2", "o1 o2 n1").1, "it lies behind the place");
}

#[test]
fn a_replica_whose_last_groups_are_the_new_masters_may_have_more_of_the_old_ones() {
    assert!(found("n1 n2", "n1 n2 o1").1, "it may have o1 from before");
    assert!(found("n1 n2", "o1 n1 n2 o2").1, "it may have o2 from before");
    assert!(!found("o0 o1 n1 n2", "o0 o1 n1 n2 o2").1);
}

#[test]
fn an_early_group_between_those_compared_is_a_difference() {
    assert_eq!(outcome("o1 o2", "o1 n1 o2"), Outcome::Nowhere);
    assert_eq!(outcome("n1 o1 o2", "n1 o2 o1"), Outcome::Nowhere, "another order");
}

#[test]
fn groups_that_are_alike_are_told_apart_by_those_before_them() {
    for alike in ["", "o5", "o5 o5", "n1 o5", "o5 n1 o5", "o1 n1"] {
        let groups = files(alike).concat();
        assert!(wanted(&groups).is_none(), "{alike}: a log may have more or fewer of them");
    }
    assert_eq!(found("o1 o5 o5", "o1 o5 o5 o5").0, 3);
    assert_eq!(found("o1 o5 o5", "o1 o5 | o5 | o5").0, 3);
    assert_eq!(outcome("o1 o5 o5", "o5"), Outcome::Ambiguous, "the log begins here");
    assert_eq!(outcome("o1 o5 o5", "o1 o5 o5 n1 o1 o5 o5"), Outcome::Ambiguous);
    assert_eq!(outcome("o1 o5 o5", "o1 o5"), Outcome::Nowhere, "it has not");
}

#[test]
fn the_replicas_own_groups_are_passed_over() {
    assert_eq!(found("o1 r7 o2", "o1 r8 r9 o2 n1").0, 4);
}

#[test]
fn a_log_may_begin_among_the_groups_compared() {
    assert_eq!(found("o1 o2 o3", "o2 o3 n1").0, 2);
    assert_eq!(outcome("o1 o2 o3", "o1 n1"), Outcome::Nowhere, "purged, or never there");
}

#[test]
fn the_last_of_a_server_are_counted_across_files() {
    let last = |log: &str| {
        let mut all = LastOf::default();
        for file in files(log).iter().rev() {
            let mut own = LastOf::default();
            file.iter().filter(|group| group.server_id == NEW).for_each(|group| own.then(group));
            all.behind(&own);
        }
        (all.group.map(|group| group.time), all.alike, all.is_whole)
    };
    assert_eq!(last("o1 | o2"), (None, 0, false));
    assert_eq!(last("n1 n2 n2 | o1"), (Some(2), 2, true));
    assert_eq!(last("n1 n2 | n2 | n2"), (Some(2), 3, true));
    assert_eq!(last("n2 | o1 | n2"), (Some(2), 2, false));
    assert_eq!(last("n1 | n2"), (Some(2), 1, true));
}

/// One step of a history.
#[derive(Clone, Copy, Debug)]
enum Step {
    /// The old or new master writes; the second value is true if a second has passed since.
    Write(u32, bool),
    /// The new master executes this many groups of the old one's log; or the other way round.
    Apply(u32, usize),
    /// The new master's log continues in another file.
    Rotate,
}

fn step() -> impl Strategy<Value = Step> {
    let server = prop_oneof![3 => Just(OLD), 2 => Just(NEW)];
    prop_oneof![
        4 => (server.clone(), prop::bool::weighted(0.6)).prop_map(|(server, tick)| Step::Write(server, tick)),
        5 => (server, 1..4usize).prop_map(|(server, count)| Step::Apply(server, count)),
        1 => Just(Step::Rotate),
    ]
}

/// A group with a number of its own, which no server can see.
type Known = (Group, usize);

/// What the masters' logs come to. Each executes the other's log in order and skips what it wrote itself.
fn histories(steps: &[Step]) -> (Vec<Known>, Vec<Known>, Vec<usize>) {
    let (mut old, mut new): (Vec<Known>, Vec<Known>) = Default::default();
    let (mut of_old, mut of_new, mut time, mut number, mut rotations) = (0, 0, 0, 0, Vec::new());
    for step in steps {
        match *step {
            Step::Write(server, tick) => {
                time += u32::from(tick);
                number += 1;
                let log = if server == OLD { &mut old } else { &mut new };
                log.push((group(server, time, 1), number));
            }
            Step::Apply(NEW, count) => {
                for _ in 0..count.min(old.len() - of_old) {
                    if old[of_old].0.server_id != NEW {
                        new.push(old[of_old]);
                    }
                    of_old += 1;
                }
            }
            Step::Apply(_, count) => {
                for _ in 0..count.min(new.len() - of_new) {
                    if new[of_new].0.server_id != OLD {
                        old.push(new[of_new]);
                    }
                    of_new += 1;
                }
            }
            Step::Rotate => rotations.push(new.len()),
        }
    }
    (old, new, rotations)
}

/// What a caller does: searches, and looks the last groups of the other kind up in the replica's log where that is
/// needed.
fn place_of(depth: usize, replica_log: &[Known], log: &[Vec<Group>]) -> Option<usize> {
    let groups: Vec<Group> = replica_log.iter().map(|(group, _)| *group).collect();
    let wanted = wanted(&groups[groups.len().saturating_sub(depth)..])?;
    let Outcome::Found(place) = search(&wanted, log).1 else { return None };
    let mut last = LastOf::default();
    groups.iter().filter(|group| wanted.is_other(group.server_id)).for_each(|group| last.then(group));
    let is_exact = !place.is_doubtful(&wanted) || place.other.is_settled_by(&last);
    is_exact.then(|| usize::try_from(place.position.offset).expect("a small number"))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100_000))]

    /// Whatever order things happened in, a place that is found is one where the replica gets exactly what it
    /// lacks.
    #[test]
    fn a_place_that_is_found_is_exact(
        steps in prop::collection::vec(step(), 1..60),
        stands in 0..=100usize,
        keeps in 0..=100usize,
        depth in 1..6usize,
        purged in 0..=100usize,
    ) {
        let (old, new, rotations) = histories(&steps);
        let replica = &old[..old.len() * stands / 100];
        // Its log may have been begun later.
        let log = &replica[replica.len() * keeps / 100..];
        // Of the new master's log, only what the replica has may have been deleted.
        let known = new.iter().take_while(|(_, number)| replica.iter().any(|(_, other)| other == number)).count();
        let begin = known * purged / 100;
        let mut files = vec![Vec::new()];
        for (index, (group, _)) in new.iter().enumerate().skip(begin) {
            if rotations.contains(&index) && index > begin {
                files.push(Vec::new());
            }
            let end = index as u64 + 1;
            files.last_mut().expect("a file").push(Group { begin: index as u64, end, ..*group });
        }
        let place = place_of(depth, log, &files);
        let numbers = |groups: &[Known]| {
            let mut numbers: Vec<usize> = groups.iter().map(|(_, number)| *number).collect();
            numbers.sort_unstable();
            numbers
        };
        if let Some(place) = place {
            prop_assert_eq!(numbers(&new[..place]), numbers(replica));
        }
    }
}

/// The new master's log in files, as a search reads it.
fn in_files(steps: &[Step]) -> (Vec<Known>, Vec<Vec<Group>>) {
    let (old, new, rotations) = histories(steps);
    let mut files = vec![Vec::new()];
    for (index, (group, _)) in new.iter().enumerate() {
        if rotations.contains(&index) && index > 0 {
            files.push(Vec::new());
        }
        let begin = index as u64;
        files.last_mut().expect("a file").push(Group { begin, end: begin + 1, ..*group });
    }
    (old, files)
}

/// As another call has it.
fn noted(search: &Search) -> Search {
    from_text(&to_text(search), &search.wanted, &search.file.name).expect("a note")
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(5_000))]

    /// A call ends after any group, or at the end of any file.
    #[test]
    fn a_search_in_two_calls_comes_to_what_a_single_one_does(
        steps in prop::collection::vec(step(), 1..40),
        stands in 1..=100usize,
        depth in 1..6usize,
        later in 0..=100usize,
    ) {
        let (old, files) = in_files(&steps);
        let replica: Vec<Group> = old[..old.len() * stands / 100].iter().map(|(group, _)| *group).collect();
        let wanted = wanted(&replica[replica.len().saturating_sub(depth)..]);
        let Some(wanted) = wanted else { return Ok(()) };
        let name = |number: usize| format!("bin.{number:06}");
        let read_on = |search: &mut Search, groups: &[Group]| {
            for group in groups {
                search.take(group);
            }
        };
        let single = search(&wanted, &files).1;
        // What is logged only when the first call has ended: whole files, and the end of one.
        let all: usize = files.iter().map(Vec::len).sum();
        let logged = all - all * later / 200;
        let is_logged = |group: &Group| group.begin < logged as u64;
        let known: Vec<Vec<Group>> = files.iter()
            .map(|file| file.iter().copied().filter(is_logged).collect::<Vec<_>>())
            .filter(|file| !file.is_empty())
            .collect();
        for cut in 0..logged {
            let mut first = Search::new(wanted.clone());
            // Files are read backwards, so the one in which the call ends is found by counting.
            let (mut left, mut at) = (cut, None);
            for (number, groups) in known.iter().enumerate().rev() {
                first.begin(&name(number));
                if left < groups.len() {
                    read_on(&mut first, &groups[..left]);
                    at = Some((number, left));
                    break;
                }
                left -= groups.len();
                read_on(&mut first, groups);
                first.close();
                if first.is_settled() {
                    break;
                }
            }
            let Some((number, read)) = at else { break };
            let mut second = noted(&first);
            let newest = known.len() - 1;
            let behind = |file: usize| if file == newest { known[file].len() } else { 0 };
            let first_newer = if number == newest { newest + 1 } else { newest };
            let mut newer = (first_newer..files.len()).flat_map(|file| files[file].iter().skip(behind(file)));
            if !newer.all(|group| second.take_newer(group)) {
                continue;
            }
            let rest = if number == newest { &files[number][read..] } else { &known[number][read..] };
            read_on(&mut second, rest);
            second.close();
            for (number, groups) in files.iter().enumerate().take(number).rev() {
                if second.is_settled() {
                    break;
                }
                second.begin(&name(number));
                read_on(&mut second, groups);
                second.close();
            }
            prop_assert_eq!(second.finish(), single.clone(), "cut at {} of {} of {}", cut, logged, all);
        }
    }
}

/// Without it, a search that always refuses would pass.
#[test]
fn a_place_is_found_where_histories_are_ordinary() {
    let (mut found, mut lagging) = (0, 0);
    for writes in 1..20 {
        for stands in 1..=writes {
            // A handover: the new master wrote first, then the old one; then the new one took over again.
            let mut steps = vec![Step::Write(NEW, true), Step::Write(NEW, true), Step::Apply(OLD, 9)];
            steps.push(Step::Write(OLD, true));
            steps.extend(std::iter::repeat_n(Step::Write(OLD, true), writes));
            steps.push(Step::Apply(NEW, 99));
            steps.extend([Step::Rotate, Step::Write(NEW, true), Step::Write(NEW, true)]);
            let (old, new, rotations) = histories(&steps);
            let replica = &old[..3 + stands];
            let (first, second) = new.split_at(rotations[0]);
            let mut end = 0;
            let mut file = |groups: &[Known]| -> Vec<Group> {
                groups
                    .iter()
                    .map(|(group, _)| {
                        end += 1;
                        Group { end, ..*group }
                    })
                    .collect()
            };
            let files = [file(first), file(second)];
            lagging += 1;
            found += usize::from(place_of(3, replica, &files) == Some(3 + stands));
        }
    }
    assert_eq!(found, lagging);
}
