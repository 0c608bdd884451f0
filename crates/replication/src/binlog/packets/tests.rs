use std::io::Write;
use std::os::unix::net::UnixStream;
use std::thread;

use super::*;

/// An event with a body of `length` bytes, as it is sent.
fn event(length: usize) -> Vec<u8> {
    let mut event = vec![0, 7, 0, 0, 0, kind::XID, 3, 0, 0, 0];
    event.extend(u32::try_from(HEADER + length).unwrap().to_le_bytes());
    event.extend([9, 0, 0, 0, 0, 0]);
    event.resize(1 + HEADER + length, b'x');
    packets(&event)
}

/// As many packets as it takes.
fn packets(bytes: &[u8]) -> Vec<u8> {
    let mut all = Vec::new();
    for part in bytes.chunks(FULL).chain(bytes.len().is_multiple_of(FULL).then_some(&[][..])) {
        all.extend(&u32::try_from(part.len()).unwrap().to_le_bytes()[..3]);
        all.push(0);
        all.extend(part);
    }
    all
}

fn reading(sent: Vec<u8>, whole: bool) -> Own {
    let (mut server, client) = UnixStream::pair().unwrap();
    thread::spawn(move || server.write_all(&sent));
    Own::new(None, client.into(), whole)
}

#[test]
fn events_of_any_length_come_one_after_the_other_whole_or_cut() {
    const LENGTHS: [usize; 8] = [0, 10, BUFFER - 24, BUFFER - 23, 1, 3 * BUFFER, FULL - HEADER - 1, FULL + 5];
    let mut sent: Vec<u8> = LENGTHS.iter().flat_map(|length| event(*length)).collect();
    sent.extend(packets(&[0xfe, 0, 0, 2, 0]));
    for whole in [true, false] {
        let mut own = reading(sent.clone(), whole);
        for length in LENGTHS {
            let sent = own.next_event().unwrap().unwrap();
            assert_eq!((sent.kind, sent.server_id, sent.told), (kind::XID, 3, 9));
            assert_eq!(sent.size as usize, HEADER + length);
            let is_whole = whole || length + HEADER + 5 <= BUFFER;
            let kept = if is_whole { length } else { BEGINNING - HEADER - 1 };
            assert_eq!((sent.body.len(), sent.body.iter().all(|byte| *byte == b'x')), (kept, true));
            assert_eq!(sent.read().is_ok(), is_whole, "{length}");
        }
        assert!(own.next_event().unwrap().is_none());
    }
}

#[test]
fn what_is_no_event_is_an_error_and_a_refusal_keeps_its_number_and_words() {
    let wrong_size = packets(&[&[0; HEADER][..], b"x"].concat());
    for sent in [wrong_size, packets(b"\x01"), packets(b""), packets(&[0; 5]), vec![9, 0]] {
        assert!(matches!(reading(sent, true).next_event(), Err(mysql::Error::IoError(_))));
    }
    let refused = reading(packets(b"\xff\xd4\x04#HY000no such place"), true).next_event().err();
    let Some(mysql::Error::MySqlError(refused)) = refused else { panic!("{refused:?}") };
    assert_eq!((refused.code, &*refused.message), (1236, "no such place"));
}
