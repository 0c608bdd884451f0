use super::*;
use crate::binlog::group::Print;

fn group(number: u32) -> Group {
    let print = Print(u128::MAX - u128::from(number));
    Group { print, server_id: u32::MAX - number % 3, time: u32::MAX - number, begin: 7, end: 9 }
}

fn last_of(log: &[Group], mut groups: VecDeque<Group>) -> VecDeque<Group> {
    for group in log {
        take(&mut groups, group, u32::MAX.into());
    }
    groups
}

#[test]
fn what_is_read_in_two_calls_is_what_a_single_one_reads() {
    let log: Vec<Group> = (0..3600).map(group).collect();
    let told = |groups: &VecDeque<Group>| {
        groups.iter().map(|group| (group.print, group.server_id, group.time)).collect::<Vec<_>>()
    };
    let single = last_of(&log, VecDeque::new());
    assert_eq!(single.len(), DEPTH);
    for cut in [0, 1, 2, 100, DEPTH, 2 * DEPTH, log.len() - 1, log.len()] {
        let text = to_text(&last_of(&log[..cut], VecDeque::new()));
        assert!(text.len() < 57 << 10, "{} bytes, with the longest numbers", text.len());
        let second = last_of(&log[cut..], from_text(&text).expect("a note"));
        assert_eq!(told(&second), told(&single), "cut at {cut}");
        assert_eq!(second.back(), single.back(), "cut at {cut}");
    }
}

#[test]
fn half_a_note_is_none() {
    for text in ["", "groups=", "groups=a,1\tplace=4-9", "groups=a,1,2\tplace=4", "groups=x,1,2\tplace=4-9"] {
        assert!(from_text(text).is_none(), "{text}");
    }
    assert_eq!(from_text("groups=\tplace=").map(|groups| groups.len()), Some(0));
}
