//! The journal's file. Whoever logs leaves a line here and continues; a thread of its own writes the lines to the file.
//!
//! The file may be on a mount that does not answer. So the journal may lose lines, but takes no time, neither during
//! the call nor at its end.

use std::ffi::CString;
use std::io::{self, Write};
use std::mem;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::sync::{Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use crate::process;

/// The maximum number of bytes that wait for the file. What comes after that is lost, and counted.
const MOST: usize = 1 << 20;
/// The end of a call waits for a write at most this long.
const PATIENCE: Duration = Duration::from_millis(100);

static FILE: OnceLock<CString> = OnceLock::new();
static LINES: Mutex<Lines> =
    Mutex::new(Lines { text: Vec::new(), lost: 0, is_wanted: false, is_kept_up: false, write_began: None });
/// Something to write has come.
static NEWS: Condvar = Condvar::new();
/// Something was written.
static WRITTEN: Condvar = Condvar::new();

struct Lines {
    /// Whole lines that are not written yet.
    text: Vec<u8>,
    /// How many lines found no room.
    lost: u64,
    /// True once the file is to be kept up with, be it known yet or not.
    is_wanted: bool,
    /// True once the thread was started.
    is_kept_up: bool,
    /// Since when the thread is writing.
    write_began: Option<Instant>,
}

/// Names the file; false if there is none of this name.
pub(super) fn open(file: &Path) -> bool {
    let Ok(name) = CString::new(file.as_os_str().as_bytes()) else { return false };
    let lines = lock();
    // There is one journal to a process.
    let is_set = FILE.set(name).is_ok();
    let is_late = lines.is_wanted;
    drop(lines);
    if is_late {
        keep_up();
    }
    is_set
}

/// Where the lines are left, each in one write.
pub(super) struct Queue;

impl Write for Queue {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let mut lines = lock();
        if lines.text.len() + line.len() > MOST {
            lines.lost += 1;
        } else {
            lines.text.extend_from_slice(line);
            if lines.is_kept_up {
                NEWS.notify_one();
            }
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// From now on lines are written as they come. Until then they wait: a call of a millisecond writes once, at its end.
pub fn keep_up() {
    let mut lines = lock();
    lines.is_wanted = true;
    let Some(file) = FILE.get() else { return };
    if mem::replace(&mut lines.is_kept_up, true) {
        return;
    }
    drop(lines);
    // If the thread cannot start, nothing is written to the journal.
    let _ = thread::Builder::new().spawn(move || {
        let mut lines = lock();
        loop {
            if lines.text.is_empty() {
                lines = NEWS.wait(lines).unwrap_or_else(PoisonError::into_inner);
                continue;
            }
            let (text, lost) = (mem::take(&mut lines.text), mem::take(&mut lines.lost));
            lines.write_began = Some(Instant::now());
            drop(lines);
            // One write for all of them: with O_APPEND, no other process's lines stand between.
            let _ = process::append(file, &text);
            if lost > 0 {
                log::warn!("{lost} lines of this journal are lost: it could not be written for a while");
            }
            lines = lock();
            lines.write_began = None;
            WRITTEN.notify_all();
        }
    });
}

/// Waits until the lines so far are written, as long as the file can be written.
pub fn finish() {
    if FILE.get().is_none() {
        return;
    }
    keep_up();
    let started = Instant::now();
    let mut lines = lock();
    while !lines.text.is_empty() || lines.write_began.is_some() {
        let since = lines.write_began.unwrap_or(started).min(started);
        let left = PATIENCE.saturating_sub(since.elapsed());
        if left.is_zero() {
            return;
        }
        lines = WRITTEN.wait_timeout(lines, left).unwrap_or_else(PoisonError::into_inner).0;
    }
}

fn lock() -> MutexGuard<'static, Lines> {
    LINES.lock().unwrap_or_else(PoisonError::into_inner)
}
