//! Keeping the other addresses of a network when the first one of it goes.
//!
//! Linux removes the later IPv4 addresses of a network together with the first, unless `promote_secondaries`
//! is set (kernel documentation, ip-sysctl). Adding them again afterwards would be too late: with the last
//! address of an interface its routes go, the default route among them.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

const SETTINGS: &str = "/proc/sys/net/ipv4/conf";

/// While this lives, `promote_secondaries` is in force for one interface. Afterwards the setting is as found.
#[derive(Debug)]
pub(crate) struct Promotion {
    to_restore: Option<PathBuf>,
}

impl Promotion {
    pub(crate) fn ensure(device: &str) -> io::Result<Self> {
        Self::ensure_in(Path::new(SETTINGS), device)
    }

    fn ensure_in(settings: &Path, device: &str) -> io::Result<Self> {
        let own = settings.join(device).join("promote_secondaries");
        for setting in [settings.join("all/promote_secondaries"), own.clone()] {
            if fs::read_to_string(setting)?.trim() != "0" {
                return Ok(Self { to_restore: None });
            }
        }
        fs::write(&own, "1")?;
        log::info!("promote_secondaries set on {device} for a moment, to keep its other addresses");
        Ok(Self { to_restore: Some(own) })
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

    fn value(folder: &Path) -> String {
        fs::read_to_string(folder.join("eth0/promote_secondaries")).unwrap()
    }

    #[test]
    fn the_setting_is_in_force_for_a_moment_and_as_found_afterwards() {
        let folder = settings("moment", "0\n", "0\n");
        let promotion = Promotion::ensure_in(&folder, "eth0").unwrap();
        assert_eq!(value(&folder), "1");
        drop(promotion);
        assert_eq!(value(&folder), "0");
        fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn a_setting_already_in_force_is_left_alone() {
        for (name, all, own) in [("all", "1\n", "0\n"), ("own", "0\n", "1\n")] {
            let folder = settings(name, all, own);
            drop(Promotion::ensure_in(&folder, "eth0").unwrap());
            assert_eq!(value(&folder), own);
            fs::remove_dir_all(folder).unwrap();
        }
    }

    #[test]
    fn a_setting_that_cannot_be_read_is_an_error() {
        assert!(Promotion::ensure_in(Path::new("/nonexistent"), "eth0").is_err());
    }
}
