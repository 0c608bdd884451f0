//! Calls that belong together: the agent gives a role away with `mysql_deny_write` and `clear_ip`, takes one with
//! `sync_with_master`, `mysql_allow_write` and `configure_ip`, and asks the rest every few seconds.

use jiff::{SignedDuration, Timestamp};
use mmm_agent_helpers::IS_CONFIGURED;
use mmm_core::contract::OK_BECAUSE;

use super::calls::{Call, Fate, Note};
use super::line::Level;
use super::runs::{Run, Runs};

/// A silence that ends a move. The agent tries again what failed about every three seconds.
const SILENCE: SignedDuration = SignedDuration::from_secs(10);

/// What a move is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A role leaves this host.
    Give,
    /// A role comes to this host.
    Take,
    /// This host shall replicate from another master.
    NewMaster,
    /// Replication is turned off or on.
    Replication,
}

impl Kind {
    /// As programs read it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Give => "give",
            Self::Take => "take",
            Self::NewMaster => "new-master",
            Self::Replication => "replication",
        }
    }
}

/// Calls that belong together.
#[derive(Clone, Debug, PartialEq)]
pub struct Move {
    /// What it is about.
    pub kind: Kind,
    /// When its first call began.
    pub started: Timestamp,
    /// When its last call ended.
    pub ended: Timestamp,
    /// The calls.
    pub calls: Runs,
}

/// A part of the timeline.
#[derive(Clone, Debug, PartialEq)]
pub enum Part {
    /// A role move.
    Move(Move),
    /// What was asked between two moves; nothing was changed.
    Checks(Runs),
}

/// What a call is part of; `None` if it changed nothing and was not meant to.
fn kind(call: &Call) -> Option<Kind> {
    if call.arguments.iter().any(|argument| argument == "--dry-run") {
        return None;
    }
    let kind = match call.helper.as_str() {
        "mysql_deny_write" | "clear_ip" => Kind::Give,
        "sync_with_master" => Kind::Take,
        "turn_off_slave" | "turn_on_slave" => Kind::Replication,
        // The agent calls these again and again while a role is held.
        "mysql_allow_write" | "configure_ip" if has_worked(call) => Kind::Take,
        "set_active_master" if has_worked(call) => Kind::NewMaster,
        _ => return None,
    };
    Some(kind)
}

/// Whether a call did more than look, or failed.
fn has_worked(call: &Call) -> bool {
    let is_confirmed = call
        .answer
        .as_ref()
        .is_some_and(|answer| answer.text.strip_prefix(OK_BECAUSE) == Some(IS_CONFIGURED));
    let has_done = |note: &Note| note.level == Level::Error || note.level == Level::Info && !note.is_look();
    call.fate() != Fate::Done || !is_confirmed && call.notes.iter().any(has_done)
}

impl Move {
    fn begun(kind: Kind, call: Call) -> Self {
        let mut calls = Runs::default();
        let (started, ended) = (call.started, call.ended);
        calls.add(call);
        Self { kind, started, ended, calls }
    }

    fn goes_on_with(&self, kind: Kind, at: Timestamp) -> bool {
        self.kind == kind && self.ended.duration_until(at) <= SILENCE
    }

    fn has(&self, helpers: &[&str]) -> bool {
        self.calls.runs.iter().any(|run| helpers.contains(&run.call.helper.as_str()))
    }

    /// What it was about, in words.
    pub fn title(&self) -> String {
        let is_misused = |run: &Run| run.call.fate() == Fate::Misused;
        if self.calls.runs.iter().all(is_misused) {
            return "Calls with wrong usage".into();
        }
        let title = match self.kind {
            Kind::Give if self.has(&["mysql_deny_write"]) => "Giving the writer role away",
            Kind::Give => "Giving an address away",
            Kind::Take if self.has(&["sync_with_master", "mysql_allow_write"]) => "Taking the writer role",
            Kind::Take => "Taking an address",
            Kind::NewMaster => "Following another master",
            Kind::Replication if !self.has(&["turn_on_slave"]) => "Turning replication off",
            Kind::Replication if !self.has(&["turn_off_slave"]) => "Turning replication on",
            Kind::Replication => "Turning replication off and on",
        };
        let mut words = vec![title];
        for run in self.calls.runs.iter().filter(|run| !is_misused(run)) {
            let word = match (run.call.helper.as_str(), &run.call.arguments[..]) {
                ("configure_ip" | "clear_ip", [_, address] | [_, _, address, ..]) => address,
                ("set_active_master", [host] | [_, host]) => host,
                _ => continue,
            };
            if !words.contains(&word.as_str()) {
                words.push(word);
            }
        }
        let title = words.join(", ");
        match self.calls.runs.iter().find_map(|run| run.call.caller()) {
            Some(caller) => format!("{title}, by {caller}"),
            None => title,
        }
    }

    /// What it came to: the last answer of each call counts.
    pub fn outcome(&self) -> Fate {
        let opened = self.calls.last_fates().find_map(|(call, fate)| {
            (call.helper == "mysql_allow_write" && fate == Fate::Done).then_some(call.started)
        });
        // Nobody calls sync_with_master again, and mysql_allow_write asks the same.
        let is_overtaken = |call: &Call| {
            call.helper == "sync_with_master" && opened.is_some_and(|opened| opened >= call.started)
        };
        let fates: Vec<Fate> =
            self.calls.last_fates().filter(|(call, _)| !is_overtaken(call)).map(|(_, fate)| fate).collect();
        let worst = [Fate::Running, Fate::Killed, Fate::Failed, Fate::Misused];
        worst.into_iter().find(|fate| fates.contains(fate)).unwrap_or(Fate::Done)
    }
}

/// Puts calls together to moves, with what was asked between them.
#[derive(Debug, Default)]
pub struct Grouping {
    current: Option<Move>,
    checks: Runs,
}

impl Grouping {
    /// Takes the next call, and hands over what it completes.
    pub fn add(&mut self, call: Call, out: &mut impl FnMut(Part)) {
        let kind = kind(&call);
        if let Some(current) = &mut self.current {
            match kind {
                Some(kind) if current.goes_on_with(kind, call.started) => {
                    current.ended = current.ended.max(call.ended);
                    current.calls.add(call);
                    return;
                }
                None if current.ended.duration_until(call.started) <= SILENCE => {
                    self.checks.add(call);
                    return;
                }
                _ => self.end_move(out),
            }
        }
        match kind {
            None => self.checks.add(call),
            Some(kind) => {
                self.end_checks(out);
                self.current = Some(Move::begun(kind, call));
            }
        }
    }

    /// Hands over what is left at the end.
    pub fn finish(mut self, out: &mut impl FnMut(Part)) {
        self.end_move(out);
        self.end_checks(out);
    }

    fn end_move(&mut self, out: &mut impl FnMut(Part)) {
        if let Some(ended) = self.current.take() {
            out(Part::Move(ended));
        }
    }

    fn end_checks(&mut self, out: &mut impl FnMut(Part)) {
        let checks = std::mem::take(&mut self.checks);
        if !checks.runs.is_empty() {
            out(Part::Checks(checks));
        }
    }
}

#[cfg(test)]
mod tests;
