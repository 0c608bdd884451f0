//! Ends a connection attempt of an I/O thread that leads nowhere, while a STOP waits for that attempt.
//!
//! A frozen source accepts a connection and says nothing. A source that is cut off does not even accept it. Newer
//! servers wait for the end of such an attempt before they stop its thread. No statement ends the attempt, but closing
//! its socket does.

use std::net::IpAddr;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use mmm_core::{Budget, report};
use mmm_network::connection::{self, Attempt};

use crate::channel::{self, liveness};
use crate::server::Server;
use crate::status::{Channel, IoThread};

/// Pause between two looks. By the second look, a living source has accepted and greeted, even in a busy network.
const LOOK: Duration = Duration::from_millis(100);
/// How long the kernel may take to answer.
const KERNEL: Duration = Duration::from_millis(500);

/// Runs `stop`, a STOP of a channel's I/O thread, and meanwhile ends that thread's futile connection attempt.
///
/// Two looks have to find the same attempt. A connection over which anything came stays as it is, and so do connections
/// of other programs. If the attempt cannot be ended (the server is in another network namespace, a right is missing),
/// the STOP waits.
pub fn ended_during<T>(server: &mut Server, channel: &str, stop: impl FnOnce(&mut Server) -> T) -> T {
    if report::is_dry_run() || !server.dialect().waits_for_attempts() {
        return stop(server);
    }
    // If these are not answered, neither is the STOP, which reports it.
    let seen = channel::again(server, channel);
    let listening = liveness::listening_port(server).ok().flatten();
    let (Ok(channel), Some(listening)) = (seen, listening) else { return stop(server) };
    if channel.io == IoThread::No {
        return stop(server);
    }
    let addresses = channel::addresses(&channel, server.budget());
    thread::scope(|scope| {
        let (done, is_done) = mpsc::channel::<()>();
        let watch = move || end_attempts(listening, &addresses, &channel, &is_done);
        if let Err(error) = thread::Builder::new().spawn_scoped(scope, watch) {
            log::info!("nobody ends attempts to connect while replication is stopped: {error}");
        }
        let result = stop(server);
        drop(done);
        result
    })
}

fn end_attempts(listening: u16, addresses: &[IpAddr], channel: &Channel, is_done: &Receiver<()>) {
    let mut earlier: Vec<Attempt> = Vec::new();
    while is_done.recv_timeout(LOOK) == Err(RecvTimeoutError::Timeout) {
        let budget = Budget::start(Some(KERNEL));
        let ended = connection::attempts(listening, addresses, channel.source_port, budget).and_then(|now| {
            for attempt in now.iter().filter(|attempt| earlier.contains(attempt)) {
                attempt.end(budget)?;
                log::info!("{}: {attempt} was ended: STOP waited for it", channel.title());
            }
            Ok(now)
        });
        match ended {
            Ok(now) => earlier = now,
            Err(error) => {
                log::info!("{}: STOP may wait for an attempt to connect: {error}", channel.title());
                return;
            }
        }
    }
}
