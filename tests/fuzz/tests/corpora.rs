//! Every file of the corpora, and some thousands of inputs made of them, always the same.

use std::time::Duration;

use mmm_fuzz::{MOST, TARGETS, mutation};

/// Inputs made of each corpus.
const CASES: u32 = 800;

#[test]
fn every_file_of_the_corpora_is_read_and_what_must_hold_holds() {
    mmm_fuzz::be_quiet_about_caught_panics();
    for target in TARGETS {
        let corpus = target.corpus();
        assert!(!corpus.is_empty(), "{}", target.name);
        for (path, bytes) in corpus {
            assert!(bytes.len() <= MOST, "{} is too long", path.display());
            let result = std::panic::catch_unwind(|| target.read(&bytes));
            assert!(result.is_ok(), "{}", path.display());
        }
    }
}

#[test]
fn changed_files_are_read_and_what_must_hold_holds() {
    mmm_fuzz::be_quiet_about_caught_panics();
    for target in TARGETS {
        if let Err((input, reason)) = mutation::run(target, 17, CASES, Duration::MAX) {
            panic!("{}: {reason}; the input: {}", target.name, input.escape_ascii());
        }
    }
}

#[test]
fn nothing_takes_much_memory() {
    // The most that this process ever had, whichever of the tests needed it.
    for target in TARGETS {
        target.corpus().into_iter().for_each(|(_, bytes)| target.read(&bytes));
    }
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
    let kilobytes: u64 = line.split_whitespace().nth(1).unwrap().parse().unwrap();
    assert!(kilobytes < 512 << 10, "{line}");
}
