//! `turn_on_slave`: this host shall replicate again. The agent runs it when a person brings the host back from
//! `ADMIN_OFFLINE` and ignores the result (docs/CONTRACT.md, 1.2); people read it.

use std::process::ExitCode;

use mmm_agent_helpers::TURN_ON_SLAVE;
use mmm_core::{Call, Verdict, interrupt, report, run};
use mmm_replication::binlog::resend::check_source;
use mmm_replication::takeover::{self, Pursuit};
use mmm_replication::{Error, Server, channel, lock, threads};

fn main() -> ExitCode {
    run(&TURN_ON_SLAVE, turn_on_slave)
}

fn turn_on_slave(call: &Call) -> Result<Verdict, Error> {
    interrupt::attend();
    let config = call.config()?;
    let mut server = Server::connect(config.this_host(), call.settings.limits.connect, call.budget.part(90))?;
    let (settings, budget) = (&call.settings, call.budget.part(90));
    let otherwise = "replication was not looked at";
    takeover::resume(&mut server, Pursuit { config: &config, settings, budget, otherwise })?;
    lock::take(&mut server)?;
    let (channel, source) = channel::meant(&mut server, &config)?;
    report::observe(Some(server.host()), "replication", channel.what_is_wrong());
    threads::ensure_running(&mut server, &channel, &channel.source(), |server, now| {
        check_source(server, now, source, call.settings.limits.connect, call.budget)
    })?;
    Ok(Verdict::ok())
}
