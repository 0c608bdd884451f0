//! `mysql_allow_write`: this host shall take writes, once it has everything that its peer has written.
//!
//! The agent runs it for the writer at every connection of the monitor, about every three seconds, and adds
//! the writer address only after `OK` (docs/CONTRACT.md, 1.2). So this is the gate: while it says `ERROR`, the role is
//! not served.

use std::process::ExitCode;
use std::time::Duration;

use mmm_agent_helpers::MYSQL_ALLOW_WRITE;
use mmm_core::config::Config;
use mmm_core::event::{self, Change};
use mmm_core::firewall;
use mmm_core::journal::{step, words};
use mmm_core::{Call, Verdict, process, report, run};
use mmm_replication::difference::left_behind;
use mmm_replication::gate::{self, Lost, Question};
use mmm_replication::takeover::{self, Pursuit};
use mmm_replication::{Error, Server, lock};

/// What is checked neither with --force nor with `allow_write.gate: false`.
const UNCHECKED: &str = "not checked: --force, or allow_write.gate is false";
/// How long the peer may take to say whether it takes writes, with --force.
const PEER: Duration = Duration::from_secs(1);
/// How long the address may be delayed by the list of what was lost.
const LISTING: Duration = Duration::from_millis(500);

fn main() -> ExitCode {
    run(&MYSQL_ALLOW_WRITE, mysql_allow_write)
}

fn mysql_allow_write(call: &Call) -> Result<Verdict, Error> {
    let config = call.config()?;
    // Else a note that does not answer keeps the host closed.
    process::hurry(call.arguments.force);
    firewall::remove_leftover(config.this_host());
    let limits = &call.settings.limits;
    let mut local = Server::connect(config.this_host(), limits.connect, call.budget)?;
    let (mut lost, mut is_beside_silent_peer) = (None, true);
    let action = format!("open {} to writes", local.host());
    let is_closed = local.is_read_only()?;
    report::observe(Some(local.host()), "read_only", report::on_off(is_closed));
    let (settings, budget) = (&call.settings, call.budget);
    if !is_closed {
        let pursuit = Pursuit { config: &config, settings, budget, otherwise: "replication stays as it is" };
        if let Err(error) = takeover::resume(&mut local, pursuit) {
            log::error!("{error}");
        }
        takeover::seen::forget_all(&config);
        return Ok(Verdict::ok());
    }
    let mut second = None;
    let reason = if call.arguments.force || !call.settings.allow_write.gate {
        log::warn!(
            "it was not checked whether everything of the peer is applied here (--force, or allow_write.gate: false)"
        );
        second = call.arguments.force.then(|| second_writer(&config, call)).flatten();
        report::plan(
            action,
            second.as_ref().map_or(UNCHECKED.into(), |second| format!("{UNCHECKED}; {second}")),
        );
        takeover::abandon(&mut local, &config)?;
        UNCHECKED.to_string()
    } else {
        lock::refuse_while_closing(&mut local)?;
        let question =
            Question { otherwise: "writes stay closed", wait: false, opens: true, settings, budget };
        gate::fence_if_due(&mut local, &config, question)?;
        let mut proof = gate::ask(&mut local, &config, question)?;
        if gate::fence(&config, question, &proof)? {
            proof = gate::ask(&mut local, &config, question)?;
        }
        log::info!("writes may be opened: {proof}");
        lost = proof.lost().cloned();
        is_beside_silent_peer = proof.is_beside_silent_peer();
        report::plan(action, &proof);
        proof.to_string()
    };
    lock::take_to_open(&mut local)?;
    // Another call may have opened it meanwhile.
    let is_closed = !event::is_on() || local.is_read_only().unwrap_or(false);
    if is_beside_silent_peer && let Err(error) = takeover::note_opening(&mut local, &config) {
        log::error!("not noted that this host is opened beside a silent peer: {error}");
    }
    step(words::OPENED_WRITES, || local.execute("SET GLOBAL read_only = 0"))?;
    if is_closed {
        tell(reason, lost.as_ref());
    }
    gate::forget_fence(config.this_host());
    takeover::seen::forget_all(&config);
    if call.arguments.force {
        let text = "writes are open; it was not checked whether everything of the peer is applied here";
        return Ok(Verdict::ok_because(second.map_or_else(
            || text.into(),
            |second| format!("{text}; {second}; run mysql_deny_write on one of them"),
        )));
    }
    let Some(lost) = lost else { return Ok(Verdict::ok()) };
    if let Some(survivor) = config.host(&lost.survivor) {
        let until = budget.relimited(budget.elapsed() + budget.share(LISTING));
        left_behind::tell(&mut local, config.this_host(), survivor, limits.connect.min(LISTING), until);
    }
    Ok(Verdict::ok_because(lost.to_string()))
}

/// That the peer takes writes, too, if it answers and says so. With --force that is the operator's decision, who has to
/// know it.
fn second_writer(config: &Config, call: &Call) -> Option<String> {
    let peer = config.peer().ok()?;
    let most = call.settings.limits.connect.min(PEER);
    let is_closed =
        Server::connect(peer, most, call.budget.part(50)).and_then(|mut peer| peer.is_read_only()).ok()?;
    report::observe(Some(peer.name.as_str()), "read_only", report::on_off(is_closed));
    let text = format!("{} takes writes, too: two writers", peer.name);
    (!is_closed).then(|| {
        log::error!("{text}");
        text
    })
}

fn tell(reason: String, lost: Option<&Lost>) {
    event::note(|| Change::WriterOpened { reason });
    if let Some(Lost { survivor, tail, reason, .. }) = lost {
        event::note(|| Change::TransactionsLost {
            survivor: survivor.clone(),
            tail: tail.clone(),
            reason: reason.clone(),
        });
    }
}
