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
    for (mode, is_trusted) in [(0o755, true), (0o700, true), (0o775, false), (0o757, false), (0o722, false)] {
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
