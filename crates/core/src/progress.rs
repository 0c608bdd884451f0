//! What a call waits for, shown on a person's terminal: how much is left, how fast that decreases, and how long it may
//! take.
//!
//! Nothing is shown and no thread is started unless [`interrupt::attend`] found a terminal. Nothing is shown either
//! before a wait has lasted 300 ms.

use std::fmt::{self, Write as _};
use std::io::{self, Write as _};
use std::mem;
use std::sync::{LazyLock, Mutex, PoisonError, mpsc};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use indicatif::{
    HumanBytes, HumanCount, HumanDuration, MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle,
    TermLike,
};

use crate::interrupt;
use crate::journal::{self, terminal};

/// A wait is not shown before this time.
const DELAY: Duration = Duration::from_millis(300);
/// Time between two drawings.
const TICK: Duration = Duration::from_millis(100);

/// Several waits may be under way, one within the other.
static LINES: LazyLock<MultiProgress> = LazyLock::new(|| {
    journal::write_within(|write| LINES.suspend(write));
    MultiProgress::with_draw_target(ProgressDrawTarget::term_like(Box::new(Screen::default())))
});

/// The terminal as what is drawn sees it. Drawing never waits for it.
#[derive(Debug, Default)]
struct Screen(Mutex<String>);

/// Columns of a terminal that does not say how many it has.
const COLUMNS: u16 = 80;

impl Screen {
    fn draw(&self, what: fmt::Arguments) -> io::Result<()> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).write_fmt(what).map_err(io::Error::other)
    }

    fn move_cursor(&self, by: usize, direction: char) -> io::Result<()> {
        if by == 0 { Ok(()) } else { self.draw(format_args!("\x1b[{by}{direction}")) }
    }
}

impl TermLike for Screen {
    fn width(&self) -> u16 {
        terminal_size::terminal_size_of(io::stderr()).map_or(COLUMNS, |(width, _)| width.0)
    }

    fn move_cursor_up(&self, n: usize) -> io::Result<()> {
        self.move_cursor(n, 'A')
    }

    fn move_cursor_down(&self, n: usize) -> io::Result<()> {
        self.move_cursor(n, 'B')
    }

    fn move_cursor_right(&self, n: usize) -> io::Result<()> {
        self.move_cursor(n, 'C')
    }

    fn move_cursor_left(&self, n: usize) -> io::Result<()> {
        self.move_cursor(n, 'D')
    }

    fn write_line(&self, s: &str) -> io::Result<()> {
        self.draw(format_args!("{s}\n"))
    }

    fn write_str(&self, s: &str) -> io::Result<()> {
        self.draw(format_args!("{s}"))
    }

    fn clear_line(&self) -> io::Result<()> {
        self.draw(format_args!("\r\x1b[2K"))
    }

    fn flush(&self) -> io::Result<()> {
        let text = mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
        // Another drawing comes soon.
        if text.is_empty() || terminal::is_late() {
            Ok(())
        } else {
            terminal::Stderr.write_all(text.as_bytes())
        }
    }
}

/// How much is left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Left {
    /// Of a log.
    Bytes(u64),
    /// By their GTIDs.
    Transactions(u64),
}

impl Left {
    fn number(self) -> u64 {
        match self {
            Self::Bytes(number) | Self::Transactions(number) => number,
        }
    }

    fn with(self, number: u64) -> Self {
        match self {
            Self::Bytes(_) => Self::Bytes(number),
            Self::Transactions(_) => Self::Transactions(number),
        }
    }
}

impl fmt::Display for Left {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Bytes(number) => write!(f, "{}", HumanBytes(number)),
            Self::Transactions(1) => f.write_str("1 transaction"),
            Self::Transactions(number) => write!(f, "{} transactions", HumanCount(number)),
        }
    }
}

/// A wait; its line goes when this is dropped.
#[derive(Debug)]
pub struct Waiting(Option<Line>);

/// Begins a wait; `what` says for what, as in "waiting for db2 to stop".
pub fn waiting(what: impl Into<String>) -> Waiting {
    Waiting(interrupt::is_attended().then(|| Line::new(what.into())))
}

impl Waiting {
    /// True if somebody sees it. If not, the caller need not find out what is left.
    pub fn is_seen(&self) -> bool {
        self.0.is_some()
    }

    /// What it is now, likewise.
    pub fn turns_to(&mut self, what: &dyn fmt::Display) {
        if let Some(line) = &self.0 {
            line.bar.set_message(what.to_string());
        }
    }

    /// Says how much is left now, if that is known.
    pub fn left(&mut self, left: Option<Left>) {
        if let (Some(line), Some(left)) = (&mut self.0, left) {
            line.left(left);
        }
    }
}

#[derive(Debug)]
struct Line {
    bar: ProgressBar,
    /// What is counted, with a number of 0.
    kind: Option<Left>,
    most: u64,
    /// Dropped to end the thread that shows the line after the delay.
    is_over: Option<mpsc::Sender<()>>,
    showing: Option<JoinHandle<()>>,
}

impl Line {
    fn new(what: String) -> Self {
        let bar = ProgressBar::hidden().with_message(what).with_style(style(None));
        let (is_over, over) = mpsc::channel::<()>();
        let shown = bar.clone();
        let show = move || {
            if over.recv_timeout(DELAY) == Err(mpsc::RecvTimeoutError::Timeout) {
                LINES.add(shown.clone());
                shown.enable_steady_tick(TICK);
            }
        };
        // If the thread cannot start, no progress line is shown.
        let showing = thread::Builder::new().spawn(show).ok();
        Self { bar, kind: None, most: 0, is_over: Some(is_over), showing }
    }

    fn left(&mut self, left: Left) {
        let number = left.number();
        if self.kind.is_none_or(|kind| kind != left.with(0)) {
            (self.kind, self.most) = (Some(left.with(0)), 0);
            self.bar.set_style(style(self.kind));
            self.bar.reset_eta();
        }
        self.most = self.most.max(number).max(1);
        self.bar.set_length(self.most);
        self.bar.set_position(self.most - number);
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        drop(self.is_over.take());
        if let Some(showing) = self.showing.take() {
            let _ = showing.join();
        }
        self.bar.finish_and_clear();
    }
}

/// `| 12s  1,204 transactions left, 97/s, about 13s: waiting for db2 to …`
fn style(of: Option<Left>) -> ProgressStyle {
    let template = if of.is_some() {
        "{spinner} {elapsed}  {left}: {wide_msg}"
    } else {
        "{spinner} {elapsed}  {wide_msg}"
    };
    let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_spinner());
    let Some(kind) = of else { return style.tick_chars(SPINNER) };
    style.tick_chars(SPINNER).with_key(
        "left",
        move |state: &indicatif::ProgressState, out: &mut dyn fmt::Write| {
            let left = state.len().unwrap_or(0).saturating_sub(state.pos());
            let _ =
                write!(out, "{} left{}", kind.with(left), Pace { left, per_second: state.per_sec(), kind });
        },
    )
}

/// Plain characters, for every terminal; the last one is that of the end.
const SPINNER: &str = "|/-\\ ";

/// How fast it decreases and how long it may take; nothing if it does not decrease.
struct Pace {
    left: u64,
    per_second: f64,
    kind: Left,
}

impl fmt::Display for Pace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.left == 0 {
            return Ok(());
        }
        // A slower rate counts as none.
        if self.per_second < 0.1 {
            return f.write_str(", not moving");
        }
        // Both fit: a rate is that of a server, and what is left a part of a log.
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss)]
        let (rate, seconds) =
            (self.per_second.ceil() as u64, (self.left as f64 / self.per_second).ceil() as u64);
        match self.kind {
            Left::Bytes(_) => write!(f, ", {}/s", HumanBytes(rate))?,
            Left::Transactions(_) => write!(f, ", {}/s", HumanCount(rate))?,
        }
        write!(f, ", about {:#}", HumanDuration(Duration::from_secs(seconds)))
    }
}

#[cfg(test)]
mod tests;
