//! One move, and its steps in their order.

use std::time::Duration;

use mmm_core::config::Host;
use mmm_core::journal::step;
use mmm_core::mutant::takes_out;
use mmm_core::{Budget, report};

use crate::attach::hold::LastResort;
use crate::attach::observe::{self, Constants, Old, PlaceTold};
use crate::attach::shares::{JUDGING_AGAIN, MOVING};
use crate::binlog::located::Located;
use crate::channel::settling::Settling;
use crate::channel::threads;
use crate::error::Error;
use crate::facts::Facts;
use crate::plan::Plan;
use crate::server::Server;
use crate::server::dialect::Threads;
use crate::status::{Channel, Place};
use crate::survivors::errand::Errand;

/// The servers of one move, and how far it has come.
pub(super) struct Move<'a> {
    pub(super) replica: &'a mut Server,
    pub(super) this_host: &'a Host,
    pub(super) old_host: &'a Host,
    pub(super) new_host: &'a Host,
    pub(super) channel: String,
    pub(super) new: Server,
    pub(super) old: Old,
    pub(super) constants: Constants,
    pub(super) settling: Settling,
    pub(super) told: PlaceTold,
    pub(super) budget: Budget,
    /// The maximum time for one connection.
    pub(super) connect: Duration,
    /// After how much silence an old master that lets nobody in counts as dead.
    pub(super) silence: Duration,
    /// `attach.log_filters_agree`
    pub(super) log_filters_agree: bool,
    pub(super) tail: Tail,
    /// True if the replica must apply no more of what it fetched from a dead old master.
    pub(super) is_held_back: bool,
    /// The old master does not send what this replica, which was found stopped, has only fetched; why.
    pub(super) does_not_send: Option<String>,
    pub(super) last_resort: LastResort<'a>,
    pub(super) progress: Progress,
    /// The channel before anything was done to its threads.
    pub(super) found: &'a Channel,
    /// `attach.patience`
    pub(super) patience: Duration,
    /// When, within the call, waiting began.
    pub(super) waits_since: Duration,
    /// How long the last search of the new master's log took.
    pub(super) last_look: Duration,
    /// What the replica has executed by GTID, while its position is set back to before that.
    pub(super) set_back_from: Option<String>,
    /// The errand, if the new master is a survivor of which only the tail is wanted.
    pub(super) errand: Option<Errand<'a>>,
}

/// What was seen, and whether the replica was applying meanwhile.
pub(super) type Observed = (Facts, bool);

/// The result of observing and planning before anything is stopped, with what was found in the new master's log.
pub(super) enum Settled {
    /// This plan holds.
    Planned(Plan, Option<Located>),
    /// The replica is never idle long enough to be judged: it is judged after the stop.
    Moving(Option<Located>),
    /// The replica has been given all that the paused old master logged, and shows its position once it is stopped.
    Reached,
    /// A dry run: the old master's SQL thread would be paused.
    WouldHold,
}

/// What only the replica has of the log of an old master that is unreachable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tail {
    /// The new master does not take it over.
    GivenUp,
    /// The new master takes it over before it opens. Nobody has looked for it yet.
    ToBeJudged,
    /// As before, and it was looked for.
    Judged,
}

/// What has to be undone.
pub(super) enum Progress {
    /// Nothing was changed.
    Untouched,
    /// Threads were stopped.
    Stopped,
    /// The channel was pointed at the new master, while the replica stood here.
    Changed { from: Box<Facts>, to: Place },
}

impl Move<'_> {
    /// The move. If a step after the stop fails, the caller undoes what was done.
    pub(super) fn carry_out(&mut self) -> Result<(), Error> {
        let (foreseen, located) = self.foresee()?;
        if report::is_dry_run() {
            return self.rehearse(foreseen.as_ref());
        }
        let located = self.stop(foreseen.as_ref(), located)?;
        let (facts, plan) = match foreseen.clone() {
            Some(plan) if takes_out("second-look") => (self.observe()?.0, plan),
            _ => self.decide(located)?,
        };
        self.make_certain(foreseen.as_ref(), &plan)?;
        self.point_at_new(facts, &plan)?;
        self.start()?;
        // Who takes over what a survivor has sees to it itself.
        if self.errand.is_some() { Ok(()) } else { self.see_it_run() }
    }

    /// Looks and plans while the replica still replicates. No plan: it is judged after the stop.
    fn foresee(&mut self) -> Result<(Option<Plan>, Option<Located>), Error> {
        let first = self.prepare()?;
        let first = self.wait_for_what_is_shown(first)?;
        let (foreseen, located) = match self.settle(first)? {
            Settled::Planned(plan, located) => (Some(plan), located),
            Settled::Moving(located) => (None, located),
            Settled::Reached | Settled::WouldHold => (None, None),
        };
        if let Some(foreseen) = &foreseen {
            log::info!("plan: {foreseen}");
        }
        Ok((foreseen, located))
    }

    /// Stops both threads, once it is certain that the rest of the call will do. Returns what counts behind the stop of
    /// what was found before.
    fn stop(
        &mut self,
        foreseen: Option<&Plan>,
        mut located: Option<Located>,
    ) -> Result<Option<Located>, Error> {
        self.bring_in(foreseen)?;
        self.be_sure_of_another_look(&mut located)?;
        self.be_sure_of_the_rest()?;
        self.be_sure_of_time()?;
        self.begin(Progress::Stopped);
        step("stopped replication", || {
            if self.last_resort.is_holding() {
                threads::stop_at_once(self.replica, &self.channel, Threads::Both)
            } else {
                threads::stop(self.replica, &self.channel)
            }
        })?;
        self.use_budget(self.last_resort.limit(self.budget.part(MOVING)));
        self.if_unchanged(located)
    }

    /// Asks the servers themselves what the plan takes for granted.
    fn make_certain(&mut self, foreseen: Option<&Plan>, plan: &Plan) -> Result<(), Error> {
        self.last_resort.release();
        // From here on, finishing is as quick as going back.
        self.use_budget(self.budget.part(MOVING).uninterrupted());
        if foreseen != Some(plan) {
            log::info!("plan after the stop: {plan}");
        }
        self.confirm(plan)?;
        self.tell(plan);
        Ok(())
    }

    /// Points the channel at the new master.
    fn point_at_new(&mut self, mut facts: Facts, plan: &Plan) -> Result<(), Error> {
        if self.forget_what_is_left_out(&facts, plan)? {
            let now = self.replica.one(self.replica.dialect().applied_gtids())?;
            facts.replica.applied_gtids = now.text("gtids").into();
        }
        let channel = facts.replica.channel.clone();
        let changes_key = self.names_key(&channel);
        if let Some(errand) = &mut self.errand {
            errand.mark(&facts, &plan.place, changes_key)?;
        }
        self.begin(Progress::Changed { from: Box::new(facts), to: plan.place.clone() });
        step("changed master", || self.change_to_new(&channel, &plan.place))
    }

    /// Starts both threads; on an errand, up to its end.
    fn start(&mut self) -> Result<(), Error> {
        let until = self.errand.as_ref().and_then(Errand::until);
        step("started replication", || match until {
            Some(end) => {
                let statement = self.replica.dialect().start_until(&self.channel, Threads::Both, end);
                self.replica.execute(&statement)
            }
            None => threads::start(self.replica, &self.channel),
        })
    }

    /// Lets all three connections use this budget from now on.
    pub(super) fn use_budget(&mut self, budget: Budget) {
        self.replica.use_budget(budget);
        self.new.use_budget(budget);
        if let Old::Connected(old) = &mut self.old {
            old.use_budget(budget);
        }
    }

    pub(super) fn observe(&mut self) -> Result<Observed, Error> {
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
                &mut self.told,
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
            let patience = self.budget.part(JUDGING_AGAIN);
            self.old.judge(self.replica, &self.channel, self.old_host, self.silence, patience)?;
        };
        self.last_resort.note(&mut observed.0);
        observed.0.log_filters_agree = self.log_filters_agree;
        if self.errand.is_some() {
            // The sessions of a dead master that had them have ended with it.
            observed.0.replica.temporary_tables = 0;
        }
        observed.0.report();
        log::trace!("observed: {observed:?}");
        Ok(observed)
    }
}
