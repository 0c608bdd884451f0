//! Dry runs of `set_active_master`: what the installed helper itself would say if the writer moved now.

use mmm_replication::Refusal;
use mmm_replication::status::IoThread;

use super::super::cluster::{Cluster, HelperState, Outcome, Seen};
use super::super::code::Code;
use super::super::finding::{Check, advice, shell};
use super::lists::listed;
use super::machine::installing;

/// What a dry run says as long as the old master works as it should and takes writes.
const AT_REST: &str = Refusal::named("old-master-writable");
/// What it says while the agent's own helper is moving this slave.
const BUSY: &str = Refusal::named("replication-busy");

/// Whether this slave could follow every other master.
pub fn moving(cluster: &Cluster) -> Check {
    let this = cluster.this.as_str();
    let Some(member) = cluster.this() else { return Check::new("moving") };
    let mut check = Check::new("moving");
    if member.is_master() {
        return check.saying(format!("{this} is a master: the agent never moves it"));
    }
    let helper = member.helper("set_active_master");
    let helper = helper.display();
    let is_known = cluster.machine.helpers.iter().any(|helper| {
        helper.path.ends_with("set_active_master") && matches!(helper.state, HelperState::Version(_))
    });
    // What has stopped replication here also stops a move. It is a finding of its own.
    let is_running = member
        .seen()
        .and_then(Seen::link)
        .is_some_and(|link| link.channel.sql_running && link.channel.io != IoThread::No);
    let mut ready = Vec::new();
    // One cause that prevents several moves is one finding.
    let mut others: Vec<(&Outcome, Vec<&str>)> = Vec::new();
    for attempt in &cluster.moves {
        let to = attempt.to.as_str();
        // A silent server and a missing helper are findings of their own.
        let is_silent = cluster.member(to).is_none_or(|to| to.server.is_err()) || member.server.is_err();
        match &attempt.outcome {
            _ if is_silent || !is_known => {}
            Outcome::Works(_) => ready.push(to),
            Outcome::Refused { code, .. } if code.as_deref() == Some(AT_REST) => ready.push(to),
            Outcome::Refused { code, .. } if !is_running || code.as_deref() == Some(BUSY) => {}
            outcome => match others.iter_mut().find(|(other, _)| is_same(other, outcome)) {
                Some((_, targets)) => targets.push(to),
                None => others.push((outcome, vec![to])),
            },
        }
    }
    for (outcome, targets) in others {
        let to = listed(&targets);
        let again = shell(this, format!("{helper} --dry-run {} {}", cluster.config, targets[0]));
        match outcome {
            Outcome::Refused { code, message } => {
                let text = format!("{this} could not follow {to}: {message}");
                let code = code.as_ref().map_or(String::new(), |code| format!(" (docs/ERRORS.md: {code})"));
                let cure = advice(format!("fix what it says{code}; then look again:"));
                check.fail(Code::MoveRefused, this, text, &[cure, again]);
            }
            Outcome::Failed(reason) => {
                let text = format!("the dry run of a move of {this} to {to} failed: {reason}");
                check.warn(Code::DryRunFailed, this, text, &[again]);
            }
            _ => {
                let text =
                    format!("{helper} has no --dry-run: it is unknown whether {this} could follow {to}");
                let mut cure = installing(cluster, &["set_active_master".into()]);
                cure.push(advice("of the same version as this program"));
                check.warn(Code::DryRunUnknown, this, text, &cure);
            }
        }
    }
    if ready.is_empty() {
        check.skip();
    }
    check.saying(match ready.as_slice() {
        [] => "nothing could be tried".into(),
        ready => format!("{this} could follow {} (dry run)", listed(ready)),
    })
}

/// True if two texts have one cause, whatever names of masters are in them.
fn is_same(one: &Outcome, other: &Outcome) -> bool {
    match (one, other) {
        (Outcome::Refused { code: Some(one), .. }, Outcome::Refused { code: Some(other), .. }) => {
            one == other
        }
        _ => one == other,
    }
}

#[cfg(test)]
mod tests;
