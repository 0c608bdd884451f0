//! Random histories: a place is exact or refused.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;
use crate::binlog::by_gtid::scan::{Scope, locate_in};
use crate::binlog::by_set;

/// One step of a random history.
#[derive(Clone, Copy, Debug)]
enum Step {
    OldWrites,
    /// What new master and replica both leave out, if they have filters.
    OldWritesLeftOut,
    NewWrites,
    NewApplies,
    /// Without logging it.
    NewForgets,
    /// `RESET MASTER`, before it has written anything itself: like a server that is rebuilt.
    NewLogBegins,
    OldApplies,
    ReplicaApplies,
}

/// Two masters (servers 1 and 2) and a replica of the first, as logs of groups in one domain.
#[derive(Default, Debug)]
struct History {
    old: Vec<Gtid>,
    new: Vec<Gtid>,
    /// How far each has read the log it follows.
    old_has_read: usize,
    new_has_read: usize,
    replica_has_read: usize,
    /// What the new master has executed and its log does not hold.
    forgotten: Vec<Gtid>,
    /// What new master and replica leave out.
    left_out: BTreeSet<Gtid>,
    /// How many of the last groups that the replica has executed its log lost.
    lost: usize,
}

impl History {
    /// A server numbers on from what it has executed, logged or not.
    fn write(log: &mut Vec<Gtid>, executed: &[Gtid], server: u32) {
        let sequence = log.iter().chain(executed).map(|gtid| gtid.sequence).max().unwrap_or(0) + 1;
        log.push(Gtid { domain: 0, server, sequence });
    }

    /// Applies the next group of `source`, but not one's own.
    fn apply(source: &[Gtid], read: &mut usize, log: &mut Vec<Gtid>, own: u32, left_out: &BTreeSet<Gtid>) {
        if let Some(gtid) = source.get(*read) {
            *read += 1;
            if gtid.server != own && !left_out.contains(gtid) {
                log.push(*gtid);
            }
        }
    }

    fn take(&mut self, step: Step) {
        match step {
            Step::OldWrites => Self::write(&mut self.old, &[], 1),
            Step::OldWritesLeftOut => {
                Self::write(&mut self.old, &[], 1);
                self.left_out.extend(self.old.last());
            }
            Step::NewWrites => Self::write(&mut self.new, &self.old[..self.new_has_read], 2),
            Step::NewApplies => {
                Self::apply(&self.old, &mut self.new_has_read, &mut self.new, 2, &self.left_out);
            }
            Step::NewForgets => {
                Self::apply(&self.old, &mut self.new_has_read, &mut self.forgotten, 2, &BTreeSet::new());
            }
            Step::NewLogBegins if self.new.iter().all(|gtid| gtid.server != 2) => {
                self.forgotten.append(&mut self.new);
                self.old_has_read = 0;
            }
            Step::NewLogBegins => {}
            Step::OldApplies => {
                Self::apply(&self.new, &mut self.old_has_read, &mut self.old, 1, &BTreeSet::new());
            }
            Step::ReplicaApplies => {
                self.replica_has_read = (self.replica_has_read + 1).min(self.old.len());
            }
        }
    }

    /// What the three servers would say.
    fn facts(&self, keeps_log: bool, old_lives: bool) -> Facts {
        let executed = &self.old[..self.replica_has_read];
        let kept = &executed[..executed.len().saturating_sub(self.lost)];
        let replica_log: Vec<Gtid> =
            kept.iter().copied().filter(|gtid| !self.left_out.contains(gtid)).collect();
        let place = |read: usize| ("bin.000001", read as u64);
        let mut facts = facts();
        facts.replica.channel = channel(place(self.replica_has_read), place(self.old.len()));
        facts.replica.gtid_position = executed.iter().copied().collect();
        facts.replica.log = keeps_log.then(|| OwnLog {
            state: replica_log.iter().copied().collect(),
            begin: replica_log.first().copied().into_iter().collect(),
        });
        if !self.left_out.is_empty() {
            facts.replica.channel.filters = vec!["Replicate_Ignore_DB=tmp".into()];
            facts.new.filters = facts.replica.channel.filters.clone();
        }
        facts.new.read_only = false;
        facts.new.state = self.new.iter().copied().collect();
        facts.new.begin = self.new.first().copied().into_iter().collect();
        let replicated = self.old[..self.new_has_read].iter().filter(|gtid| gtid.server != 2);
        facts.new.replicated = replicated.copied().collect();
        if self.left_out.is_empty() {
            facts.new.executed = facts.new.replicated.clone();
        }
        facts.new.channel = Some(channel(place(self.new_has_read), place(self.new_has_read)));
        if !old_lives {
            facts.old = old_dead();
        }
        facts
    }

    /// The same groups on MySQL, where replication uses file and position.
    fn facts_of_mysql(&self, old_lives: bool) -> Facts {
        let mut facts = self.facts(false, old_lives);
        let set = |log: &[Gtid]| -> GtidSet { Self::named(log).join(",").parse().unwrap() };
        facts.replica.gtid_position = GtidPosition::default();
        let executed = set(&self.old[..self.replica_has_read]);
        facts.replica.sets = Some(ReplicaSets { uuid: uuid(3), executed });
        facts.new.state = GtidState::default();
        facts.new.sets =
            Some(MasterSets { executed: set(&self.new), purged: GtidSet::default(), is_committing: false });
        facts.new.end = Some(BinlogPosition::new("bin.000001", self.new.len() as u64));
        facts
    }

    fn named(log: &[Gtid]) -> Vec<String> {
        log.iter().map(|gtid| format!("{}:{}", uuid(gtid.server), gtid.sequence)).collect()
    }

    /// What a look into the logs finds.
    fn look(&self, wanted: &Wanted, facts: &Facts) -> Located {
        let (at, looks_back) = match wanted {
            Wanted::Position(at) => (at, false),
            Wanted::History(at) => (at, true),
            Wanted::Logged(at) => return self.look_behind(at, facts),
            Wanted::Set(set) => return by_set::locate_in(&Self::named(&self.new), set),
            Wanted::LastGroups => panic!("GTIDs tell"),
        };
        let looks_back = looks_back || facts.log_of_everything().is_none();
        let of_source = match (&facts.old, locate_in(&self.old, at, &Scope::default())) {
            (OldMaster::Answers(_), Located::Found { state, .. }) if looks_back => {
                Some(OwnLog { state, begin: self.old.first().copied().into_iter().collect() })
            }
            _ => None,
        };
        let order = looks_back && of_source.is_none();
        let scope = Scope {
            order,
            masters: vec![1, 2],
            own: 2,
            until: facts.new.state.clone(),
            older: older_than_log(facts, at),
        };
        locate_in(&self.new, at, &scope).beside(of_source, looks_back)
    }
}

impl History {
    fn look_behind(&self, at: &GtidPosition, facts: &Facts) -> Located {
        match locate_in(&self.new, at, &Scope::default()) {
            Located::Found { at, position, state, .. } => {
                let place = position.as_ref().map_or(0, |place| usize::try_from(place.offset).unwrap());
                let next = self.new[place..].first().copied().into_iter().collect();
                let replicated = facts.new.channel.as_ref().and_then(|channel| channel.applied.clone());
                Located::Logged { at, position, state, next, searched: facts.new.state.clone(), replicated }
            }
            other => other,
        }
    }
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        2 => Just(Step::OldWrites),
        1 => Just(Step::OldWritesLeftOut),
        2 => Just(Step::NewWrites),
        4 => Just(Step::NewApplies),
        1 => Just(Step::NewLogBegins),
        4 => Just(Step::OldApplies),
        4 => Just(Step::ReplicaApplies),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(20_000))]

    /// Whatever the history: the position is after exactly the transactions that the replica has, or the replica is
    /// refused.
    #[test]
    fn a_place_in_a_random_history_is_exact_or_refused(
        steps in prop::collection::vec(step(), 0..24),
        keeps_log: bool,
        old_lives: bool,
        is_mysql: bool,
        has_filters: bool,
        lost in prop_oneof![2 => Just(0_usize), 1 => 1_usize..4],
    ) {
        let mut history = History { lost, ..History::default() };
        for step in steps {
            // A MySQL logs without rows what its filters leave out.
            let is_whole = is_mysql || !has_filters;
            history.take(match step {
                Step::OldWritesLeftOut if is_whole => Step::OldWrites,
                // Sets and what was purged are another matter, and filters hide what is missing.
                Step::NewLogBegins if is_mysql || has_filters => Step::NewApplies,
                step => step,
            });
        }
        let facts =
            if is_mysql { history.facts_of_mysql(old_lives) } else { history.facts(keeps_log, old_lives) };
        let mut decision = plan(&facts, None);
        for _ in 0..2 {
            if let Ok(Decision::Locate(wanted)) = &decision {
                decision = plan(&facts, Some(&history.look(wanted, &facts)));
            }
        }
        let is_decided = !matches!(decision, Ok(Decision::Locate(_)));
        prop_assert!(is_decided, "{:?} in {:?}", decision, history);
        let misses_numbers = matches!(decision, Err(Refusal::LogLacks { .. }));
        prop_assert!(!misses_numbers || !history.forgotten.is_empty(), "{:?} in {:?}", decision, history);
        if let Ok(Decision::Attach(Plan { place: Place::Position(position), .. })) = decision {
            let behind = usize::try_from(position.offset).unwrap();
            let skipped: BTreeSet<_> = history.forgotten.iter().chain(&history.new[..behind]).collect();
            let executed: BTreeSet<_> = history.old[..history.replica_has_read].iter().collect();
            let has = executed.into_iter().filter(|gtid| !history.left_out.contains(*gtid)).collect();
            prop_assert_eq!(skipped, has, "{:?}", history);
        }
    }

    /// A replica is refused where the new master's log lacks its last group or one that it still has to get, and nowhere
    /// else.
    #[test]
    fn what_the_new_master_did_not_log_is_missed_behind_the_place_alone(
        logged in prop::collection::vec(prop::bool::weighted(0.8), 1..12),
        lag in 0_usize..12,
        later in 0_usize..4,
        keeps_log: bool,
        old_lives: bool,
        by_gtid: bool,
    ) {
        let mut history = History::default();
        (0..logged.len()).for_each(|_| history.take(Step::OldWrites));
        for is_logged in &logged {
            history.take(if *is_logged { Step::NewApplies } else { Step::NewForgets });
        }
        let has = logged.len().saturating_sub(lag).max(1);
        (0..has).for_each(|_| history.take(Step::ReplicaApplies));
        (0..later).for_each(|_| history.take(Step::NewWrites));
        let mut facts = history.facts(keeps_log, old_lives);
        if by_gtid {
            facts.replica.channel.mode = Mode::SlavePos;
        }
        let decision = plan(&facts, None).and_then(|decision| match decision {
            Decision::Locate(wanted) => plan(&facts, Some(&history.look(&wanted, &facts))),
            other => Ok(other),
        });
        let is_whole = logged[has - 1..].iter().all(|is_logged| *is_logged);
        // Or its log begins right after the position; by GTID, if that is the last that it has executed by replication.
        let begins_there = !logged[..has].contains(&true)
            && !logged[has..].contains(&false)
            && if has == logged.len() { later > 0 } else { !by_gtid };
        let is_whole = is_whole || begins_there;
        prop_assert_eq!(matches!(decision, Ok(Decision::Attach(_))), is_whole, "{:?} in {:?}", decision, history);
    }

    /// With one writer at a time, whoever lags, a replica that is not ahead is never refused.
    #[test]
    fn an_orderly_failover_is_never_refused(
        written in 1_usize..8,
        later in 0_usize..8,
        lag in 0_usize..8,
        left_out in 0_usize..3,
        keeps_log: bool,
        is_mysql: bool,
    ) {
        let mut history = History::default();
        let mut take = |step, times| (0..times).for_each(|_| history.take(step));
        // By GTID alone nothing shows the position of a replica without a log whose last transaction both left out.
        let left_out = if keeps_log && !is_mysql { left_out } else { 0 };
        take(Step::OldWrites, written);
        take(Step::OldWritesLeftOut, left_out);
        take(Step::NewApplies, written + left_out);
        take(Step::ReplicaApplies, (written + left_out).saturating_sub(lag).max(1));
        take(Step::NewWrites, later);
        let facts = if is_mysql { history.facts_of_mysql(false) } else { history.facts(keeps_log, false) };
        let decision = plan(&facts, None).and_then(|decision| match decision {
            Decision::Locate(wanted) => plan(&facts, Some(&history.look(&wanted, &facts))),
            other => Ok(other),
        });
        let attached = matches!(decision, Ok(Decision::Attach(_)));
        prop_assert!(attached, "{:?} in {:?}", decision, history);
    }
}
