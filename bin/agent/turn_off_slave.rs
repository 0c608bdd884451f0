//! `turn_off_slave`: this host shall stop replicating. The agent runs it when a person takes the host offline
//! (`ADMIN_OFFLINE`) and ignores the result (docs/CONTRACT.md, 1.2).

use std::process::ExitCode;
use std::time::Duration;

use mmm_agent_helpers::TURN_OFF_SLAVE;
use mmm_core::event::{self, Change};
use mmm_core::{Call, Verdict, interrupt, report, run};
use mmm_replication::binlog::resend::check_source;
use mmm_replication::status::IoThread;
use mmm_replication::{Error, Refusal, Server, channel, lock, threads};

fn main() -> ExitCode {
    run(&TURN_OFF_SLAVE, turn_off_slave)
}

fn turn_off_slave(call: &Call) -> Result<Verdict, Error> {
    interrupt::attend();
    let config = call.config()?;
    let mut server = Server::connect(config.this_host(), call.settings.limits.connect, call.budget.part(90))?;
    let (channel, source) = match channel::meant(&mut server, &config) {
        Err(Error::Refused(refusal)) if matches!(*refusal, Refusal::NotAReplica { .. }) => {
            log::info!("{refusal}");
            return Ok(Verdict::ok());
        }
        other => other?,
    };
    lock::take(&mut server)?;
    report::observe(Some(server.host()), "replication", channel.what_is_wrong());
    report::plan(
        format_args!("stop replication from {}", channel.source()),
        "a person took this host offline",
    );
    let most = call.budget.part(60).share(Duration::MAX);
    if !threads::await_rest(&mut server, &channel.name, most)? {
        let host = config.this().to_string();
        let then = "nothing was stopped: try again later".into();
        return Err(Refusal::DoesNotStop { host, waited: call.budget.elapsed(), then }.into());
    }
    match threads::stop(&mut server, &channel.name) {
        Err(error) if interrupt::is_requested() => {
            let most = call.settings.limits.connect;
            Err(threads::interrupted(&mut server, &channel, &error, |server, now| {
                check_source(server, now, source, most, call.budget)
            }))
        }
        other => {
            other?;
            if channel.io != IoThread::No || channel.sql_running {
                let source = source.map_or_else(|| channel.source(), |source| source.name.to_string());
                event::note(|| Change::ReplicationStopped { source });
            }
            Ok(Verdict::ok())
        }
    }
}
