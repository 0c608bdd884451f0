//! Keeping the other addresses of a network when its first one is removed.
//!
//! Linux removes the later IPv4 addresses of a network together with the first, unless `promote_secondaries`
//! is set (kernel documentation, ip-sysctl). Adding them again afterwards would be too late: with the last
//! address of an interface, its routes are removed, the default route among them.
//!
//! Only one call at a time does so on an interface: a second one would rely on a setting that the first sets back.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use mmm_core::Budget;
use nix::errno::Errno;
use nix::fcntl::{Flock, FlockArg};
use nix::libc::{O_CLOEXEC, O_NOFOLLOW, O_NONBLOCK};

const SETTINGS: &str = "/proc/sys/net/ipv4/conf";
/// A folder in which only root makes files. The lock belongs to the open file, so it ends when its helper is killed.
const LOCKS: &str = "/run";
/// How long to wait for another call, which needs a few milliseconds.
const PATIENCE: Duration = Duration::from_secs(1);
/// Pause between two tries for the lock.
const PAUSE: Duration = Duration::from_millis(2);

/// While this lives, `promote_secondaries` is in force for one interface. Afterwards the setting is as found.
#[derive(Debug)]
pub(crate) struct Promotion {
    to_restore: Option<PathBuf>,
    /// Held until the setting is as found.
    _turn: Option<Flock<File>>,
}

impl Promotion {
    pub(crate) fn ensure(device: &str, budget: Budget) -> io::Result<Self> {
        Self::ensure_in(Path::new(SETTINGS), Path::new(LOCKS), device, budget)
    }

    fn ensure_in(settings: &Path, locks: &Path, device: &str, budget: Budget) -> io::Result<Self> {
        let own = settings.join(device).join("promote_secondaries");
        if is_on(&settings.join("all/promote_secondaries"))? {
            return Ok(Self { to_restore: None, _turn: None });
        }
        let turn = match take_turn(locks, device, budget) {
            Ok(turn) => Some(turn),
            Err(error) => {
                log::warn!("promote_secondaries of {device} stays on, another call may need it: {error}");
                None
            }
        };
        if turn.is_some() && is_on(&own)? {
            return Ok(Self { to_restore: None, _turn: turn });
        }
        fs::write(&own, "1")?;
        log::info!("promote_secondaries set on {device} for a moment, to keep its other addresses");
        Ok(Self { to_restore: turn.is_some().then_some(own), _turn: turn })
    }
}

fn is_on(setting: &Path) -> io::Result<bool> {
    Ok(fs::read_to_string(setting)?.trim() != "0")
}

/// Waits until no other call changes the setting of `device`.
fn take_turn(locks: &Path, device: &str, budget: Budget) -> io::Result<Flock<File>> {
    let path = locks.join(format!("mysql-mmm-promotion-{device}"));
    let mut file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .custom_flags(O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)
        .open(&path)?;
    let end = budget.elapsed() + budget.share(PATIENCE);
    loop {
        file = match Flock::lock(file, FlockArg::LockExclusiveNonblock) {
            Ok(turn) => return Ok(turn),
            Err((file, Errno::EWOULDBLOCK)) => file,
            Err((_, error)) => return Err(error.into()),
        };
        if budget.elapsed() >= end || !budget.pause(PAUSE) {
            let why = format!("{} is locked", path.display());
            return Err(io::Error::new(io::ErrorKind::WouldBlock, why));
        }
    }
}

impl Drop for Promotion {
    fn drop(&mut self) {
        if let Some(setting) = &self.to_restore
            && let Err(error) = fs::write(setting, "0")
        {
            log::warn!("{} stays 1: {error}", setting.display());
        }
    }
}

#[cfg(test)]
mod tests;
