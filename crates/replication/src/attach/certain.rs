//! What must be sure before anything is stopped: that the rest of the call will do.

use std::time::{Duration, Instant};

use crate::attach::moving::Move;
use crate::attach::shares::{GIVING_UP_HALF, LOOKING, STOPPING};
use crate::binlog::located::Located;
use crate::binlog::{end, pages};
use crate::channel::{self, threads};
use crate::error::Error;
use crate::facts::OldMaster;
use crate::plan::Wanted;
use crate::refusal::Refusal;

impl Move<'_> {
    /// Refuses while the replica is being sent the rest of a transaction, and does not have it soon: the new master may
    /// be closed, and nobody waits for that.
    pub(super) fn be_sure_of_the_rest(&mut self) -> Result<(), Error> {
        if self.last_resort.is_holding() {
            return Ok(());
        }
        let most = self.budget.part(GIVING_UP_HALF).share(self.patience);
        if threads::await_rest(self.replica, &self.channel, most)? {
            return Ok(());
        }
        Err(self.not_yet("it is being sent a transaction, and is not waited for"))
    }

    /// Refuses if what is left of the call may not do for giving up half a transaction, as that of an old master that is
    /// cut off: for a STOP that comes before, MySQL waits a minute, and then stands still.
    pub(super) fn be_sure_of_time(&mut self) -> Result<(), Error> {
        if self.last_resort.is_holding() {
            return Ok(());
        }
        if self.budget.part(GIVING_UP_HALF).is_spent()
            && channel::again(self.replica, &self.channel)?.has_half()
        {
            let (host, new) = (self.this_host.name.to_string(), self.new_host.name.to_string());
            return Err(Refusal::NoTimeLeft { host, new, waited: self.budget.elapsed() }.into());
        }
        self.use_budget(self.budget.part(STOPPING));
        Ok(())
    }

    /// Refuses if a look into the new master's log, needed again if the replica goes on until it has stopped, would
    /// not end in time. One that took much of the call is tried from where it ended, which is all that is then left.
    pub(super) fn be_sure_of_another_look(&mut self, located: &mut Option<Located>) -> Result<(), Error> {
        let left = |moving: &Self| moving.budget.part(LOOKING).share(Duration::MAX);
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
            Some(Located::Prefix { of, .. }) => (Wanted::Set(of.clone()), "the replica's position".into()),
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
    pub(super) fn if_unchanged(&mut self, located: Option<Located>) -> Result<Option<Located>, Error> {
        let Some(Located::Groups { log_of_replica, .. }) = &located else {
            // What comes next may have come meanwhile, and is looked for in a moment.
            return Ok(located.filter(|found| !matches!(found, Located::Logged { .. })));
        };
        let Some(before) = log_of_replica else { return Ok(None) };
        let is_unchanged = end::log_end(self.replica)?.as_ref() == Some(before);
        Ok(located.filter(|_| is_unchanged))
    }
}
