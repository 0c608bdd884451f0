//! What goes wrong, done to a cluster from outside.

use std::collections::BTreeMap;
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::thread::sleep;
use std::time::{Duration, Instant};

use mysql::prelude::Queryable;

use crate::cluster::{Cluster, disk_of};
use crate::monitor::{Desk, held};
use crate::oracle::{self, is_open};
use crate::plan::{Fault, Plan};

/// How long a helper is looked for that shall be killed.
const HUNT: Duration = Duration::from_secs(1);
/// The same for one that has to have come to a certain point.
const AMBUSH: Duration = Duration::from_secs(4);

/// Does what a plan has, each at its time, and takes all of it back.
pub fn strike(cluster: &Cluster, desk: &Desk, plan: &Plan) {
    // One thing at a time is done to a server.
    let servers: Vec<Mutex<()>> = (0..cluster.hosts).map(|_| Mutex::new(())).collect();
    let length = Duration::from_millis(plan.length);
    std::thread::scope(|scope| {
        for (at, fault) in &plan.faults {
            let servers = &servers;
            scope.spawn(move || {
                sleep(Duration::from_millis(*at).saturating_sub(desk.begun.elapsed()));
                match once(cluster, desk, plan, fault, servers) {
                    Ok(()) => held(&desk.struck).push(format!("{fault:?}")),
                    Err(error) => crate::say(&format!("  {fault}: {error}")),
                }
            });
        }
    });
    sleep(length.saturating_sub(desk.begun.elapsed()));
}

fn once(
    cluster: &Cluster,
    desk: &Desk,
    plan: &Plan,
    fault: &Fault,
    servers: &[Mutex<()>],
) -> Result<(), String> {
    let length = Duration::from_millis(plan.length);
    // Nothing outlasts the time of the faults.
    let wait = |milliseconds: u64| {
        let left = length.saturating_sub(desk.begun.elapsed());
        sleep(Duration::from_millis(milliseconds).min(left));
    };
    let be_down = |host: usize, milliseconds: u64| {
        kill(cluster, desk, host)?;
        wait(milliseconds);
        start(cluster, desk, host)
    };
    match fault {
        Fault::Kill(host, ms) => {
            let _server = held(&servers[*host]);
            be_down(*host, *ms)
        }
        Fault::KillWriter(ms) => {
            let (host, _server) = writer(cluster, desk, plan, servers)?;
            be_down(host, *ms)
        }
        Fault::KillWriterForGood => {
            if !held(&desk.gone).is_empty() {
                return Err("one is gone already".into());
            }
            let (host, _server) = writer(cluster, desk, plan, servers)?;
            held(&desk.gone).insert(host);
            cluster.control(&["kill", &Cluster::name(host)])?;
            // What was on its way has arrived by then.
            sleep(Duration::from_millis(300));
            *held(&desk.fetched) = oracle::fetched(cluster, desk);
            Ok(())
        }
        Fault::Freeze(host, ms) => {
            let _server = held(&servers[*host]);
            cluster.control(&["freeze", &Cluster::name(*host)])?;
            wait(*ms);
            cluster.control(&["thaw", &Cluster::name(*host)]).map(drop)
        }
        Fault::FreezeForEver(host) => {
            let _server = held(&servers[*host]);
            cluster.control(&["freeze", &Cluster::name(*host)])?;
            sleep(length.saturating_sub(desk.begun.elapsed()));
            kill(cluster, desk, *host)?;
            start(cluster, desk, *host)
        }
        Fault::Drop(..) | Fault::DropOneWay(..) | Fault::Lose(..) | Fault::DropNew(..) | Fault::Slow(..) => {
            in_network(cluster, fault, wait)
        }
        Fault::KillHelper(host) => await_helper(cluster, *host, &["pkill", "-KILL", "-f"]),
        Fault::KillStopped(host, ms) => kill_stopped(cluster, *host, Duration::from_millis(*ms)),
        Fault::KillAtMarker(host) => kill_at_marker(cluster, *host),
        Fault::Move | Fault::Agent(..) | Fault::Unseen(..) | Fault::Late(..) => {
            to_the_monitor(desk, fault, wait);
            Ok(())
        }
        Fault::StopSlave(host, thread, ms) => {
            let name = Cluster::name(*host);
            cluster.control(&["sql", &name, &format!("STOP SLAVE {thread}")])?;
            wait(*ms);
            cluster.control(&["sql", &name, &format!("START SLAVE {thread}")]).map(drop)
        }
        Fault::StopDuringCall(host, thread, ms) => {
            let name = Cluster::name(*host);
            std::thread::scope(|scope| {
                let called = scope.spawn(|| by_hand(cluster, desk, *host));
                await_helper(cluster, *host, &["pgrep", "-f"])?;
                cluster.control(&["sql", &name, &format!("STOP SLAVE {thread}")])?;
                wait(*ms);
                cluster.control(&["sql", &name, &format!("START SLAVE {thread}")])?;
                called.join().unwrap_or_else(|_| Err("the call has failed".into()))
            })
        }
        Fault::Restart(host) => {
            let _server = held(&servers[*host]);
            if held(&desk.gone).contains(host) {
                return Err("it is gone for good".into());
            }
            cluster.control(&["restart", &Cluster::name(*host)])?;
            held(&desk.servers_restarted).insert(*host);
            Ok(())
        }
        Fault::FullDisk(..) | Fault::Clock(..) => on_machine(cluster, desk, fault, wait),
        Fault::Beside(host) => by_hand(cluster, desk, *host),
        Fault::Flush(host) => cluster.control(&["sql", &Cluster::name(*host), "FLUSH LOGS"]).map(drop),
        Fault::Purge(host) => purge(cluster, *host),
        Fault::Lock(host, name, ms) => {
            let lock = format!("SELECT GET_LOCK('mmm_agent_helpers.{name}', 1)");
            let mut session =
                cluster.connect(*host, Duration::from_secs(10)).map_err(|error| error.to_string())?;
            let got: Option<u8> = session.query_first(lock).map_err(|error| error.to_string())?;
            if got != Some(1) {
                return Err("the lock is not to be had".into());
            }
            wait(*ms);
            Ok(())
        }
    }
}

/// What happens to packets.
fn in_network(cluster: &Cluster, fault: &Fault, wait: impl Fn(u64)) -> Result<(), String> {
    match fault {
        Fault::Drop(one, other, ms) => {
            let rules = |add: &str| filter(cluster, add, *one, *other, &[]);
            rules("-A")?;
            wait(*ms);
            rules("-D")
        }
        Fault::DropOneWay(one, other, ms) => {
            let (name, address) = (Cluster::name(*other), Cluster::address(*one));
            let rule = |add: &str| {
                cluster.run(&name, &["iptables", "-w", add, "INPUT", "-s", &address, "-j", "DROP"]).map(drop)
            };
            rule("-A")?;
            wait(*ms);
            rule("-D")
        }
        Fault::Lose(one, other, percent, ms) => {
            // Each packet passes two rules.
            let share = format!(
                "{:.4}",
                1.0 - (1.0 - f64::from(u32::try_from(*percent).unwrap_or(0)) / 100.0).sqrt()
            );
            let which = ["-m", "statistic", "--mode", "random", "--probability", &share];
            let rules = |add: &str| filter(cluster, add, *one, *other, &which);
            rules("-A")?;
            wait(*ms);
            rules("-D")
        }
        Fault::DropNew(one, other, ms) => {
            let rules = |add: &str| filter(cluster, add, *one, *other, &["-p", "tcp", "--syn"]);
            rules("-A")?;
            wait(*ms);
            rules("-D")
        }
        Fault::Slow(host, late, ms) => {
            let name = Cluster::name(*host);
            let (rate, late) = (format!("{}kbit", 60_000 / late), format!("{late}ms"));
            let queue = ["tbf", "rate", &rate, "burst", "3000", "latency", &late];
            let words = [&["tc", "qdisc", "add", "dev", &name, "root"], &queue[..]].concat();
            cluster.run("client", &words)?;
            wait(*ms);
            cluster.run("client", &["tc", "qdisc", "del", "dev", &name, "root"]).map(drop)
        }
        _ => Ok(()),
    }
}

/// What happens to a host's disk and clock.
fn on_machine(cluster: &Cluster, desk: &Desk, fault: &Fault, wait: impl Fn(u64)) -> Result<(), String> {
    match fault {
        Fault::FullDisk(host, ms) => {
            let file = disk_of(*host).join("full");
            // It ends when nothing fits any more.
            let words = ["if=/dev/zero", "bs=64k", &format!("of={}", file.display())];
            let filled = Command::new("dd").args(words).stderr(Stdio::null()).status();
            wait(*ms);
            let removed = std::fs::remove_file(&file);
            filled.map(drop).and(removed).map_err(|error| error.to_string())?;
            // A MySQL that cannot write its log ends itself; one that has not cannot be started.
            if cluster.control(&["start", &Cluster::name(*host)]).is_ok() {
                held(&desk.servers_restarted).insert(*host);
            }
            Ok(())
        }
        Fault::Clock(host, seconds) => {
            // Renamed, because a server that reads half of it dies.
            let line = format!("echo {seconds:+} > /run/clock.new && mv /run/clock.new /run/clock");
            cluster.run(&Cluster::name(*host), &["sh", "-c", &line]).map(drop)
        }
        _ => Ok(()),
    }
}

/// What the monitor sees otherwise, or no longer.
fn to_the_monitor(desk: &Desk, fault: &Fault, wait: impl Fn(u64)) {
    match fault {
        Fault::Move => *held(&desk.move_wanted) = true,
        Fault::Agent(host, ms) => {
            *held(&desk.dead_agents).entry(*host).or_default() += 1;
            wait(*ms);
            revive(desk, *host);
        }
        Fault::Unseen(host, ms) => {
            *held(&desk.unseen).entry(*host).or_default() += 1;
            wait(*ms);
            less(&mut held(&desk.unseen), *host);
        }
        Fault::Late(host, ms) => {
            *held(&desk.late).entry(*host).or_default() += 1;
            wait(*ms);
            less(&mut held(&desk.late), *host);
        }
        _ => {}
    }
}

/// Runs a command on a host with a pattern for helpers, until it finds one or some time has passed.
fn await_helper(cluster: &Cluster, host: usize, what: &[&str]) -> Result<(), String> {
    let begun = Instant::now();
    while begun.elapsed() < HUNT {
        // A helper's command line ends with what it was told; its program is one of the ten.
        if cluster.run(&Cluster::name(host), &[what, &["/[a-z_]+ mmm_agent"]].concat()).is_ok() {
            return Ok(());
        }
        sleep(Duration::from_millis(15));
    }
    Err("none runs".into())
}

/// One fault less of those that a host suffers.
fn less(of: &mut BTreeMap<usize, u32>, host: usize) {
    let left = of.remove(&host).unwrap_or(1) - 1;
    if left > 0 {
        of.insert(host, left);
    }
}

/// What a person may call at any moment.
fn by_hand(cluster: &Cluster, desk: &Desk, host: usize) -> Result<(), String> {
    let Some(writer) = *held(&desk.writer) else { return Err("nobody has the role".into()) };
    let name = Cluster::name(writer);
    let (helper, arguments): (&str, &[&str]) = match () {
        () if host >= 2 => ("set_active_master", &[&name]),
        () if host == writer => ("sync_with_master", &[]),
        () => ("turn_on_slave", &[]),
    };
    desk.call(cluster, host, helper, arguments);
    // The agent does not know of it.
    held(&desk.to_be_told).insert(host);
    Ok(())
}

/// Waits for a helper to stop replication on a host, and so long after that, and kills it.
fn kill_stopped(cluster: &Cluster, host: usize, later: Duration) -> Result<(), String> {
    let begun = Instant::now();
    while begun.elapsed() < AMBUSH {
        let status = cluster.status(host, HUNT).unwrap_or_default();
        if status.iter().any(|(field, value)| field == "Slave_IO_Running" && value == "No") {
            sleep(later);
            let words = ["pkill", "-KILL", "-f", "/[a-z_]+ mmm_agent"];
            return cluster.run(&Cluster::name(host), &words).map(drop);
        }
    }
    Err("none stops it".into())
}

/// Waits for a helper to write down what it has changed for a moment, and kills it.
fn kill_at_marker(cluster: &Cluster, host: usize) -> Result<(), String> {
    let script = format!(
        "end=$(($(date +%s) + {})); while [ $(date +%s) -lt $end ]; do \
         if ls /var/lib/mysql-mmm | grep -qE 'hold|takeover'; then pkill -KILL -f '/[a-z_]+ mmm_agent'; exit; fi; \
         sleep 0.004; done; exit 1",
        AMBUSH.as_secs()
    );
    cluster.run(&Cluster::name(host), &["sh", "-c", &script]).map(drop)
}

/// Starts an agent again, unless another fault keeps it dead.
fn revive(desk: &Desk, host: usize) {
    let mut dead = held(&desk.dead_agents);
    less(&mut dead, host);
    if !dead.contains_key(&host) {
        held(&desk.restarted).insert(host);
    }
}

fn purge(cluster: &Cluster, host: usize) -> Result<(), String> {
    let name = Cluster::name(host);
    cluster.control(&["sql", &name, "FLUSH LOGS"])?;
    let end = cluster.control(&["sql", &name, "SHOW MASTER STATUS"])?;
    let Some(file) = end.split('\t').next() else { return Ok(()) };
    cluster.control(&["sql", &name, &format!("PURGE BINARY LOGS TO '{file}'")]).map(drop)
}

/// Whoever has the role, and nothing else is done to that server meanwhile. Where servers forget what they have applied, only
/// one that takes writes.
fn writer<'s>(
    cluster: &Cluster,
    desk: &Desk,
    plan: &Plan,
    servers: &'s [Mutex<()>],
) -> Result<(usize, std::sync::MutexGuard<'s, ()>), String> {
    let Some(host) = *held(&desk.writer) else { return Err("nobody has the role".into()) };
    let server = held(&servers[host]);
    let is_still = *held(&desk.writer) == Some(host);
    let mut session = cluster.connect(host, Duration::from_secs(1)).ok();
    if !is_still || plan.kind.forgets() && !is_open(cluster, &mut session, host) {
        return Err("the role is moving".into());
    }
    Ok((host, server))
}

fn kill(cluster: &Cluster, desk: &Desk, host: usize) -> Result<(), String> {
    if held(&desk.gone).contains(&host) {
        return Err("it is gone for good".into());
    }
    cluster.control(&["kill", &Cluster::name(host)]).map(drop)
}

fn start(cluster: &Cluster, desk: &Desk, host: usize) -> Result<(), String> {
    cluster.control(&["start", &Cluster::name(host)])?;
    held(&desk.servers_restarted).insert(host);
    Ok(())
}

/// Adds or deletes the rules that drop packets between two hosts.
fn filter(cluster: &Cluster, add: &str, one: usize, other: usize, which: &[&str]) -> Result<(), String> {
    for (host, of) in [(one, other), (other, one)] {
        let (name, address) = (Cluster::name(host), Cluster::address(of));
        for rule in [["INPUT", "-s"], ["OUTPUT", "-d"]] {
            let words =
                [&["iptables", "-w", add, rule[0], rule[1], &address], which, &["-j", "DROP"]].concat();
            cluster.run(&name, &words)?;
        }
    }
    Ok(())
}
