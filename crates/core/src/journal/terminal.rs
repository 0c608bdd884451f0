//! A person's terminal. It may take nothing more: after Ctrl-S, or once the connection behind it is dead. Whoever writes
//! to it then waits without end. So whatever goes there is left here, and a thread of its own writes it, in this order.

use std::collections::VecDeque;
use std::io::{self, IsTerminal, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::unistd;

/// The maximum number of bytes that wait. What comes after that is lost, and counted.
const MOST: usize = 256 << 10;
/// Bytes of one write: a slow terminal that takes some of a long text is not taken for one that takes nothing.
const PIECE: usize = 1024;
/// How long the end of a process waits for a terminal that takes nothing, for the sake of lines.
pub(crate) const LINES: Duration = Duration::from_secs(1);
/// The same before the answer, if that goes elsewhere.
pub(crate) const BEFORE_ANSWER: Duration = Duration::from_millis(100);
/// The same for the answer.
const ANSWER: Duration = Duration::from_secs(3);

static TEXTS: Mutex<Texts> = Mutex::new(Texts {
    waiting: VecDeque::new(),
    size: 0,
    lost: 0,
    is_started: false,
    is_writing: false,
    moved: None,
});
/// Something to write has come.
static NEWS: Condvar = Condvar::new();
/// Something was written.
static WRITTEN: Condvar = Condvar::new();

struct Texts {
    waiting: VecDeque<Text>,
    /// How many bytes that is.
    size: usize,
    /// How many texts found no room.
    lost: u64,
    is_started: bool,
    is_writing: bool,
    /// When the terminal last took something, or was first given something after a rest.
    moved: Option<Instant>,
}

struct Text {
    bytes: Vec<u8>,
    /// For one that goes to stdout: whoever wants to know how that went.
    answer: Option<mpsc::Sender<io::Result<()>>>,
}

impl Text {
    fn write(self) {
        let Some(answer) = self.answer else {
            // A terminal that is gone gets nothing more.
            let _ = write(io::stderr().as_fd(), &self.bytes);
            return;
        };
        let _ = answer.send(write(io::stdout().as_fd(), &self.bytes));
    }
}

impl Texts {
    fn is_empty(&self) -> bool {
        self.waiting.is_empty() && !self.is_writing
    }

    /// For how long the terminal has taken nothing.
    fn stands(&self) -> Duration {
        self.moved.filter(|_| !self.is_empty()).map_or(Duration::ZERO, |moved| moved.elapsed())
    }
}

/// stderr, if it is a terminal.
#[derive(Debug)]
pub(crate) struct Stderr;

impl Write for Stderr {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        leave(Text { bytes: bytes.into(), answer: None });
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// True if what is left now would wait. What is only drawn may as well not be left then.
pub(crate) fn is_late() -> bool {
    lock().stands() > LINES
}

/// Writes `text` to stdout. If stdout is a terminal, this stands behind all lines so far, and a terminal that takes
/// nothing is given up.
pub(crate) fn answer(text: &str) -> io::Result<()> {
    let mut stdout = io::stdout();
    if !stdout.is_terminal() {
        settle(BEFORE_ANSWER);
        return stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush());
    }
    let (sender, written) = mpsc::channel();
    leave(Text { bytes: text.into(), answer: Some(sender) });
    settle(ANSWER);
    written.try_recv().unwrap_or_else(|_| {
        Err(io::Error::new(
            io::ErrorKind::TimedOut,
            "the terminal takes nothing, the answer is in the journal",
        ))
    })
}

/// Waits until all is written. A terminal that takes nothing for `most` is not waited for.
pub(crate) fn settle(most: Duration) {
    // A terminal that has been stopped for long may take something again just now.
    let began = Instant::now();
    let mut texts = lock();
    while !texts.is_empty() {
        let left = most.saturating_sub(texts.stands().min(began.elapsed()));
        if left.is_zero() {
            return;
        }
        texts = WRITTEN.wait_timeout(texts, left).unwrap_or_else(PoisonError::into_inner).0;
    }
}

fn leave(text: Text) {
    let mut texts = lock();
    if texts.size + text.bytes.len() > MOST && text.answer.is_none() {
        texts.lost += 1;
        return;
    }
    if texts.is_empty() {
        texts.moved = Some(Instant::now());
    }
    texts.size += text.bytes.len();
    texts.waiting.push_back(text);
    if !texts.is_started {
        texts.is_started = thread::Builder::new().spawn(write_all).is_ok();
    }
    if texts.is_started {
        NEWS.notify_one();
        return;
    }
    // Whoever has no thread left learns of it all the same.
    let waiting = std::mem::take(&mut texts.waiting);
    texts.size = 0;
    drop(texts);
    waiting.into_iter().for_each(Text::write);
}

/// The whole of the thread.
fn write_all() {
    let mut texts = lock();
    loop {
        let Some(text) = texts.waiting.pop_front() else {
            texts = NEWS.wait(texts).unwrap_or_else(PoisonError::into_inner);
            continue;
        };
        texts.size -= text.bytes.len();
        texts.is_writing = true;
        let lost = std::mem::take(&mut texts.lost);
        drop(texts);
        text.write();
        if lost > 0 {
            let text = format!("  WARN: {lost} lines are not shown: the terminal did not take them\n");
            let _ = write(io::stderr().as_fd(), text.as_bytes());
        }
        texts = lock();
        texts.is_writing = false;
        WRITTEN.notify_all();
    }
}

fn write(file: BorrowedFd, mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        match unistd::write(file, bytes.get(..PIECE).unwrap_or(bytes)) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(length) => bytes = bytes.get(length..).unwrap_or_default(),
            Err(Errno::EINTR) => {}
            Err(error) => return Err(error.into()),
        }
        lock().moved = Some(Instant::now());
        WRITTEN.notify_all();
    }
    Ok(())
}

fn lock() -> MutexGuard<'static, Texts> {
    TEXTS.lock().unwrap_or_else(PoisonError::into_inner)
}
