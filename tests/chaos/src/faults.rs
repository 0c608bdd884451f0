//! What goes wrong, done to a cluster from outside.

use std::sync::Mutex;
use std::thread::sleep;
use std::time::{Duration, Instant};

use mysql::prelude::Queryable;

use crate::cluster::Cluster;
use crate::monitor::{Desk, held};
use crate::plan::{Fault, Plan};

/// How long a helper is looked for that shall be killed.
const HUNT: Duration = Duration::from_secs(1);

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
                if let Err(error) = once(cluster, desk, fault, servers, length) {
                    crate::say(&format!("  {fault}: {error}"));
                }
            });
        }
    });
    sleep(length.saturating_sub(desk.begun.elapsed()));
}

fn once(
    cluster: &Cluster,
    desk: &Desk,
    fault: &Fault,
    servers: &[Mutex<()>],
    length: Duration,
) -> Result<(), String> {
    // Nothing outlasts the time of the faults.
    let wait = |milliseconds: u64| {
        let left = length.saturating_sub(desk.begun.elapsed());
        sleep(Duration::from_millis(milliseconds).min(left));
    };
    match fault {
        Fault::Kill(host, ms) => {
            let _server = held(&servers[*host]);
            cluster.control(&["kill", &Cluster::name(*host)])?;
            wait(*ms);
            cluster.control(&["start", &Cluster::name(*host)]).map(drop)
        }
        Fault::KillWriter(ms) => {
            let Some(host) = *held(&desk.writer) else { return Ok(()) };
            once(cluster, desk, &Fault::Kill(host, *ms), servers, length)
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
            cluster.control(&["kill", &Cluster::name(*host)])?;
            cluster.control(&["start", &Cluster::name(*host)]).map(drop)
        }
        Fault::Drop(one, other, ms) => {
            let rules = |add: &str| filter(cluster, add, *one, *other, &[]);
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
            let late = format!("{late}ms");
            cluster.run("client", &["tc", "qdisc", "add", "dev", &name, "root", "netem", "delay", &late])?;
            wait(*ms);
            cluster.run("client", &["tc", "qdisc", "del", "dev", &name, "root"]).map(drop)
        }
        Fault::KillHelper(host) => {
            let begun = Instant::now();
            while begun.elapsed() < HUNT {
                // A helper's command line ends with what it was told; its program is one of the ten.
                if cluster.run(&Cluster::name(*host), &["pkill", "-KILL", "-f", "/[a-z_]+ mmm_agent"]).is_ok()
                {
                    break;
                }
                sleep(Duration::from_millis(15));
            }
            Ok(())
        }
        Fault::Move => {
            *held(&desk.move_wanted) = true;
            Ok(())
        }
        Fault::Agent(host, ms) => {
            held(&desk.dead_agents).insert(*host);
            wait(*ms);
            held(&desk.dead_agents).remove(host);
            held(&desk.restarted).insert(*host);
            Ok(())
        }
        Fault::StopSlave(host, thread, ms) => {
            let name = Cluster::name(*host);
            cluster.control(&["sql", &name, &format!("STOP SLAVE {thread}")])?;
            wait(*ms);
            cluster.control(&["sql", &name, &format!("START SLAVE {thread}")]).map(drop)
        }
        Fault::Flush(host) => cluster.control(&["sql", &Cluster::name(*host), "FLUSH LOGS"]).map(drop),
        Fault::Purge(host) => {
            let name = Cluster::name(*host);
            cluster.control(&["sql", &name, "FLUSH LOGS"])?;
            let end = cluster.control(&["sql", &name, "SHOW MASTER STATUS"])?;
            let Some(file) = end.split('\t').next() else { return Ok(()) };
            cluster.control(&["sql", &name, &format!("PURGE BINARY LOGS TO '{file}'")]).map(drop)
        }
        Fault::Lock(host, name, ms) => {
            let lock = format!("SELECT GET_LOCK('mmm_agent_helpers.{name}', 1)");
            let mut session =
                cluster.connect(*host, Duration::from_secs(10)).map_err(|error| error.to_string())?;
            session.query_drop(lock).map_err(|error| error.to_string())?;
            wait(*ms);
            Ok(())
        }
    }
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
