//! What must be certain before anything is stopped: that the time left of the call is enough.

use std::time::{Duration, Instant};

use crate::attach::moving::Move;
use crate::attach::shares::{GIVING_UP_HALF, LOOKING, STOPPING};
use crate::binlog::located::Located;
use crate::binlog::{end, pages};
use crate::channel::threads;
use crate::error::Error;
use crate::facts::OldMaster;
use crate::plan::Wanted;
use crate::refusal::Refusal;

impl Move<'_> {
    /// Refuses while the replica receives the rest of a transaction, unless it has the rest soon: while the new master
    /// is closed, clients wait.
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

    /// Refuses if the time left of the call may be too short to give up half a transaction, such as that of an old
    /// master that is cut off. If STOP is sent before the half is given up, MySQL waits a minute.
    pub(super) fn be_sure_of_time(&mut self) -> Result<(), Error> {
        if self.last_resort.is_holding() {
            return Ok(());
        }
        if self.budget.part(GIVING_UP_HALF).is_spent()
            && threads::has_half_to_give_up(self.replica, &self.channel)?
        {
            let (host, new) = (self.this_host.name.to_string(), self.new_host.name.to_string());
            return Err(Refusal::NoTimeLeft { host, new, waited: self.budget.elapsed() }.into());
        }
        self.use_budget(self.budget.part(STOPPING));
        Ok(())
    }

    /// Refuses if another search of the new master's log would not end in time. It is needed if the replica still
    /// applies something until it has stopped. If the first search took much of the call, the next one continues from
    /// where that ended, and only has to read the rest.
    pub(super) fn be_sure_of_another_look(&mut self, located: &mut Option<Located>) -> Result<(), Error> {
        let left = |moving: &Self| moving.budget.part(LOOKING).share(Duration::MAX);
        if self.last_look < left(self) / 2 {
            return Ok(());
        }
        // This search begins anew in any case, and takes as long again.
        if let Some(Located::Logged { at, .. }) = &located {
            return if self.last_look < left(self) {
                Ok(())
            } else {
                Err(pages::too_long(self.new.host(), &at.to_string()))
            };
        }
        let (facts, is_moving) = self.observe()?;
        let channel = &facts.replica.channel;
        // A replica that has applied everything can only get more from the log of the old master.
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

    /// What was found before the stop. Another search can take seconds. Planning knows that it describes the replica's
    /// position at that time; in a search by contents, the replica's own log shows that position.
    pub(super) fn if_unchanged(&mut self, located: Option<Located>) -> Result<Option<Located>, Error> {
        let Some(Located::Groups { log_of_replica, .. }) = &located else {
            // The next transaction may have come meanwhile, and is looked for in a moment.
            return Ok(located.filter(|found| !matches!(found, Located::Logged { .. })));
        };
        let Some(before) = log_of_replica else { return Ok(None) };
        let is_unchanged = end::log_end(self.replica)?.as_ref() == Some(before);
        Ok(located.filter(|_| is_unchanged))
    }
}
