//! From lines to calls: a call begins with `called with` and ends with `answered`, unless it was killed.

use std::collections::{HashMap, VecDeque};

use jiff::Timestamp;
use mmm_core::contract::{FAILED, USAGE};
use mmm_core::journal::words::{
    ANSWERED, CALLED_BY, CALLED_WITH, CONNECTED_TO, ERROR_IS_NAMED, EXIT, IN_ALL, THIS_HOST_IS,
};

use super::line::{self, Level, Line};

/// The maximum number of calls that wait behind one that has not been answered.
const MOST_WAITING: usize = 5000;
/// Lines kept of one call, half of them its first ones.
const MOST_NOTES: usize = 200;

/// What one line says beside the call's beginning and end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// When.
    pub at: Timestamp,
    /// How grave it is.
    pub level: Level,
    /// What it says.
    pub text: String,
}

impl Note {
    /// Whether it says no more than where and with whom the helper spoke, or names the error of its answer.
    pub fn is_look(&self) -> bool {
        [THIS_HOST_IS, CONNECTED_TO, ERROR_IS_NAMED, CALLED_BY]
            .iter()
            .any(|words| self.text.starts_with(words))
    }
}

/// How a call ended.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    /// The result line.
    pub text: String,
    /// The exit code.
    pub exit_code: u8,
    /// How long the call took, by its own clock.
    pub milliseconds: f64,
}

/// What became of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// `OK`
    Done,
    /// `ERROR: …`
    Failed,
    /// `Usage: …`
    Misused,
    /// It never answered and is no longer there: killed, or the host went down.
    Killed,
    /// It has not answered yet.
    Running,
}

/// One call of a helper.
#[derive(Clone, Debug, PartialEq)]
pub struct Call {
    /// The helper's name.
    pub helper: String,
    /// Its process.
    pub process: u32,
    /// What it was called with.
    pub arguments: Vec<String>,
    /// The host's name in the agent's configuration, if the helper reads that.
    pub host: Option<String>,
    /// When it began.
    pub started: Timestamp,
    /// When its last line was written.
    pub ended: Timestamp,
    /// What it answered.
    pub answer: Option<Answer>,
    /// The name of its error; none with a success, and with a helper that did not write it yet.
    pub code: Option<String>,
    /// Whether its process still lives; known of those without an answer only.
    pub is_running: bool,
    /// What it said meanwhile.
    pub notes: VecDeque<Note>,
    /// How many lines from the middle of `notes` were not kept.
    pub notes_left_out: u64,
}

/// What the journal consists of.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// A call.
    Call(Call),
    /// A line that belongs to no call: of the process that continues to announce an address, or of a call whose
    /// beginning is not in the journal.
    Line {
        /// The helper that wrote it.
        helper: String,
        /// Its process.
        process: u32,
        /// The line.
        note: Note,
    },
}

impl Call {
    /// A call of which only the first line is known.
    pub fn begun(line: &Line, arguments: Vec<String>) -> Self {
        Self {
            helper: line.helper.clone().into(),
            process: line.process,
            arguments,
            host: None,
            started: line.at,
            ended: line.at,
            answer: None,
            code: None,
            is_running: false,
            notes: VecDeque::new(),
            notes_left_out: 0,
        }
    }

    /// What became of it.
    pub fn fate(&self) -> Fate {
        match &self.answer {
            None if self.is_running => Fate::Running,
            None => Fate::Killed,
            Some(answer) if answer.text.starts_with(USAGE) => Fate::Misused,
            Some(answer) if answer.exit_code == FAILED => Fate::Failed,
            Some(_) => Fate::Done,
        }
    }

    /// The program of this project that called it, if the journal says so.
    pub fn caller(&self) -> Option<&str> {
        self.notes.iter().find_map(|note| note.text.strip_prefix(CALLED_BY))
    }

    /// When the step of this name was done, if it was.
    pub fn done(&self, step: &str) -> Option<Timestamp> {
        let is_it = |text: &str| text.strip_prefix(step).is_some_and(|rest| rest.starts_with(": "));
        let note = self.notes.iter().find(|note| note.level == Level::Info && is_it(&note.text))?;
        Some(note.at)
    }

    fn add(&mut self, line: &Line) {
        self.ended = line.at;
        if let Some(host) = line.text.strip_prefix(THIS_HOST_IS) {
            self.host = Some(host.into());
        }
        if let Some(code) = line.text.strip_prefix(ERROR_IS_NAMED) {
            self.code = Some(code.into());
        }
        if self.notes.len() == MOST_NOTES {
            self.notes.remove(MOST_NOTES / 2);
            self.notes_left_out += 1;
        }
        self.notes.push_back(note(line));
    }
}

fn note(line: &Line) -> Note {
    Note { at: line.at, level: line.level, text: line.text.clone().into() }
}

/// `answered "OK", exit 0, 9.4 ms in all`
fn answer(text: &str) -> Option<Answer> {
    let (text, rest) = line::string(text.strip_prefix(ANSWERED)?)?;
    let (exit_code, rest) = rest.strip_prefix(EXIT)?.split_once(", ")?;
    let milliseconds = rest.strip_suffix(IN_ALL)?.parse().ok()?;
    Some(Answer { text, exit_code: exit_code.parse().ok()?, milliseconds })
}

/// Puts the lines of calls together that ran at the same time. Events come out in the order in which they began.
#[derive(Debug, Default)]
pub struct Assembly {
    waiting: VecDeque<Event>,
    /// How many events came out already: the number of the first that waits.
    passed: usize,
    /// The call of each process that has not answered yet, by the number of its event.
    open: HashMap<u32, usize>,
}

impl Assembly {
    /// Takes the journal's next line.
    pub fn add(&mut self, line: &Line) {
        let number = self.passed + self.waiting.len();
        if let Some(list) = line.text.strip_prefix(CALLED_WITH) {
            let arguments = line::strings(list).unwrap_or_else(|| vec![list.into()]);
            // A process makes one call. A second call means that the number of a dead process was used again.
            self.open.insert(line.process, number);
            self.waiting.push_back(Event::Call(Call::begun(line, arguments)));
            return;
        }
        let Some(call) = self.call_of(line) else {
            let (helper, process) = (line.helper.clone().into(), line.process);
            self.waiting.push_back(Event::Line { helper, process, note: note(line) });
            return;
        };
        if let Some(answer) = answer(&line.text) {
            call.ended = line.at;
            call.answer = Some(answer);
            self.open.remove(&line.process);
        } else {
            call.add(line);
        }
    }

    /// The next event that is complete, or that waited too long for its end.
    pub fn take(&mut self) -> Option<Event> {
        if let Some(Event::Call(call)) = self.waiting.front() {
            let is_open = self.open.get(&call.process) == Some(&self.passed);
            if is_open && self.waiting.len() <= MOST_WAITING {
                return None;
            }
            if is_open {
                self.open.remove(&call.process);
            }
        }
        let event = self.waiting.pop_front()?;
        self.passed += 1;
        Some(event)
    }

    /// The journal's end: a call without an answer here has none. `is_running` says whether it may still get one.
    pub fn finish(&mut self, is_running: impl Fn(&Call) -> bool) {
        for number in std::mem::take(&mut self.open).into_values() {
            if let Some(Event::Call(call)) = self.waiting.get_mut(number - self.passed) {
                call.is_running = is_running(call);
            }
        }
    }

    fn call_of(&mut self, line: &Line) -> Option<&mut Call> {
        let number = *self.open.get(&line.process)?;
        match self.waiting.get_mut(number - self.passed)? {
            Event::Call(call) if call.helper == line.helper => Some(call),
            _ => None,
        }
    }
}

#[cfg(test)]
pub(super) mod tests;
