use std::fs;

use super::*;
use crate::config::scratch::Scratch;

#[test]
fn what_is_appended_stands_behind_what_was_there() {
    let scratch = Scratch::new();
    let file = scratch.file("journal", "one\n");
    let name = CString::new(file.as_os_str().as_bytes()).unwrap();
    let long = "two\n".repeat(100_000);
    append(&name, long.as_bytes()).unwrap();
    assert_eq!(fs::read_to_string(&file).unwrap(), format!("one\n{long}"));
    fs::remove_file(&file).unwrap();
    append(&name, b"three").unwrap();
    assert_eq!(fs::read_to_string(&file).unwrap(), "three");
}

#[test]
fn what_cannot_be_written_is_an_error_and_ends_nothing() {
    let scratch = Scratch::new();
    let name = |path: &Path| CString::new(path.as_os_str().as_bytes()).unwrap();
    let error = |path: &Path| append(&name(path), b"x").unwrap_err().raw_os_error();
    assert_eq!(error(&scratch.path().join("no/such")), Some(libc::ENOENT));
    assert_eq!(error(scratch.path()), Some(libc::EISDIR));
    assert_eq!(error(Path::new("/dev/full")), Some(libc::ENOSPC));
    let pipe = scratch.path().join("pipe");
    unistd::mkfifo(&pipe, Mode::S_IRWXU).unwrap();
    assert_eq!(error(&pipe), Some(libc::ENXIO));
    for path in [scratch.path(), &pipe, Path::new("/dev/zero"), Path::new("/no/such")] {
        probe(path);
    }
}

#[test]
fn nothing_of_what_is_in_memory_gets_into_a_core_file() {
    prepare();
    assert_eq!(prctl::get_dumpable(), Ok(false));
}

#[test]
fn descriptors_and_signal_mask_are_as_before() {
    let scratch = Scratch::new();
    let before = SigSet::thread_get_mask().unwrap();
    let file = File::open(scratch.file("a", "b")).unwrap();
    probe(&scratch.path().join("a"));
    assert_eq!(SigSet::thread_get_mask().unwrap(), before);
    assert_eq!(file.metadata().unwrap().len(), 1);
}

#[test]
fn a_note_is_written_read_and_removed_in_a_folder_that_may_be_missing() {
    let scratch = Scratch::new();
    let path = scratch.path().join("notes/note");
    assert_eq!(open_apart(&path, false).unwrap_err().kind(), io::ErrorKind::NotFound);
    open_apart(&path, true).unwrap();
    let file = fs::OpenOptions::new().read(true).write(true).open(&path).unwrap();
    for text in ["a long note", "short"] {
        write_apart(&path, &file, text).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), text);
    }
    look_within(&path).unwrap();
    remove_apart(&path, Some(&file)).unwrap();
    assert_eq!((path.exists(), file.metadata().unwrap().len()), (false, 0));
    assert_eq!(remove_apart(&path, None).unwrap_err().kind(), io::ErrorKind::NotFound);
    replace_apart(&path, "plain").unwrap();
    replace_apart(&path, "new").unwrap();
    assert_eq!(fs::read_to_string(&path).unwrap(), "new");
}

#[test]
fn what_takes_too_long_is_given_up_once_and_its_folder_with_it() {
    let scratch = Scratch::new();
    let path = scratch.path().join("note");
    let error = within(&path, |_| {
        thread::sleep(Duration::from_secs(600));
        Ok(())
    });
    assert_eq!(error.unwrap_err().kind(), io::ErrorKind::TimedOut);
    let error = within(&scratch.path().join("other"), |_| panic!("not even tried"));
    assert_eq!(error.unwrap_err().kind(), io::ErrorKind::TimedOut);
    let elsewhere = scratch.path().join("folder/note");
    within(&elsewhere, |_| Ok(())).unwrap();
}
