//! What would become of each slave, of the other master and of the slaves' tails if the writer were closed now: the
//! helpers' own proofs, on every host's server, and nothing is changed. And which host has what the writer lacks.

use std::sync::Arc;
use std::time::{Duration, Instant};

use mmm_core::Budget;
use mmm_core::config::{Config, Host, HostName, Mode};
use mmm_core::settings::Settings;
use mmm_replication::errant::{self, Errant};
use mmm_replication::rehearsal::{Foreseen, Rehearsal};
use mmm_replication::{Error, Server, attach, channel, gate};

use super::super::cluster::{Deed, Rehearsed};
use super::super::parallel::{later, wait};

/// The maximum time for an opening: the agent retries, so a backlog is no reason to wait.
const OPENING: Duration = Duration::from_secs(2);

/// Something to rehearse on one host.
struct Task {
    host: Host,
    deed: Deed,
}

/// What is under way; it ends by itself.
pub struct Rehearsals {
    attempts: Vec<(Task, std::sync::mpsc::Receiver<Rehearsed>)>,
    errant: Vec<(String, std::sync::mpsc::Receiver<Errant>)>,
}

/// Begins all of them, side by side; `most` is for one connection.
pub fn begin(
    rehearsal: Rehearsal,
    config: &Arc<Config>,
    settings: &Settings,
    most: Duration,
    budget: Budget,
) -> Rehearsals {
    let settings = Arc::new({
        let mut settings = settings.clone();
        settings.limits.connect = most;
        settings
    });
    let attempts = tasks(config).into_iter().map(|task| {
        let (config, settings) = (Arc::clone(config), Arc::clone(&settings));
        let (host, deed) = (task.host.clone(), task.deed.clone());
        let work = move || {
            let begun = Instant::now();
            let is_here = host.name == *config.this();
            let foreseen = rehearse(rehearsal, &host, &deed, &config, is_here, &settings, budget)
                .unwrap_or_else(|error| Foreseen::NotJudged(error.to_string()));
            let milliseconds = begun.elapsed().as_secs_f64() * 1000.0;
            Rehearsed { host: host.name.to_string(), deed, foreseen, milliseconds }
        };
        (task, later(work))
    });
    let attempts = attempts.collect();
    let errant = config.hosts().iter().map(|host| {
        let (name, host, config) = (host.name.to_string(), host.clone(), Arc::clone(config));
        let work = move || {
            find_errant(rehearsal, &host, &config, most, budget)
                .unwrap_or_else(|error| Errant::Unknown(error.to_string()))
        };
        (name, later(work))
    });
    Rehearsals { attempts, errant: errant.collect() }
}

impl Rehearsals {
    /// What they have come to until `end`.
    pub fn finish(self, end: &Budget) -> (Vec<Rehearsed>, Vec<(String, Errant)>) {
        let late = || "it did not end in time".to_string();
        let rehearsed = self.attempts.into_iter().map(|(task, answer)| {
            wait(&answer, end).unwrap_or_else(|| Rehearsed {
                host: task.host.name.to_string(),
                deed: task.deed,
                foreseen: Foreseen::NotJudged(late()),
                milliseconds: end.elapsed().as_secs_f64() * 1000.0,
            })
        });
        let rehearsed = rehearsed.collect();
        let errant = self
            .errant
            .into_iter()
            .map(|(host, answer)| (host, wait(&answer, end).unwrap_or_else(|| Errant::Unknown(late()))));
        (rehearsed, errant.collect())
    }
}

/// Every move of a slave to a master, every opening of a master, and what a master could fetch from a slave.
fn tasks(config: &Config) -> Vec<Task> {
    let slaves = || config.hosts().iter().filter(|host| host.mode == Mode::Slave);
    let task = |host: &Host, deed| Task { host: host.clone(), deed };
    let mut tasks = Vec::new();
    for slave in slaves() {
        tasks.extend(config.masters().map(|master| task(slave, Deed::Follow(master.name.to_string()))));
    }
    for master in config.masters() {
        tasks.push(task(master, Deed::Open));
        tasks.extend(slaves().map(|slave| task(master, Deed::TakeOver(slave.name.to_string()))));
    }
    tasks
}

fn rehearse(
    rehearsal: Rehearsal,
    host: &Host,
    deed: &Deed,
    config: &Config,
    is_here: bool,
    settings: &Settings,
    budget: Budget,
) -> Result<Foreseen, Error> {
    let gone = || Foreseen::NotJudged("the configuration does not name it".into());
    let Some(config) = config.of_host(host.name.as_str()) else { return Ok(gone()) };
    let most = settings.limits.connect;
    let mut server = Server::connect(host, most, budget)?;
    match deed {
        Deed::Open => {
            let budget = Budget::start(Some(budget.share(OPENING)));
            server.use_budget(budget);
            gate::rehearse(rehearsal, &mut server, &config, settings, budget)
        }
        Deed::Follow(to) => {
            let Some(new) = config.host(to) else { return Ok(gone()) };
            attach::rehearse(rehearsal, &mut server, &config, new, false, is_here, settings, budget)
        }
        Deed::TakeOver(from) => {
            if !server.is_read_only()? {
                return Ok(Foreseen::NotJudged("it takes writes already".into()));
            }
            let Some(survivor) = config.host(from) else { return Ok(gone()) };
            if let Some(reason) = lends_nothing(&config, survivor, host.peer.as_ref(), most, budget)? {
                return Ok(Foreseen::NotJudged(reason));
            }
            attach::rehearse(rehearsal, &mut server, &config, survivor, true, is_here, settings, budget)
        }
    }
}

/// Why there is nothing of a master's peer that a slave could have alone: it follows another host.
fn lends_nothing(
    config: &Config,
    slave: &Host,
    peer: Option<&HostName>,
    most: Duration,
    budget: Budget,
) -> Result<Option<String>, Error> {
    let (Some(peer), Some(config)) = (peer, config.of_host(slave.name.as_str())) else { return Ok(None) };
    let mut server = Server::connect(slave, most, budget)?;
    let source = channel::choose(&mut server, &config, |_| None)?.source.name.clone();
    Ok((source != *peer)
        .then(|| format!("{} follows {source}: it has nothing of {peer} that others lack", slave.name)))
}

fn find_errant(
    rehearsal: Rehearsal,
    host: &Host,
    config: &Config,
    most: Duration,
    budget: Budget,
) -> Result<Errant, Error> {
    let mut writer = None;
    for master in config.masters().filter(|master| master.name != host.name) {
        let Ok(mut server) = Server::connect(master, most, budget) else { continue };
        if !server.is_read_only()? {
            writer = Some(server);
            break;
        }
    }
    let Some(mut writer) = writer else {
        return Ok(Errant::Unknown("no other host takes writes".into()));
    };
    let mut server = Server::connect(host, most, budget)?;
    errant::find(rehearsal, &mut server, &mut writer, budget)
}
