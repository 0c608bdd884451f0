//! Looks at everything side by side: one thread for each host's server, this machine, its addresses and each dry run.
//!
//! Each has its share of the time. One that is not done when that is over is left behind and counts as silent, so
//! that no frozen server, name service or disk can hold up the answer.

use std::sync::Arc;

use mmm_core::Budget;
use mmm_core::config::{Config, Mode};
use mmm_core::settings::{Settings, Survivors};
use mmm_replication::rehearsal::Rehearsal;

use super::cluster::{Cluster, Member, Unreached};
use super::parallel::{later, wait};

mod dry_run;
mod installation;
mod local;
mod local_server;
mod owners;
pub(crate) mod program;
mod rehearsals;
mod server;

/// How much of the time connecting, asking, a dry run by its own clock and by ours, and all of it may take, in percent.
const CONNECTING: u32 = 35;
const ASKING: u32 = 70;
const MOVING: u32 = 70;
const LAST_CALL: u32 = 85;
const ALL: u32 = 92;

/// Looks at the cluster of this configuration.
pub fn look(
    name: &str,
    config: Config,
    quirks: Vec<String>,
    settings: &Settings,
    rehearsal: Rehearsal,
    budget: Budget,
) -> Cluster {
    let config = Arc::new(config);
    let connecting = budget.part(CONNECTING).share(settings.limits.connect);
    let servers: Vec<_> = config
        .hosts()
        .iter()
        .map(|host| {
            let (host, config) = (host.clone(), Arc::clone(&config));
            later(move || {
                let server = server::ask(&host, &config, connecting, budget.part(ASKING));
                let replication =
                    server::log_in_as_replica(&host, &config, &server, connecting, budget.part(ASKING));
                (server, replication)
            })
        })
        .collect();
    let (machine, addresses) = {
        let (one, other) = (Arc::clone(&config), Arc::clone(&config));
        let settings = settings.clone();
        let part = budget.part(ASKING);
        (
            later(move || local::look(&one, &settings, part)),
            later({
                let name = name.to_string();
                move || owners::look(&name, &other, part)
            }),
        )
    };
    let moves: Vec<_> = config
        .masters()
        .filter(|master| config.this_host().mode == Mode::Slave && master.name != *config.this())
        .map(|master| {
            let (name, to, config) = (name.to_string(), master.name.to_string(), Arc::clone(&config));
            later(move || dry_run::try_out(&name, &config, &to, budget.part(MOVING), budget.part(LAST_CALL)))
        })
        .collect();

    let rehearsals = rehearsals::begin(rehearsal, &config, settings, connecting, budget.part(MOVING));

    let end = budget.part(ALL);
    let members = config.hosts().iter().zip(servers).map(|(host, answer)| {
        let (server, replication) = wait(&answer, &end).unwrap_or_else(|| {
            let reason = format!("it did not answer within {:.1?}", end.elapsed());
            (Err(Unreached { reason, answered: false, code: None }), None)
        });
        Member { host: host.clone(), server, replication }
    });
    let members = members.collect();
    let fence = &settings.allow_write.fence;
    let (rehearsed, errant) = rehearsals.finish(&end);
    Cluster {
        config: name.into(),
        quirks,
        this: config.this().to_string(),
        members,
        roles: config.roles().to_vec(),
        active_role: config.active_master_role().into(),
        blocking: config.blocking.clone(),
        channel: config.channel.clone(),
        call_limit: settings.limits.call,
        closes_to_all: settings.deny_write.super_read_only,
        fence: fence.is_set().then(|| (fence.limit, fence.most(Some(settings.limits.call)))),
        takes_over: settings.allow_write.gate && settings.allow_write.survivors != Survivors::Off,
        addresses: wait(&addresses, &end).unwrap_or_default(),
        machine: wait(&machine, &end).unwrap_or_else(|| local::silent(settings)),
        moves: moves.iter().filter_map(|answer| wait(answer, &end)).collect(),
        rehearsed,
        errant,
    }
}
