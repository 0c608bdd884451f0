use std::sync::mpsc::{self, RecvTimeoutError};

use super::*;

#[test]
fn who_wants_more_than_there_can_be_is_stopped_and_nobody_else() {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        let much: Vec<u8> = Vec::with_capacity(1 << 20);
        let _ = sender.send(much.capacity());
        let too_much: Vec<u8> = Vec::with_capacity(1 << 40);
        let _ = sender.send(too_much.capacity());
    });
    assert_eq!(receiver.recv(), Ok(1 << 20));
    // Neither an answer nor the thread's end.
    assert_eq!(receiver.recv_timeout(Duration::from_millis(50)), Err(RecvTimeoutError::Timeout));
}
