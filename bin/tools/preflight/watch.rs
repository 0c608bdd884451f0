//! `--watch` on a terminal: the full screen. A look runs beside it, so that keys are obeyed at once, also while a
//! host is frozen.

use std::io;
use std::process::ExitCode;
use std::sync::mpsc::{Receiver, TryRecvError};
use std::time::{Duration, Instant};

use ratatui::crossterm::event::{self, Event, KeyEventKind};

use super::parallel;
use super::view::Report;

mod changes;
mod model;
mod picture;
mod terminal;

use model::{Model, Wish};
pub use terminal::{FullScreen, is_possible};

/// How long to wait for a key before looking whether a look or a signal has come.
const TICK: Duration = Duration::from_millis(100);

/// Shows one look after the other until somebody quits, or the terminal is gone. Quitting waits for no look.
pub fn run(
    mut screen: FullScreen,
    config: &str,
    pause: Duration,
    colour: bool,
    look: impl Fn() -> Report + Clone + Send + 'static,
) -> ExitCode {
    let mut model = Model::new(config, pause, colour, Instant::now());
    let mut answer: Option<Receiver<Report>> = None;
    loop {
        let now = Instant::now();
        match answer.as_ref().map(Receiver::try_recv) {
            Some(Ok(report)) => {
                model.note(report, now);
                answer = None;
            }
            Some(Err(TryRecvError::Disconnected)) => {
                model.end_look(now);
                answer = None;
            }
            Some(Err(TryRecvError::Empty)) | None => {}
        }
        if model.is_due(now) {
            model.begin_look(now);
            answer = Some(parallel::later(look.clone()));
        }
        let step = screen.draw(|frame| picture::draw(frame, &mut model, now)).and_then(|()| wish(&model));
        match step {
            Ok(Some(Wish::Quit)) | Err(_) => break,
            Ok(Some(wish)) => model.obey(wish, now),
            Ok(None) => {}
        }
        if terminal::signal().is_some() {
            break;
        }
    }
    drop(screen);
    if let Some(signal) = terminal::signal() {
        terminal::die_of(signal);
    }
    ExitCode::from(model.exit_code())
}

/// What somebody wants, if a key is pressed within the time.
fn wish(model: &Model) -> io::Result<Option<Wish>> {
    if !event::poll(TICK)? {
        return Ok(None);
    }
    Ok(match event::read()? {
        Event::Key(key) if key.kind == KeyEventKind::Press => model.wish(key),
        _ => None,
    })
}
