//! The terminal as a full screen: taken, drawn on, and given back however the program ends.

use std::io::{self, IsTerminal, Write};
use std::panic;
use std::sync::atomic::{AtomicBool, AtomicI32, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use std::{env, thread};

use ratatui::Frame;
use ratatui::backend::CrosstermBackend;
use ratatui::crossterm::cursor::{Hide, Show};
use ratatui::crossterm::execute;
use ratatui::crossterm::terminal::{
    EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode, enable_raw_mode,
};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use signal_hook::low_level::emulate_default_handler;

/// How long a signal waits for the screen to be given back in good order.
const PATIENCE: Duration = Duration::from_secs(1);

static IS_TAKEN: AtomicBool = AtomicBool::new(false);
/// The signal that ends this program; 0 for none.
static SIGNAL: AtomicI32 = AtomicI32::new(0);
/// What other threads' panics said while the screen was taken.
static PANICS: Mutex<Vec<String>> = Mutex::new(Vec::new());
const PANICS_TOLD: usize = 8;

/// True if a person sits before a terminal that can do it.
pub fn is_possible() -> bool {
    io::stdin().is_terminal()
        && io::stdout().is_terminal()
        && env::var_os("TERM").is_some_and(|term| !term.is_empty() && term != "dumb")
}

/// The taken terminal. It is given back when this is dropped.
pub struct FullScreen {
    terminal: ratatui::Terminal<CrosstermBackend<io::Stdout>>,
}

impl FullScreen {
    /// Takes it. Whatever fails, the terminal is as it was.
    pub fn take() -> io::Result<Self> {
        give_back_on_signals()?;
        give_back_on_panic();
        IS_TAKEN.store(true, Ordering::SeqCst);
        let taken = enable_raw_mode()
            .and_then(|()| execute!(io::stdout(), EnterAlternateScreen, Hide))
            .and_then(|()| ratatui::Terminal::new(CrosstermBackend::new(io::stdout())));
        match taken {
            Ok(terminal) => Ok(Self { terminal }),
            Err(error) => {
                give_back();
                Err(error)
            }
        }
    }

    pub fn draw(&mut self, picture: impl FnOnce(&mut Frame)) -> io::Result<()> {
        self.terminal.draw(picture).map(|_| ())
    }
}

impl Drop for FullScreen {
    fn drop(&mut self) {
        give_back();
    }
}

/// The signal that is to end this program.
pub fn signal() -> Option<i32> {
    Some(SIGNAL.load(Ordering::SeqCst)).filter(|signal| *signal != 0)
}

/// Ends this program as the signal would have done it.
pub fn die_of(signal: i32) {
    let _ = emulate_default_handler(signal);
}

/// Gives the terminal back, once. Nothing can be done if that fails.
fn give_back() {
    if !IS_TAKEN.swap(false, Ordering::SeqCst) {
        return;
    }
    let _ = execute!(io::stdout(), LeaveAlternateScreen, Show);
    let _ = disable_raw_mode();
    for text in PANICS.lock().unwrap_or_else(PoisonError::into_inner).drain(..) {
        let _ = writeln!(io::stderr(), "{text}");
    }
}

/// SIGTERM, SIGHUP and SIGINT end the program when the terminal was given back, or cannot be.
fn give_back_on_signals() -> io::Result<()> {
    let mut signals = Signals::new([SIGTERM, SIGHUP, SIGINT])?;
    thread::Builder::new().spawn(move || {
        if let Some(signal) = signals.forever().next() {
            SIGNAL.store(signal, Ordering::SeqCst);
            if IS_TAKEN.load(Ordering::SeqCst) {
                // Whoever draws sees it and ends, unless the terminal takes no more text.
                thread::sleep(PATIENCE);
                let _ = disable_raw_mode();
            }
            die_of(signal);
        }
    })?;
    Ok(())
}

/// A panic of this thread is told on the terminal as it was before; one of a look, when the screen is given back.
fn give_back_on_panic() {
    let drawer = thread::current().id();
    let before = panic::take_hook();
    panic::set_hook(Box::new(move |panic| {
        if thread::current().id() == drawer {
            give_back();
        } else if IS_TAKEN.load(Ordering::SeqCst) {
            let mut told = PANICS.lock().unwrap_or_else(PoisonError::into_inner);
            let text = panic.to_string();
            // Every look may end in the same one.
            if told.len() < PANICS_TOLD && !told.contains(&text) {
                told.push(text);
            }
            return;
        }
        before(panic);
    }));
}
