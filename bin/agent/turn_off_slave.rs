//! `turn_off_slave`: this host shall stop replicating. The agent runs it when a person takes the host offline
//! (`ADMIN_OFFLINE`) and ignores the result (contract 1.3).

use std::process::ExitCode;

use mmm_core::{Call, Program, Shape, Verdict, run};
use mmm_replication::{Error, Refusal, Server, channel, lock, threads};

static PROGRAM: Program = Program {
    name: "turn_off_slave",
    shape: Shape::Plain,
    extras: &[],
    one_is_an_answer: false,
    about: "Stops replication on this host: the channel that replicates from a host of the cluster.",
    prints: "  OK         exit 0: replication has stopped, or there is none\n  \
             ERROR: …   exit 255: it may still run\n  \
             Usage: …   exit 1: wrong number of arguments",
    example: "turn_off_slave mmm_agent",
};

fn main() -> ExitCode {
    run(&PROGRAM, turn_off_slave)
}

fn turn_off_slave(call: &Call) -> Result<Verdict, Error> {
    let config = call.config()?;
    let mut server = Server::connect(config.this_host(), call.settings.limits.connect, call.budget.part(90))?;
    let (channel, _) = match channel::meant(&mut server, &config) {
        Err(Error::Refused(refusal)) if matches!(*refusal, Refusal::NotAReplica { .. }) => {
            log::info!("{refusal}");
            return Ok(Verdict::ok());
        }
        other => other?,
    };
    lock::take(&mut server)?;
    threads::stop(&mut server, &channel.name)?;
    Ok(Verdict::ok())
}
