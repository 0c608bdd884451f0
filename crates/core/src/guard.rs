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
/// In such a folder nobody replaces another's files.
const STICKY: u32 = 0o1000;
/// As many links as the kernel follows.
const MOST_LINKS: usize = 40;

/// Where a file really lies, `None` where there is none; or why somebody but root or the caller could change it, in
/// words that say what to do.
///
/// A folder may be written by its group: on Debian those below /usr/local are, by a group that is as good as root.
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

/// Where a file or a folder really lies. Links are followed only where root or the caller made them.
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
                "{next} is a link that is not root's; mend it with: chown -h root {next}"
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
        return Some(format!("belongs to user {owner}, who could change it; mend it with: chown root PATH"));
    }
    let is_folder = mode & S_IFMT == S_IFDIR;
    let is_open = if is_folder { mode & EVERYBODY != 0 && mode & STICKY == 0 } else { mode & OTHERS != 0 };
    is_open.then(|| "may be written by others than its owner; mend it with: chmod go-w PATH".into())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{lchown, symlink};

    use nix::libc::S_IFREG;

    use super::*;
    use crate::config::scratch::Scratch;

    #[test]
    fn what_others_could_change_is_named_with_the_cure() {
        let scratch = Scratch::new();
        let program = scratch.file("hook", "");
        let link = scratch.path().join("link");
        symlink(&program, &link).unwrap();
        for (mode, is_trusted) in
            [(0o755, true), (0o700, true), (0o775, false), (0o757, false), (0o722, false)]
        {
            scratch.chmod(&program, mode);
            for path in [&program, &link] {
                let found = check(path);
                assert_eq!(found == Ok(Some(program.clone())), is_trusted, "{mode:o}: {found:?}");
                if let Err(reason) = found {
                    assert!(reason.ends_with(&format!("chmod go-w {}", program.display())), "{reason}");
                }
            }
        }
    }

    #[test]
    fn only_a_program_that_is_not_there_is_nobodys() {
        let scratch = Scratch::new();
        let file = scratch.file("file", "");
        assert_eq!(check(&scratch.path().join("no/such/hook")), Ok(None));
        assert!(check(&file.join("hook")).unwrap_err().contains("cannot be looked at"));
        let round = scratch.path().join("round");
        symlink(&round, &round).unwrap();
        assert!(check(&round).unwrap_err().contains("cannot be looked at"));
        // Whoever may write there could put one there.
        let open = scratch.path().join("open");
        fs::create_dir(&open).unwrap();
        scratch.chmod(&open, 0o777);
        assert!(check(&open.join("hook")).unwrap_err().contains("chmod go-w"));
    }

    #[test]
    fn a_folder_that_everybody_may_write_is_as_bad_unless_it_is_sticky() {
        let scratch = Scratch::new();
        let program = scratch.file("hook", "");
        scratch.chmod(&program, 0o755);
        for (mode, is_trusted) in [(0o755, true), (0o775, true), (0o777, false), (0o1777, true)] {
            scratch.chmod(scratch.path(), mode);
            assert_eq!(check(&program).is_ok(), is_trusted, "{mode:o}");
        }
    }

    #[test]
    fn every_folder_on_the_way_of_a_chain_of_links_counts() {
        let scratch = Scratch::new();
        let program = scratch.file("hook", "");
        scratch.chmod(&program, 0o755);
        // first -> between/second -> hook: neither the first nor the last folder is the one that is open.
        let between = scratch.path().join("between");
        fs::create_dir(&between).unwrap();
        symlink("../hook", between.join("second")).unwrap();
        let first = scratch.path().join("first");
        symlink("between/second", &first).unwrap();
        assert_eq!(check(&first), Ok(Some(program.clone())));
        scratch.chmod(&between, 0o777);
        let reason = check(&first).unwrap_err();
        assert!(reason.ends_with(&format!("chmod go-w {}", between.display())), "{reason}");
        scratch.chmod(&between, 0o1777);
        assert_eq!(check(&first), Ok(Some(program)));
        // Only root can give a link away.
        if lchown(between.join("second"), Some(65534), None).is_ok() {
            let reason = check(&first).unwrap_err();
            assert!(reason.contains("second is a link that is not root's"), "{reason}");
        }
    }

    #[test]
    fn another_users_file_is_not_trusted() {
        let (caller, stranger) = (geteuid().as_raw(), geteuid().as_raw() + 1);
        for (owner, mode, is_trusted) in [
            (0, S_IFREG | 0o755, true),
            (caller, S_IFREG | 0o755, true),
            (stranger, S_IFREG | 0o755, false),
            (stranger, S_IFDIR | 0o755, false),
            (stranger, S_IFDIR | 0o1777, false),
        ] {
            let reason = distrust(owner, mode);
            assert_eq!(reason.is_none(), is_trusted, "{owner} {mode:o}: {reason:?}");
            assert!(reason.is_none_or(|reason| reason.contains(&format!("belongs to user {stranger}"))));
        }
    }
}
