//! `sync_with_master`: this host, about to become the writer, shall have everything that its peer has written.
//!
//! The agent runs it as the first step of taking the writer role and never again (contract 1.3);
//! `mysql_allow_write` asks the same question, so that a role is never served unsynced.

use std::process::ExitCode;

use mmm_core::invocation::Extra;
use mmm_core::{Call, Program, Shape, Verdict, run};
use mmm_replication::gate::{self, Question};
use mmm_replication::{Error, Server};

static PROGRAM: Program = Program {
    name: "sync_with_master",
    shape: Shape::Plain,
    extras: &[Extra::Wait],
    one_is_an_answer: false,
    about: "Waits until this host has applied everything that its peer has written. A peer that answers must be \
            read-only; of a dead one, everything that was fetched counts.",
    prints: "  OK         exit 0: nothing is missing here\n  \
             ERROR: …   exit 255: something is missing, or nobody can tell\n  \
             Usage: …   exit 1: wrong number of arguments",
    example: "sync_with_master mmm_agent",
};

fn main() -> ExitCode {
    run(&PROGRAM, sync_with_master)
}

fn sync_with_master(call: &Call) -> Result<Verdict, Error> {
    let config = call.config()?;
    config.peer()?;
    let limits = &call.settings.limits;
    let budget = call.budget.part(95);
    let mut local = Server::connect(config.this_host(), limits.connect, budget)?;
    let question = Question { otherwise: "this host is not in sync", wait: true, limits, budget };
    let proof = gate::ask(&mut local, &config, question)?;
    log::info!("in sync: {proof:?}");
    Ok(Verdict::ok())
}
