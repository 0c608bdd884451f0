//! The journal's file, or the log daemon in place of it. Whoever logs leaves a line here and continues; a thread of its
//! own writes the lines.
//!
//! The file may be on a mount that does not answer, and the daemon may not read. So the journal may lose lines, but takes
//! no time, neither during the call nor at its end. What the daemon does not take goes to the file.

use std::ffi::CString;
use std::mem;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::sync::{Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use super::daemon::{self, Daemon};
use super::line::{Line, Shape};
use super::terminal;
use crate::process;

/// The maximum number of bytes that wait for the file. What comes after that is lost, and counted.
const MOST: usize = 1 << 20;
/// The end of a call waits for a write at most this long.
const PATIENCE: Duration = Duration::from_millis(100);

static PLACE: OnceLock<Place> = OnceLock::new();
static LINES: Mutex<Lines> = Mutex::new(Lines {
    waiting: Vec::new(),
    size: 0,
    lost: 0,
    is_wanted: false,
    is_kept_up: false,
    write_began: None,
});
/// Something to write has come.
static NEWS: Condvar = Condvar::new();
/// Something was written.
static WRITTEN: Condvar = Condvar::new();

/// Where the lines go.
struct Place {
    file: CString,
    shape: Shape,
}

struct Lines {
    /// What is not written yet.
    waiting: Vec<Line>,
    /// How many bytes that is.
    size: usize,
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
pub(super) fn open(shape: Shape, file: &Path) -> bool {
    let Ok(file) = CString::new(file.as_os_str().as_bytes()) else { return false };
    let lines = lock();
    // There is one journal to a process.
    let is_set = PLACE.set(Place { file, shape }).is_ok();
    let is_late = lines.is_wanted;
    drop(lines);
    if is_late {
        keep_up();
    }
    is_set
}

/// Where the lines go, for people; `None` if there is no journal.
pub fn place() -> Option<String> {
    let Place { file, shape } = PLACE.get()?;
    Some(
        daemon::path(shape.target)
            .map_or_else(|| file.to_string_lossy().into(), |_| format!("the log of {}", shape.target)),
    )
}

/// Leaves a line.
pub(super) fn leave(line: Line) {
    let mut lines = lock();
    let size = line.text.len() + line.packet.as_ref().map_or(0, String::len);
    if lines.size + size > MOST {
        lines.lost += 1;
        return;
    }
    lines.size += size;
    lines.waiting.push(line);
    if lines.is_kept_up {
        NEWS.notify_one();
    }
}

/// The thread's own.
struct Outlet<'p> {
    place: &'p Place,
    daemon: Option<Daemon>,
    /// True once it was said that the daemon does not take everything.
    has_said: bool,
}

impl Outlet<'_> {
    fn write(&mut self, lines: Vec<Line>) {
        let (mut text, mut trouble) = (String::new(), None);
        for line in lines {
            match (&mut self.daemon, line.packet) {
                (Some(daemon), Some(packet)) => {
                    if let Err(error) = daemon.send(packet.as_bytes()) {
                        trouble.get_or_insert(error);
                        text += &line.text;
                    }
                }
                _ => text += &line.text,
            }
        }
        if let Some(error) = trouble
            && !mem::replace(&mut self.has_said, true)
        {
            let Place { shape, .. } = self.place;
            let (target, path) = (shape.target, daemon::path(shape.target).unwrap_or_default());
            text += &shape
                .warning(format_args!(
                    "log.target: {target}: {path} does not take all lines, some are here: {error}"
                ))
                .text;
        }
        if !text.is_empty() {
            // One write for all of them: with O_APPEND, no other process's lines stand between.
            let _ = process::append(&self.place.file, text.as_bytes());
        }
    }
}

/// From now on lines are written as they come. Until then they wait: a call of a millisecond writes once, at its end.
pub fn keep_up() {
    let mut lines = lock();
    lines.is_wanted = true;
    let Some(place) = PLACE.get() else { return };
    if mem::replace(&mut lines.is_kept_up, true) {
        return;
    }
    drop(lines);
    // If the thread cannot start, nothing is written to the journal.
    let _ = thread::Builder::new().spawn(move || {
        let mut outlet =
            Outlet { place, daemon: daemon::path(place.shape.target).map(Daemon::at), has_said: false };
        let mut lines = lock();
        loop {
            if lines.waiting.is_empty() {
                lines = NEWS.wait(lines).unwrap_or_else(PoisonError::into_inner);
                continue;
            }
            let (taken, lost) = (mem::take(&mut lines.waiting), mem::take(&mut lines.lost));
            lines.size = 0;
            lines.write_began = Some(Instant::now());
            drop(lines);
            outlet.write(taken);
            if lost > 0 {
                log::warn!("{lost} lines of this journal are lost: it could not be written for a while");
            }
            lines = lock();
            lines.write_began = None;
            WRITTEN.notify_all();
        }
    });
}

/// Waits until the lines so far are written, as long as the file and the terminal take them.
pub fn finish() {
    finish_file();
    terminal::settle(terminal::LINES);
}

fn finish_file() {
    if PLACE.get().is_none() {
        return;
    }
    keep_up();
    let started = Instant::now();
    let mut lines = lock();
    while !lines.waiting.is_empty() || lines.write_began.is_some() {
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
