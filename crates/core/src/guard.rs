//! Who could change what root is about to run or to read: a program, the file that names it, a folder above them.

use std::ffi::OsString;
use std::fs::{self, Metadata};
use std::io::{self, ErrorKind};
use std::os::unix::fs::MetadataExt;
use std::path::{Component, Path, PathBuf};

use nix::errno::Errno;
use nix::libc::{S_IFDIR, S_IFMT};
use nix::unistd::geteuid;

/// Anybody but the owner may write.
const OTHERS: u32 = 0o022;
/// Anybody at all may write.
const EVERYBODY: u32 = 0o002;
/// In such a folder no user can replace another's files.
const STICKY: u32 = 0o1000;
/// As many links as the kernel follows.
const MOST_LINKS: usize = 40;

/// The real path of a file, `None` if there is none; or why somebody but root or the caller could change it, and what
/// to do.
///
/// A folder's group may write to it: on Debian, folders below /usr/local belong to a group that has the power of root.
pub fn check(file: &Path) -> Result<Option<PathBuf>, String> {
    let walked = walk(file, |path, metadata| match distrust(metadata.uid(), metadata.mode()) {
        None => Ok(()),
        Some(reason) => {
            let path = path.display().to_string();
            Err(denied(format!("{path} {}", reason.replace("PATH", &path))))
        }
    });
    match walked {
        Ok(real) => Ok(Some(real)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) if error.get_ref().is_some() => Err(error.to_string()),
        Err(error) => Err(format!("{} cannot be looked at: {error}", file.display())),
    }
}

/// The real path of a file or a folder. Links are followed only if they belong to root or the caller.
pub fn without_links(path: &Path) -> io::Result<PathBuf> {
    walk(path, |_, _| Ok(()))
}

/// Follows a path part by part, and shows each part that is passed and is no link.
fn walk(path: &Path, mut see: impl FnMut(&Path, &Metadata) -> io::Result<()>) -> io::Result<PathBuf> {
    let parts = |path: &Path| -> Vec<OsString> {
        let named =
            path.components().filter(|part| matches!(part, Component::Normal(_) | Component::ParentDir));
        named.map(|part| part.as_os_str().to_os_string()).rev().collect()
    };
    let (mut real, mut left, mut links) = (PathBuf::from("/"), parts(path), 0);
    see(&real, &fs::symlink_metadata(&real)?)?;
    while let Some(part) = left.pop() {
        if part == ".." {
            real.pop();
            continue;
        }
        let next = real.join(part);
        let metadata = fs::symlink_metadata(&next)?;
        if !metadata.is_symlink() {
            see(&next, &metadata)?;
            real = next;
            continue;
        }
        links += 1;
        if links > MOST_LINKS {
            return Err(Errno::ELOOP.into());
        }
        if !is_ours(metadata.uid()) {
            let next = next.display();
            return Err(denied(format!(
                "{next} is a link that is not root's; fix it with: chown -h root {next}"
            )));
        }
        let target = fs::read_link(&next)?;
        if target.is_absolute() {
            real = PathBuf::from("/");
        }
        left.extend(parts(&target));
    }
    Ok(real)
}

fn denied(text: String) -> io::Error {
    io::Error::new(ErrorKind::PermissionDenied, text)
}

fn is_ours(owner: u32) -> bool {
    owner == 0 || owner == geteuid().as_raw()
}

fn distrust(owner: u32, mode: u32) -> Option<String> {
    if !is_ours(owner) {
        return Some(format!("belongs to user {owner}, who could change it; fix it with: chown root PATH"));
    }
    let is_folder = mode & S_IFMT == S_IFDIR;
    let is_open = if is_folder { mode & EVERYBODY != 0 && mode & STICKY == 0 } else { mode & OTHERS != 0 };
    is_open.then(|| "may be written by others than its owner; fix it with: chmod go-w PATH".into())
}

#[cfg(test)]
mod tests;
