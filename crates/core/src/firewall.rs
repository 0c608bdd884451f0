//! The packet filter rule with which `blocking_type soft` keeps new clients away. It never outlives the call.
//!
//! Before a rule is added, a file in /run says how it is removed. The file is removed only after the rule is
//! known to be removed; both end with the machine. The helper locks the file, and so do the commands that it
//! runs, through their stdin. A file that can be locked was left by a helper that was killed; the next of the
//! `mysql_` helpers removes the rule.

mod command;

use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

pub use crate::child::CommandError;
use crate::config::{Blocking, Host};
use crate::error::Coded;
use crate::marker::{self, Marker};
use crate::report::{self, Kind};
use command::Command;

/// The folder of the markers. It is emptied when the machine starts, as the packet filter is.
const FOLDER: &str = "/run";
/// The maximum time of the command that adds the rule.
const ADDING: Duration = Duration::from_millis(700);
/// The maximum time of the command that removes it.
const REMOVING: Duration = Duration::from_millis(500);
/// The maximum time of the command that asks whether it is there.
const ASKING: Duration = Duration::from_millis(200);
/// How often a removal is tried in one call: another program may have locked the packet filter.
const TRIES: usize = 3;
/// Pause between two tries.
const PAUSE: Duration = Duration::from_millis(30);

/// Why new clients are not kept away, or still are.
#[derive(Debug, thiserror::Error, strum::IntoStaticStr, strum::VariantNames)]
#[strum(serialize_all = "kebab-case", prefix = "firewall-")]
pub enum FirewallError {
    /// The first command of the configuration failed (docs/CONTRACT.md, 3.2 has the text).
    #[error("Could not block port. {0}")]
    Block(#[source] CommandError),
    /// The second one did.
    #[error("Could not unblock port. {failure}; the next call tries again (if the rule is gone, remove {})", marker.display())]
    Unblock {
        /// How it failed.
        #[source]
        failure: CommandError,
        /// The file that remembers it.
        marker: PathBuf,
    },
    /// Without the file, a killed helper would leave its rule for ever.
    #[error("Could not block port. {}: {source}", marker.display())]
    Marker {
        /// The file.
        marker: PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
}

impl Coded for FirewallError {
    fn code(&self) -> &'static str {
        self.into()
    }
}

/// What keeps new clients away while running ones finish: nothing, or a rule of the packet filter.
#[derive(Debug, Default)]
pub struct Barrier {
    raised: Option<Raised>,
    /// The command that a dry run does not run in the end.
    planned: Option<String>,
}

#[derive(Debug)]
struct Raised {
    marker: Marker,
    unblock: Command,
}

impl Barrier {
    /// Adds the rule, if `blocking` has one for `host`. A command that did not end may have added it. So the
    /// caller lowers it whether or not this succeeds. If it is dropped, it lowers itself.
    pub fn raise(&mut self, host: &Host, blocking: &Blocking) -> Result<(), FirewallError> {
        self.raise_in(Path::new(FOLDER), host, blocking)
    }

    fn raise_in(&mut self, folder: &Path, host: &Host, blocking: &Blocking) -> Result<(), FirewallError> {
        let Blocking::Soft { block, unblock } = blocking else { return Ok(()) };
        if report::is_dry_run() {
            report::planned(None, Kind::Command, block);
            self.planned = Some(unblock.clone());
            return Ok(());
        }
        let path = marker_of(folder, host);
        let failed = |source| FirewallError::Marker { marker: path.clone(), source };
        let mut marker = Marker::create(&path).map_err(failed)?;
        if let Some(unblock) = marker.undo().map_err(failed)? {
            log::warn!("a rule that an earlier call left is still there: it is used, none is added");
            self.raised = Some(Raised { marker, unblock: Command::new(&unblock) });
            return Ok(());
        }
        marker.write(unblock).map_err(failed)?;
        let raised = self.raised.insert(Raised { marker, unblock: Command::new(unblock) });
        if raised.is_there() == Some(true) {
            log::warn!("the rule that '{unblock}' removes is there already: none is added");
            return Ok(());
        }
        let added = Command::new(block).run(&mut raised.marker, ADDING);
        if let Err(CommandError::Failed { .. } | CommandError::NotStarted { .. }) = &added {
            // The command ended by itself and says that there is no rule. If there is half of one, it is removed, too.
            let _ = raised.unblock.run(&mut raised.marker, REMOVING);
            if raised.is_there() != Some(true) {
                raised.marker.remove();
                self.raised = None;
            }
        }
        added.map_err(FirewallError::Block)
    }

    /// Removes the rule, if one was added.
    pub fn lower(&mut self) -> Result<(), FirewallError> {
        if let Some(unblock) = self.planned.take() {
            report::planned(None, Kind::Command, unblock);
        }
        self.raised.take().map_or(Ok(()), |mut raised| raised.lower())
    }
}

impl Drop for Barrier {
    fn drop(&mut self) {
        if let Err(error) = self.lower() {
            log::error!("{error}");
        }
    }
}

impl Raised {
    /// Removes the rule and then the marker, in this order.
    fn lower(&mut self) -> Result<(), FirewallError> {
        let mut tries = 0;
        loop {
            tries += 1;
            let removed = self.unblock.run(&mut self.marker, REMOVING);
            if removed.is_ok() || self.is_there() == Some(false) {
                self.marker.remove();
                return Ok(());
            }
            // A command that hung once gets no second try, because the caller waits.
            let is_hopeless = matches!(removed, Err(CommandError::Hung { .. }));
            if let Err(failure) = removed
                && (tries == TRIES || is_hopeless)
            {
                return Err(FirewallError::Unblock { failure, marker: self.marker.path().into() });
            }
            thread::sleep(PAUSE);
        }
    }

    /// Whether the rule is there, if the configured command makes it possible to ask.
    fn is_there(&mut self) -> Option<bool> {
        match self.unblock.question()?.ask(&mut self.marker, ASKING) {
            Ok(()) => Some(true),
            Err(CommandError::Failed { code: 1, .. }) => Some(false),
            Err(_) => None,
        }
    }
}

/// Removes the rule that a killed call left for this host's server, if there is one. Costs one look into its folder
/// if there is none, and never stops the caller.
pub fn remove_leftover(host: &Host) {
    remove_leftover_in(Path::new(FOLDER), host);
}

fn remove_leftover_in(folder: &Path, host: &Host) {
    let path = marker_of(folder, host);
    let Some((marker, unblock)) = Marker::leftover(&path) else { return };
    log::warn!("an earlier call was killed while port {} was blocked", host.mysql_port);
    match (Raised { marker, unblock: Command::new(&unblock) }).lower() {
        Ok(()) => log::info!("its packet filter rule is removed"),
        Err(error) => log::error!("{error}"),
    }
}

/// The marker of a call that was killed while it kept new clients away, and the command that ends that; changes
/// nothing.
pub fn left_behind(host: &Host) -> Option<(PathBuf, String)> {
    let path = marker_of(Path::new(FOLDER), host);
    Marker::left_behind(&path).map(|unblock| (path, unblock))
}

fn marker_of(folder: &Path, host: &Host) -> PathBuf {
    marker::path(folder, "deny-write", host)
}

#[cfg(test)]
mod tests;
