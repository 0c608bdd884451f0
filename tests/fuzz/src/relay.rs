//! A relay log file, or a log file of a server itself.

use mmm_replication::fuzzed::{dump, kind, relay};

use crate::memory;

/// An event as both readers see it.
type Seen = (u8, u32, u32, u16, Vec<u8>);

pub fn read(input: &[u8]) {
    let length = input.len() as u64;
    let (mut seen, mut begin): (Vec<Seen>, _) = (Vec::new(), 4);
    // Only a server says how its events are summed, and each in the same way.
    let (mut packets, mut are_plain) = (Vec::new(), true);
    let result = relay(input, length, None, |event| {
        assert!(event.end > begin && event.end <= length, "an event from {begin} to {}", event.end);
        assert!(event.body.len() as u64 + 19 <= event.end - begin, "a body behind its event's end");
        seen.push((event.kind, event.time, event.server_id, event.flags, event.body.to_vec()));
        let bytes = &input[place(begin)..place(event.end)];
        are_plain &= event.kind != kind::FORMAT_DESCRIPTION || is_plain(bytes);
        packets.extend(packet(bytes));
        begin = event.end;
    });
    if result.is_ok() && length >= 4 {
        assert_eq!(begin, length, "nothing is left out at the end");
    }
    let mut beginning = 0;
    let until = length / 2;
    let _ = relay(input, length, Some(until), |event| {
        beginning += 1;
        assert!(event.end <= length);
    });
    assert!(beginning <= seen.len(), "more before an offset than in all");
    if are_plain {
        is_as_sent(&seen, &packets);
    }
}

/// The same events, sent by a server, are seen as the same.
fn is_as_sent(seen: &[Seen], packets: &[u8]) {
    let is_real =
        |event: &&Seen| event.3 & 0x20 == 0 && ![kind::HEARTBEAT, kind::HEARTBEAT_2].contains(&event.0);
    let mut expected = seen.iter().filter(is_real);
    let _ = dump(memory::file(packets).into(), true, |event, _| {
        let next = expected.next().expect("no more events than the file has");
        let is_summed = event.kind == kind::FORMAT_DESCRIPTION;
        assert_eq!((event.kind, event.time, event.server_id, event.flags), (next.0, next.1, next.2, next.3));
        assert!(is_summed || event.body == next.4, "another body");
    });
}

/// True of a description of events by a server from 5.6 on, with checksums or without.
fn is_plain(description: &[u8]) -> bool {
    let text = String::from_utf8_lossy(description.get(21..71).unwrap_or_default()).into_owned();
    let mut numbers = text.split('\0').next().unwrap_or_default().split('.');
    let mut whole = || numbers.next()?.parse::<u32>().ok();
    let version =
        (whole(), whole(), numbers.next().is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit())));
    let is_known = matches!(version, (Some(5), Some(7..), true) | (Some(8..=99), Some(_), true))
        || text.starts_with("5.6.24");
    // Before its own checksum, it names the way of checksums: none, or CRC-32.
    let way = description.len().checked_sub(5).map(|at| description[at]);
    is_known && matches!(way, Some(0 | 1))
}

fn packet(event: &[u8]) -> Vec<u8> {
    let mut packet = u32::try_from(event.len() + 1).unwrap_or(u32::MAX).to_le_bytes()[..3].to_vec();
    packet.extend([0, 0]);
    packet.extend(event);
    packet
}

fn place(offset: u64) -> usize {
    usize::try_from(offset).unwrap_or(usize::MAX)
}
