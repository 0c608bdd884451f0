//! A failover: role moves of one or several hosts that belong together, what stood in their way, and what came of it.

use std::collections::VecDeque;

use jiff::{SignedDuration, Timestamp};
use mmm_core::contract::{ERROR, OK_BECAUSE};
use mmm_core::journal::words::{OPENED_WRITES, SET_READ_ONLY};
use mmm_replication::Refusal;

use super::calls::Fate;
use super::moves::{Kind, Move};
use super::runs::Run;

/// A silence of all hosts that ends a failover. Hosts of which one waits for the other are not quiet for so long.
const SILENCE: SignedDuration = SignedDuration::from_secs(30);
/// The maximum number of moves of a host that are looked at, the last ones.
const MOST_MOVES: usize = 500;

/// Errors of who calls, by their names.
const MISTYPED: [&str; 4] =
    ["usage", Refusal::named("new-master-is-this-host"), "unknown-host", "unusable-argument"];

/// The last moves of a host.
#[derive(Debug)]
pub struct Moves {
    /// The host.
    pub host: String,
    /// When its journal ends.
    pub until: Option<Timestamp>,
    last: VecDeque<Move>,
}

/// A failover.
#[derive(Debug, PartialEq)]
pub struct Failover {
    /// When its first call began.
    pub started: Timestamp,
    /// When its last call ended.
    pub ended: Timestamp,
    /// Who was asked when, the first ones first.
    pub asked: Vec<Asked>,
    /// Whether the moves had more calls than are kept.
    pub is_shortened: bool,
}

/// A helper that was called on a host.
#[derive(Debug, PartialEq)]
pub struct Asked {
    /// The host.
    pub host: String,
    /// The call, and how often it had the same answer.
    pub run: Run,
}

/// What stood in the way.
#[derive(Clone, Debug, PartialEq)]
pub struct Hindrance {
    /// On which host.
    pub host: String,
    /// Which helpers were refused for this.
    pub helpers: Vec<String>,
    /// The new master, if a slave shall follow one.
    pub new: Option<String>,
    /// What became of these calls.
    pub fate: Fate,
    /// The error's name, if the journal has it.
    pub code: Option<String>,
    /// What was answered last.
    pub text: Option<String>,
    /// When the first of these calls began.
    pub since: Timestamp,
    /// When the last of them began.
    pub until: Timestamp,
    /// How many calls there were.
    pub times: u64,
    /// True if no later call of this kind had another answer.
    pub stands: bool,
    /// True if it is about replication of a host that is open: that takes writes all the same.
    pub is_of_replication: bool,
}

/// When a host took writes, or took none any more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Turn {
    /// The host.
    pub host: String,
    /// By its own clock.
    pub at: Timestamp,
}

/// What a host that was opened lacks.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct LeftBehind {
    /// How much, in words.
    pub what: String,
    /// The host that has it.
    pub on: String,
    /// The host that lacks it.
    pub missing_on: String,
}

impl LeftBehind {
    /// `OK: db2 continues without 1 transaction that only db3 has (…)…`
    fn from_answer(text: &str) -> Option<Self> {
        let (host, rest) = text.strip_prefix(OK_BECAUSE)?.split_once(" continues without ")?;
        let (what, rest) = rest.split_once(" that only ")?;
        let (on, _) = rest.split_once(" has")?;
        Some(Self { what: what.into(), on: on.into(), missing_on: host.into() })
    }
}

impl Hindrance {
    /// True if the mistake was made by who called.
    pub fn is_mistyped(&self) -> bool {
        is_mistyped(self.fate, self.code.as_deref())
    }
}

fn is_mistyped(fate: Fate, code: Option<&str>) -> bool {
    fate == Fate::Misused || code.is_some_and(|code| MISTYPED.contains(&code))
}

impl Moves {
    /// Of a host of which no move is known yet.
    pub fn of(host: String) -> Self {
        Self { host, until: None, last: VecDeque::new() }
    }

    /// Takes the next move.
    pub fn add(&mut self, part: Move) {
        if self.last.len() == MOST_MOVES {
            self.last.pop_front();
        }
        self.last.push_back(part);
    }
}

/// All failovers of these hosts, the oldest first.
pub fn all(hosts: Vec<Moves>) -> Vec<Failover> {
    let mut moves: Vec<(String, Move)> = hosts
        .into_iter()
        .flat_map(|Moves { host, last, .. }| last.into_iter().map(move |part| (host.clone(), part)))
        .collect();
    moves.sort_by_key(|(_, part)| part.started);
    let mut failovers: Vec<Failover> = Vec::new();
    for (host, part) in moves {
        let is_same = failovers.last().is_some_and(|last| last.ended.duration_until(part.started) <= SILENCE);
        if !is_same {
            failovers.push(Failover {
                started: part.started,
                ended: part.ended,
                asked: Vec::new(),
                is_shortened: false,
            });
        }
        if let Some(failover) = failovers.last_mut() {
            failover.add(&host, part);
        }
    }
    failovers.retain(|failover| failover.asked.iter().any(|asked| !asked.is_of(Kind::Replication)));
    for failover in &mut failovers {
        failover.asked.sort_by_key(|asked| asked.run.call.started);
    }
    failovers
}

impl Asked {
    fn is(&self, helper: &str) -> bool {
        self.run.call.helper == helper
    }

    fn is_of(&self, kind: Kind) -> bool {
        kind == Kind::Replication && (self.is("turn_on_slave") || self.is("turn_off_slave"))
    }

    /// The address that it was about.
    pub fn address(&self) -> Option<&str> {
        match (self.run.call.helper.as_str(), &self.run.call.arguments[..]) {
            ("configure_ip" | "clear_ip", [_, address] | [_, _, address, ..]) => Some(address),
            _ => None,
        }
    }

    /// The master that it was about.
    pub fn new_master(&self) -> Option<&str> {
        let mut words = self.run.call.arguments.iter();
        let mut plain = Vec::new();
        while let Some(word) = words.next() {
            match word.as_str() {
                "--wait" | "--format" => drop(words.next()),
                word if word.starts_with('-') => {}
                word => plain.push(word),
            }
        }
        match (self.run.call.helper.as_str(), &plain[..]) {
            ("set_active_master", [host] | [_, host, ..]) => Some(host),
            _ => None,
        }
    }

    fn is_same_question(&self, other: &Self) -> bool {
        self.host == other.host
            && self.run.call.helper == other.run.call.helper
            && self.run.call.arguments == other.run.call.arguments
    }
}

impl Failover {
    fn add(&mut self, host: &str, part: Move) {
        self.ended = self.ended.max(part.ended);
        self.is_shortened |= part.calls.left_out > 0;
        let asked = |run| Asked { host: host.to_string(), run };
        self.asked.extend(part.calls.runs.into_iter().map(asked));
    }

    /// True if the writer role was to move, or slaves to follow another master.
    pub fn is_of_writer(&self) -> bool {
        let helpers = ["mysql_deny_write", "mysql_allow_write", "sync_with_master", "set_active_master"];
        self.asked.iter().any(|asked| helpers.contains(&asked.run.call.helper.as_str()))
    }

    /// True if this host or this address took part.
    pub fn is_about(&self, word: &str) -> bool {
        let is_address = |asked: &Asked| {
            asked.address().is_some_and(|address| address.split('/').next() == word.split('/').next())
        };
        self.asked
            .iter()
            .any(|asked| asked.host == word || asked.new_master() == Some(word) || is_address(asked))
    }

    /// The addresses that moved, or should have.
    pub fn addresses(&self) -> Vec<&str> {
        let mut addresses = Vec::new();
        for address in self.asked.iter().filter_map(Asked::address) {
            if !addresses.contains(&address) {
                addresses.push(address);
            }
        }
        addresses
    }

    /// The last host that was opened to writes.
    pub fn opened(&self) -> Option<Turn> {
        self.turn(OPENED_WRITES, |_| true)
    }

    /// The last host that was closed before that, or the last one at all.
    pub fn closed(&self) -> Option<Turn> {
        let opened = self.opened();
        self.turn(SET_READ_ONLY, |at| opened.as_ref().is_none_or(|opened| at <= opened.at))
    }

    fn turn(&self, step: &str, counts: impl Fn(Timestamp) -> bool) -> Option<Turn> {
        let turns = self.asked.iter().filter_map(|asked| Some((asked.run.call.done(step)?, &asked.host)));
        let (at, host) = turns.filter(|(at, _)| counts(*at)).max()?;
        Some(Turn { host: host.clone(), at })
    }

    /// The hosts that were opened after the last closing and before the last opening: nobody says here when they took
    /// no writes any more.
    pub fn opened_in_between(&self) -> Vec<Turn> {
        let (Some(closed), Some(opened)) = (self.closed(), self.opened()) else { return Vec::new() };
        let turns = self.asked.iter().filter_map(|asked| {
            Some(Turn { host: asked.host.clone(), at: asked.run.call.done(OPENED_WRITES)? })
        });
        let mut between: Vec<_> = turns.filter(|turn| turn.at >= closed.at && turn.at < opened.at).collect();
        between.sort_by_key(|turn| turn.at);
        between
    }

    /// For how long nobody could write, if these journals tell: by the clocks of two hosts.
    pub fn pause(&self) -> Option<SignedDuration> {
        let pause = self.closed()?.at.duration_until(self.opened()?.at);
        self.opened_in_between().is_empty().then_some(pause)
    }

    /// What the hosts that were opened lack and others have, as they said when they were opened.
    pub fn left_behind(&self) -> Vec<LeftBehind> {
        let mut left: Vec<LeftBehind> = Vec::new();
        for asked in self.asked.iter().filter(|asked| asked.is("mysql_allow_write")) {
            let said =
                asked.run.call.answer.as_ref().and_then(|answer| LeftBehind::from_answer(&answer.text));
            left.extend(said.filter(|said| !left.contains(said)));
        }
        left
    }

    /// What stood in the way, in the order in which it began.
    pub fn hindrances(&self) -> Vec<Hindrance> {
        let mut hindrances: Vec<Hindrance> = Vec::new();
        for (index, asked) in self.asked.iter().enumerate() {
            let Run { call, times, last_started, .. } = &asked.run;
            let fate = call.fate();
            if fate == Fate::Done {
                continue;
            }
            let later = &self.asked[index + 1..];
            let is_last = !later.iter().any(|later| later.is_same_question(asked));
            let stands = is_last && !self.is_overtaken(asked);
            let is_of_replication = is_last && asked.is("turn_on_slave") && self.is_beside_opening(asked);
            let text = call.answer.as_ref().map(|answer| answer.text.trim_start_matches(ERROR).to_string());
            let new = asked.new_master().map(ToString::to_string);
            let is_same = |known: &&mut Hindrance| {
                let is_said_again =
                    if call.code.is_some() { known.code == call.code } else { known.text == text };
                known.host == asked.host && known.new == new && known.fate == fate && is_said_again
            };
            // What did not stand in the way for a while is another hindrance when it comes back.
            if let Some(known) = hindrances.iter_mut().rev().find(is_same) {
                if !known.helpers.contains(&call.helper) {
                    known.helpers.push(call.helper.clone());
                }
                known.until = known.until.max(*last_started);
                (known.text, known.times) = (text, known.times + times);
                known.stands |= stands;
                known.is_of_replication |= is_of_replication;
                continue;
            }
            hindrances.push(Hindrance {
                host: asked.host.clone(),
                helpers: vec![call.helper.clone()],
                new,
                fate,
                code: call.code.clone(),
                text,
                since: call.started,
                until: *last_started,
                times: *times,
                stands,
                is_of_replication,
            });
        }
        hindrances
    }

    /// Whether what was asked for came about by another call.
    fn is_overtaken(&self, asked: &Asked) -> bool {
        let Run { call, times, .. } = &asked.run;
        // The agent makes the same mistake again and again, a person once.
        if is_mistyped(call.fate(), call.code.as_deref()) && *times == 1 && self.opened().is_some() {
            return true;
        }
        match asked.run.call.helper.as_str() {
            // Nobody calls it again, and mysql_allow_write asks the same.
            "sync_with_master" => {
                let answers = |other: &Asked| {
                    other.is("mysql_allow_write")
                        && other.host == asked.host
                        && other.run.last_started >= asked.run.call.started
                };
                self.asked.iter().any(answers)
            }
            // Another host took over without it, as from a dead server.
            "mysql_deny_write" => self
                .opened()
                .is_some_and(|opened| opened.host != asked.host && opened.at >= asked.run.call.started),
            "turn_on_slave" => self.is_beside_opening(asked),
            _ => false,
        }
    }

    /// True if the host had taken writes already when this was asked of it.
    fn is_beside_opening(&self, asked: &Asked) -> bool {
        self.opened().is_some_and(|opened| opened.host == asked.host && opened.at <= asked.run.call.started)
    }

    /// What it came to.
    pub fn outcome(&self) -> Fate {
        let standing: Vec<Fate> =
            self.hindrances().iter().filter(|one| one.stands).map(|one| one.fate).collect();
        let worst = [Fate::Running, Fate::Killed, Fate::Failed, Fate::Misused];
        worst.into_iter().find(|fate| standing.contains(fate)).unwrap_or(Fate::Done)
    }
}

#[cfg(test)]
mod tests;
