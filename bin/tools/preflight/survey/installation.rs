//! Who has put the helpers where the agent calls them, and whether they are still as they were put there: by the lists
//! of checksums that the deb, the rpm and install.sh leave.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::super::cluster::{Installation, Way};

/// The installation of the helpers in `agent`, a folder, `None` if nothing says how they came there; and a package that is
/// installed, but serves other folders.
pub fn look(agent: &Path) -> (Option<Installation>, Option<Way>) {
    look_in(Path::new("/"), agent)
}

fn look_in(root: &Path, agent: &Path) -> (Option<Installation>, Option<Way>) {
    let package =
        [(Way::Deb, "deb.sha256sums"), (Way::Rpm, "rpm.sha256sums")].into_iter().find_map(|(way, name)| {
            let list = root.join("usr/share/mmm-agent-helpers").join(name);
            Some((way, fs::read_to_string(list).ok()?))
        });
    let served =
        |way: Way| way.folders().iter().copied().find(|folder| is_same(&root.join(&folder[1..]), agent));
    let (here, elsewhere) = match package {
        Some((way, list)) if served(way).is_some() => (Some((way, list)), None),
        other => {
            let placed = fs::read_to_string(kept(agent).join(".placed")).ok();
            (placed.map(|list| (Way::Installer, list)), other.map(|(way, _)| way))
        }
    };
    let installation = here.map(|(way, list)| {
        let names = || mmm_agent_helpers::ALL.iter().map(|program| program.name);
        let overwritten = names().filter(|name| is_overwritten(&list, agent, name)).map(ToString::to_string);
        let linked = names().filter(|name| is_linked(agent, name)).map(ToString::to_string);
        Installation {
            way,
            served: served(way),
            overwritten: overwritten.collect(),
            linked: linked.collect(),
        }
    });
    (installation, elsewhere)
}

/// True if both names mean one folder, also by a link.
fn is_same(one: &Path, other: &Path) -> bool {
    let real = |path: &Path| fs::canonicalize(path).unwrap_or_else(|_| path.components().collect());
    real(one) == real(other)
}

/// Where install.sh keeps originals and its list: beside the folder that a link means, unless there is one beside the
/// link.
fn kept(agent: &Path) -> PathBuf {
    let beside = |agent: &Path| {
        let mut path = OsString::from(agent);
        path.push(".orig");
        PathBuf::from(path)
    };
    let agent: &Path = agent.components().as_path();
    let kept = beside(agent);
    match fs::canonicalize(agent) {
        Ok(real) if agent.is_symlink() && !kept.is_dir() => beside(&real),
        _ => kept,
    }
}

/// True if the helper's name is the link that a package makes (packaging/takeover), wherever that leads to now.
fn is_linked(agent: &Path, name: &str) -> bool {
    let program = Path::new("/usr/libexec/mmm-agent-helpers/agent").join(name);
    fs::read_link(agent.join(name)).is_ok_and(|target| target == program)
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
