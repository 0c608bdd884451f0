//! Who has put the helpers where the agent calls them, and whether they are still as they were put there: by the lists
//! of checksums that the deb, the rpm and install.sh leave.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::super::cluster::{Installation, Way};

/// Where the packages leave theirs.
const LISTS: &str = "/usr/share/mmm-agent-helpers";

/// The installation of the helpers in `agent`, a folder; `None` if nothing says how they came there.
pub fn look(agent: &Path) -> Option<Installation> {
    look_in(Path::new(LISTS), agent)
}

fn look_in(lists: &Path, agent: &Path) -> Option<Installation> {
    let (way, list) = [
        (Way::Deb, lists.join("deb.sha256sums")),
        (Way::Rpm, lists.join("rpm.sha256sums")),
        (Way::Installer, kept(agent).join(".placed")),
    ]
    .into_iter()
    .find_map(|(way, path)| Some((way, fs::read_to_string(path).ok()?)))?;
    let overwritten = mmm_agent_helpers::ALL.iter().map(|program| program.name);
    let overwritten = overwritten.filter(|name| is_overwritten(&list, agent, name)).map(ToString::to_string);
    Some(Installation { way, overwritten: overwritten.collect() })
}

/// Where install.sh keeps originals and its list.
fn kept(agent: &Path) -> PathBuf {
    let mut path = OsString::from(agent.components().as_path());
    path.push(".orig");
    path.into()
}

/// True if the list knows the helper and its file has none of the contents that were put there.
fn is_overwritten(list: &str, agent: &Path, name: &str) -> bool {
    let mut sums =
        list.lines().filter_map(|line| line.split_once("  ")).filter(|(_, listed)| *listed == name);
    let Some(first) = sums.next() else { return false };
    match sum(&agent.join(name)) {
        Ok(found) => found != first.0 && sums.all(|(sum, _)| found != sum),
        // Missing or unreadable, which has findings of its own.
        Err(_) => false,
    }
}

fn sum(path: &Path) -> io::Result<String> {
    let mut hasher = Sha256::new();
    io::copy(&mut File::open(path)?, &mut hasher)?;
    Ok(format!("{:x}", hasher.finalize()))
}

#[cfg(test)]
mod tests;
