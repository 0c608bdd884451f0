//! Keeping the other addresses of a network when the first one of it goes.
//!
//! Linux removes the later IPv4 addresses of a network together with the first, unless `promote_secondaries`
//! is set (kernel documentation, ip-sysctl). Adding them again afterwards would be too late: with the last
//! address of an interface its routes go, the default route among them.
//!
//! One call at a time does so on an interface: a second one would rely on what the first is about to put back.

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
/// Where only root makes files. The lock is the open file's: it ends with a helper that is killed.
const LOCKS: &str = "/run";
/// How long another call is waited for, which needs a few milliseconds.
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
mod tests {
    use super::*;

    fn settings(name: &str, all: &str, own: &str) -> PathBuf {
        let folder = std::env::temp_dir().join(format!("mmm-promotion-{}-{name}", std::process::id()));
        for (device, value) in [("all", all), ("eth0", own)] {
            fs::create_dir_all(folder.join(device)).unwrap();
            fs::write(folder.join(device).join("promote_secondaries"), value).unwrap();
        }
        folder
    }

    fn long() -> Budget {
        Budget::start(Some(Duration::from_secs(60)))
    }

    fn value(folder: &Path) -> String {
        fs::read_to_string(folder.join("eth0/promote_secondaries")).unwrap()
    }

    #[test]
    fn the_setting_is_in_force_for_a_moment_and_as_found_afterwards() {
        let folder = settings("moment", "0\n", "0\n");
        let promotion = Promotion::ensure_in(&folder, &folder, "eth0", long()).unwrap();
        assert_eq!(value(&folder), "1");
        drop(promotion);
        assert_eq!(value(&folder), "0");
        fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn a_setting_already_in_force_is_left_alone() {
        for (name, all, own) in [("all", "1\n", "0\n"), ("own", "0\n", "1\n")] {
            let folder = settings(name, all, own);
            drop(Promotion::ensure_in(&folder, &folder, "eth0", long()).unwrap());
            assert_eq!(value(&folder), own);
            fs::remove_dir_all(folder).unwrap();
        }
    }

    #[test]
    fn a_setting_that_cannot_be_read_is_an_error() {
        let nowhere = Path::new("/nonexistent");
        assert!(Promotion::ensure_in(nowhere, nowhere, "eth0", long()).is_err());
    }

    #[test]
    fn who_gets_no_turn_sets_it_for_good() {
        let folder = settings("turn", "0\n", "0\n");
        let first = Promotion::ensure_in(&folder, &folder, "eth0", long()).unwrap();
        let short = Budget::start(Some(Duration::from_millis(10)));
        drop(Promotion::ensure_in(&folder, &folder, "eth0", short).unwrap());
        assert_eq!(value(&folder), "1");
        drop(first);
        // No folder for the lock.
        drop(Promotion::ensure_in(&folder, Path::new("/nonexistent"), "eth0", long()).unwrap());
        assert_eq!(value(&folder), "1");
        fs::remove_dir_all(folder).unwrap();
    }
}
