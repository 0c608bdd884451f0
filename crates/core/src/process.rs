//! This process as the kernel sees it: what a root helper sets before anything else, and work on files that may
//! never return.
//!
//! Nothing ends a thread that writes to a frozen file system, not even SIGKILL. A process with such a thread does not
//! end either, and an agent would wait for it as long as the file system stays frozen. So a process of its own, which
//! shares this one's memory, does that work. The thread that started it waits meanwhile, but that wait ends with this
//! process. This is how `posix_spawn` begins a program; it costs some ten microseconds.
#![allow(unsafe_code)]

use std::ffi::{CStr, CString, c_int, c_void};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::ptr;

use nix::errno::Errno;
use nix::fcntl::{OFlag, open};
use nix::libc;
use nix::sys::prctl;
use nix::sys::signal::{SaFlags, SigAction, SigHandler, SigSet, Signal, sigaction};
use nix::sys::stat::Mode;
use nix::unistd;

/// Stack of the process that does the work, in bytes.
const STACK: usize = 64 << 10;
/// The maximum that is read of a file to see whether it can be read.
const MOST: usize = 1 << 20;
/// Descriptors that are closed one by one if the kernel cannot close all at once (before 5.9).
const DESCRIPTORS: i32 = 1024;

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
    apart(&mut Task { file, text: Some(text), errno: libc::EIO })
}

/// Opens the file and reads it, to see that both return. The result does not matter.
pub(crate) fn probe(file: &Path) {
    can_read(file);
}

/// The same. True if there is a file that can be read, once both have returned.
pub(crate) fn can_read(file: &Path) -> bool {
    CString::new(file.as_os_str().as_bytes())
        .is_ok_and(|file| apart(&mut Task { file: &file, text: None, errno: libc::EIO }).is_ok())
}

struct Task<'t> {
    file: &'t CStr,
    /// What is appended; `None` if the file is read.
    text: Option<&'t [u8]>,
    /// How it ended, 0 if it went well.
    errno: i32,
}

/// Does the task in a process of its own and waits for that.
fn apart(task: &mut Task) -> io::Result<()> {
    // The new process would run handlers of this one, in this one's memory.
    let mut mask = SigSet::empty();
    let is_masked = SigSet::all().thread_swap_mask(nix::sys::signal::SigmaskHow::SIG_SETMASK);
    if let Ok(before) = is_masked {
        mask = before;
    }
    let mut stack = Vec::<u128>::with_capacity(STACK / size_of::<u128>());
    // SAFETY: the stack is as large as is said, aligned, and used by nobody else; it grows downwards everywhere that
    // Rust runs. CLONE_VFORK: this thread is stopped until the new process has ended, so that stack and task
    // outlive it and nobody else uses this thread's own memory, errno among it. `work` neither allocates nor panics.
    let id = unsafe {
        let top = stack.as_mut_ptr().add(stack.capacity());
        let task = ptr::from_mut(task).cast::<c_void>();
        libc::clone(work, top.cast(), libc::CLONE_VM | libc::CLONE_VFORK, task)
    };
    let started = Errno::result(id);
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
/// agent reads, a connection or a lock.
extern "C" fn work(task: *mut c_void) -> c_int {
    // SAFETY: it is the task of `apart`, which waits.
    let task = unsafe { &mut *task.cast::<Task>() };
    close_all();
    let done = match task.text {
        Some(text) => append_now(task.file, text),
        None => read_now(task.file),
    };
    task.errno = done.err().map_or(0, |errno| errno as i32);
    0
}

fn close_all() {
    // SAFETY: closes descriptors of this process alone, which uses none of them.
    unsafe {
        if libc::syscall(libc::SYS_close_range, 0, u32::MAX, 0) != 0 {
            for descriptor in 0..DESCRIPTORS {
                libc::close(descriptor);
            }
        }
    }
}

/// A pipe without a reader, or a terminal, is not waited for.
const FLAGS: OFlag = OFlag::O_NONBLOCK.union(OFlag::O_NOCTTY).union(OFlag::O_CLOEXEC);

fn append_now(file: &CStr, mut text: &[u8]) -> Result<(), Errno> {
    let flags = FLAGS | OFlag::O_WRONLY | OFlag::O_APPEND | OFlag::O_CREAT;
    let file = open(file, flags, Mode::from_bits_truncate(0o640))?;
    while !text.is_empty() {
        match unistd::write(&file, text)? {
            0 => return Err(Errno::EIO),
            length => text = text.get(length..).unwrap_or_default(),
        }
    }
    Ok(())
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
