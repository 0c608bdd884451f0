//! The socket of a log daemon. It may be missing, or full because the daemon does not read: then the caller writes the
//! line elsewhere.
//!
//! The crates for these two protocols wait for the daemon without a limit, which a helper must not. A packet is one
//! datagram, so that nothing of them is missed here.

use std::io;
use std::os::fd::AsFd;
use std::os::unix::net::UnixDatagram;
use std::time::{Duration, Instant};

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

use crate::settings::LogTarget;

/// How long, all in all, a process waits for room in the socket. The kernel keeps no more than a few packets for a daemon
/// that is just busy.
const PATIENCE: Duration = Duration::from_millis(20);

/// Where each daemon listens; `None` for the file.
pub(super) fn path(target: LogTarget) -> Option<&'static str> {
    match target {
        LogTarget::File => None,
        LogTarget::Syslog => Some("/dev/log"),
        LogTarget::Journald => Some("/run/systemd/journal/socket"),
    }
}

/// A daemon, connected to when the first packet is sent.
#[derive(Debug)]
pub(super) struct Daemon {
    path: &'static str,
    socket: Option<UnixDatagram>,
    patience: Duration,
}

impl Daemon {
    pub(super) fn at(path: &'static str) -> Self {
        Self { path, socket: None, patience: PATIENCE }
    }

    pub(super) fn send(&mut self, packet: &[u8]) -> io::Result<()> {
        let socket = match self.socket.take() {
            Some(socket) => socket,
            None => connect(self.path)?,
        };
        let mut sent = socket.send(packet);
        if matches!(&sent, Err(error) if error.kind() == io::ErrorKind::WouldBlock) && self.wait(&socket) {
            sent = socket.send(packet);
        }
        // If the daemon was restarted, there is another socket at its path.
        if sent.as_ref().is_err_and(|error| error.kind() == io::ErrorKind::ConnectionRefused) {
            let again = connect(self.path)?;
            sent = again.send(packet);
            self.socket = Some(again);
        } else {
            self.socket = Some(socket);
        }
        sent.map(drop)
    }

    /// False if there is no room in time.
    fn wait(&mut self, socket: &UnixDatagram) -> bool {
        let started = Instant::now();
        let mut room = [PollFd::new(socket.as_fd(), PollFlags::POLLOUT)];
        let limit = PollTimeout::try_from(self.patience).unwrap_or(PollTimeout::ZERO);
        let is_ready = poll(&mut room, limit).is_ok_and(|ready| ready > 0);
        self.patience = self.patience.saturating_sub(started.elapsed());
        is_ready
    }
}

fn connect(path: &str) -> io::Result<UnixDatagram> {
    let socket = UnixDatagram::unbound()?;
    socket.set_nonblocking(true)?;
    socket.connect(path)?;
    Ok(socket)
}
