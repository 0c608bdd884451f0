//! `set_active_master`: this host, a slave, shall replicate from another master.
//!
//! The agent runs it on slaves when the active master has changed, and at every start of its own (docs/CONTRACT.md,
//! 1.2). A refusal leaves replication running from the old master; the agent retries.
//!
//! The steps of a move stand in `carry_out` of `crates/replication/src/attach/moving.rs`: foresee, stop, decide, make certain,
//! point at the new master, start, see it run. A new master that takes over what only a slave has goes the same steps.

use std::process::ExitCode;
use std::time::Duration;

use mmm_agent_helpers::SET_ACTIVE_MASTER;
use mmm_core::config::{Config, Host};
use mmm_core::event::{self, Change};
use mmm_core::{Call, Verdict, interrupt, run};
use mmm_replication::binlog::resend::check_source;
use mmm_replication::takeover::{self, Pursuit};
use mmm_replication::{Error, Refusal, Server, attach, channel, hold, lock, threads};

fn main() -> ExitCode {
    run(&SET_ACTIVE_MASTER, set_active_master)
}

fn set_active_master(call: &Call) -> Result<Verdict, Error> {
    interrupt::attend();
    let config = call.config()?;
    let this = config.this_host();
    let new_master = new_master(&config, &call.arguments.new_master)?;

    hold::mend(&config, &call.settings.limits, call.budget);
    let mut replica = Server::connect(this, call.settings.limits.connect, call.budget)?;
    let otherwise = "this host was not moved";
    takeover::resume(
        &mut replica,
        Pursuit { config: &config, settings: &call.settings, budget: call.budget, otherwise },
    )?;
    let chosen = channel::choose(&mut replica, &config, |id| ask_for_id(call, &config, id))?;
    if chosen.source.name == new_master.name && chosen.channel.is_running() {
        return Ok(already_there());
    }
    // From here on threads may be started, which must not happen between another helper's STOP and CHANGE.
    lock::take(&mut replica)?;
    // Whoever held the lock may have moved this very channel.
    let chosen = channel::choose(&mut replica, &config, |id| ask_for_id(call, &config, id))?;
    if chosen.source.name == new_master.name {
        // A call that was killed between CHANGE MASTER and START SLAVE left the threads stopped.
        let source = chosen.source;
        threads::ensure_running(&mut replica, &chosen.channel, source.name.as_str(), |replica, now| {
            check_source(replica, now, Some(source), call.settings.limits.connect, call.budget)
        })?;
        return Ok(already_there());
    }
    log::info!("{} from {} to {}", chosen.channel.title(), chosen.source.name, new_master.name);
    let mut settings = call.settings.clone();
    if call.arguments.wait.is_some() {
        // A person waits, and no agent.
        settings.attach.patience = Duration::MAX;
    }
    attach::attach(&mut replica, this, &chosen, new_master, &settings, call.budget)?;
    let (from, to) = (&chosen.source.name, &new_master.name);
    event::note(|| Change::SlaveMoved { from: from.to_string(), to: to.to_string() });
    Ok(Verdict::ok())
}

fn already_there() -> Verdict {
    Verdict::ok_because("We are already a slave of the new master")
}

/// The host that is meant. MMM 2.3.1 adds `,FILE,POSITION`: its own guess, which nothing proves.
fn new_master<'c>(config: &'c Config, argument: &str) -> Result<&'c Host, Error> {
    let name = argument.split_once(',').map_or(argument, |(name, guess)| {
        log::info!("the caller's position {guess} is not used");
        name
    });
    let this = config.this();
    if name == this.as_str() {
        return Err(Refusal::NewMasterIsThisHost { host: this.to_string() }.into());
    }
    config.host(name).ok_or_else(|| {
        let known = config.hosts().iter().map(|host| host.name.as_str()).collect::<Vec<_>>().join(", ");
        Refusal::UnknownHost { name: name.into(), known }.into()
    })
}

/// The configured host whose server has this id; asked only if a channel names no known address.
fn ask_for_id<'c>(call: &Call, config: &'c Config, id: u64) -> Option<&'c Host> {
    let patience = Duration::from_millis(700);
    config.hosts().iter().filter(|host| host.name != *config.this()).find(|host| {
        Server::connect(host, patience, call.budget.part(40))
            .and_then(|mut server| server.one("SELECT @@server_id AS id"))
            .is_ok_and(|row| id != 0 && row.number("id") == Some(id))
    })
}
