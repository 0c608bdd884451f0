//! This process as the kernel sees it: what a root helper sets before anything else, and work on files that may
//! never return.
//!
//! Nothing ends a thread that writes to a frozen file system, not even SIGKILL. A process with such a thread does not
//! end either, and an agent would wait for it as long as the file system stays frozen. So a process of its own, which
//! shares this one's memory, does that work. The thread that started it waits meanwhile, but that wait ends with this
//! process. This is how `posix_spawn` begins a program; it costs some ten microseconds. Who must not wait so long says so
//! ([`hurry`]), and another thread waits.
#![allow(unsafe_code)]

use std::ffi::{CStr, CString, c_int, c_uint, c_void};
use std::fs::File;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::ptr;
use std::sync::atomic::{AtomicBool, AtomicI32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::fcntl::{OFlag, open};
use nix::libc;
use nix::sys::prctl;
use nix::sys::signal::{SaFlags, SigAction, SigHandler, SigSet, Signal, kill, sigaction};
use nix::sys::stat::Mode;
use nix::unistd;

/// Stack of the process that does the work, in bytes.
const STACK: usize = 64 << 10;
/// The maximum that is read of a file to see whether it can be read.
const MOST: usize = 1 << 20;
/// Descriptors that are closed one by one if the kernel cannot close all at once (before 5.9).
const DESCRIPTORS: i32 = 1024;
/// How long a small file may take in a hurry.
const CHANGING: Duration = Duration::from_millis(500);
/// For how long a folder counts as one that does not answer. A program that runs for days looks again.
const FORGETTING: Duration = Duration::from_secs(10);
/// For how long a folder that has answered counts as one that does.
const FRESH: Duration = Duration::from_millis(100);

/// Sets what a parent may have set otherwise, and what may be done with this process.
pub fn prepare() {
    // Its memory holds passwords, which a core file would show. A program that it starts is not affected.
    let _ = prctl::set_dumpable(false);
    let reset = SigAction::new(SigHandler::SigDfl, SaFlags::empty(), SigSet::empty());
    let caught = SigAction::new(SigHandler::Handler(ignore), SaFlags::SA_RESTART, SigSet::empty());
    // SAFETY: the only handler does nothing at all, and no other handler is taken away: no thread has started yet.
    unsafe {
        // If the parent ignores it, the end of a command could not be waited for.
        let _ = sigaction(Signal::SIGCHLD, &reset);
        // A journal that has reached the limit for files is an error like any other. Not ignored, which commands
        // would inherit.
        let _ = sigaction(Signal::SIGXFSZ, &caught);
    }
}

extern "C" fn ignore(_: c_int) {}

/// Appends `text` to the file. If the file is missing, it is created.
pub(crate) fn append(file: &CStr, text: &[u8]) -> io::Result<()> {
    apart(&Deed::Append { file, text }, &AtomicI32::new(0))
}

/// Opens the file and reads it, to see that both return. The result does not matter.
pub(crate) fn probe(file: &Path) {
    let _ = read_apart(file);
}

/// The same. True if there is a file that can be read, once both have returned.
pub(crate) fn can_read(file: &Path) -> bool {
    read_apart(file).is_ok()
}

fn read_apart(file: &Path) -> io::Result<()> {
    waiting_for(file, || apart(&Deed::Read { file: &text_of(file)? }, &AtomicI32::new(0)))
}

/// The same of a small file; why it cannot be read. A folder in which something took too long in a hurry is not waited
/// for again: whoever hangs in it may hold up all that look into it.
pub(crate) fn look(file: &Path) -> io::Result<()> {
    if IS_IN_HURRY.load(Ordering::Relaxed) {
        return look_within(file);
    }
    check_stuck(file)?;
    read_apart(file)
}

/// Lets a folder of small files answer, as [`look`] does, before somebody opens one of them.
pub(crate) fn knock(file: &Path) -> io::Result<()> {
    let folder = folder_of(file);
    let is_fresh = |seen: &(PathBuf, Instant)| seen.0 == folder && seen.1.elapsed() < FRESH;
    if lock(&FOUND).as_ref().is_some_and(is_fresh) {
        return Ok(());
    }
    let answer = look(file);
    match &answer {
        Err(error) if error.kind() == io::ErrorKind::TimedOut => {}
        // Whatever else is wrong, whoever opens the file finds it.
        _ => *lock(&FOUND) = Some((folder.into(), Instant::now())),
    }
    answer.or_else(|error| if error.kind() == io::ErrorKind::TimedOut { Err(error) } else { Ok(()) })
}

/// From now on, what takes longer than half a second in a folder of small files is given up, and the folder with it; or it is waited
/// for again, until this process is ended itself. The first is for those who have to go on without it, come what may: to
/// all others a note that did not answer must not look like one that is not there.
pub fn hurry(is_in_hurry: bool) {
    IS_IN_HURRY.store(is_in_hurry, Ordering::Relaxed);
}

/// The file that this process waits for at the moment, with no end.
pub(crate) fn waits_for() -> Option<PathBuf> {
    lock(&WAITING).clone()
}

fn waiting_for<T>(path: &Path, work: impl FnOnce() -> T) -> T {
    *lock(&WAITING) = Some(path.into());
    let done = work();
    *lock(&WAITING) = None;
    done
}

/// The same for a caller that must not wait: a file that does not answer within half a second cannot be read.
pub(crate) fn look_within(file: &Path) -> io::Result<()> {
    let name = text_of(file)?;
    within(file, move |id| apart(&Deed::Read { file: &name }, id))
}

/// Opens the file for writing, to see that this returns; with `create`, a file or a folder that is
/// missing is created.
pub(crate) fn open_apart(file: &Path, create: bool) -> io::Result<()> {
    let (name, folder) = (text_of(file)?, text_of(folder_of(file))?);
    changed(file, move |id| apart(&Deed::Open { file: &name, folder: create.then_some(&*folder) }, id))
}

/// Gives `opened`, which `path` names, this content, and lets that outlive a loss of power. Until it is done, a lock of
/// `opened` stays.
pub(crate) fn write_apart(path: &Path, opened: &File, text: &str) -> io::Result<()> {
    let (folder, opened, text) = (text_of(folder_of(path))?, opened.try_clone()?, text.to_string());
    changed(path, move |id| {
        apart(&Deed::Write { file: opened.as_fd(), text: text.as_bytes(), folder: &folder }, id)
    })
}

/// Gives the file this content. Nothing that is missing is an error.
pub(crate) fn replace_apart(path: &Path, text: &str) -> io::Result<()> {
    let (file, folder, text) = (text_of(path)?, text_of(folder_of(path))?, text.to_string());
    changed(path, move |id| apart(&Deed::Replace { file: &file, folder: &folder, text: text.as_bytes() }, id))
}

/// Removes the file. `opened`, if it is open, is emptied before, and a lock of it stays until all is done.
pub(crate) fn remove_apart(path: &Path, opened: Option<&File>) -> io::Result<()> {
    let (file, opened) = (text_of(path)?, opened.map(File::try_clone).transpose()?);
    changed(path, move |id| {
        apart(&Deed::Remove { file: &file, opened: opened.as_ref().map(AsFd::as_fd) }, id)
    })
}

fn text_of(path: &Path) -> io::Result<CString> {
    Ok(CString::new(path.as_os_str().as_bytes())?)
}

fn folder_of(path: &Path) -> &Path {
    path.parent().unwrap_or(Path::new("/"))
}

static IS_IN_HURRY: AtomicBool = AtomicBool::new(false);
static WAITING: Mutex<Option<PathBuf>> = Mutex::new(None);
/// A folder in which something took too long, and when. It is not waited for again at once.
static STUCK: Mutex<Option<(PathBuf, Instant)>> = Mutex::new(None);
/// A folder that has answered, and when.
static FOUND: Mutex<Option<(PathBuf, Instant)>> = Mutex::new(None);

fn lock<T>(of: &'static Mutex<T>) -> MutexGuard<'static, T> {
    of.lock().unwrap_or_else(PoisonError::into_inner)
}

fn check_stuck(path: &Path) -> io::Result<()> {
    let is_stuck = |stuck: &(PathBuf, Instant)| stuck.0 == folder_of(path) && stuck.1.elapsed() < FORGETTING;
    if lock(&STUCK).as_ref().is_some_and(is_stuck) { Err(late()) } else { Ok(()) }
}

fn late() -> io::Error {
    let text =
        format!("no answer within {} ms; its file system or the disk below it hangs", CHANGING.as_millis());
    io::Error::new(io::ErrorKind::TimedOut, text)
}

/// Waits for `work`, in a hurry for half a second.
fn changed(path: &Path, work: impl FnOnce(&AtomicI32) -> io::Result<()> + Send + 'static) -> io::Result<()> {
    if IS_IN_HURRY.load(Ordering::Relaxed) {
        within(path, work)
    } else {
        waiting_for(path, || work(&AtomicI32::new(0)))
    }
}

/// Waits for `work` for half a second, which gives the id of the process that does it. What takes longer is killed: it
/// carries out the call of the kernel in which it hangs, and nothing after that.
fn within(path: &Path, work: impl FnOnce(&AtomicI32) -> io::Result<()> + Send + 'static) -> io::Result<()> {
    check_stuck(path)?;
    let id = Arc::new(AtomicI32::new(0));
    let (sender, ended) = mpsc::channel();
    let of_thread = Arc::clone(&id);
    thread::Builder::new().spawn(move || {
        // What `work` has open is closed before its result is known.
        let result = work(&of_thread);
        let _ = sender.send(result);
    })?;
    if let Ok(result) = ended.recv_timeout(CHANGING) {
        return result;
    }
    *lock(&FOUND) = None;
    *lock(&STUCK) = Some((folder_of(path).into(), Instant::now()));
    let id = id.load(Ordering::Relaxed);
    if id > 1 {
        let _ = kill(unistd::Pid::from_raw(id), Signal::SIGKILL);
    }
    Err(late())
}

/// What a process does. No descriptor leaves it.
enum Deed<'d> {
    Append { file: &'d CStr, text: &'d [u8] },
    Read { file: &'d CStr },
    Open { file: &'d CStr, folder: Option<&'d CStr> },
    Write { file: BorrowedFd<'d>, text: &'d [u8], folder: &'d CStr },
    Replace { file: &'d CStr, folder: &'d CStr, text: &'d [u8] },
    Remove { file: &'d CStr, opened: Option<BorrowedFd<'d>> },
}

struct Task<'t> {
    deed: &'t Deed<'t>,
    /// How it ended, 0 if it went well.
    errno: i32,
}

/// Does it in a process of its own, with this id while it runs, and waits for that.
fn apart(deed: &Deed, running: &AtomicI32) -> io::Result<()> {
    let mut task = Task { deed, errno: libc::EIO };
    // The new process would run handlers of this one, in this one's memory.
    let mut mask = SigSet::empty();
    let is_masked = SigSet::all().thread_swap_mask(nix::sys::signal::SigmaskHow::SIG_SETMASK);
    if let Ok(before) = is_masked {
        mask = before;
    }
    let mut stack = Vec::<u128>::with_capacity(STACK / size_of::<u128>());
    // SAFETY: the stack is as large as is said, aligned, and used by nobody else; it grows downwards everywhere that
    // Rust runs. CLONE_VFORK: this thread is stopped until the new process has ended, so that stack, task and
    // `running` outlive it and nobody else uses this thread's own memory, errno among it. `work` neither allocates nor
    // panics, so that it may be killed at any time.
    let id = unsafe {
        let top = stack.as_mut_ptr().add(stack.capacity());
        let task = ptr::from_mut(&mut task).cast::<c_void>();
        let flags = libc::CLONE_VM | libc::CLONE_VFORK | libc::CLONE_PARENT_SETTID;
        libc::clone(work, top.cast(), flags, task, running.as_ptr())
    };
    let started = Errno::result(id);
    running.store(0, Ordering::Relaxed);
    if started.is_ok() {
        // SAFETY: asks for no status. It has ended, and only what was started as it was is waited for.
        unsafe { libc::waitpid(id, ptr::null_mut(), libc::__WALL) };
    }
    if is_masked.is_ok() {
        let _ = mask.thread_set_mask();
    }
    started?;
    if task.errno == 0 { Ok(()) } else { Err(io::Error::from_raw_os_error(task.errno)) }
}

/// What the process does. Its descriptors are its own: none may outlive this process with it, be it a pipe that an
/// agent reads or a connection. Only the lock of a file that it is changing does.
extern "C" fn work(task: *mut c_void) -> c_int {
    // SAFETY: it is the task of `apart`, which waits.
    let task = unsafe { &mut *task.cast::<Task>() };
    let kept = match task.deed {
        Deed::Write { file, .. } => Some(file.as_raw_fd()),
        Deed::Remove { opened, .. } => opened.map(|opened| opened.as_raw_fd()),
        _ => None,
    };
    close_all(kept);
    let done = match *task.deed {
        Deed::Append { file, text } => append_now(file, text),
        Deed::Read { file } => read_now(file),
        Deed::Open { file, folder } => open_now(file, folder, OFlag::O_RDWR).map(drop),
        Deed::Write { file, text, folder } => write_now(file, text, folder),
        Deed::Replace { file, folder, text } => {
            open_now(file, Some(folder), OFlag::O_WRONLY | OFlag::O_TRUNC)
                .and_then(|file| write_to(&file, text))
        }
        Deed::Remove { file, opened } => {
            opened.map_or(Ok(()), |opened| unistd::ftruncate(opened, 0)).and_then(|()| unistd::unlink(file))
        }
    };
    task.errno = done.err().map_or(0, |errno| errno as i32);
    0
}

fn close_all(but: Option<RawFd>) {
    let kept = but.and_then(|kept| c_uint::try_from(kept).ok());
    // SAFETY: closes descriptors of this process alone, which uses none of them but the one that is kept.
    unsafe {
        let close = |first: c_uint, last: c_uint| libc::syscall(libc::SYS_close_range, first, last, 0) == 0;
        let is_closed = match kept {
            None => close(0, c_uint::MAX),
            Some(0) => close(1, c_uint::MAX),
            Some(kept) => close(0, kept - 1) && close(kept + 1, c_uint::MAX),
        };
        if !is_closed {
            for descriptor in (0..DESCRIPTORS).filter(|descriptor| Some(*descriptor) != but) {
                libc::close(descriptor);
            }
        }
    }
}

/// A pipe without a reader, or a terminal, is not waited for.
const FLAGS: OFlag = OFlag::O_NONBLOCK.union(OFlag::O_NOCTTY).union(OFlag::O_CLOEXEC);

fn append_now(file: &CStr, text: &[u8]) -> Result<(), Errno> {
    let flags = FLAGS | OFlag::O_WRONLY | OFlag::O_APPEND | OFlag::O_CREAT;
    write_to(&open(file, flags, Mode::from_bits_truncate(0o640))?, text)
}

fn write_to(file: &impl AsFd, mut text: &[u8]) -> Result<(), Errno> {
    while !text.is_empty() {
        match unistd::write(file, text)? {
            0 => return Err(Errno::EIO),
            length => text = text.get(length..).unwrap_or_default(),
        }
    }
    Ok(())
}

fn open_now(file: &CStr, folder: Option<&CStr>, flags: OFlag) -> Result<OwnedFd, Errno> {
    let flags = FLAGS | OFlag::O_NOFOLLOW | flags;
    let Some(folder) = folder else { return open(file, flags, Mode::empty()) };
    let create = || open(file, flags | OFlag::O_CREAT, Mode::from_bits_truncate(0o600));
    match create() {
        Err(Errno::ENOENT) => {
            // Another helper may have made it at this moment.
            match unistd::mkdir(folder, Mode::from_bits_truncate(0o755)) {
                Ok(()) | Err(Errno::EEXIST) => create(),
                Err(error) => Err(error),
            }
        }
        other => other,
    }
}

fn write_now(file: BorrowedFd, text: &[u8], folder: &CStr) -> Result<(), Errno> {
    unistd::lseek(file, 0, unistd::Whence::SeekSet)?;
    write_to(&file, text)?;
    unistd::ftruncate(file, i64::try_from(text.len()).unwrap_or(i64::MAX))?;
    unistd::fsync(file)?;
    // The name, too, has to outlive a loss of power.
    unistd::fsync(open(folder, FLAGS | OFlag::O_RDONLY, Mode::empty())?)
}

fn read_now(file: &CStr) -> Result<(), Errno> {
    let file = open(file, FLAGS | OFlag::O_RDONLY, Mode::empty())?;
    let mut bytes = [0; 4096];
    let mut read = 0;
    while read < MOST {
        match unistd::read(&file, &mut bytes)? {
            0 => break,
            length => read += length,
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
