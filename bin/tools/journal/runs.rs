//! Calls that were repeated with the same answer, as one.

use jiff::Timestamp;

use mmm_core::journal::words::OPENED_WRITES;

use super::calls::{Call, Fate};

/// Kept of one move, or between two; half of them the first ones.
const MOST_RUNS: usize = 40;

/// A call, and how often it was made again with the same answer.
#[derive(Clone, Debug, PartialEq)]
pub struct Run {
    /// The first of them.
    pub call: Call,
    /// How many there were.
    pub times: u64,
    /// When the last one began.
    pub last_started: Timestamp,
    /// When the last one ended.
    pub last_ended: Timestamp,
    /// The slowest one's time.
    pub slowest: f64,
}

/// Calls in the order in which each answer came for the first time.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Runs {
    /// The calls.
    pub runs: Vec<Run>,
    /// How many calls from the middle were not kept.
    pub left_out: u64,
}

impl Run {
    fn new(call: Call) -> Self {
        let slowest = call.answer.as_ref().map_or(0.0, |answer| answer.milliseconds);
        Self { times: 1, last_started: call.started, last_ended: call.ended, slowest, call }
    }

    fn is_of(&self, call: &Call) -> bool {
        self.call.helper == call.helper && self.call.arguments == call.arguments
    }

    fn has_answer_of(&self, call: &Call) -> bool {
        match (&self.call.answer, &call.answer) {
            (Some(one), Some(other)) => one.text == other.text && one.exit_code == other.exit_code,
            _ => false,
        }
    }
}

impl Runs {
    /// Takes the next call.
    pub fn add(&mut self, call: Call) {
        let last = self.runs.iter_mut().rev().find(|run| run.is_of(&call));
        // A host that was opened again was closed in between.
        let is_again = |run: &&mut Run| run.has_answer_of(&call) && call.done(OPENED_WRITES).is_none();
        if let Some(run) = last.filter(is_again) {
            run.times += 1;
            run.last_started = call.started;
            run.last_ended = call.ended;
            run.slowest = call.answer.map_or(run.slowest, |answer| answer.milliseconds.max(run.slowest));
            return;
        }
        if self.runs.len() == MOST_RUNS {
            self.left_out += self.runs.remove(MOST_RUNS / 2).times;
        }
        self.runs.push(Run::new(call));
    }

    /// What the last call of each kind came to.
    pub fn last_fates(&self) -> impl Iterator<Item = (&Call, Fate)> {
        self.runs.iter().enumerate().filter_map(|(index, run)| {
            let is_last = !self.runs[index + 1..].iter().any(|later| later.is_of(&run.call));
            is_last.then(|| (&run.call, run.call.fate()))
        })
    }
}

#[cfg(test)]
mod tests;
