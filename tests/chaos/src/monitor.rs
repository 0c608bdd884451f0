//! A monitor and its agents: what MMM's do, ten times as fast (docs/CONTRACT.md, 1.2).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use crate::cluster::{Answer, Cluster, WRITER_IP};
use crate::oracle::{self, Threads};
use crate::plan::Plan;
use crate::witness::Rows;

/// Pause between two rounds of the monitor.
const PAUSE: Duration = Duration::from_millis(300);
/// How long a server may take to answer the monitor's check.
const CHECK: Duration = Duration::from_millis(300);
/// How many checks in a row have to fail.
const FAILURES: u32 = 2;
/// How long a server has to be back before it gets a role again.
const RECOVERY: Duration = Duration::from_millis(1_500);

/// What a helper says that has a slave apply nothing more on purpose.
const HOLDS_BACK: &str = "applies nothing more";

/// How long it takes until an operator closes a server that nobody closes.
const OPERATOR: Duration = Duration::from_secs(3);

/// A call of a helper.
#[derive(Clone, Debug)]
pub struct Called {
    /// When, since the load began.
    pub at: Duration,
    /// On which host.
    pub host: usize,
    /// The helper and its arguments.
    pub call: String,
    /// What came of it.
    pub answer: Answer,
}

/// What an agent knows.
#[derive(Clone, Debug, Default)]
struct Agent {
    writes: bool,
    master: Option<usize>,
}

/// What the rest of a round tells the monitor, and hears of it.
#[derive(Debug)]
pub struct Desk {
    /// When the load began.
    pub begun: Instant,
    /// The same, in milliseconds since 1970.
    pub began_at: u128,
    /// Every call of a helper.
    pub calls: Mutex<Vec<Called>>,
    /// Hosts whose agents are dead, and how many faults have ended them.
    pub dead_agents: Mutex<BTreeMap<usize, u32>>,
    /// Hosts that the monitor cannot reach, and those that it takes for late, each with the number of faults.
    pub unseen: Mutex<BTreeMap<usize, u32>>,
    /// The same of those that it takes for late.
    pub late: Mutex<BTreeMap<usize, u32>>,
    /// Hosts whose agents do not know what a person has done there.
    pub to_be_told: Mutex<BTreeSet<usize>>,
    /// Masters whose last `clear_ip` has said OK, since when, unless `configure_ip` was called.
    pub cleared: Mutex<BTreeMap<usize, Instant>>,
    /// What was wrong while the round lasted.
    pub wrong: Mutex<Vec<String>>,
    /// Names of transactions that the others had fetched when a writer was gone for good.
    pub fetched: Mutex<BTreeSet<String>>,
    /// Hosts whose servers are gone for good.
    pub gone: Mutex<BTreeSet<usize>>,
    /// Hosts whose servers have been started again.
    pub servers_restarted: Mutex<BTreeSet<usize>>,
    /// The faults that did happen.
    pub struck: Mutex<Vec<String>>,
    /// Agents that have been started again since the monitor last looked.
    pub restarted: Mutex<BTreeSet<usize>>,
    /// True where an operator wants the role moved.
    pub move_wanted: Mutex<bool>,
    /// Who has the role.
    pub writer: Mutex<Option<usize>>,
    /// True when the round is over.
    pub is_over: Mutex<bool>,
}

impl Desk {
    /// At the beginning, the first host has the role.
    pub fn new() -> Self {
        Self {
            begun: Instant::now(),
            began_at: crate::load::now(),
            calls: Mutex::default(),
            dead_agents: Mutex::default(),
            unseen: Mutex::default(),
            late: Mutex::default(),
            to_be_told: Mutex::default(),
            cleared: Mutex::default(),
            wrong: Mutex::default(),
            fetched: Mutex::default(),
            gone: Mutex::default(),
            servers_restarted: Mutex::default(),
            struck: Mutex::default(),
            restarted: Mutex::default(),
            move_wanted: Mutex::new(false),
            writer: Mutex::new(Some(0)),
            is_over: Mutex::new(false),
        }
    }

    /// Calls a helper, and looks from outside at what it has left.
    pub fn call(&self, cluster: &Cluster, host: usize, helper: &str, arguments: &[&str]) -> Answer {
        if helper == "configure_ip" {
            held(&self.cleared).remove(&host);
        }
        let at = self.begun.elapsed();
        let answer = cluster.call(host, helper, arguments);
        if helper == "clear_ip" && answer.is_ok() {
            held(&self.cleared).insert(host, Instant::now());
            if oracle::has_address(cluster, host) {
                let line = format!("{} has the address although clear_ip said OK", Cluster::name(host));
                held(&self.wrong).push(format!("at {} ms, {line}", self.begun.elapsed().as_millis()));
            }
        }
        let call = [&[helper], arguments].concat().join(" ");
        held(&self.calls).push(Called { at, host, call, answer: answer.clone() });
        answer
    }
}

/// Locks what no thread leaves broken.
pub fn held<T>(of: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    of.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// One monitor.
#[derive(Debug)]
pub struct Monitor<'a> {
    cluster: &'a Cluster,
    desk: &'a Desk,
    plan: &'a Plan,
    agents: Vec<Agent>,
    failures: Vec<u32>,
    /// How often in a row a thread of replication was seen stopped.
    stopped: Vec<u32>,
    /// Online hosts; since when a host that is not has answered again.
    online: Vec<bool>,
    back: Vec<Option<Instant>>,
    writer: Option<usize>,
    /// Whether the last call of `mysql_deny_write` on a master was answered with OK.
    was_closed: [bool; 2],
    /// Since when a writer is refused because its peer takes writes.
    stuck: Option<Instant>,
}

impl<'a> Monitor<'a> {
    /// A monitor of hosts that are all online.
    pub fn new(cluster: &'a Cluster, desk: &'a Desk, plan: &'a Plan) -> Self {
        let hosts = cluster.hosts;
        Self {
            cluster,
            desk,
            plan,
            agents: vec![Agent { writes: false, master: Some(0) }; hosts],
            failures: vec![0; hosts],
            stopped: vec![0; hosts],
            online: vec![true; hosts],
            back: vec![None; hosts],
            writer: Some(0),
            was_closed: [true; 2],
            stuck: None,
        }
    }

    /// Watches and decides until the round is over.
    pub fn run(&mut self) {
        while !*held(&self.desk.is_over) {
            self.look();
            let before = self.writer;
            self.decide();
            *held(&self.desk.writer) = self.writer;
            for host in std::mem::take(&mut *held(&self.desk.to_be_told)) {
                self.agents[host].master = None;
            }
            for host in std::mem::take(&mut *held(&self.desk.restarted)) {
                self.agents[host] = Agent::default();
                self.clear_bad_roles(host);
            }
            for host in self.order(before) {
                self.tell(host);
            }
            std::thread::sleep(PAUSE);
        }
    }

    fn look(&mut self) {
        for host in 0..self.cluster.hosts {
            if self.is_seen(host) && self.cluster.answers(host, CHECK) {
                self.failures[host] = 0;
                let is_stopped = oracle::threads(self.cluster, host).is_some_and(Threads::is_stopped);
                self.stopped[host] = if is_stopped { self.stopped[host] + 1 } else { 0 };
                if !self.online[host] {
                    let since = *self.back[host].get_or_insert_with(Instant::now);
                    self.online[host] = since.elapsed() >= RECOVERY;
                }
            } else {
                self.back[host] = None;
                self.failures[host] += 1;
                if self.failures[host] >= FAILURES {
                    self.online[host] = false;
                }
            }
        }
    }

    fn is_seen(&self, host: usize) -> bool {
        !held(&self.desk.unseen).contains_key(&host)
    }

    /// `REPLICATION_FAIL` or `REPLICATION_DELAY`: it gets no role and is not told a new master. A master is excused while
    /// its peer is away.
    fn fails(&self, host: usize) -> bool {
        let fails = self.stopped[host] >= FAILURES || held(&self.desk.late).contains_key(&host);
        fails && (host >= 2 || self.online[1 - host])
    }

    fn decide(&mut self) {
        let wants_move = std::mem::take(&mut *held(&self.desk.move_wanted));
        let has_agent = |host: usize| !held(&self.desk.dead_agents).contains_key(&host);
        let is_fit = |host: usize, online: &[bool]| online[host] && has_agent(host) && !self.fails(host);
        match self.writer {
            Some(writer)
                if wants_move && is_fit(writer, &self.online) && is_fit(1 - writer, &self.online) =>
            {
                self.writer = Some(1 - writer);
            }
            Some(writer) if !self.online[writer] => {
                self.writer = Some(1 - writer).filter(|other| is_fit(*other, &self.online));
            }
            None => self.writer = (0..2).find(|host| is_fit(*host, &self.online)),
            Some(_) => {}
        }
    }

    /// Who is told first: who loses the role, before who gets it.
    fn order(&self, before: Option<usize>) -> Vec<usize> {
        let mut order: Vec<usize> = before.into_iter().collect();
        if self.plan.master_first {
            order.extend(self.writer);
        }
        order.extend(2..self.cluster.hosts);
        order.extend(self.writer);
        order.extend(0..2);
        let mut seen = BTreeSet::new();
        order.retain(|host| seen.insert(*host));
        order
    }

    /// What an agent does when it is told its state.
    fn tell(&mut self, host: usize) {
        if held(&self.desk.dead_agents).contains_key(&host) || !self.is_seen(host) {
            return;
        }
        let shall_write = self.writer == Some(host);
        if self.agents[host].writes && !shall_write {
            self.was_closed[host] = self.call(host, "mysql_deny_write", &[]);
            self.call(host, "clear_ip", &["eth0", WRITER_IP]);
            self.agents[host].writes = false;
        }
        if let Some(writer) = self.writer
            && host >= 2
            && self.online[host]
            && !self.fails(host)
            && self.agents[host].master != Some(writer)
            && self.call(host, "set_active_master", &[&Cluster::name(writer)])
        {
            self.agents[host].master = Some(writer);
        }
        if !shall_write {
            return;
        }
        if !self.agents[host].writes {
            self.agents[host].writes = true;
            // Whatever it answers: the role is stored, and checked at once.
            self.call(host, "sync_with_master", &[]);
        }
        let allowed = self.allow_write(host);
        if allowed.is_ok() {
            self.call(host, "configure_ip", &["eth0", WRITER_IP]);
            self.stuck = None;
        } else if allowed.line.contains("still takes writes") {
            self.help(1 - host);
        }
    }

    /// What an operator does for a writer that is refused because its peer still takes writes: the peer's agent has forgotten
    /// the role, and nobody closes that server again. Not for one that said that it is closed.
    fn help(&mut self, peer: usize) {
        let since = *self.stuck.get_or_insert_with(Instant::now);
        if since.elapsed() >= OPERATOR && !self.was_closed[peer] {
            self.was_closed[peer] = self.call(peer, "mysql_deny_write", &[]);
            self.stuck = None;
        }
    }

    /// What an agent does that has just been started and has an address of a role that is not its own.
    fn clear_bad_roles(&mut self, host: usize) {
        if host >= 2 || self.writer == Some(host) {
            return;
        }
        let checked = self.ask(host, "check_ip", &["eth0", WRITER_IP]);
        if checked.is_ok() && checked.line.ends_with("is configured") {
            self.was_closed[host] = self.call(host, "mysql_deny_write", &[]);
            self.call(host, "clear_ip", &["eth0", WRITER_IP]);
        }
    }

    /// Writes are opened only with every row that another host has.
    fn allow_write(&self, host: usize) -> Answer {
        let rows = Rows::before(self.cluster, self.plan, host);
        let answer = self.ask(host, "mysql_allow_write", &[]);
        held(&self.desk.wrong).extend(rows.and_then(|rows| rows.after(self.cluster, &answer)));
        answer
    }

    fn call(&self, host: usize, helper: &str, arguments: &[&str]) -> bool {
        self.ask(host, helper, arguments).is_ok()
    }

    /// Calls a helper. One that refuses leaves no thread stopped that ran, unless it says that this has a reason.
    fn ask(&self, host: usize, helper: &str, arguments: &[&str]) -> Answer {
        let is_looked_at = ["set_active_master", "sync_with_master", "mysql_allow_write"].contains(&helper)
            && !self.plan.faults.iter().any(|(_, fault)| fault.may_stop(host));
        // What a dead writer sent to this host alone has to wait for the new one, if that cannot get it at once.
        let may_hold_back = self.plan.faults.iter().any(|(_, fault)| fault.parts());
        let threads = || if is_looked_at { oracle::threads(self.cluster, host) } else { None };
        let before = threads();
        let answer = self.desk.call(self.cluster, host, helper, arguments);
        if let (Some(before), Some(_)) = (before, &answer.code)
            && !before.is_stopped()
            && let Some(after) = threads()
            && after.is_stopped_without_cause()
            && !(may_hold_back && after.only_fetches() && answer.line.contains(HOLDS_BACK))
        {
            let at = self.desk.begun.elapsed().as_millis();
            held(&self.desk.wrong).push(format!(
                "at {at} ms, {helper} on {} has left a thread stopped: {}",
                Cluster::name(host),
                answer.line
            ));
        }
        answer
    }
}
