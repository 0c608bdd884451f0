//! What would become of a failover if the writer were closed now, and which hosts have what the writer lacks.

use mmm_replication::Refusal;
use mmm_replication::errant::Errant;
use mmm_replication::rehearsal::Foreseen;

use super::super::cluster::{Cluster, Deed, Member, Outcome, Rehearsed, Seen};
use super::super::code::Code;
use super::super::finding::{Check, Finding, Severity, advice, shell};
use super::lists::listed;
use super::{accounts, masters, servers, writes};

/// The checks whose findings explain why a rehearsal is refused.
const EXPLAINING: [fn(&Cluster) -> Check; 10] = [
    masters::logs,
    masters::filters,
    masters::gtids,
    masters::appliers,
    servers::server_ids,
    servers::versions,
    accounts::accounts,
    accounts::privileges,
    writes::writes,
    errant,
];
/// What a takeover is refused for.
const UNFIT: &str = Refusal::named("tail-unfit");
/// What a refusal says if the agent's account lacks a privilege.
const LACKS: &str = Refusal::named("lacks-privilege");

/// Whether every slave could follow every other master, and the other master could be opened.
pub fn rehearsal(cluster: &Cluster) -> Check {
    let mut check = Check::new("rehearsal");
    let known: Vec<_> = EXPLAINING.iter().flat_map(|check| check(cluster).findings).collect();
    let (mut proved, mut moving) = (Vec::new(), Vec::new());
    let has_writer = cluster.seen_masters().any(|(_, seen)| !seen.is_read_only());
    let (premise, done) = if has_writer {
        ("if the writer were closed now", "with the writer closed now")
    } else {
        ("as the servers are now", "as the servers are now")
    };
    for attempt in &cluster.rehearsed {
        let (host, other) = (attempt.host.as_str(), attempt.deed.other());
        let could = attempt.deed.on(host);
        match &attempt.foreseen {
            Foreseen::Proved(_) => proved.push(could),
            Foreseen::Moving(_) => moving.push(could),
            Foreseen::NotJudged(_) => {}
            Foreseen::Refused { .. } if is_silent(cluster, host, other) => {}
            Foreseen::Refused { code, .. }
                if attempt.deed.is_move() && is_told(cluster, host, other, code) => {}
            Foreseen::Refused { code, .. } if is_explained(&known, host, &attempt.deed, code) => {}
            Foreseen::Refused { code, message } => {
                let (severity, finding) = match attempt.deed {
                    Deed::Follow(_) => (Severity::Failure, Code::MoveWouldBeRefused),
                    Deed::Open => (Severity::Failure, Code::OpeningWouldBeRefused),
                    Deed::TakeOver(_) => (Severity::Warning, Code::TakeoverWouldBeRefused),
                };
                let text = format!("{premise}, it would be refused that {could}: {message}");
                let mut cure =
                    vec![advice(format!("fix what it says (docs/ERRORS.md: {code}); then look again"))];
                if let Deed::TakeOver(from) = &attempt.deed {
                    cure.insert(0, shell(host, format!("mmm_difference {from} {host}")));
                }
                check.add(severity, finding, host, &text, &cure);
            }
        }
    }
    if proved.is_empty() && moving.is_empty() {
        check.skip();
    }
    let of_moving = |moving: &[String]| format!("still moving, look again: {}", listed(moving));
    check.saying(match (proved.as_slice(), moving.as_slice()) {
        ([], []) => "nothing could be rehearsed".into(),
        ([], moving) => of_moving(moving),
        (proved, []) => format!("{done}: {}", listed(proved)),
        (proved, moving) => format!("{done}: {}; {}", listed(proved), of_moving(moving)),
    })
}

/// True if one of the servers, or replication there, has a finding of its own that explains any refusal.
fn is_silent(cluster: &Cluster, host: &str, other: Option<&str>) -> bool {
    let is_silent = |name: &str| cluster.member(name).is_none_or(|member| member.server.is_err());
    let is_running = cluster
        .member(host)
        .and_then(Member::seen)
        .and_then(Seen::link)
        .is_some_and(|link| link.channel.is_running());
    is_silent(host) || other.is_some_and(is_silent) || !is_running
}

/// True if another check has found the cause.
fn is_explained(known: &[Finding], host: &str, deed: &Deed, code: &str) -> bool {
    let other = deed.other();
    let is_about = |finding: &Finding, name: &str| finding.host.as_deref() == Some(name);
    let explains = |finding: &Finding| match finding.code {
        Code::BinlogOff
        | Code::LogSlaveUpdatesOff
        | Code::MasterFilters
        | Code::SlaveFilters
        | Code::SlaveKeepsNoLog
        | Code::SlaveLendsNothing => other.is_some_and(|other| is_about(finding, other)),
        Code::CommitOrderOff => [Some(host), other].into_iter().flatten().any(|name| is_about(finding, name)),
        // What two writers write has no order.
        Code::TwoWriters
        | Code::ServerIdDuplicate
        | Code::ServerIdZero
        | Code::ServerFamiliesDiffer
        | Code::GtidModeDiffers => true,
        Code::PrivilegeMissing | Code::ReplicationPrivilegeMissing | Code::ReplicationLoginRefused => {
            code == LACKS || code == Refusal::named("account-refused")
        }
        Code::ErrantTransaction => {
            code == UNFIT && matches!(deed, Deed::TakeOver(from) if is_about(finding, from))
        }
        _ => false,
    };
    known.iter().any(explains)
}

/// True if the installed helper says the same of this host.
fn is_told(cluster: &Cluster, host: &str, other: Option<&str>, code: &str) -> bool {
    let is_same =
        |outcome: &Outcome| matches!(outcome, Outcome::Refused { code: Some(told), .. } if told == code);
    host == cluster.this
        && cluster.moves.iter().any(|attempt| Some(attempt.to.as_str()) == other && is_same(&attempt.outcome))
}

/// True if what only `host` has could not be taken over.
fn is_unfit(attempt: &Rehearsed, host: &str) -> bool {
    matches!(&attempt.foreseen, Foreseen::Refused { code, .. } if code == UNFIT)
        && matches!(&attempt.deed, Deed::TakeOver(from) if from == host)
}

/// Whether a host has transactions that the writer lacks.
pub fn errant(cluster: &Cluster) -> Check {
    let mut check = Check::new("errant");
    let (mut clean, mut moving) = (Vec::new(), Vec::new());
    let writer = cluster.writer().map(Member::name);
    for (host, errant) in &cluster.errant {
        match errant {
            Errant::None => clean.push(host.as_str()),
            Errant::Moving(_) => moving.push(host.as_str()),
            Errant::Unknown(_) => {}
            Errant::Found(gtids) => {
                let writer = writer.unwrap_or("the writer");
                let mut text =
                    format!("{host} has transactions that {writer} lacks ({gtids}): somebody wrote there");
                if cluster.rehearsed.iter().any(|attempt| is_unfit(attempt, host)) {
                    text += "; until it is rebuilt, a new master can take over nothing from it";
                }
                let cure = [
                    shell(host, format!("mmm_difference {host} {writer}")),
                    advice(format!(
                        "copy the rows that are wanted to {writer}, then rebuild {host}; keep read_only on there, and \
                         give nobody the right to ignore it"
                    )),
                ];
                check.warn(Code::ErrantTransaction, host, text, &cure);
            }
        }
    }
    if clean.is_empty() && moving.is_empty() {
        check.skip();
    }
    let of_moving = |moving: &[&str]| format!("still moving, look again: {}", listed(moving));
    check.saying(match (clean.as_slice(), moving.as_slice()) {
        ([], []) => "no GTIDs, or no writer, show it".into(),
        ([], moving) => of_moving(moving),
        (clean, []) => format!("none on {}", listed(clean)),
        (clean, moving) => format!("none on {}; {}", listed(clean), of_moving(moving)),
    })
}

#[cfg(test)]
mod tests;
