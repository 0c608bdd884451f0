//! A monitor and its agents: what MMM's do, ten times as fast (docs/CONTRACT.md, 1.2).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use crate::cluster::{Answer, Cluster, WRITER_IP};

/// Pause between two rounds of the monitor.
const PAUSE: Duration = Duration::from_millis(300);
/// How long a server may take to answer the monitor's check.
const CHECK: Duration = Duration::from_millis(300);
/// How many checks in a row have to fail.
const FAILURES: u32 = 2;
/// How long a server has to be back before it gets a role again.
const RECOVERY: Duration = Duration::from_millis(1_500);

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
            gone: Mutex::default(),
            servers_restarted: Mutex::default(),
            struck: Mutex::default(),
            restarted: Mutex::default(),
            move_wanted: Mutex::new(false),
            writer: Mutex::new(Some(0)),
            is_over: Mutex::new(false),
        }
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
    master_first: bool,
    agents: Vec<Agent>,
    failures: Vec<u32>,
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
    pub fn new(cluster: &'a Cluster, desk: &'a Desk, master_first: bool) -> Self {
        let hosts = cluster.hosts;
        Self {
            cluster,
            desk,
            master_first,
            agents: vec![Agent { writes: false, master: Some(0) }; hosts],
            failures: vec![0; hosts],
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
            if self.cluster.answers(host, CHECK) {
                self.failures[host] = 0;
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

    fn decide(&mut self) {
        let wants_move = std::mem::take(&mut *held(&self.desk.move_wanted));
        let has_agent = |host: usize| !held(&self.desk.dead_agents).contains_key(&host);
        let is_fit = |host: usize, online: &[bool]| online[host] && has_agent(host);
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
        if self.master_first {
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
        if held(&self.desk.dead_agents).contains_key(&host) {
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
        if self.call(host, "mysql_allow_write", &[]) {
            self.call(host, "configure_ip", &["eth0", WRITER_IP]);
            self.stuck = None;
        } else {
            self.help(1 - host);
        }
    }

    /// What an operator does for a writer that is refused because its peer still takes writes: the peer's agent has forgotten
    /// the role, and nobody closes that server again. Not for one that said that it is closed.
    fn help(&mut self, peer: usize) {
        let is_open = held(&self.desk.calls)
            .last()
            .is_some_and(|called| called.answer.line.contains("still takes writes"));
        if !is_open {
            return;
        }
        let since = *self.stuck.get_or_insert_with(Instant::now);
        if since.elapsed() >= OPERATOR && !self.was_closed[peer] {
            self.was_closed[peer] = self.call(peer, "mysql_deny_write", &[]);
            self.stuck = None;
        }
    }

    /// What an agent does that has just been started and has an address of a role that is not its own.
    fn clear_bad_roles(&mut self, host: usize) {
        if host < 2 && self.writer != Some(host) && self.call(host, "check_ip", &["eth0", WRITER_IP]) {
            let has_address = held(&self.desk.calls)
                .last()
                .is_some_and(|called| called.answer.line.ends_with("is configured"));
            if has_address {
                self.was_closed[host] = self.call(host, "mysql_deny_write", &[]);
                self.call(host, "clear_ip", &["eth0", WRITER_IP]);
            }
        }
    }

    fn call(&self, host: usize, helper: &str, arguments: &[&str]) -> bool {
        let at = self.desk.begun.elapsed();
        let answer = self.cluster.call(host, helper, arguments);
        let is_ok = answer.is_ok();
        let call = [&[helper], arguments].concat().join(" ");
        held(&self.desk.calls).push(Called { at, host, call, answer });
        is_ok
    }
}
