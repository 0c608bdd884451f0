//! The file that says what a helper has changed for a moment, which helper it was, and how that is undone. If the
//! helper is killed, the next call finds the file.
//!
//! `flock` belongs to the open file, which a child inherits. So the lock is free only after the helper and every
//! command that it ran have ended.
//!
//! The folder may be on a file system that does not answer. A marker then takes for ever, but keeps no process from
//! ending; in a hurry ([`process::hurry`]) a change of one fails after half a second, as on a full disk.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom};
use std::mem;
use std::os::unix::fs::{FileExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::thread;
use std::time::Duration;

use nix::errno::Errno;
use nix::fcntl::{Flock, FlockArg};
use nix::libc::{O_CLOEXEC, O_NOFOLLOW, O_NONBLOCK};

use crate::child::end_group;
use crate::config::Host;
use crate::process;
use crate::report::{self, Kind};

/// Where files are kept that must survive a restart of this machine: the restart resets a packet filter, but not another
/// host's thread.
pub const FOLDER: &str = "/var/lib/mysql-mmm";
/// A marker longer than this is none of ours.
const LONGEST: u64 = 1 << 20;
/// How long the command of a killed helper may continue before it is ended.
const ORPHAN: Duration = Duration::from_millis(300);
/// Pause between two tries for the lock.
const PAUSE: Duration = Duration::from_millis(10);
/// How often a new marker's lock is tried. Another process that only looks may have it for a moment.
const TRIES: usize = 10;
/// How a marker is opened.
const FLAGS: i32 = O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK;

/// The file, locked.
#[derive(Debug)]
pub struct Marker {
    path: PathBuf,
    /// Always there until this is dropped.
    file: Option<Flock<File>>,
    undo: String,
    /// True if another process may still be changing the file.
    is_stuck: bool,
}

impl Drop for Marker {
    fn drop(&mut self) {
        if self.is_stuck {
            // Dropped, it would unlock the file for that process, too.
            mem::forget(self.file.take());
        }
    }
}

/// What [`Marker::find`] found.
#[derive(Debug)]
pub enum Found {
    /// No marker.
    Nothing,
    /// One whose helper is at work.
    InUse,
    /// One whose helper was killed.
    Leftover {
        /// The marker, now ours.
        marker: Marker,
        /// How it is undone.
        undo: String,
    },
}

/// What a marker says.
#[derive(Debug, Default, PartialEq, Eq)]
struct Content {
    owner: Option<Process>,
    child: Option<Process>,
    undo: Option<String>,
}

/// A process, told apart from a later one with the same number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Process {
    id: u32,
    started: u64,
}

/// One marker for each kind of change and each server of this machine.
pub fn path(folder: &Path, what: &str, host: &Host) -> PathBuf {
    let ip: String = host
        .ip
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() || ".:-".contains(c) { c } else { '_' })
        .collect();
    folder.join(format!("mysql-mmm-{what}-{ip}-{}", host.mysql_port))
}

impl Marker {
    /// Opens the marker, new or as a killed call left it.
    pub fn create(path: &Path) -> io::Result<Self> {
        if report::is_dry_run() {
            return Err(io::Error::new(io::ErrorKind::PermissionDenied, "a dry run writes no file"));
        }
        process::open_apart(path, true)?;
        for _ in 0..TRIES {
            let file = options().create(true).truncate(false).mode(0o600).open(path)?;
            if let Ok(file) = Flock::lock(file, FlockArg::LockExclusiveNonblock) {
                // A marker that was removed between the two is no longer there for others to see.
                let opened = file.metadata()?;
                let is_named =
                    |named: fs::Metadata| (named.dev(), named.ino()) == (opened.dev(), opened.ino());
                if fs::metadata(path).is_ok_and(is_named) {
                    return Ok(Self::of(path, file, String::new()));
                }
            }
            thread::sleep(PAUSE);
        }
        Err(io::Error::new(io::ErrorKind::WouldBlock, Self::holder(path)))
    }

    fn of(path: &Path, file: Flock<File>, undo: String) -> Self {
        Self { path: path.into(), file: Some(file), undo, is_stuck: false }
    }

    /// Who has the lock.
    fn holder(path: &Path) -> String {
        let content = look_at(path).unwrap_or_default();
        let is_left = !content.owner.is_some_and(Process::is_alive);
        match content.child.filter(|child| is_left && child.is_alive()) {
            None => "another helper is changing this".into(),
            Some(Process { id, .. }) => format!(
                "process {id} of an earlier call does not end, not even by SIGKILL: it waits for a file system or a \
                 disk (see /proc/{id}/stack), which has to be repaired"
            ),
        }
    }

    /// Looks for the marker of a helper that was killed. Ends what such a helper was running.
    pub fn find(path: &Path) -> io::Result<Found> {
        process::knock(path)?;
        if !path.try_exists().unwrap_or(true) {
            return Ok(Found::Nothing);
        }
        match process::open_apart(path, false) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Found::Nothing),
            Err(error) if error.kind() == io::ErrorKind::TimedOut => return Err(error),
            // What else may be wrong is seen below.
            Ok(()) | Err(_) => {}
        }
        let file = match options().open(path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Found::Nothing),
            Err(error) => return Err(error),
        };
        let metadata = file.metadata()?;
        if !metadata.is_file() || ![0, nix::unistd::geteuid().as_raw()].contains(&metadata.uid()) {
            return Err(io::Error::new(
                io::ErrorKind::InvalidData,
                "this file was not written by these helpers; remove it",
            ));
        }
        let mut waited = Duration::ZERO;
        let mut is_killed = false;
        let mut file = file;
        loop {
            file = match Flock::lock(file, FlockArg::LockExclusiveNonblock) {
                Ok(file) => {
                    // Read again: its owner may have emptied it just now.
                    let undo = read(&file)?.undo;
                    let text = undo.clone().unwrap_or_default();
                    let mut marker = Self::of(path, file, text);
                    let Some(undo) = undo else {
                        marker.remove();
                        return Ok(Found::Nothing);
                    };
                    return Ok(Found::Leftover { marker, undo });
                }
                Err((file, Errno::EWOULDBLOCK)) => file,
                Err((_, error)) => return Err(error.into()),
            };
            let content = read(&file)?;
            if content.owner.is_some_and(Process::is_alive) || waited > ORPHAN * 2 {
                return Ok(Found::InUse);
            }
            // Its helper is dead, but not the command that it was running.
            if waited > ORPHAN
                && !is_killed
                && let Some(child) = content.child.filter(|child| child.is_alive())
            {
                log::warn!(
                    "process {} of a killed helper does not end by itself: it is killed now",
                    child.id
                );
                end_group(child.id);
                is_killed = true;
            }
            thread::sleep(PAUSE);
            waited += PAUSE;
        }
    }

    /// [`Marker::find`] for a caller that no failure stops: the marker of a helper that was killed, and what it
    /// says. A dry run leaves the marker to the next call.
    pub fn leftover(path: &Path) -> Option<(Self, String)> {
        if report::is_dry_run() {
            if let Some(undo) = Self::left_behind(path) {
                let path = path.display();
                report::observe(
                    None,
                    "left by a killed call",
                    format_args!("{path} says how it is undone: {undo}"),
                );
                report::planned(
                    None,
                    Kind::File,
                    format_args!("undo what {path} says ({undo}), and remove it"),
                );
            }
            return None;
        }
        match Self::find(path) {
            Ok(Found::Nothing | Found::InUse) => None,
            Ok(Found::Leftover { marker, undo }) => Some((marker, undo)),
            Err(error) => {
                log::warn!("{}: {error}", path.display());
                None
            }
        }
    }

    /// True if the helper that wrote the marker is at work. Costs one look into its folder if there is no marker.
    pub fn is_in_use(path: &Path) -> bool {
        process::knock(path).is_ok()
            && look_at(path)
                .is_ok_and(|content| content.undo.is_some() && content.owner.is_some_and(Process::is_alive))
    }

    /// What a marker says, whoever wrote it, for a caller that only looks.
    pub fn noted(path: &Path) -> Option<String> {
        process::knock(path).ok()?;
        look_at(path).ok()?.undo
    }

    /// What the marker of a killed helper says, for a caller that only looks: nothing is locked, ended or removed. A
    /// folder that does not answer is not waited for: it has none.
    pub fn left_behind(path: &Path) -> Option<String> {
        if let Err(error) = process::look_within(path) {
            if error.kind() == io::ErrorKind::TimedOut {
                log::warn!("{}: {error}", path.display());
            }
            return None;
        }
        let content = look_at(path).ok()?;
        content.undo.filter(|_| !content.owner.is_some_and(Process::is_alive))
    }

    /// Its path.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// How what a killed call left is undone; `None` for a new marker.
    pub fn undo(&mut self) -> io::Result<Option<String>> {
        let undo = read(self.file()?)?.undo;
        self.undo = undo.clone().unwrap_or_default();
        Ok(undo)
    }

    /// Says that this process is about to change something, and how that is undone: one line.
    pub fn write(&mut self, undo: &str) -> io::Result<()> {
        self.undo = undo.into();
        let done = report::change(None, Kind::File, written(&self.path, undo), || {
            process::write_apart(&self.path, self.file()?, &self.text(None)?)
        });
        self.noting_if_stuck(done)
    }

    /// The file as a command's stdin, at its end: the command reads nothing from it.
    pub fn as_stdin(&mut self) -> io::Result<Stdio> {
        let mut file = self.file()?;
        file.seek(SeekFrom::End(0))?;
        Ok(Stdio::from(file.try_clone()?))
    }

    /// Names the command that is running, so that it can be ended when this process is killed.
    pub fn note_child(&mut self, id: u32) {
        let child = Process::of(id);
        if let Err(error) = self.put(child) {
            log::warn!("{}: {error}", self.path.display());
        }
    }

    /// No command is running any more.
    pub fn forget_child(&mut self) {
        if let Err(error) = self.put(None) {
            log::warn!("{}: {error}", self.path.display());
        }
    }

    /// The change is undone: removes the marker.
    pub fn remove(&mut self) {
        let removed =
            report::change(None, Kind::File, format_args!("remove {}", self.path.display()), || {
                // Emptied first, because another process may have opened it already.
                process::remove_apart(&self.path, Some(self.file()?))
            });
        let removed = self.noting_if_stuck(removed);
        if let Err(error) = removed {
            log::warn!("{} could not be removed: {error}", self.path.display());
        }
    }

    /// A process that nothing ends has the file as its stdin: its lock stays until that has ended.
    pub fn leave_locked(&mut self) {
        self.is_stuck = true;
    }

    fn noting_if_stuck<T>(&mut self, done: io::Result<T>) -> io::Result<T> {
        self.is_stuck |= done.as_ref().is_err_and(|error| error.kind() == io::ErrorKind::TimedOut);
        done
    }

    fn file(&self) -> io::Result<&File> {
        self.file.as_deref().ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    /// Without a limit: only the markers of commands name a child, and these are in memory.
    fn put(&mut self, child: Option<Process>) -> io::Result<()> {
        let text = self.text(child)?;
        self.file()?.write_all_at(text.as_bytes(), 0)?;
        self.file()?.set_len(text.len() as u64)
    }

    fn text(&self, child: Option<Process>) -> io::Result<String> {
        let owner = Process::of(std::process::id());
        let content = Content { owner, child, undo: Some(self.undo.clone()) };
        let text = content.to_text();
        if text.len() as u64 > LONGEST {
            let error = format!("it would take {} bytes, of which {LONGEST} are read", text.len());
            return Err(io::Error::new(io::ErrorKind::InvalidInput, error));
        }
        Ok(text)
    }
}

/// Whether the file answers; why it cannot be read. On a file system that does not answer this takes for ever, but it
/// keeps no process from ending.
pub fn look(path: &Path) -> io::Result<()> {
    process::look(path)
}

/// Gives a plain file this content, if its file system takes that within half a second.
pub fn replace(path: &Path, text: &str) -> io::Result<()> {
    process::replace_apart(path, text)
}

/// Removes a plain file, likewise.
pub fn remove(path: &Path) -> io::Result<()> {
    process::remove_apart(path, None)
}

/// A change that consists in writing a marker.
pub fn written(path: &Path, undo: &str) -> String {
    format!("write {}, which says how this is undone: {undo}", path.display())
}

fn options() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.read(true).write(true).custom_flags(FLAGS);
    options
}

fn look_at(path: &Path) -> io::Result<Content> {
    read(&OpenOptions::new().read(true).custom_flags(FLAGS).open(path)?)
}

fn read(file: &File) -> io::Result<Content> {
    let mut bytes = Vec::new();
    let mut reader = file;
    reader.seek(SeekFrom::Start(0))?;
    reader.take(LONGEST).read_to_end(&mut bytes)?;
    Ok(Content::from_text(&String::from_utf8_lossy(&bytes)))
}

impl Content {
    fn to_text(&self) -> String {
        let process = |word: &str, process: Option<Process>| {
            process.map_or_else(String::new, |Process { id, started }| format!("{word} {id} {started}\n"))
        };
        let undo = self.undo.as_ref().map_or_else(String::new, |undo| format!("undo {undo}\n"));
        undo + &process("owner", self.owner) + &process("child", self.child)
    }

    fn from_text(text: &str) -> Self {
        let after = |word: &str| text.lines().find_map(|line| line.strip_prefix(word)?.strip_prefix(' '));
        let process = |word: &str| {
            let (id, started) = after(word)?.split_once(' ')?;
            Some(Process { id: id.parse().ok()?, started: started.parse().ok()? })
        };
        Self { owner: process("owner"), child: process("child"), undo: after("undo").map(Into::into) }
    }
}

impl Process {
    fn of(id: u32) -> Option<Self> {
        let stat = fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
        // The name before the last bracket may hold anything.
        let mut fields = stat.rsplit_once(") ")?.1.split(' ');
        let is_dead = ["Z", "X"].contains(&fields.next()?);
        // Field 22 of proc(5), when the process started; the state is field 3.
        let started = fields.nth(18)?.parse().ok()?;
        (!is_dead).then_some(Self { id, started })
    }

    fn is_alive(self) -> bool {
        Self::of(self.id) == Some(self)
    }
}
