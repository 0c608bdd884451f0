//! `turn_on_slave`: this host shall replicate again. The agent runs it when a person brings the host back from
//! `ADMIN_OFFLINE` and ignores the result (contract 1.3); people read it.

use std::process::ExitCode;

use mmm_core::{Call, Program, Shape, Verdict, run};
use mmm_replication::{Error, Server, channel, lock, threads};

static PROGRAM: Program = Program {
    name: "turn_on_slave",
    shape: Shape::Plain,
    extras: &[],
    one_is_an_answer: false,
    about: "Starts replication on this host, on the channel that replicates from a host of the cluster, and sees \
            that it runs.",
    prints: "  OK         exit 0: both threads run\n  \
             ERROR: …   exit 255: they do not, and why\n  \
             Usage: …   exit 1: wrong number of arguments",
    example: "turn_on_slave mmm_agent",
};

fn main() -> ExitCode {
    run(&PROGRAM, turn_on_slave)
}

fn turn_on_slave(call: &Call) -> Result<Verdict, Error> {
    let config = call.config()?;
    let mut server = Server::connect(config.this_host(), call.settings.limits.connect, call.budget.part(90))?;
    let (channel, source) = channel::meant(&mut server, &config)?;
    lock::take(&mut server)?;
    threads::ensure_running(&mut server, &channel, &channel.source(), || {
        source.is_none_or(|source| Server::answers(source, call.settings.limits.connect, call.budget))
    })?;
    Ok(Verdict::ok())
}
