//! Relay log files on disk.

use std::fs;
use std::io::Write;
use std::os::unix::fs::{lchown, symlink};
use std::path::PathBuf;
use std::sync::mpsc;
use std::time::Duration;
use std::{process, thread};

use nix::sys::stat::Mode;
use nix::unistd::mkfifo;

use super::*;

/// A file with these events of kind 2, of which each has this body.
fn file(name: &str, checksums: bool, bodies: &[&[u8]]) -> PathBuf {
    let path = std::env::temp_dir().join(format!("mmm-relay-{}-{name}", process::id()));
    let mut file = File::create(&path).unwrap();
    file.write_all(&MAGIC).unwrap();
    let mut event = |kind: u8, body: &[u8], has_checksum: bool| {
        let size = HEADER + body.len() + if has_checksum { CHECKSUM } else { 0 };
        let mut bytes = vec![9, 0, 0, 0, kind, 3, 0, 0, 0];
        bytes.extend(u32::try_from(size).unwrap().to_le_bytes());
        bytes.extend([0; 6]);
        bytes.extend(body);
        bytes.extend(&[0xaa; CHECKSUM][..if has_checksum { CHECKSUM } else { 0 }]);
        file.write_all(&bytes).unwrap();
    };
    // Its last byte names the way of checksums; it has one in any case.
    event(kind::FORMAT_DESCRIPTION, &[0, 0, u8::from(checksums)], true);
    for body in bodies {
        event(kind::QUERY, body, checksums);
    }
    path
}

fn read(path: &Path, until: Option<u64>) -> io::Result<Vec<(u8, Vec<u8>, u64)>> {
    let mut all = Vec::new();
    each_event(path, until, |event| all.push((event.kind, event.body.to_vec(), event.end)))?;
    fs::remove_file(path)?;
    Ok(all.split_off(1))
}

#[test]
fn checksums_are_cut_off_where_there_are_some() {
    let with = read(&file("with", true, &[b"abc", b""]), None).unwrap();
    assert_eq!(with, [(2, b"abc".to_vec(), 4 + 26 + 26), (2, Vec::new(), 4 + 26 + 26 + 23)]);
    let without = read(&file("without", false, &[b"abc"]), None).unwrap();
    assert_eq!(without, [(2, b"abc".to_vec(), 4 + 26 + 22)]);
}

#[test]
fn nothing_is_read_beyond_what_is_applied() {
    assert_eq!(read(&file("until", false, &[b"abc", b"def"]), Some(52)).unwrap().len(), 1);
}

#[test]
fn half_an_event_an_encrypted_file_and_nonsense_are_errors() {
    let path = file("half", false, &[b"abc"]);
    let whole = fs::read(&path).unwrap();
    fs::write(&path, &whole[..whole.len() - 1]).unwrap();
    assert!(each_event(&path, None, |_| ()).is_err());
    for bytes in [&b"\xfdbin"[..], b"\xfebin\0\0\0\0\x02\0\0\0\0\x05\0\0\0\0\0\0\0\0\0", b""] {
        fs::write(&path, bytes).unwrap();
        assert!(each_event(&path, None, |_| ()).is_err(), "{bytes:?}");
    }
    fs::remove_file(&path).unwrap();
}

/// A folder of its own for a test.
fn folder(name: &str) -> PathBuf {
    let folder =
        fs::canonicalize(std::env::temp_dir()).unwrap().join(format!("mmm-relay-{}-{name}", process::id()));
    fs::create_dir(&folder).unwrap();
    folder
}

/// The result of reading a file; a file that makes the reader wait for ever fails the test.
fn outcome(path: &Path) -> Result<(), String> {
    let (sender, receiver) = mpsc::channel();
    let path = path.to_path_buf();
    thread::spawn(move || sender.send(each_event(&path, None, |_| ()).map_err(|error| error.to_string())));
    receiver.recv_timeout(Duration::from_secs(5)).expect("the reader waits")
}

#[test]
fn nothing_is_read_but_regular_files() {
    let folder = folder("kinds");
    let fifo = folder.join("relay.000001");
    mkfifo(&fifo, Mode::from_bits_truncate(0o600)).unwrap();
    for path in [&fifo, &folder, Path::new("/dev/zero")] {
        assert_eq!(outcome(path), Err("it is no regular file".into()), "{}", path.display());
    }
    fs::remove_dir_all(folder).unwrap();
}

#[test]
fn no_link_is_followed_that_the_server_could_have_made() {
    let folder = folder("links");
    fs::rename(file("links-real", false, &[b"abc"]), folder.join("relay.000001")).unwrap();
    assert_eq!(outcome(&folder.join("relay.000001")), Ok(()));
    // In the place of the file not even the administrator's.
    symlink(folder.join("relay.000001"), folder.join("relay.000002")).unwrap();
    assert!(outcome(&folder.join("relay.000002")).is_err());
    symlink("./../", folder.join("up")).unwrap();
    let round = folder.join("up").join(folder.file_name().unwrap());
    assert_eq!(outcome(&round.join("relay.000001")), Ok(()), "a link of root's");
    symlink(&round, folder.join("theirs")).unwrap();
    // Only root can give a link away.
    if lchown(folder.join("theirs"), Some(65534), None).is_ok() {
        let refused = outcome(&folder.join("theirs/relay.000001")).unwrap_err();
        assert!(refused.contains("theirs is a link that is not root's"), "{refused}");
    }
    symlink("round", folder.join("round")).unwrap();
    assert!(outcome(&folder.join("round/relay.000001")).is_err());
    fs::remove_dir_all(folder).unwrap();
}

#[test]
fn an_event_is_no_longer_than_its_file() {
    let folder = folder("long");
    let path = folder.join("relay.000001");
    for (size, length) in [(u32::MAX, 100), (1 << 30, 100), (u32::MAX, 5 << 30)] {
        let header = [&MAGIC[..], &[0; 4], &[2], &[0; 4], &size.to_le_bytes(), &[0; 6], &[0; 50]].concat();
        fs::write(&path, header).unwrap();
        // A long file is sparse, so that it takes no space.
        File::options().write(true).open(&path).unwrap().set_len(length).unwrap();
        let refused = outcome(&path).unwrap_err();
        assert!(refused.contains("longer than"), "{size}: {refused}");
    }
    fs::remove_dir_all(folder).unwrap();
}
