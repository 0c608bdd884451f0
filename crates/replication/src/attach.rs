//! Moves a replica's channel to a new master: the half that acts.
//!
//! Everything foreseeable is found before STOP SLAVE. After it, any failure puts the old source back and
//! starts the threads again, out of a part of the budget that nothing else may use. A helper that is killed
//! leaves one of three states (running, stopped on the old source, stopped on the new one), and the next
//! call starts from whichever it finds, because it believes nothing but what the servers have executed.

pub mod hold;
mod locate;
pub(crate) mod observe;
mod undo;

use std::cmp::Ordering;
use std::time::{Duration, Instant};

use mmm_core::config::Host;
use mmm_core::journal::step;
use mmm_core::progress::{self, Waiting};
use mmm_core::report;
use mmm_core::settings::{Limits, Settings, Survivors, TlsMode, TlsOptions};
use mmm_core::{Budget, interrupt, unfinished};

use crate::attach::hold::LastResort;
use crate::attach::observe::{Constants, Old};
use crate::binlog::by_content::own_log::notes_of_tail;
use crate::binlog::located::Located;
use crate::binlog::unfinished::note_of;
use crate::binlog::{end, pages};
use crate::channel::settling::Settling;
use crate::channel::{self, Chosen, awaited, liveness, threads};
use crate::error::Error;
use crate::facts::{Facts, OldMaster, OldState};
use crate::note;
use crate::plan::{Decision, Plan, Proof, Wanted, before_takeover, plan};
use crate::refusal::Refusal;
use crate::server::Server;
use crate::server::dialect::{Target, Threads};
use crate::status::{Channel, IoThread, Place};
use crate::survivors::errand::Errand;
use crate::survivors::share::{Share, whole_tail};

/// Pause between two looks while something is waited for.
const PAUSE: Duration = Duration::from_millis(10);

/// The servers of one move, and how far it has come.
struct Move<'a> {
    replica: &'a mut Server,
    this_host: &'a Host,
    old_host: &'a Host,
    new_host: &'a Host,
    channel: String,
    new: Server,
    old: Old,
    constants: Constants,
    settling: Settling,
    budget: Budget,
    /// Most time for one connection.
    connect: Duration,
    /// After how much silence an old master that lets nobody in counts as gone.
    silence: Duration,
    /// `attach.log_filters_agree`
    log_filters_agree: bool,
    tail: Tail,
    /// True where the replica must apply no more of what it fetched from an old master that has gone.
    is_held_back: bool,
    last_resort: LastResort<'a>,
    progress: Progress,
    /// The channel before anything was done to its threads.
    found: &'a Channel,
    /// `attach.patience`
    patience: Duration,
    /// When, within the call, waiting began.
    waits_since: Duration,
    /// How long the last look into the new master's log took.
    last_look: Duration,
    /// What the replica has executed by GTID, while its position is set back behind that.
    set_back_from: Option<String>,
    /// Where the new master is a survivor whose tail alone is wanted.
    errand: Option<Errand<'a>>,
}

/// What was seen, and whether the replica was applying meanwhile.
type Observed = (Facts, bool);

/// How long a closed new master is given, at the least, to come to where the replica has stopped.
const REST: Duration = Duration::from_millis(100);

/// True where a replica has fetched, and not applied, what a new master has not fetched: moved now, it would throw that
/// away. A new master that is open has all of the old one's log.
fn outruns(facts: &Facts) -> bool {
    let ours = &facts.replica.channel;
    let theirs = facts.new.channel.as_ref().and_then(|channel| channel.fetched.as_ref());
    facts.new.read_only
        && matches!(facts.old, OldMaster::Answers(_))
        && ours.fetched != ours.applied
        && ours
            .fetched
            .as_ref()
            .zip(theirs)
            .is_some_and(|(ours, theirs)| ours.compare(theirs) == Some(Ordering::Greater))
}

/// How long a replica must be seen to differ from the new master before it is called different for good.
const CONFIRMATION: Duration = Duration::from_millis(200);

/// A refusal for good that rests on what a replica has applied. Its position and its log are read one after the
/// other, and one of them was once seen (MariaDB 10.11, threads just started) to come later than the other.
#[derive(Default)]
struct Doubt(Option<(Refusal, Instant)>);

impl Doubt {
    /// True until the same refusal has come again and again for a while.
    fn is_fresh(&mut self, refusal: &Refusal) -> bool {
        if !refusal.rests_on_place() {
            return false;
        }
        match &self.0 {
            Some((earlier, since)) if earlier == refusal => since.elapsed() < CONFIRMATION,
            _ => {
                self.0 = Some((refusal.clone(), Instant::now()));
                true
            }
        }
    }
}

/// What only the replica has of the log of an old master that is unreachable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Tail {
    /// The new master does not take it over.
    GivenUp,
    /// The new master takes it over before it opens. Nobody has looked for any yet.
    ToBeJudged,
    /// As before, and it was looked for.
    Judged,
}

/// What has to be undone.
enum Progress {
    /// Nothing was changed.
    Untouched,
    /// Threads were stopped.
    Stopped,
    /// The channel was pointed at the new master, while the replica stood here.
    Changed { from: Box<Facts>, to: Place },
}

/// Moves the chosen channel of `replica` to `new_host`; a dry run goes as far as that changes nothing.
pub fn attach<'a>(
    replica: &'a mut Server,
    this_host: &'a Host,
    chosen: &'a Chosen,
    new_host: &'a Host,
    settings: &'a Settings,
    budget: Budget,
) -> Result<(), Error> {
    let limits = &settings.limits;
    let new = connect_new(&chosen.channel, new_host, limits, budget)?;
    let mut old = Old::connect(chosen.source, limits.connect, budget.part(75));
    replica.use_budget(budget.part(75));
    let silence = settings.allow_write.silence;
    old.judge(replica, &chosen.channel.name, chosen.source, silence, budget.part(60))?;
    if let Old::Failed(OldMaster::Silent { host, reason } | OldMaster::Unreadable { host, reason }) = &old {
        log::warn!("{host} does not answer: {reason}");
    }
    carry_out(replica, this_host, chosen, new_host, (new, old), None, settings, budget).0
}

/// Moves it to a survivor, to execute that one's log. `old` is silent. The errand comes back with what it has noted.
#[allow(clippy::too_many_arguments)]
pub fn borrow<'a>(
    replica: &'a mut Server,
    this_host: &'a Host,
    chosen: &'a Chosen,
    survivor: &'a Host,
    old: Old,
    errand: Errand<'a>,
    settings: &'a Settings,
    budget: Budget,
) -> (Result<(), Error>, Option<Errand<'a>>) {
    let new = match connect_new(&chosen.channel, survivor, &settings.limits, budget) {
        Ok(new) => new,
        Err(error) => return (Err(error), None),
    };
    replica.use_budget(budget.part(75));
    carry_out(replica, this_host, chosen, survivor, (new, old), Some(errand), settings, budget)
}

fn connect_new(channel: &Channel, host: &Host, limits: &Limits, budget: Budget) -> Result<Server, Error> {
    let new = Server::connect(host, limits.connect, budget.part(75))?;
    check_account(host, channel, limits, budget.part(75))?;
    Ok(new)
}

#[allow(clippy::too_many_arguments)]
fn carry_out<'a>(
    replica: &'a mut Server,
    this_host: &'a Host,
    chosen: &'a Chosen,
    new_host: &'a Host,
    (mut new, old): (Server, Old),
    errand: Option<Errand<'a>>,
    settings: &'a Settings,
    budget: Budget,
) -> (Result<(), Error>, Option<Errand<'a>>) {
    let limits = &settings.limits;
    let constants = match observe::constants(replica, &chosen.channel.name, &mut new) {
        Ok(constants) => constants,
        Err(error) => return (Err(error), None),
    };
    let mut moving = Move {
        replica,
        this_host,
        old_host: chosen.source,
        new_host,
        channel: chosen.channel.name.clone(),
        new,
        old,
        constants,
        settling: Settling::default(),
        budget,
        connect: limits.connect,
        silence: settings.allow_write.silence,
        log_filters_agree: settings.attach.log_filters_agree,
        tail: if settings.allow_write.survivors == Survivors::Off { Tail::GivenUp } else { Tail::ToBeJudged },
        is_held_back: false,
        last_resort: LastResort::new([this_host, chosen.source, new_host], settings, budget),
        progress: Progress::Untouched,
        found: &chosen.channel,
        patience: settings.attach.patience,
        waits_since: budget.elapsed(),
        last_look: Duration::ZERO,
        set_back_from: None,
        errand,
    };
    let moved = moving.carry_out();
    if moved.is_ok() {
        moving.progress = Progress::Untouched;
        unfinished::done();
        // Another method may have told the place.
        for searched in [new_host, this_host] {
            let notes = note_of(this_host, searched.name.as_str());
            note::remove(&notes);
            note::remove(&notes_of_tail(&notes));
        }
    }
    moving.last_resort.release();
    let moved = moved.map_err(|error| if report::is_dry_run() { error } else { moving.undo(error) });
    (moving.last_resort.report(moved), moving.errand.take())
}

/// Logs in to the new master as the channel will. Found out only by CHANGE MASTER, a wrong password would
/// already have replaced the one with which the channel could go back.
fn check_account(new_host: &Host, channel: &Channel, limits: &Limits, budget: Budget) -> Result<(), Error> {
    // Only the server has that, and the account may want it.
    if channel.has_certificate {
        return Ok(());
    }
    let tls = tls_of_trial(channel, &new_host.tls);
    // Without TLS, the client library would believe any key that is sent.
    if tls.mode < TlsMode::Required && !channel.key.pinned.is_empty() {
        return Ok(());
    }
    let account = Host { tls, ..new_host.as_replica() };
    match Server::connect(&account, limits.connect, budget) {
        Err(Error::Connect { user, cause, code: Some(_), .. }) => {
            Err(Refusal::AccountRefused { new: new_host.name.to_string(), user, reason: cause }.into())
        }
        // Whatever else it is, a way of logging in that only servers know, for instance, need not stop them.
        _ => Ok(()),
    }
}

/// The stricter of what the channel and the settings want of the new master, so that the password goes nowhere where
/// neither would send it. The certificate of the settings is the agent's, not the channel's.
fn tls_of_trial(channel: &Channel, settings: &TlsOptions) -> TlsOptions {
    let mode = match &channel.verified_by {
        _ if !channel.uses_tls => TlsMode::Off,
        None => TlsMode::Required,
        Some(_) => TlsMode::VerifyCa,
    };
    if mode > settings.mode {
        return TlsOptions { mode, ca: channel.verified_by.clone(), identity: None };
    }
    TlsOptions { identity: None, ..settings.clone() }
}

impl Move<'_> {
    fn carry_out(&mut self) -> Result<(), Error> {
        let first = self.prepare()?;
        let (foreseen, mut located) = self.settle(first)?;
        if let Some(foreseen) = &foreseen {
            log::info!("plan: {foreseen}");
        }
        if report::is_dry_run() {
            return self.rehearse(foreseen.as_ref());
        }
        self.bring_in(foreseen.as_ref())?;
        self.be_sure_of_another_look(&mut located)?;
        self.be_sure_of_time()?;
        self.begin(Progress::Stopped);
        step("stopped replication", || {
            if self.last_resort.is_holding() {
                threads::stop_at_once(self.replica, &self.channel, Threads::Both)
            } else {
                threads::stop(self.replica, &self.channel)
            }
        })?;
        self.use_budget(self.last_resort.limit(self.budget.part(95)));
        let located = self.if_unchanged(located)?;
        let (mut facts, plan) = self.decide(located)?;
        self.last_resort.release();
        // From here on it is as quick to go on as to go back.
        self.use_budget(self.budget.part(95).uninterrupted());
        if foreseen.as_ref() != Some(&plan) {
            log::info!("plan after the stop: {plan}");
        }
        self.confirm(&plan)?;
        self.tell(&plan);
        if self.forget_what_is_left_out(&facts, &plan)? {
            let now = self.replica.one(self.replica.dialect().applied_gtids())?;
            facts.replica.applied_gtids = now.text("gtids").into();
        }
        let channel = facts.replica.channel.clone();
        let changes_key = self.names_key(&channel);
        if let Some(errand) = &mut self.errand {
            errand.mark(&facts, &plan.place, changes_key)?;
        }
        self.begin(Progress::Changed { from: Box::new(facts), to: plan.place.clone() });
        step("changed master", || self.change_to_new(&channel, &plan.place))?;
        if let Some(errand) = &self.errand {
            let until = errand.until();
            let statement = match until {
                Some(end) => self.replica.dialect().start_until(&self.channel, Threads::Both, end),
                None => self.replica.dialect().start(&self.channel, Threads::Both),
            };
            return step("started replication", || self.replica.execute(&statement));
        }
        step("started replication", || threads::start(self.replica, &self.channel))?;
        self.see_it_run()
    }

    /// Where the new master is a survivor: proves its tail, and lets it apply that.
    fn bring_in(&mut self, foreseen: Option<&Plan>) -> Result<(), Error> {
        if self.errand.is_none() {
            return Ok(());
        }
        let (facts, _) = self.observe()?;
        let (host, new) = (self.this_host.name.to_string(), self.new_host.name.to_string());
        let Some(plan) = foreseen else {
            let reason = "this host does not stand still".into();
            return Err(Refusal::Unproved { host, new, reason, may_pass: true }.into());
        };
        match &mut self.errand {
            Some(errand) => errand.bring_in(&mut self.new, &facts, plan),
            None => Ok(()),
        }
    }

    /// The rest of a dry run: what would be sent, and what can be asked without it. Without a plan, the place is
    /// where the old master would be held, which is told as of now.
    fn rehearse(&mut self, foreseen: Option<&Plan>) -> Result<(), Error> {
        let (facts, _) = self.observe()?;
        let place = match (foreseen, &facts.old) {
            (Some(plan), _) => {
                self.confirm(plan)?;
                self.tell(plan);
                plan.place.clone()
            }
            (
                None,
                OldMaster::Answers(OldState { from_new: Some(Channel { applied: Some(at), .. }), .. }),
            ) => Place::Position(at.clone()),
            _ => return Ok(()),
        };
        threads::stop_at_once(self.replica, &self.channel, Threads::Both)?;
        self.last_resort.release();
        if let Some(plan) = foreseen {
            self.forget_what_is_left_out(&facts, plan)?;
        }
        self.change_to_new(&facts.replica.channel, &place)?;
        threads::start(self.replica, &self.channel)
    }

    /// The replica goes on from the last that it has logged: the new master's log knows none of what it has executed
    /// since. By GTID, a server that is asked for such a number refuses, or passes over what comes next; by file and
    /// position, it sets the replica's position back itself, which would look as if something had been applied
    /// (measured on MariaDB 10.11). Before it goes on from the old master, its position is set forward again: that would
    /// send it once more what it has executed since. Where nobody does that, because this program is killed, the replica
    /// gets only what it drops: what a filter of its log left out, planning sees to.
    fn forget_what_is_left_out(&mut self, facts: &Facts, plan: &Plan) -> Result<bool, Error> {
        let Proof::SameLogged { at, .. } = &plan.proof else { return Ok(false) };
        self.set_back_from = Some(facts.replica.applied_gtids.clone());
        self.begin(Progress::Stopped);
        let set = self.set_position(&at.to_string());
        if set.is_err() && self.replica.is_usable() {
            self.set_back_from = None;
        }
        set.map(|()| true)
    }

    /// Sets the replica's position forward again, before it goes on from the old master.
    fn set_forward(&mut self) -> Result<(), Error> {
        let Some(executed) = self.set_back_from.clone() else { return Ok(()) };
        self.set_position(&executed)?;
        self.set_back_from = None;
        Ok(())
    }

    fn set_position(&mut self, gtids: &str) -> Result<(), Error> {
        let statement = self.replica.dialect().set_position(gtids);
        self.replica.execute(&statement)
    }

    fn tell(&self, plan: &Plan) {
        let (host, new) = (&self.this_host.name, &self.new_host.name);
        report::plan(format_args!("let {host} replicate from {new}, {}", plan.place), &plan.proof);
    }

    fn change_to_new(&mut self, channel: &Channel, place: &Place) -> Result<(), Error> {
        let host = self.new_host;
        self.change(&Target {
            host: &host.ip,
            port: host.mysql_port,
            user: &host.replication_user,
            password: host.replication_password.expose(),
            heartbeat: &channel.heartbeat,
            fetches_key: self.names_key(channel).then_some(true),
            place,
        })
    }

    /// True where the channel has to ask the new master for its key, since it has neither TLS nor a key of its own.
    fn names_key(&self, channel: &Channel) -> bool {
        let servers = [self.new.dialect(), self.replica.dialect()];
        !channel.uses_tls
            && channel.key.pinned.is_empty()
            && servers.iter().all(|server| server.may_fetch_key())
    }

    /// Starts threads that a killed call left stopped, or holds back one that must not go on.
    fn prepare(&mut self) -> Result<Observed, Error> {
        let (facts, is_moving) = self.observe()?;
        self.leave_tail_to_new(&facts)?;
        let channel = &facts.replica.channel;
        let old_is_gone = matches!(facts.old, OldMaster::Silent { .. });
        // With the old master gone, the replica goes no further until it is judged: what it alone fetched would
        // put it ahead of the new master for ever (docs/ORDERS.md, A10). Its fetching thread goes on, because
        // by GTID a start of both would throw that backlog away.
        if old_is_gone && !channel.has_applied_all() {
            self.is_held_back = true;
            if channel.sql_running {
                log::warn!(
                    "{} is gone: what was fetched from it is applied no further for now",
                    self.old_host.name
                );
                self.begin(Progress::Stopped);
                let statement = self.replica.dialect().stop(&self.channel, Threads::Sql);
                self.replica.execute(&statement)?;
                return self.observe();
            }
            return Ok((facts, is_moving));
        }
        // All is applied, so a start would only begin another relay log and remove this one: after a start of the
        // server it may be all that tells what was executed.
        if old_is_gone {
            return Ok((facts, is_moving));
        }
        // An error that stopped a thread may have passed; if not, it shows again at once.
        if !channel.sql_running || channel.io == IoThread::No {
            log::info!("{}: {}", channel.title(), channel.what_is_wrong());
            step("started replication from the old master", || threads::start(self.replica, &self.channel))?;
            return self.observe();
        }
        if matches!(facts.old, OldMaster::Answers(_))
            && liveness::is_missed(self.replica, channel, self.old_host)?
        {
            step("connected to the old master again", || threads::fetch_again(self.replica, channel))?;
            return self.observe();
        }
        Ok((facts, is_moving))
    }

    /// Refuses where this replica has fetched more of a dead master's log than a new master that is still closed, which
    /// will take that over from it: moved now, it would throw that away. Nothing is stopped meanwhile.
    fn leave_tail_to_new(&mut self, facts: &Facts) -> Result<(), Error> {
        let OldMaster::Silent { host: old, .. } = &facts.old else { return Ok(()) };
        let (replica, new) = (&facts.replica, &facts.new);
        if self.tail == Tail::GivenUp {
            return Ok(());
        }
        self.tail = Tail::Judged;
        if self.errand.is_some() || !replica.logs_updates {
            return Ok(());
        }
        let Some(theirs) = &new.channel else {
            // It may be at another slave just now, to take over from that.
            let elsewhere = channel::all(&mut self.new)?.into_iter().next();
            let is_other = |channel: &Channel| {
                new.read_only
                    && (&channel.source_host, channel.source_port)
                        != (&self.this_host.ip, self.this_host.mysql_port)
            };
            let Some(elsewhere) = elsewhere.filter(is_other) else { return Ok(()) };
            let (host, new) = (replica.host.clone(), new.host.clone());
            let more =
                format!("fetched the log of {old} to {}", Refusal::place(replica.channel.fetched.as_ref()));
            let known = format!("replicates from {} for now", elsewhere.source());
            return Err(Refusal::NotTakenOverYet { host, new, more, known }.into());
        };
        // What a new master has only half of, it has not.
        let has_new = Share::up_to(&mut self.new, theirs, theirs.has_half())?;
        let name = self.channel.clone();
        let read = |server: &mut Server| channel::again(server, &name).map(Some);
        let tail = whole_tail(&has_new, self.replica, &replica.channel.source_uuid, read)?;
        let Some(tail) = tail else { return Ok(()) };
        if replica.channel.fetched == replica.channel.applied {
            // Planning judges what it has executed.
            return Ok(());
        }
        if !new.read_only {
            log::warn!(
                "{} takes writes already; {tail} that only {} has fetched are given up",
                new.host,
                replica.host
            );
            return Ok(());
        }
        let more =
            format!("{tail} of {old} (fetched to {})", Refusal::place(replica.channel.fetched.as_ref()));
        let known = format!("has fetched to {}", Refusal::place(theirs.fetched.as_ref()));
        let (host, new) = (replica.host.clone(), new.host.clone());
        Err(Refusal::NotTakenOverYet { host, new, more, known }.into())
    }

    /// Looks and plans until a plan holds, within the share of the budget that is for waiting.
    ///
    /// `None`: the replica does not stand still long enough to be judged; it is judged after the stop. With the plan
    /// comes what was found for it in the new master's log. A dry run judges it as it is; there, `None` says that the
    /// old master would be held.
    fn settle(&mut self, first: Observed) -> Result<(Option<Plan>, Option<Located>), Error> {
        let mut located = None;
        let mut doubt = Doubt::default();
        let (mut facts, mut is_moving) = first;
        let mut face = self.face();
        loop {
            let patience = self.patience(&facts, self.budget.part(55));
            // A search is for later, too: clients wait.
            if self.is_waited_for(&facts)
                && !report::is_dry_run()
                && (is_moving || self.applies(&facts)? || outruns(&facts))
            {
                match plan(&facts, located.as_ref()) {
                    Err(refusal)
                        if !matches!(refusal, Refusal::Unproved { .. })
                            && !refusal.rests_on_place()
                            && (!refusal.may_pass() || patience.is_spent()) =>
                    {
                        return Err(self.in_words(&facts, refusal));
                    }
                    _ if patience.is_spent() => return Err(self.too_early(&facts)),
                    _ => {}
                }
                awaited::show(&mut face, &facts, None);
                patience.pause(PAUSE);
                (facts, is_moving) = self.observe_again()?;
                continue;
            }
            let considered = self.consider(&facts, &mut located)?;
            match considered {
                // Position and log of a replica that applies meanwhile may not belong together.
                _ if is_moving
                    && considered.as_ref().err().is_none_or(Refusal::rests_on_place)
                    && !(report::is_dry_run() && patience.is_spent() && considered.is_ok()) =>
                {
                    if patience.is_spent() {
                        // Stopped for such a refusal, it would only be started again.
                        let may_pass = matches!(considered, Err(Refusal::NotInLog { .. }));
                        let is_early = may_pass || report::is_dry_run();
                        return if is_early { Err(self.too_early(&facts)) } else { Ok((None, located)) };
                    }
                    awaited::show(&mut face, &facts, None);
                }
                Ok(_) if outruns(&facts) => {
                    if patience.is_spent() {
                        return Err(self.too_early(&facts));
                    }
                    awaited::show(&mut face, &facts, None);
                }
                Err(_) if self.last_resort.is_planned() => return Ok((None, None)),
                Ok(plan) => return Ok((Some(plan), located)),
                // The position of a parallel applier is told sooner by stopping it.
                Err(refusal)
                    if refusal.may_pass()
                        && self.last_resort.is_reached(&facts)
                        && !threads::are_workers_busy(self.replica, &facts.replica.channel)? =>
                {
                    return Ok((None, None));
                }
                Err(refusal) if refusal.may_pass() && !patience.is_spent() => {
                    log::debug!("waiting: {refusal}");
                    awaited::show(&mut face, &facts, Some(&refusal));
                }
                Err(refusal) if doubt.is_fresh(&refusal) && !patience.is_spent() => {
                    log::debug!("looked at again: {refusal}");
                }
                Err(refusal) => return Err(self.in_words(&facts, refusal)),
            }
            patience.pause(PAUSE);
            (facts, is_moving) = self.observe_again()?;
        }
    }

    /// Where the old master has fallen silent meanwhile, what only the replica has of its log is judged as at the beginning.
    fn observe_again(&mut self) -> Result<Observed, Error> {
        let observed = self.observe()?;
        let is_silent = matches!(observed.0.old, OldMaster::Silent { .. });
        if is_silent && self.tail == Tail::ToBeJudged { self.prepare() } else { Ok(observed) }
    }

    /// True while the replica applies what it fetched. What it delays rests.
    fn applies(&mut self, facts: &Facts) -> Result<bool, Error> {
        let channel = &facts.replica.channel;
        if !channel.sql_running || channel.delay > 0 || channel.fetched == channel.applied {
            return Ok(false);
        }
        Ok(!channel.has_applied_all() || threads::are_workers_busy(self.replica, channel)?)
    }

    /// Refuses where what is left of the call may not do for giving up half a transaction, as that of an old master that is
    /// cut off: for a STOP that comes before, MySQL waits a minute, and then stands still.
    fn be_sure_of_time(&mut self) -> Result<(), Error> {
        if self.last_resort.is_holding() {
            return Ok(());
        }
        if self.budget.part(62).is_spent() && channel::again(self.replica, &self.channel)?.has_half() {
            let (host, new) = (self.this_host.name.to_string(), self.new_host.name.to_string());
            return Err(Refusal::NoTimeLeft { host, new, waited: self.budget.elapsed() }.into());
        }
        self.use_budget(self.budget.part(87));
        Ok(())
    }

    /// Refuses where a look into the new master's log, needed again if the replica goes on until it has stopped, would
    /// not end in time. One that took much of the call is tried from where it ended, which is all that is then left.
    fn be_sure_of_another_look(&mut self, located: &mut Option<Located>) -> Result<(), Error> {
        let left = |moving: &Self| moving.budget.part(75).share(Duration::MAX);
        if self.last_look < left(self) / 2 {
            return Ok(());
        }
        // It is made anew in any case, and takes as long again.
        if let Some(Located::Logged { at, .. }) = &located {
            return if self.last_look < left(self) {
                Ok(())
            } else {
                Err(pages::too_long(self.new.host(), &at.to_string()))
            };
        }
        let (facts, is_moving) = self.observe()?;
        let channel = &facts.replica.channel;
        // What a replica has applied to the end goes on only with the log of the old master.
        let rests = match &facts.old {
            OldMaster::Silent { .. } => true,
            OldMaster::Answers(old) => old.rests,
            OldMaster::Unreadable { .. } => facts.quiet,
        };
        if !is_moving && (!channel.sql_running || channel.fetched == channel.applied && rests) {
            return Ok(());
        }
        let (wanted, what) = match &located {
            Some(Located::Found { at, looked_back: false, .. }) => {
                (Wanted::Position(at.clone()), at.to_string())
            }
            Some(Located::Found { at, .. }) => (Wanted::History(at.clone()), at.to_string()),
            Some(Located::Prefix { of, .. }) => (Wanted::Set(of.clone()), "the replica's place".into()),
            _ => return Ok(()),
        };
        let before = Instant::now();
        *located = Some(self.locate(&facts, &wanted, located.as_ref())?);
        if before.elapsed() < left(self) {
            return Ok(());
        }
        Err(pages::too_long(self.new.host(), &what))
    }

    /// What was found before the stop. Another search can take seconds. Planning takes it for what it is: where the
    /// replica stood when it was found; by contents, that shows in the replica's own log.
    fn if_unchanged(&mut self, located: Option<Located>) -> Result<Option<Located>, Error> {
        let Some(Located::Groups { log_of_replica, .. }) = &located else {
            // What comes next may have come meanwhile, and is looked for in a moment.
            return Ok(located.filter(|found| !matches!(found, Located::Logged { .. })));
        };
        let Some(before) = log_of_replica else { return Ok(None) };
        let is_unchanged = end::log_end(self.replica)?.as_ref() == Some(before);
        Ok(located.filter(|_| is_unchanged))
    }

    /// Plans on the replica at rest, waiting a little longer for the new master if it must be.
    fn decide(&mut self, mut located: Option<Located>) -> Result<(Facts, Plan), Error> {
        let otherwise = self.budget.part(75);
        // However long it took until here, the new master gets a moment to come to where the replica stopped.
        let since = self.budget.elapsed().saturating_sub(self.patience.saturating_sub(REST));
        self.waits_since = self.waits_since.max(since);
        let mut doubt = Doubt::default();
        let mut face = self.face();
        loop {
            let (facts, _) = self.observe()?;
            if self.tail == Tail::ToBeJudged {
                self.leave_tail_to_new(&facts)?;
            }
            let considered = self.consider(&facts, &mut located)?;
            let patience = self.patience(&facts, otherwise);
            match considered {
                Ok(plan) => return Ok((facts, plan)),
                Err(refusal) if (refusal.may_pass() || doubt.is_fresh(&refusal)) && patience.pause(PAUSE) => {
                    awaited::show(&mut face, &facts, Some(&refusal));
                }
                Err(refusal) => return Err(self.in_words(&facts, refusal)),
            }
        }
    }

    /// True where clients wait for this call.
    fn is_waited_for(&self, facts: &Facts) -> bool {
        facts.new.read_only && self.errand.is_none() && self.patience < Duration::MAX
    }

    fn too_early(&self, facts: &Facts) -> Error {
        let (old, new) = (&self.old_host.name, &self.new_host.name);
        if outruns(facts) {
            let reason = format!("it has fetched more of the log of {old} than {new}, and not applied it");
            return self.not_yet(&reason);
        }
        let closed =
            if self.is_waited_for(facts) { format!(" while {new} is closed") } else { String::new() };
        self.not_yet(&format!("it still applies what it fetched, and is not waited for{closed}"))
    }

    fn not_yet(&self, reason: &str) -> Error {
        let (host, new) = (self.this_host.name.to_string(), self.new_host.name.to_string());
        Refusal::Unproved { host, new, reason: format!("{reason}; ask again"), may_pass: true }.into()
    }

    /// The time for waiting. While the new master is closed, clients wait for this call: agents are called one after
    /// another, and the new master's comes later. What that does not prove the next call does.
    fn patience(&self, facts: &Facts, otherwise: Budget) -> Budget {
        let patience = self.last_resort.patience(otherwise);
        let is_free = !self.is_waited_for(facts) || self.last_resort.is_holding();
        let until = self.waits_since.saturating_add(self.patience);
        if is_free || patience.limit().is_some_and(|limit| limit <= until) {
            return patience;
        }
        patience.relimited(until)
    }

    /// A refusal as the operator of a new master reads it that takes over what only others have.
    fn in_words(&self, facts: &Facts, refusal: Refusal) -> Error {
        let takes_over = self.tail != Tail::GivenUp && self.errand.is_none();
        if takes_over { before_takeover(facts, refusal).into() } else { refusal.into() }
    }

    fn face(&self) -> Waiting {
        progress::waiting(format!("moving {} to {}", self.this_host.name, self.new_host.name))
    }

    /// Plans on one observation, looking into the new master's log where that is needed. `located` is what the
    /// last look found, which holds as long as the replica stands where it stood.
    fn consider(
        &mut self,
        facts: &Facts,
        located: &mut Option<Located>,
    ) -> Result<Result<Plan, Refusal>, Error> {
        loop {
            if interrupt::is_requested() {
                return Err(Refusal::Interrupted { state: "nothing was decided".into() }.into());
            }
            match plan(facts, located.as_ref()) {
                Ok(Decision::Attach(plan)) => return Ok(Ok(plan)),
                Ok(Decision::Locate(wanted)) => {
                    let before = Instant::now();
                    *located = Some(self.locate(facts, &wanted, located.as_ref())?);
                    self.last_look = before.elapsed();
                }
                Ok(Decision::Hold(refusal)) => {
                    let refusal = self.last_resort.approach(facts, refusal)?;
                    self.use_budget(self.last_resort.limit(self.budget.part(75)));
                    return Ok(Err(refusal));
                }
                Err(refusal) => return Ok(Err(refusal)),
            }
        }
    }

    /// Lets all three connections use this budget from now on.
    fn use_budget(&mut self, budget: Budget) {
        self.replica.use_budget(budget);
        self.new.use_budget(budget);
        if let Old::Connected(old) = &mut self.old {
            old.use_budget(budget);
        }
    }

    fn observe(&mut self) -> Result<Observed, Error> {
        let mut has_tried_again = false;
        let mut observed = loop {
            let was_connected = matches!(self.old, Old::Connected(_));
            let observed = observe::observe(
                self.replica,
                &self.channel,
                &mut self.new,
                &mut self.old,
                &self.constants,
                &mut self.settling,
            )?;
            if !was_connected || matches!(self.old, Old::Connected(_)) {
                break observed;
            }
            // Its own mysql_deny_write ends sessions, ours among them.
            let budget = self.replica.budget();
            if !has_tried_again && matches!(self.old, Old::Broke(_)) {
                self.old = Old::connect(self.old_host, self.connect, budget);
                has_tried_again = true;
            }
            let patience = self.budget.part(70);
            self.old.judge(self.replica, &self.channel, self.old_host, self.silence, patience)?;
        };
        self.last_resort.note(&mut observed.0);
        observed.0.log_filters_agree = self.log_filters_agree;
        if self.errand.is_some() {
            // The sessions of a dead master that had them are gone with it.
            observed.0.replica.temporary_tables = 0;
        }
        observed.0.report();
        log::trace!("observed: {observed:?}");
        Ok(observed)
    }

    /// Asks the servers themselves what the proof takes for granted.
    fn confirm(&mut self, plan: &Plan) -> Result<(), Error> {
        let executed = match &plan.proof {
            Proof::SameSet { executed } => executed,
            Proof::SameAsOld { old_end, .. } => return self.last_resort.confirm(&mut self.old, old_end),
            _ => return Ok(()),
        };
        let set = self.new.quoted(&executed.to_string());
        let answer = self.new.one(&format!("SELECT GTID_SUBSET({set}, @@GLOBAL.gtid_executed)"))?;
        if answer.at(0) == Some("1") {
            return Ok(());
        }
        let reason = "it does not confirm that it has executed all that the replica has".into();
        let (host, new) = (self.replica.host().to_string(), self.new.host().to_string());
        Err(Refusal::Unproved { host, new, reason, may_pass: false }.into())
    }

    fn change(&mut self, target: &Target) -> Result<(), Error> {
        let (statement, shown) = self.replica.dialect().change(&self.channel, target);
        if !report::is_dry_run() {
            log::info!("{shown}");
        }
        self.replica.execute_as(&statement, &shown)
    }

    /// The last look before OK: both threads run, from the server that was meant.
    fn see_it_run(&mut self) -> Result<(), Error> {
        let Progress::Changed { from, .. } = &self.progress else { return Ok(()) };
        let (host, new) = (self.replica.host().to_string(), self.new_host.name.to_string());
        let meant = from.new.server_id;
        let reason = match threads::until_running(self.replica, &self.channel)? {
            Ok(channel) if channel.source_server_id == meant => return Ok(()),
            Ok(channel) => format!("server id {} answers there, not {meant}", channel.source_server_id),
            Err(reason) => reason,
        };
        Err(Refusal::DoesNotStart { host, new, reason, consequence: String::new() }.into())
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;
    use crate::record::Record;

    #[test]
    fn an_account_is_tried_as_the_stricter_of_channel_and_settings_wants_it() {
        let channel = |tls, verify| {
            Channel::from_record(Record::from_iter([
                ("Master_SSL_Allowed", tls),
                ("Master_SSL_Verify_Server_Cert", verify),
                ("Master_SSL_CA_File", "/channel.pem"),
            ]))
        };
        let identity = Some((PathBuf::from("/cert.pem"), PathBuf::from("/key.pem")));
        for (tls, verify, settings, tried) in [
            ("No", "No", TlsMode::Off, (TlsMode::Off, "/settings.pem")),
            ("No", "Yes", TlsMode::Preferred, (TlsMode::Preferred, "/settings.pem")),
            ("Yes", "No", TlsMode::Off, (TlsMode::Required, "")),
            ("Yes", "No", TlsMode::Preferred, (TlsMode::Required, "")),
            ("No", "No", TlsMode::VerifyIdentity, (TlsMode::VerifyIdentity, "/settings.pem")),
            ("Yes", "Yes", TlsMode::Required, (TlsMode::VerifyCa, "/channel.pem")),
            ("Yes", "Yes", TlsMode::VerifyCa, (TlsMode::VerifyCa, "/settings.pem")),
        ] {
            let options =
                TlsOptions { mode: settings, ca: Some("/settings.pem".into()), identity: identity.clone() };
            let options = tls_of_trial(&channel(tls, verify), &options);
            let ca = options.ca.unwrap_or_default();
            assert_eq!((options.mode, ca.to_str().unwrap()), tried, "{tls} {verify} {settings:?}");
            assert_eq!(options.identity, None);
        }
    }
}
