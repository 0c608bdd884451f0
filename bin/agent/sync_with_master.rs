//! `sync_with_master`: this host, about to become the writer, shall have everything that its peer has written.
//!
//! The agent runs it as the first step of taking the writer role and never again (docs/CONTRACT.md, 1.2);
//! `mysql_allow_write` asks the same question, so that a role is never served unsynced.

use std::process::ExitCode;

use mmm_agent_helpers::SYNC_WITH_MASTER;
use mmm_core::{Call, Verdict, interrupt, report, run};
use mmm_replication::gate::{self, Question};
use mmm_replication::{Error, Server};

fn main() -> ExitCode {
    run(&SYNC_WITH_MASTER, sync_with_master)
}

fn sync_with_master(call: &Call) -> Result<Verdict, Error> {
    interrupt::attend();
    let config = call.config()?;
    config.peer()?;
    // The time that the wait leaves is for a last check.
    let budget = call.budget.part(92);
    let mut local = Server::connect(config.this_host(), call.settings.limits.connect, call.budget.part(98))?;
    let settings = &call.settings;
    let question =
        Question { otherwise: "this host is not in sync", wait: true, opens: false, settings, budget };
    let proof = gate::ask(&mut local, &config, question)?;
    log::info!("in sync: {proof}");
    report::plan(format_args!("see that {} has everything of its peer", local.host()), &proof);
    Ok(proof.lost().map_or_else(Verdict::ok, |lost| Verdict::ok_because(lost.to_string())))
}
