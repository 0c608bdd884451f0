//! Points the channel at the new master, and checks that it runs.

use mmm_core::report;

use crate::attach::moving::{Move, Progress};
use crate::channel::{self, threads};
use crate::error::Error;
use crate::facts::{Facts, OldMaster, OldState};
use crate::plan::{Plan, Proof};
use crate::refusal::{Refusal, Unproved};
use crate::server::dialect::{Target, Threads};
use crate::status::{Channel, IoThread, Place};

impl Move<'_> {
    /// If the new master is a survivor: proves its tail, and lets the survivor apply that tail.
    pub(super) fn bring_in(&mut self, foreseen: Option<&Plan>) -> Result<(), Error> {
        if self.errand.is_none() {
            return Ok(());
        }
        let (facts, _) = self.observe()?;
        let (host, new) = (self.this_host.name.to_string(), self.new_host.name.to_string());
        let Some(plan) = foreseen else {
            let reason = "this host is still applying".into();
            return Err(Refusal::Unproved {
                host,
                new,
                cause: Unproved::StillApplies,
                reason,
                may_pass: true,
            }
            .into());
        };
        match &mut self.errand {
            Some(errand) => errand.bring_in(&mut self.new, &facts, plan),
            None => Ok(()),
        }
    }

    /// The rest of a dry run: what would be sent, and what can be asked without sending it. Without a plan, the
    /// position is the one at which the old master would be paused; its present position is shown.
    pub(super) fn rehearse(&mut self, foreseen: Option<&Plan>) -> Result<(), Error> {
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

    /// Asks the servers themselves what the proof assumes.
    pub(super) fn confirm(&mut self, plan: &Plan) -> Result<(), Error> {
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
        Err(Refusal::Unproved { host, new, cause: Unproved::Nothing, reason, may_pass: false }.into())
    }

    pub(super) fn tell(&self, plan: &Plan) {
        let (host, new) = (&self.this_host.name, &self.new_host.name);
        report::plan(format_args!("let {host} replicate from {new}, {}", plan.place), &plan.proof);
    }

    /// The replica continues from the last transaction that it has logged: the new master's log has nothing of what the
    /// replica has executed since. By GTID, a server that is asked for such a number refuses, or skips what comes next.
    /// By file and position, CHANGE MASTER itself sets the replica's position back, which would look as if something
    /// had been applied (measured on MariaDB 10.11). Before the replica continues from the old master, its position is
    /// set forward again: otherwise the old master would send once more what the replica has executed since. If this
    /// program is killed before that, the replica gets only what it drops. Planning refuses if a filter of its log left
    /// out something else.
    pub(super) fn forget_what_is_left_out(&mut self, facts: &Facts, plan: &Plan) -> Result<bool, Error> {
        let Proof::SameLogged { at, .. } = &plan.proof else { return Ok(false) };
        self.set_back_from = Some(facts.replica.applied_gtids.clone());
        self.begin(Progress::Stopped);
        let set = self.set_position(&at.to_string());
        if set.is_err() && self.replica.is_usable() {
            self.set_back_from = None;
        }
        set.map(|()| true)
    }

    /// Sets the replica's position forward again, before it continues from the old master.
    pub(super) fn set_forward(&mut self) -> Result<(), Error> {
        let Some(executed) = self.set_back_from.clone() else { return Ok(()) };
        self.set_position(&executed)?;
        self.set_back_from = None;
        Ok(())
    }

    pub(super) fn set_position(&mut self, gtids: &str) -> Result<(), Error> {
        let statement = self.replica.dialect().set_position(gtids);
        self.replica.execute(&statement)
    }

    pub(super) fn change_to_new(&mut self, channel: &Channel, place: &Place) -> Result<(), Error> {
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

    /// True if the channel has to ask the new master for its key, because the channel has neither TLS nor a stored key.
    pub(super) fn names_key(&self, channel: &Channel) -> bool {
        let servers = [self.new.dialect(), self.replica.dialect()];
        !channel.uses_tls
            && channel.key.pinned.is_empty()
            && servers.iter().all(|server| server.may_fetch_key())
    }

    pub(super) fn change(&mut self, target: &Target) -> Result<(), Error> {
        let (statement, shown) = self.replica.dialect().change(&self.channel, target);
        if !report::is_dry_run() {
            log::info!("{shown}");
        }
        self.replica.execute_as(&statement, &shown)
    }

    /// The last look before OK: both threads run, from the server that was meant.
    pub(super) fn see_it_run(&mut self) -> Result<(), Error> {
        let Progress::Changed { from, .. } = &self.progress else { return Ok(()) };
        let (host, new) = (self.replica.host().to_string(), self.new_host.name.to_string());
        let meant = from.new.server_id;
        let reason = match threads::until_running(self.replica, &self.channel)? {
            Ok(channel) if channel.source_server_id == meant => return Ok(()),
            Ok(channel) => format!("server id {} answers there, not {meant}", channel.source_server_id),
            Err(reason) if self.has_moved_and_lost_its_source()? => {
                log::warn!(
                    "{host} replicates from {new}, and has applied something of it; since then, {reason}"
                );
                return Ok(());
            }
            Err(reason) => reason,
        };
        Err(Refusal::DoesNotStart { host, new, reason, consequence: String::new() }.into())
    }

    /// True if the replica has applied something of the new master's, and the new master has then died or is
    /// unreachable. The move has succeeded: an error would let the agent believe that this host is still a slave of the
    /// old master, and it would not call again if the role goes back there.
    fn has_moved_and_lost_its_source(&mut self) -> Result<bool, Error> {
        let channel = channel::again(self.replica, &self.channel)?;
        let is_lost = channel.io == IoThread::Connecting && channel.has_lost_source() && channel.sql_running;
        Ok(is_lost && self.has_applied_something_new(&channel)?)
    }
}
