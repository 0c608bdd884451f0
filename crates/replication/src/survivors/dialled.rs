//! Connections to other slaves that are made while something else is waited for.

use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use mmm_core::Budget;
use mmm_core::config::{Config, Host, HostName};

use crate::error::Error;
use crate::server::Server;
use crate::server::patience::OTHERS_PATIENCE;

/// How old a connection may be that was made for a question.
const FRESH: Duration = Duration::from_secs(1);

/// The hosts that may have more than this one: all of the configuration but this one and `peer`, the old master.
pub(super) fn others<'c>(config: &'c Config, peer: &Host) -> impl Iterator<Item = &'c Host> {
    let peer = peer.name.clone();
    config.hosts().iter().filter(move |host| host.name != *config.this() && host.name != peer)
}

/// A connection that somebody else makes.
type OnItsWay = JoinHandle<Result<Server, Error>>;

/// Connections to those hosts that are being made in the background, while the call waits for something else.
#[derive(Debug)]
pub struct Dialled {
    since: Instant,
    hosts: Vec<(HostName, OnItsWay)>,
}

impl Dialled {
    /// Connects to every host that [`crate::survivors::ask`] would ask, within `most`.
    pub fn start(config: &Config, peer: &Host, most: Duration, budget: Budget) -> Self {
        let dial = |host: &Host| {
            let host = host.clone();
            (host.name.clone(), thread::spawn(move || dial(&host, most, budget)))
        };
        Self { since: Instant::now(), hosts: others(config, peer).map(dial).collect() }
    }

    /// The connection to `host`. The host may have been restarted since; an old connection says nothing of it.
    pub(super) fn take(&mut self, host: &Host) -> Option<OnItsWay> {
        let at = self.hosts.iter().position(|(name, _)| *name == host.name)?;
        (self.since.elapsed() < FRESH).then(|| self.hosts.swap_remove(at).1)
    }
}

pub(super) fn dial(host: &Host, most: Duration, budget: Budget) -> Result<Server, Error> {
    Server::connect(host, most.min(OTHERS_PATIENCE), budget)
}
