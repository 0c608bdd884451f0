//! Relay log files on disk.

use std::fs;
use std::io::Write;

use super::*;

/// A file with these events of kind 2, of which each has this body.
fn file(name: &str, checksums: bool, bodies: &[&[u8]]) -> std::path::PathBuf {
    let path = std::env::temp_dir().join(format!("mmm-relay-{}-{name}", std::process::id()));
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
