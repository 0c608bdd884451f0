//! Who could change what root is about to run: a program, or the file that names it.

use std::fs::{self, Metadata};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use nix::unistd::geteuid;

/// Anybody but the owner may write.
const OTHERS: u32 = 0o022;
/// Anybody at all may write.
const EVERYBODY: u32 = 0o002;
/// In such a folder nobody replaces another's files.
const STICKY: u32 = 0o1000;

/// Why somebody but root or the caller could change this file, in words that say what to do. A file that is not there
/// is nobody's.
///
/// A folder may be written by its group: on Debian those below /usr/local are, by a group that is as good as root.
pub fn check(file: &Path) -> Result<(), String> {
    let Ok(real) = fs::canonicalize(file) else { return Ok(()) };
    // Both the file's own folders and those through which a link leads to it.
    let folders = real.ancestors().skip(1).chain(file.ancestors().skip(1));
    for (path, is_folder) in folders.map(|path| (path, true)).chain([(&*real, false)]) {
        let Ok(metadata) = fs::metadata(path) else { continue };
        if let Some(reason) = distrust(&metadata, is_folder) {
            return Err(format!(
                "{} {}",
                path.display(),
                reason.replace("PATH", &path.display().to_string())
            ));
        }
    }
    Ok(())
}

fn distrust(metadata: &Metadata, is_folder: bool) -> Option<String> {
    let (owner, mode) = (metadata.uid(), metadata.mode());
    if owner != 0 && owner != geteuid().as_raw() {
        return Some(format!("belongs to user {owner}, who could change it; mend it with: chown root PATH"));
    }
    let is_open = if is_folder { mode & EVERYBODY != 0 && mode & STICKY == 0 } else { mode & OTHERS != 0 };
    is_open.then(|| "may be written by others than its owner; mend it with: chmod go-w PATH".into())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

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
                assert_eq!(found.is_ok(), is_trusted, "{mode:o}: {found:?}");
                if let Err(reason) = found {
                    assert!(reason.ends_with(&format!("chmod go-w {}", program.display())), "{reason}");
                }
            }
        }
        assert_eq!(check(Path::new("/no/such/hook")), Ok(()));
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
    fn another_users_file_is_not_trusted() {
        let scratch = Scratch::new();
        let program = scratch.file("hook", "");
        scratch.chmod(&program, 0o755);
        if !geteuid().is_root() {
            return;
        }
        std::os::unix::fs::chown(&program, Some(12345), None).unwrap();
        assert!(check(&program).unwrap_err().contains("belongs to user 12345"));
    }
}
