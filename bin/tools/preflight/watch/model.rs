//! What the full screen shows at a moment, and what a key does to it.

use std::time::{Duration, Instant};

use jiff::Zoned;
use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use super::super::finding::Severity;
use super::super::view::Report;
use super::changes::Changes;

/// The last look and how it is shown.
#[derive(Debug)]
pub struct Model {
    pub config: String,
    pub colour: bool,
    /// The time from the end of a look to the next one's begin.
    pub pause: Duration,
    pub report: Option<Report>,
    /// When the last look ended, by this host's clock.
    pub seen_at: String,
    pub changes: Changes,
    /// Since when a look is under way.
    pub looking: Option<Instant>,
    /// When the next one begins; `None` when only somebody's wish brings one.
    pub next: Option<Instant>,
    pub is_paused: bool,
    pub is_help: bool,
    /// The first line of the text that is shown, and how many there are room for.
    pub first: usize,
    pub room: usize,
}

/// What somebody wants by a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wish {
    Quit,
    Help,
    Look,
    Pause,
    Up(Step),
    Down(Step),
}

/// How far to scroll.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    Line,
    Page,
    All,
}

impl Model {
    pub fn new(config: &str, pause: Duration, colour: bool, now: Instant) -> Self {
        Self {
            config: config.into(),
            colour,
            pause,
            report: None,
            seen_at: String::new(),
            changes: Changes::default(),
            looking: None,
            next: Some(now),
            is_paused: false,
            is_help: false,
            first: 0,
            room: 0,
        }
    }

    /// What a look came to.
    pub fn note(&mut self, report: Report, now: Instant) {
        self.changes.note(&report, now);
        self.report = Some(report);
        self.seen_at = Zoned::now().strftime("%H:%M:%S").to_string();
        self.end_look(now);
    }

    /// True if it is time for the next look.
    pub fn is_due(&self, now: Instant) -> bool {
        self.looking.is_none() && self.next.is_some_and(|next| now >= next)
    }

    pub fn begin_look(&mut self, now: Instant) {
        self.looking = Some(now);
    }

    /// A look has ended, whatever it came to.
    pub fn end_look(&mut self, now: Instant) {
        self.looking = None;
        self.next = (!self.is_paused).then_some(now + self.pause);
    }

    /// The last look's; unknown before the first has ended.
    pub fn exit_code(&self) -> u8 {
        self.report.as_ref().map_or(Severity::Unknown.exit_code(), |report| report.exit_code)
    }

    /// Does what a key wants; quitting is left to the caller.
    pub fn obey(&mut self, wish: Wish, now: Instant) {
        let by = |step| match step {
            Step::Line => 1,
            Step::Page => self.room.saturating_sub(1).max(1),
            Step::All => usize::MAX,
        };
        match wish {
            Wish::Quit => {}
            // After one that is under way, its end says when the next begins.
            Wish::Look => self.next = Some(now),
            Wish::Help => self.is_help = !self.is_help,
            Wish::Pause => {
                self.is_paused = !self.is_paused;
                self.next = (!self.is_paused).then_some(now);
            }
            Wish::Up(step) => self.first = self.first.saturating_sub(by(step)),
            // Drawing knows where the end is.
            Wish::Down(step) => self.first = self.first.saturating_add(by(step)),
        }
    }

    /// What a key means.
    pub fn wish(&self, key: KeyEvent) -> Option<Wish> {
        let is_control = key.modifiers.contains(KeyModifiers::CONTROL);
        Some(match key.code {
            KeyCode::Char('c') if is_control => Wish::Quit,
            KeyCode::Char(_) if is_control => return None,
            KeyCode::Esc if self.is_help => Wish::Help,
            KeyCode::Char('q') | KeyCode::Esc => Wish::Quit,
            KeyCode::Char('h' | '?') => Wish::Help,
            KeyCode::Char('r' | ' ') => Wish::Look,
            KeyCode::Char('p') => Wish::Pause,
            KeyCode::Up | KeyCode::Char('k') => Wish::Up(Step::Line),
            KeyCode::Down | KeyCode::Char('j') => Wish::Down(Step::Line),
            KeyCode::PageUp => Wish::Up(Step::Page),
            KeyCode::PageDown => Wish::Down(Step::Page),
            KeyCode::Home => Wish::Up(Step::All),
            KeyCode::End => Wish::Down(Step::All),
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests;
