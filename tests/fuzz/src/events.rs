//! A server's log as the server sends it: packets, each of which holds an event.

use mmm_core::escape;
use mmm_replication::fuzzed::{Followers, Gtid, GtidSet, dump};

use crate::memory;

pub fn read(input: &[u8]) {
    let (whole, end) = heads(input, true);
    let (cut, end_of_cut) = heads(input, false);
    assert!(whole == cut && end == end_of_cut, "a long event that is cut changes what is seen");
    let length: usize = whole.iter().map(|head| head.size as usize).sum();
    assert!(length <= input.len(), "{length} bytes of events in {}", input.len());
    follow(input);
}

/// What is seen of an event in any case.
#[derive(Debug, PartialEq, Eq)]
pub struct Head {
    pub kind: u8,
    pub time: u32,
    pub server_id: u32,
    pub flags: u16,
    pub size: u32,
    pub end: u64,
}

fn heads(input: &[u8], whole: bool) -> (Vec<Head>, bool) {
    let mut heads: Vec<Head> = Vec::new();
    let result = dump(memory::file(input).into(), whole, |event, sent| {
        assert!(event.body.len() + 19 <= sent.size as usize, "a body behind its event's end");
        let before = heads.last().map_or(4, |head| head.end);
        assert!(event.end >= before + u64::from(sent.size), "events that overlap");
        heads.push(Head {
            kind: event.kind,
            time: event.time,
            server_id: event.server_id,
            flags: event.flags,
            size: sent.size,
            end: event.end,
        });
    });
    (heads, result.is_ok())
}

/// Everything that reads a log.
fn follow(input: &[u8]) {
    // The server of the corpora, and a MariaDB's position in the midst of them.
    let mut set = GtidSet::default();
    set.add("8f83363c-ebc5-11f1-b223-020000000001", 1, 9);
    let at = [Gtid { domain: 0, server: 1, sequence: 5 }].into_iter().collect();
    let mut followers = Followers::new(&set, &at);
    // What comes behind something that is no event counts, too.
    let _ = dump(memory::file(input).into(), true, |event, sent| followers.event(event, sent));
    assert!(followers.unread.is_empty(), "notes that are not read again: {:?}", followers.unread);
    let mut end = 0;
    for group in &followers.found {
        assert!(group.begin < group.end && end <= group.begin, "{group:?} behind {end}");
        end = group.end;
    }
    for transaction in &followers.described {
        assert!(transaction.tables.len() <= 64 && transaction.statements.len() <= 16);
        for statement in &transaction.statements {
            assert!(statement.text.chars().count() <= 161, "{}", statement.text);
            assert!(!statement.text.chars().any(escape::is_obeyed), "{:?}", statement.text);
        }
    }
}
