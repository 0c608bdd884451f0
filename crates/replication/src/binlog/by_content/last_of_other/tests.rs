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
