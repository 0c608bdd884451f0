use std::io::Write;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;

use super::*;
use crate::binlog::packets::Own;

/// A log's description, and a packed transaction of which the client library reads a length beyond its end.
const FOUND: &[u8] = include_bytes!("../../../../../tests/fuzz/corpus/events/found-payload");

#[test]
fn a_packed_transaction_on_which_the_client_library_fails_has_no_rows() {
    let (mut server, client) = UnixStream::pair().unwrap();
    server.write_all(FOUND).unwrap();
    drop(server);
    let (mut own, mut summary) = (Own::new(None, OwnedFd::from(client), true), Summary::default());
    own.next_event().unwrap().unwrap();
    let sent = own.next_event().unwrap().unwrap();
    let event = Event { time: 1, kind: sent.kind, server_id: 1, flags: 0, end: 1000, body: sent.body };
    assert_eq!(event.kind, kind::PAYLOAD);
    summary.begin(&event, None, "bin.000001", 4, true);
    summary.event(&event, &sent.read().unwrap());
    assert_eq!(summary.end(1000).tables, []);
}
