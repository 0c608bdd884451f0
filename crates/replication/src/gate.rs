//! May this host take writes? Only when it has applied everything that its peer has written.
//!
//! `sync_with_master` asks and waits, `mysql_allow_write` asks and does not (docs/FAILOVER.md, 5.1). A peer that
//! answers must be read-only, so that the end of its log stands still; of one that is silent, everything that
//! was fetched counts, up to the last complete event group.

use std::cmp::Ordering;
use std::fmt;
use std::time::{Duration, Instant};

use mmm_core::config::{Config, Host};
use mmm_core::progress::{self, Left};
use mmm_core::report;
use mmm_core::settings::{AllowWrite, Settings, Survivors};
use mmm_core::{Budget, interrupt};

use crate::awaited;
use crate::channel::{self, Chosen};
use crate::dialect::{Flavour, Threads};
use crate::error::Error;
use crate::gtid::{GtidPosition, GtidState};
use crate::gtid_set::GtidSet;
use crate::history;
use crate::liveness::{self, Sign};
use crate::lock;
use crate::observe::{OTHERS_PATIENCE, executed, log_end};
use crate::plan::Place;
use crate::position::BinlogPosition;
use crate::record::Record;
use crate::refusal::Refusal;
use crate::server::Server;
use crate::status::{Channel, IoThread, Mode};
use crate::survivors::{self, Asked, Dialled, Survivor};
use crate::takeover::seen::{self, Seen};
use crate::takeover::{self, Outcome, Pursuit};
use crate::threads;
use crate::wait;

/// Pause between two looks.
const PAUSE: Duration = Duration::from_millis(10);

/// Pause before a peer that lives and lets nobody in is tried again.
const RETRY: Duration = Duration::from_millis(100);

/// How long a peer that lacks what it once had may take to apply it, before that is no longer looked at.
const APPLIES_NO_MORE: Duration = Duration::from_millis(500);

/// How a caller asks.
#[derive(Clone, Copy, Debug)]
pub struct Question<'a> {
    /// What does not happen if the answer is no, for the refusal's text.
    pub otherwise: &'a str,
    /// True to wait, within the budget, for a yes.
    pub wait: bool,
    /// True where writes are opened on a yes, so that nothing may come from another slave any more.
    pub opens: bool,
    /// The settings: limits of connections, after how much silence a peer that lets nobody in counts as gone, and what
    /// becomes of what only another slave has.
    pub settings: &'a Settings,
    /// The time of the call.
    pub budget: Budget,
}

/// Why the answer is yes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Proof {
    /// This host replicates from nobody: there is nothing to apply.
    NothingToApply,
    /// The peer is read-only and this host has applied its log to the end.
    AppliedToTheEnd(BinlogPosition),
    /// The peer is silent and this host has applied all it fetched.
    AppliedAllFetched(Option<BinlogPosition>),
    /// A dry run: replication would be started, and this waited for.
    ToBeApplied(Option<BinlogPosition>),
    /// The peer is silent and this host has applied all it fetched, but another slave has more, which could not be had.
    WithoutTail {
        /// To where this host has applied the peer's log.
        at: Option<BinlogPosition>,
        /// What is missing, where, and why.
        lost: Lost,
    },
    /// A dry run: this would be taken over from another slave first.
    ToBeTakenOver {
        /// That slave.
        survivor: String,
        /// How much, in words.
        tail: String,
    },
}

/// What a host that opens leaves behind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lost {
    /// The host that opens.
    pub host: String,
    /// The host that has it.
    pub survivor: String,
    /// How much, in words.
    pub tail: String,
    /// Why it could not be had.
    pub reason: String,
}

impl fmt::Display for Lost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { host, survivor, tail, reason } = self;
        write!(
            f,
            "{host} goes on without {tail} that only {survivor} has ({reason}); to see and save that: mmm_difference \
             {survivor} {host}"
        )
    }
}

impl Proof {
    /// True where a peer that is silent may come back with what this host lacks.
    pub fn is_beside_silent_peer(&self) -> bool {
        matches!(self, Self::AppliedAllFetched(_) | Self::WithoutTail { .. })
    }

    /// What is left behind.
    pub fn lost(&self) -> Option<&Lost> {
        if let Self::WithoutTail { lost, .. } = self { Some(lost) } else { None }
    }
}

impl fmt::Display for Proof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NothingToApply => f.write_str("this host replicates from nobody"),
            Self::AppliedToTheEnd(end) => {
                write!(f, "the peer is read-only, its log ends at {end}, and this host has applied all of it")
            }
            Self::AppliedAllFetched(at) => write!(
                f,
                "the peer is silent, and this host has applied all that it fetched, to {}",
                Refusal::place(at.as_ref())
            ),
            Self::ToBeApplied(to) => {
                write!(f, "replication would be started, and waited for to {}", Refusal::place(to.as_ref()))
            }
            Self::WithoutTail { at, lost } => write!(
                f,
                "the peer is silent, and this host has applied all that it fetched, to {}; {lost}",
                Refusal::place(at.as_ref())
            ),
            Self::ToBeTakenOver { survivor, tail } => {
                write!(f, "{tail} would be taken over from {survivor} first")
            }
        }
    }
}

/// Asks whether `local` has everything of its peer; refuses if not, or not in time.
pub fn ask(local: &mut Server, config: &Config, question: Question) -> Result<Proof, Error> {
    let pursuit = question.pursuit(config);
    if let Some(Outcome::Stuck { survivor, reason }) = takeover::resume(local, pursuit)? {
        let seen = seen::read(config.this_host(), &survivor);
        let waited = seen.as_ref().map_or(u64::MAX, Seen::silent_for);
        let tail = seen.map_or_else(|| "some transactions".into(), |seen| seen.tail);
        let reason = format!("a part of it was taken over, then: {reason}");
        let lost = Lost { host: config.this().to_string(), survivor, tail, reason };
        let lost = wait_or_lose(config, question, lost, waited, PATIENCE)?;
        return without(local, config, question, lost, None);
    }
    let Some((channel, peer)) = channel_from_peer(local, config)? else {
        log::warn!("{} replicates from nobody: there is nothing that it could lack", local.host());
        return Ok(Proof::NothingToApply);
    };
    let mut connection = connect(peer, question);
    let answers = matches!(connection, Ok(_) | Err(Error::Connect { answered: true, .. }));
    report::observe(Some(local.host()), "replication", threads::what_is_wrong(&channel));
    report::observe(Some(local.host()), "has applied", Refusal::place(channel.applied.as_ref()));
    let is_at_rest = rests(&channel);
    if is_at_rest {
        if let Ok(connection) = &mut connection {
            check_before_connecting(local, connection, peer, &channel, question)?;
        }
        wake(local, config, answers)?;
    }
    let would_wake = is_at_rest && report::is_dry_run();
    let mut gate = Gate {
        local,
        config,
        peer,
        channel: channel.name.clone(),
        would_wake,
        question,
        taken: 0,
        dialled: None,
    };
    let mut proof = gate.with(connection);
    while question.wait && is_living(&proof) && !report::is_dry_run() && question.budget.pause(RETRY) {
        match gate.with(connect(peer, question)) {
            // The time was over in the middle of another look.
            Err(Error::Silent { .. }) if question.budget.share(RETRY) < RETRY => break,
            next => proof = next,
        }
    }
    proof.map_err(|error| {
        let mut is_here =
            || channel::again(local, &channel.name).is_ok_and(|now| now.source() == channel.source());
        if interrupt::is_requested() && is_here() {
            threads::interrupted(local, &channel, &error, || answers)
        } else {
            error
        }
    })
}

impl<'a> Question<'a> {
    /// Without the gate, nobody is asked.
    fn survivors(self) -> Survivors {
        let AllowWrite { gate, survivors, .. } = self.settings.allow_write;
        if gate { survivors } else { Survivors::Off }
    }

    fn pursuit(self, config: &'a Config) -> Pursuit<'a> {
        let Self { settings, budget, otherwise, .. } = self;
        Pursuit { config, settings, budget, otherwise }
    }
}

/// What became of one survivor's tail.
#[derive(Debug, PartialEq, Eq)]
enum Taken {
    /// It is no whole transaction.
    Nothing,
    /// This host has it, or stands elsewhere by now.
    All,
    /// This host has none or a part of it, and the rest may come yet from a survivor that answered a moment ago.
    Later(String),
    /// It cannot be had.
    Never(String),
    /// This host has a part of it, and is not back with its peer.
    Stuck(String),
}

/// How long a survivor that has fallen silent is waited for, in seconds, before writes are opened without what it has.
const PATIENCE: u64 = 10;
/// The same for one that answers, as long as neither gets any further.
const APPLYING: u64 = 30;

fn wait_or_lose(
    config: &Config,
    question: Question,
    lost: Lost,
    waited: u64,
    most: u64,
) -> Result<Lost, Error> {
    if question.survivors() == Survivors::Try && waited < most {
        let state = format!("{}; waited for since {waited} s, {most} s at most", lost.reason);
        return Err(question.pursuit(config).still(&lost.survivor, state));
    }
    Ok(lost)
}

fn without(
    local: &mut Server,
    config: &Config,
    question: Question,
    lost: Lost,
    at: Option<BinlogPosition>,
) -> Result<Proof, Error> {
    if question.survivors() == Survivors::Require {
        let Lost { host, survivor, tail, reason } = lost;
        let (peer, then) = (config.peer()?.name.to_string(), question.otherwise.into());
        return Err(Refusal::TailLeft { host, survivor, peer, tail, reason, then }.into());
    }
    if question.opens {
        takeover::abandon(local, config)?;
    }
    Ok(Proof::WithoutTail { at, lost })
}

/// Why `host` cannot have a survivor's tail; an error where another try may bring it, `still` where time alone is short.
fn why_not(host: &str, error: Error, still: impl FnOnce(String) -> Error) -> Result<Taken, Error> {
    let state = error.to_string();
    match error {
        Error::Silent { host: of, .. } | Error::Broken { host: of, .. } if of != host => {
            Ok(Taken::Later(state))
        }
        Error::Connect { answered: false, .. } => Ok(Taken::Later(state)),
        Error::Refused(refusal) => match *refusal {
            refusal @ (Refusal::PeerIsAlive { .. }
            | Refusal::PeerMayBeAlive { .. }
            | Refusal::NotPutBack { .. }) => Err(refusal.into()),
            Refusal::NoTimeLeft { .. } | Refusal::Interrupted { .. } => Err(still(state)),
            Refusal::StillTakingOver { state, .. } => Ok(Taken::Later(state)),
            // A search is gone on with by the next call.
            Refusal::Busy { .. }
            | Refusal::DoesNotStop { .. }
            | Refusal::NewMasterBehind { .. }
            | Refusal::SearchTooLong { .. } => Ok(Taken::Later(state)),
            refusal if refusal.may_pass() => Ok(Taken::Later(state)),
            _ => Ok(Taken::Never(state)),
        },
        Error::Query { host: ref of, .. } | Error::Unexpected { host: ref of, .. } if *of != host => {
            Ok(Taken::Never(state))
        }
        other => Err(other),
    }
}

/// Connects to the peer, not waiting long: it is often dead.
fn connect(peer: &Host, question: Question) -> Result<Server, Error> {
    liveness::connect(peer, question.settings.limits.connect.min(OTHERS_PATIENCE), question.budget)
}

/// True where the peer lives and let nobody in, which may pass.
fn is_living(answer: &Result<Proof, Error>) -> bool {
    let is_of_living =
        |refusal: &Refusal| matches!(refusal, Refusal::PeerIsAlive { .. } | Refusal::PeerMayBeAlive { .. });
    matches!(answer, Err(Error::Refused(refusal)) if is_of_living(refusal))
}

/// The channel from the peer, and the peer; `None` where this host replicates from nobody.
fn channel_from_peer<'c>(
    local: &mut Server,
    config: &'c Config,
) -> Result<Option<(Channel, &'c Host)>, Error> {
    let chosen = match channel::choose(local, config, |_| None) {
        Err(Error::Refused(refusal)) if matches!(*refusal, Refusal::NotAReplica { .. }) => return Ok(None),
        other => other?,
    };
    let peer = config.peer()?;
    if chosen.source.name == peer.name {
        return Ok(Some((chosen.channel, peer)));
    }
    Err(Refusal::WrongSource {
        host: local.host().into(),
        peer: peer.name.to_string(),
        source_address: format!("{} ({})", chosen.source.name, chosen.channel.source()),
    }
    .into())
}

/// True where a thread stands still without an error; what it has not applied may be what is missing.
fn rests(channel: &Channel) -> bool {
    // An I/O thread that cannot reach a dead peer has an error, and what it fetched still has to be applied.
    let io_rests = channel.io == IoThread::No && channel.io_error.is_none();
    !channel.has_failed_on_data() && (!channel.sql_running || io_rests)
}

/// The same before the I/O thread connects again: by GTID it forgets then where it was. A log of another name is left to
/// it, and so is one of a MySQL that was begun anew and has all that this host has: a rebuilt peer.
fn check_before_connecting(
    local: &mut Server,
    connection: &mut Server,
    peer: &Host,
    channel: &Channel,
    question: Question,
) -> Result<(), Error> {
    let end = log_end(connection).ok().flatten();
    let end = end.filter(|end| channel.fetched.as_ref().is_some_and(|at| at.compare(end).is_some()));
    let Some(end) = end else { return Ok(()) };
    match check_reset(local.host(), peer, channel, &end, question) {
        Err(_)
            if channel.mode == Mode::AutoPosition && executed(local)?.is_within(&executed(connection)?) =>
        {
            Ok(())
        }
        other => other,
    }
}

/// Refuses where more was fetched from the peer than its log has.
fn check_reset(
    host: &str,
    peer: &Host,
    channel: &Channel,
    end: &BinlogPosition,
    question: Question,
) -> Result<(), Error> {
    let Some(fetched) = &channel.fetched else { return Ok(()) };
    if fetched.compare(end).is_some_and(Ordering::is_le) {
        return Ok(());
    }
    Err(Refusal::LogWasReset {
        host: host.into(),
        peer: peer.name.to_string(),
        end: end.clone(),
        fetched: fetched.clone(),
        then: question.otherwise.into(),
    }
    .into())
}

/// Starts threads that stand still, unless another helper stopped them for a moment.
fn wake(local: &mut Server, config: &Config, answers: bool) -> Result<(), Error> {
    lock::take(local)?;
    let channel = channel_from_peer(local, config)?.filter(|(channel, _)| rests(channel));
    let Some((channel, peer)) = channel else { return Ok(()) };
    threads::check_backlog(local.host(), &channel, peer.name.as_str(), answers)?;
    log::warn!("{}: {}; starting it", channel.title(), threads::what_is_wrong(&channel));
    threads::start(local, &channel.name)
}

struct Gate<'a> {
    local: &'a mut Server,
    config: &'a Config,
    peer: &'a Host,
    channel: String,
    /// True in a dry run where threads stand still that would have been started.
    would_wake: bool,
    question: Question<'a>,
    /// From how many survivors something was taken over.
    taken: usize,
    /// Connections to other slaves, once the peer was found silent.
    dialled: Option<Dialled>,
}

impl Gate<'_> {
    /// By whatever the connection to the peer has come to.
    fn with(&mut self, mut connection: Result<Server, Error>) -> Result<Proof, Error> {
        loop {
            if let Some(proof) = self.by(connection)? {
                return Ok(proof);
            }
            connection = connect(self.peer, self.question);
        }
    }

    fn by(&mut self, connection: Result<Server, Error>) -> Result<Option<Proof>, Error> {
        let answer = match connection.and_then(|mut peer| self.against(&mut peer)) {
            // Its own mysql_deny_write ends sessions, ours among them.
            Err(Error::Broken { host, .. }) if host == self.peer.name.as_str() => {
                connect(self.peer, self.question).and_then(|mut peer| self.against(&mut peer))
            }
            other => other,
        };
        match answer {
            Err(error @ Error::Connect { answered: true, .. }) => Err(self.unreadable(error.to_string())),
            Err(error @ (Error::Connect { .. } | Error::Silent { .. } | Error::Broken { .. })) => {
                self.unless_alive(&error)
            }
            other => {
                if other.is_ok() {
                    seen::forget_all(self.config);
                    seen::forget_opened(self.config.this_host());
                }
                other.map(Some)
            }
        }
    }

    /// The peer lets nobody in. It may be taking writes all the same, for as long as its replication connection lives.
    fn unless_alive(&mut self, error: &Error) -> Result<Option<Proof>, Error> {
        let peer = self.peer.name.as_str();
        self.check_silence(error)?;
        log::warn!("{peer}: {error}; going by what was fetched from it");
        report::observe(Some(peer), "does not answer", error);
        self.alone(error)
    }

    /// Refuses while the peer is heard over its replication connection.
    fn check_silence(&mut self, error: &Error) -> Result<(), Error> {
        let sign = liveness::of_source(
            self.local,
            &self.channel,
            self.peer,
            self.question.settings.allow_write.silence,
        )?;
        let Some(Sign { heard, limit }) = sign else { return Ok(()) };
        let (host, peer, then) =
            (self.local.host().into(), self.peer.name.to_string(), self.question.otherwise.into());
        Err(Refusal::PeerIsAlive { peer, reason: error.to_string(), host, heard, then, limit }.into())
    }

    /// A thread that was just started tells nothing of the peer until it is let in or has an error. True where it has
    /// one of these by now. A peer that does not even accept connections is not waited for.
    fn check_connecting(&mut self, seen: &Channel, error: &Error) -> Result<bool, Error> {
        let limit = self.question.settings.allow_write.silence;
        let since = liveness::connecting_since(self.local)?;
        let Some(since) = since.filter(|since| *since < limit) else { return Ok(false) };
        if !liveness::accepts(self.peer, self.question.budget) {
            return Ok(false);
        }
        if liveness::once_connected(self.local, seen)?.is_some() {
            return Ok(true);
        }
        let (host, peer) = (self.local.host().into(), self.peer.name.to_string());
        let (reason, then) = (error.to_string(), self.question.otherwise.into());
        Err(Refusal::PeerMayBeAlive { peer, reason, host, since, then, limit }.into())
    }

    /// Lets the I/O thread connect at once to a peer that answers, where it would not by itself for a while.
    fn fetch_again(&mut self, seen: &Channel) -> Result<(), Error> {
        if !liveness::is_missed(self.local, seen, self.peer)? {
            return Ok(());
        }
        lock::take(self.local)?;
        let now = channel::again(self.local, &self.channel)?;
        self.would_wake |= report::is_dry_run();
        if now.io == seen.io { threads::fetch_again(self.local, &now) } else { Ok(()) }
    }

    /// The peer answers: its log must stand still and be applied to the end.
    fn against(&mut self, peer: &mut Server) -> Result<Proof, Error> {
        // In this order: what was fetched before the end was read cannot lie beyond it.
        let mut before = channel::again(self.local, &self.channel)?;
        if before.io != IoThread::Yes {
            check_before_connecting(self.local, peer, self.peer, &before, self.question)?;
            self.fetch_again(&before)?;
            before = channel::again(self.local, &self.channel)?;
        }
        let end = self.closed_end(peer)?;
        check_reset(self.local.host(), self.peer, &before, &end, self.question)?;
        self.check_numbers(peer)?;
        // By auto-position, what a server has executed decides: it skips what it has, without moving its position.
        let target = if before.mode == Mode::AutoPosition { Some(executed(peer)?) } else { None };
        let mut now = channel::again(self.local, &self.channel)?;
        let mut is_reached = self.has_reached(&now, &end, target.as_ref())?;
        if !is_reached && now.io == IoThread::Yes && now.fetched == before.fetched {
            self.fetch_again(&now)?;
        }
        if !is_reached && self.would_wake && self.question.wait {
            return Ok(Proof::ToBeApplied(Some(end)));
        }
        let mut face = progress::waiting(format!(
            "waiting for {} to apply what {} wrote",
            self.local.host(),
            peer.host()
        ));
        let logs = history::log_sizes(peer, &face);
        while !is_reached && self.question.wait && now.sql_running && !self.question.budget.is_spent() {
            if face.is_seen() {
                let count =
                    self.missing_transactions(peer).filter(|count| *count > 0).map(Left::Transactions);
                face.left(count.or_else(|| awaited::bytes(now.applied.as_ref(), Some(&end), &logs)));
            }
            if target.is_some() {
                self.question.budget.pause(PAUSE);
                now = channel::again(self.local, &self.channel)?;
            } else {
                now = wait::a_while(self.local, &self.channel, &end)?;
            }
            is_reached = self.has_reached(&now, &end, target.as_ref())?;
        }
        drop(face);
        if !is_reached {
            let missing = self.count_missing(peer).unwrap_or_else(|| "changes".into());
            return Err(self.not_applied(&now, missing, &end));
        }
        let again = self.closed_end(peer)?;
        if again != end {
            return Err(self.not_applied(&now, "new changes".into(), &again));
        }
        Ok(Proof::AppliedToTheEnd(end))
    }

    fn has_reached(
        &mut self,
        now: &Channel,
        end: &BinlogPosition,
        target: Option<&GtidSet>,
    ) -> Result<bool, Error> {
        match target {
            Some(target) => Ok(target.is_within(&executed(self.local)?)),
            None => Ok(now.applied.as_ref().is_some_and(|applied| applied.has_reached(end))),
        }
    }

    /// When a log that was reset is long enough again, servers go on in the middle of it: by GTID they take new
    /// groups for old ones of the same numbers, and a position may happen to lie between two groups.
    fn check_numbers(&mut self, peer: &mut Server) -> Result<(), Error> {
        let until = Instant::now() + self.question.budget.share(APPLIES_NO_MORE);
        loop {
            match self.forgotten(peer)? {
                None => return Ok(()),
                Some(Forgotten { gtid, is_certain: true }) => {
                    return Err(Refusal::LogBegunAnew {
                        host: self.local.host().into(),
                        peer: self.peer.name.to_string(),
                        gtid,
                        then: self.question.otherwise.into(),
                    }
                    .into());
                }
                // A peer that has much to apply, or is blocked, must not keep this host closed.
                Some(_) if Instant::now() >= until || !self.question.budget.pause(PAUSE) => return Ok(()),
                Some(_) => {}
            }
        }
    }

    /// What the peer must have had once and does not have.
    fn forgotten(&mut self, peer: &mut Server) -> Result<Option<Forgotten>, Error> {
        // In this order: what is executed in between is then not missing.
        let channels = channel::all(peer)?;
        let statement = peer.dialect().variables();
        let (ours, theirs) = (self.local.one(&self.local.dialect().variables())?, peer.one(&statement)?);
        let forgotten = match peer.dialect().flavour() {
            Flavour::MariaDb => {
                let oldest = history::oldest_known(peer)?;
                no_longer_logged(&ours, &theirs, &oldest, &channels)
            }
            Flavour::MySql => no_longer_executed(&ours, &theirs, &channels),
        };
        forgotten.map_err(|column| peer.unexpected(&statement, column))
    }

    /// The end of the peer's log, if the peer takes no writes.
    fn closed_end(&mut self, peer: &mut Server) -> Result<BinlogPosition, Error> {
        let closed = match peer.one("SELECT @@read_only AS read_only") {
            Ok(row) => row.is_on("read_only"),
            Err(error @ Error::Query { .. }) => return Err(self.unreadable(error.to_string())),
            Err(other) => return Err(other),
        };
        report::observe(Some(peer.host()), "read_only", report::on_off(closed));
        if !closed {
            return Err(Refusal::PeerWritable {
                peer: self.peer.name.to_string(),
                then: self.question.otherwise.into(),
            }
            .into());
        }
        match log_end(peer) {
            Ok(Some(end)) => {
                report::observe(Some(peer.host()), "its log ends at", &end);
                Ok(end)
            }
            Ok(None) => Err(self.unreadable("it has no binary log".into())),
            Err(error @ Error::Query { .. }) => Err(self.unreadable(error.to_string())),
            Err(other) => Err(other),
        }
    }

    /// The peer is silent: everything that was fetched must be applied, up to the last complete group. `None` where the
    /// peer has to be asked again.
    fn alone(&mut self, error: &Error) -> Result<Option<Proof>, Error> {
        let (host, peer) = (self.local.host(), &self.peer.name);
        let mut face = progress::waiting(format!(
            "waiting for {host} to apply what it fetched from {peer}, which is gone"
        ));
        let Question { settings, budget, .. } = self.question;
        if self.question.survivors() != Survivors::Off {
            self.dialled = Some(Dialled::start(self.config, self.peer, settings.limits.connect, budget));
        }
        loop {
            let first = channel::again(self.local, &self.channel)?;
            let idle = first.has_applied_all() && !threads::are_workers_busy(self.local, &first)?;
            self.question.budget.pause(PAUSE);
            let second = channel::again(self.local, &self.channel)?;
            face.left(awaited::bytes(second.applied.as_ref(), second.fetched.as_ref(), &[]));
            if idle && second.has_applied_all() && first.applied == second.applied {
                // It may have come back meanwhile, or only have been slow.
                if second.io == IoThread::Yes {
                    self.check_silence(error)?;
                }
                if liveness::is_connecting(&second) && self.check_connecting(&second, error)? {
                    continue;
                }
                let is_whole = second.fetched == second.applied || self.forget_half(&second)?;
                if is_whole {
                    return self.beside_survivors(error);
                }
                continue;
            }
            if self.would_wake && self.question.wait {
                return Ok(Some(Proof::ToBeApplied(second.fetched)));
            }
            if !second.sql_running {
                return Err(Refusal::NotRunning {
                    host: self.local.host().into(),
                    peer: self.peer.name.to_string(),
                    reason: threads::what_is_wrong(&second),
                    then: self.question.otherwise.into(),
                }
                .into());
            }
            if !self.question.wait || self.question.budget.is_spent() {
                let target = second.fetched.clone().unwrap_or_else(|| BinlogPosition::new("unknown", 0));
                return Err(self.not_applied(&second, "what was fetched".into(), &target));
            }
        }
    }

    /// This host has applied all that it fetched from a silent peer. Has another slave fetched more? Then this host
    /// takes that over, and all is looked at again (`None`): the peer may have come back meanwhile.
    fn beside_survivors(&mut self, error: &Error) -> Result<Option<Proof>, Error> {
        let ours = channel::again(self.local, &self.channel)?;
        let whole = Ok(Some(Proof::AppliedAllFetched(ours.applied.clone())));
        let Question { settings, budget, .. } = self.question;
        if self.question.survivors() == Survivors::Off {
            return whole;
        }
        if budget.share(OTHERS_PATIENCE) < OTHERS_PATIENCE / 2 {
            let pursuit = self.question.pursuit(self.config);
            return Err(pursuit.still("other slaves", "no time is left to ask them".into()));
        }
        let most = settings.limits.connect;
        let dialled = self.dialled.take();
        let asked = survivors::ask(self.local, self.config, self.peer, &ours, dialled, most, budget)?;
        if let Some(host) = asked.receiving {
            return Err(self.question.pursuit(self.config).is_alive(self.peer.name.as_str(), &host));
        }
        for (host, reason) in asked.silent.iter().chain(&asked.unreadable) {
            log::warn!("nobody knows whether {host} has more of {}: {reason}", self.peer.name);
        }
        let mut lost = self.given_up(&ours);
        let chosen = Chosen { channel: ours.clone(), source: self.peer };
        // A place that does not exist is none to go back to.
        let ahead = if lost.is_none() { asked.ahead.as_slice() } else { &[] };
        for survivor in ahead {
            let (name, tail) = (survivor.host.name.to_string(), survivor.tail.to_string());
            if report::is_dry_run() {
                return Ok(Some(Proof::ToBeTakenOver { survivor: name, tail }));
            }
            let to = Refusal::place(survivor.tail.to.as_ref());
            let applied = Refusal::place(survivor.channel.applied.as_ref());
            let this = self.config.this_host();
            let idle = seen::note(this, &name, Seen::new(tail.clone(), to, applied));
            let failed = match self.take_over_from(&chosen, survivor, error)? {
                Taken::Nothing => {
                    seen::forget(this, &name);
                    continue;
                }
                Taken::All => return Ok(None),
                Taken::Later(reason) => self.wait_or_lose(&name, tail, reason, idle, APPLYING)?,
                Taken::Never(reason) => self.lost(&name, tail, reason),
                // Where its channel stands now, no other slave can be asked.
                Taken::Stuck(reason) => {
                    let waited = seen::read(this, &name).map_or(u64::MAX, |seen| seen.silent_for());
                    let lost = self.wait_or_lose(&name, tail, reason, waited, PATIENCE)?;
                    return self.without(lost, None).map(Some);
                }
            };
            log::error!("{failed}");
            lost.get_or_insert(failed);
        }
        if lost.is_none() {
            lost = self.seen_before(&asked, &ours)?;
        }
        if lost.is_none() && self.question.survivors() == Survivors::Require {
            // What is silent is not waited for, but one that lives can be asked again.
            if let Some((host, reason)) = asked.unreadable.first() {
                lost =
                    Some(self.lost(host, "what it has".into(), format!("it cannot be examined: {reason}")));
            }
        }
        // A takeover that came to nothing has pointed the channel back, and begun a new place.
        let seen = if ahead.is_empty() { ours.clone() } else { channel::again(self.local, &self.channel)? };
        if self.has_moved_since(&seen)? {
            return Ok(None);
        }
        match lost {
            None => whole,
            Some(lost) => self.without(lost, ours.applied).map(Some),
        }
    }

    /// Asking others takes seconds where one does not answer. True where the peer has been heard meanwhile.
    fn has_moved_since(&mut self, seen: &Channel) -> Result<bool, Error> {
        let now = channel::again(self.local, &self.channel)?;
        let is_back = now.io == IoThread::Yes && seen.io != IoThread::Yes;
        let has_moved = is_back || (&now.fetched, &now.applied) != (&seen.fetched, &seen.applied);
        if has_moved {
            log::warn!("{} was heard while other slaves were asked: all is looked at again", self.peer.name);
        }
        Ok(has_moved)
    }

    fn take_over_from(
        &mut self,
        chosen: &Chosen,
        survivor: &Survivor,
        error: &Error,
    ) -> Result<Taken, Error> {
        let name = survivor.host.name.to_string();
        if self.taken > self.config.hosts().len() {
            return Ok(Taken::Never("it has more and more".into()));
        }
        self.taken += 1;
        log::warn!("taking over from {name} what only that has: {}", survivor.tail);
        let pursuit = self.question.pursuit(self.config);
        match takeover::take_over(self.local, chosen, survivor, error, pursuit) {
            Ok(Outcome::Nothing) => Ok(Taken::Nothing),
            Ok(Outcome::Done | Outcome::Changed) => Ok(Taken::All),
            Ok(Outcome::CutShort(reason)) => Ok(Taken::Later(reason)),
            Ok(Outcome::Stuck { reason, .. }) => Ok(Taken::Stuck(reason)),
            // Under way, it is gone on with at the next call.
            Err(error) if channel::again(self.local, &self.channel)?.source() != chosen.channel.source() => {
                Err(error)
            }
            Err(error) => why_not(self.config.this().as_str(), error, |state| pursuit.still(&name, state)),
        }
    }

    /// A part of a tail, given up by a call that may have been ended before it opened this host, and named it to nobody.
    fn given_up(&self, ours: &Channel) -> Option<Lost> {
        let this = self.config.this_host();
        let survivor = takeover::given_up(this, ours)?;
        let tail = seen::read(this, &survivor).map_or_else(|| "some transactions".into(), |seen| seen.tail);
        let reason = "a part of it was taken over, and the rest given up for writes to be opened".into();
        Some(self.lost(&survivor, tail, reason))
    }

    /// A survivor that was seen to have more, by an earlier call, and does not answer now. What is noted of others is
    /// forgotten: this host has it by now, or from elsewhere.
    fn seen_before(&mut self, asked: &Asked, ours: &Channel) -> Result<Option<Lost>, Error> {
        let this = self.config.this_host();
        let mut lost = None;
        for host in self.config.hosts() {
            let name = host.name.as_str();
            let Some(seen) = seen::read(this, name) else { continue };
            let mut answerless = asked.silent.iter().chain(&asked.unreadable);
            let reason = answerless.find(|(silent, _)| silent == name).map(|(_, reason)| reason);
            let is_here = ours.applied.as_ref().is_some_and(|place| seen.is_reached(place));
            match reason.filter(|_| !is_here) {
                None => seen::forget(this, name),
                Some(reason) => {
                    let (reason, waited) = (format!("it has fallen silent: {reason}"), seen.silent_for());
                    lost = Some(self.wait_or_lose(name, seen.tail, reason, waited, PATIENCE)?);
                }
            }
        }
        Ok(lost)
    }

    /// What may come with time is waited for, over several calls, before it is given up.
    fn wait_or_lose(
        &self,
        survivor: &str,
        tail: String,
        reason: String,
        waited: u64,
        most: u64,
    ) -> Result<Lost, Error> {
        wait_or_lose(self.config, self.question, self.lost(survivor, tail, reason), waited, most)
    }

    fn lost(&self, survivor: &str, tail: String, reason: String) -> Lost {
        Lost { host: self.config.this().to_string(), survivor: survivor.into(), tail, reason }
    }

    /// Opens without what is lost, or does not.
    fn without(&mut self, lost: Lost, at: Option<BinlogPosition>) -> Result<Proof, Error> {
        without(self.local, self.config, self.question, lost, at)
    }

    /// Ends half a transaction, whose rows clients could not change: begun and never to be ended, it keeps its
    /// locks. It is fetched anew should the peer come back. False where more has come meanwhile.
    fn forget_half(&mut self, seen: &Channel) -> Result<bool, Error> {
        lock::take(self.local)?;
        self.local.use_budget(self.local.budget().uninterrupted());
        let dialect = self.local.dialect();
        if report::is_dry_run() {
            let place = Place::of(seen);
            let (stop, start) =
                (dialect.stop(&seen.name, Threads::Both), dialect.start(&seen.name, Threads::Both));
            self.local.execute_all(&[stop, dialect.rewind(&seen.name, &place), start]).1?;
            return Ok(true);
        }
        // First this thread alone: what it had fetched completely by then will be applied.
        threads::stop_fetching(self.local, &seen.name)?;
        let is_ended = threads::end_half(self.local, &seen.name)?;
        let channel = channel::again(self.local, &seen.name)?;
        let is_whole = channel.fetched == channel.applied;
        if !is_ended && (is_whole || channel.fetched != seen.fetched || !channel.has_applied_all()) {
            threads::start(self.local, &seen.name)?;
            return Ok(is_whole);
        }
        log::warn!(
            "{} sent half a transaction before it fell silent ({} of {}); it is not applied",
            self.peer.name,
            Refusal::place(channel.applied.as_ref()),
            Refusal::place(channel.fetched.as_ref())
        );
        // Together, so that nothing stays stopped if this process is killed between them; a file and position is
        // exact only once the applying thread has stopped.
        let mut statements = vec![dialect.stop(&seen.name, Threads::Sql)];
        let mut place = Place::Gtid(channel.mode);
        if channel.mode == Mode::FilePosition {
            self.local.execute(&statements.remove(0))?;
            place = Place::of(&channel::again(self.local, &seen.name)?);
        }
        statements.extend([dialect.rewind(&seen.name, &place), dialect.start(&seen.name, Threads::Both)]);
        self.local.execute_all(&statements).1?;
        Ok(true)
    }

    /// How many transactions are missing, in words, where that can be told.
    fn count_missing(&mut self, peer: &mut Server) -> Option<String> {
        match self.missing_transactions(peer)? {
            0 => None,
            1 => Some("1 transaction".into()),
            more => Some(format!("{more} transactions")),
        }
    }

    /// The same, by the numbers of their GTIDs.
    fn missing_transactions(&mut self, peer: &mut Server) -> Option<u64> {
        let missing = match peer.dialect().flavour() {
            Flavour::MariaDb => {
                let statement = "SELECT @@gtid_binlog_pos, @@gtid_current_pos";
                let theirs: GtidPosition = peer.one(statement).ok()?.at(0)?.parse().ok()?;
                let ours: GtidPosition = self.local.one(statement).ok()?.at(1)?.parse().ok()?;
                let known = |domain| ours.get(domain).map_or(0, |ours| ours.sequence);
                theirs.iter().map(|gtid| gtid.sequence.saturating_sub(known(gtid.domain))).sum()
            }
            Flavour::MySql => {
                let theirs = executed(peer).ok()?;
                theirs.without(&executed(self.local).ok()?).count()
            }
        };
        Some(missing)
    }

    fn not_applied(&self, now: &Channel, missing: String, target: &BinlogPosition) -> Error {
        let stopped = !now.is_running();
        let reason = if stopped { format!(" ({})", threads::what_is_wrong(now)) } else { String::new() };
        let target_text = match &now.applied {
            Some(applied) if applied.file == target.file => target.offset.to_string(),
            _ => target.to_string(),
        };
        Refusal::NotApplied {
            peer: self.peer.name.to_string(),
            missing,
            applied: Refusal::place(now.applied.as_ref()),
            target: target_text,
            then: format!("{}{reason}", self.question.otherwise),
        }
        .into()
    }

    fn unreadable(&self, reason: String) -> Error {
        Refusal::PeerUnreadable {
            peer: self.peer.name.to_string(),
            reason,
            then: self.question.otherwise.into(),
        }
        .into()
    }
}

/// What a server must have had once and does not have.
#[derive(Debug, PartialEq, Eq)]
struct Forgotten {
    /// Its GTIDs.
    gtid: String,
    /// False while that server may still have to apply it.
    is_certain: bool,
}

/// MariaDB: a group of this host that the peer has replicated, so that its log held it once, and that is not in
/// the state of that log although it is not older than the log's `begin`. By file and position, a peer that lags may
/// name what it has fetched as what it has replicated; one whose SQL thread is stopped tells nothing.
fn no_longer_logged(
    ours: &Record,
    theirs: &Record,
    begin: &GtidState,
    channels: &[Channel],
) -> Result<Option<Forgotten>, &'static str> {
    let lags = |channel: &&Channel| channel.applied != channel.fetched;
    if channels.iter().filter(lags).any(|channel| !channel.sql_running) {
        return Ok(None);
    }
    let logged: GtidState = ours.parsed("binlog_state")?;
    let state: GtidState = theirs.parsed("binlog_state")?;
    let replicated: GtidPosition = theirs.parsed("slave_pos")?;
    let lost = logged.iter().find(|gtid| {
        state.get(gtid.domain, gtid.server).is_none()
            && replicated.get(gtid.domain).is_some_and(|last| last.sequence >= gtid.sequence)
            && begin.highest(gtid.domain).is_some_and(|begin| begin <= gtid.sequence)
    });
    let is_certain = !channels.iter().any(|channel| lags(&channel));
    Ok(lost.map(|gtid| Forgotten { gtid: gtid.to_string(), is_certain }))
}

/// MySQL: what this host has executed and did not write itself must have come from the peer, and what it wrote
/// itself the peer may have fetched and applied. Both are forgotten only with the peer's whole log. What a stopped
/// SQL thread has not applied is not missing.
fn no_longer_executed(
    ours: &Record,
    theirs: &Record,
    channels: &[Channel],
) -> Result<Option<Forgotten>, &'static str> {
    let own = ours.text("server_uuid");
    let ours: GtidSet = ours.parsed("executed")?;
    let theirs: GtidSet = theirs.parsed("executed")?;
    let from_peer = |uuid: &str| !uuid.eq_ignore_ascii_case(own) && theirs.knows(uuid);
    let mut lost = ours.filtered(from_peer).without(&theirs);
    let mut is_certain = !lost.is_empty();
    if let Some(channel) = channels.iter().find(|channel| channel.source_uuid == own) {
        let retrieved: GtidSet = channel.retrieved.parse().map_err(|_| "Retrieved_Gtid_Set")?;
        if channel.has_applied_all() || channel.sql_running {
            lost = lost.with(&retrieved.without(&theirs));
        }
        is_certain |= channel.has_applied_all();
    }
    Ok((!lost.is_empty()).then(|| Forgotten { gtid: lost.to_string(), is_certain }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(columns: &[(&str, &str)]) -> Record {
        columns.iter().copied().collect()
    }

    #[test]
    fn what_time_may_cure_is_waited_for_before_a_tail_is_given_up() {
        let taken = |refusal: Refusal| {
            let state = Error::from(refusal.clone()).to_string();
            let taken = why_not("db2", refusal.into(), |_| unreachable!()).unwrap();
            (taken, state)
        };
        let (host, new) = ("db2".to_string(), "db3".to_string());
        let (later, state) = taken(Refusal::SearchTooLong { new: new.clone(), what: "its place".into() });
        assert_eq!(later, Taken::Later(state), "a later call goes on with the search");
        let unproved = |may_pass| Refusal::Unproved {
            host: host.clone(),
            new: new.clone(),
            reason: "it applies".into(),
            may_pass,
        };
        let (later, state) = taken(unproved(true));
        assert_eq!(later, Taken::Later(state));
        let (never, state) = taken(unproved(false));
        assert_eq!(never, Taken::Never(state));
    }

    #[test]
    fn a_log_that_begins_with_old_numbers_and_lacks_what_was_replicated_was_reset() {
        let channel = |(fetched, applied), sql| {
            Channel::from_record(row(&[
                ("Master_Log_File", "binlog.000001"),
                ("Read_Master_Log_Pos", fetched),
                ("Relay_Master_Log_File", "binlog.000001"),
                ("Exec_Master_Log_Pos", applied),
                ("Slave_SQL_Running", sql),
            ]))
        };
        let lacks = |state: &str, replicated: &str, begin: &str| {
            let ours = row(&[("binlog_state", "0-1-30,0-2-7")]);
            let theirs = row(&[("binlog_state", state), ("slave_pos", replicated)]);
            let begin = begin.parse().unwrap();
            let forgotten =
                |channels: &[Channel]| no_longer_logged(&ours, &theirs, &begin, channels).unwrap();
            let lost = forgotten(&[channel(("900", "900"), "Yes")]);
            let applying = forgotten(&[channel(("900", "800"), "Yes")]);
            assert_eq!(applying.as_ref().map(|lost| &lost.gtid), lost.as_ref().map(|lost| &lost.gtid));
            assert!(!applying.is_some_and(|lost| lost.is_certain), "it may come yet");
            assert_eq!(forgotten(&[channel(("900", "800"), "No")]), None, "nobody knows");
            lost.map(|lost| {
                assert!(lost.is_certain);
                lost.gtid
            })
        };
        assert_eq!(lacks("0-1-30", "0-2-7", "0-1-1").as_deref(), Some("0-2-7"));
        for (state, replicated, begin, why) in [
            ("0-1-30,0-2-7", "0-2-7", "0-1-1", "it is there"),
            ("0-1-30", "0-2-7", "0-1-8", "the log was begun after it, as on a copy of another server"),
            ("0-1-30", "0-2-6", "0-1-1", "the peer has not replicated it yet"),
            ("0-1-30", "", "0-1-1", "the peer replicates from nobody"),
            ("", "0-2-7", "", "the log is empty, and its end tells"),
        ] {
            assert_eq!(lacks(state, replicated, begin), None, "{why}");
        }
    }

    #[test]
    fn a_mysql_that_has_executed_less_than_it_once_sent_was_reset() {
        const A: &str = "3e11fa47-71ca-11e1-9e33-c80aa9429562";
        const B: &str = "4e11fa47-71ca-11e1-9e33-c80aa9429562";
        const C: &str = "5e11fa47-71ca-11e1-9e33-c80aa9429562";
        let ours = format!("{A}:1-9,{B}:1-5");
        let channel = |retrieved: &str, sql: &str, sql_state: &str| {
            Channel::from_record(row(&[
                ("Retrieved_Gtid_Set", retrieved),
                ("Master_UUID", B),
                ("Slave_SQL_Running", sql),
                ("Slave_SQL_Running_State", sql_state),
            ]))
        };
        let check = |ours: &str, theirs: &str, channels: &[Channel]| {
            let ours = row(&[("server_uuid", B), ("executed", ours)]);
            no_longer_executed(&ours, &row(&[("executed", theirs)]), channels).unwrap()
        };
        let lost = |gtid: &str, is_certain| Some(Forgotten { gtid: gtid.into(), is_certain });
        let fetched = format!("{B}:2-5");
        let idle = [channel(&fetched, "Yes", "has read all relay log")];
        let at_work = [channel(&fetched, "Yes", "Reading event")];
        let stopped = [channel(&fetched, "No", "")];
        let less = format!("{A}:1-9");
        assert_eq!(check(&ours, &less, &idle), lost(&fetched, true));
        assert_eq!(check(&ours, &format!("{A}:1-9,{B}:1-5"), &idle), None);
        assert_eq!(check(&ours, &less, &at_work), lost(&fetched, false), "it may come yet");
        assert_eq!(check(&ours, &less, &stopped), None, "nobody knows");
        let also = format!("{A}:5-9");
        assert_eq!(check(&ours, &format!("{A}:1-4"), &stopped), lost(&also, true));
        assert!(check(&ours, &format!("{A}:1-4"), &at_work).is_some_and(|lost| lost.is_certain));
        assert_eq!(check(&ours, &format!("{A}:1-4"), &[]), lost(&also, true));
        assert_eq!(
            check(&ours, &format!("{A}:1-12"), &[]),
            None,
            "own transactions need not have arrived there"
        );
        assert_eq!(check(&format!("{ours},{C}:1"), &less, &[]), None, "of another channel");
    }
}
