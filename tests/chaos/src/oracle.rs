//! What must never be, seen from outside.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use mysql::Conn;
use mysql::prelude::Queryable;

use crate::cluster::{Cluster, WRITER_IP, disk_of};
use crate::monitor::{Called, Desk, held};
use crate::plan::{Fault, Plan};

/// Pause between two looks at who has the address.
const ADDRESS_PAUSE: Duration = Duration::from_millis(200);
/// Pause between two looks at who takes writes.
const PAUSE: Duration = Duration::from_millis(20);
/// How long the role may take after the last fault.
const SERVED: Duration = Duration::from_secs(25);
/// How long replication may take after the last write.
const SETTLED: Duration = Duration::from_secs(25);
/// How much longer everything may take where a disk was full.
const FULL: Duration = Duration::from_secs(70);
/// `limits.call`, and what starting a process may take on a busy machine.
const LONGEST_CALL: Duration = Duration::from_millis(9_500);
/// How many rows are named of those that are wrong.
const SHOWN: usize = 4;

/// Watches, until the round is over, that one server at the most takes writes. Says when two did.
pub fn watch(cluster: &Cluster, desk: &Desk) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut sessions: [Option<Conn>; 2] = [None, None];
    while !*held(&desk.is_over) {
        let mut are_open = true;
        // The first one twice: what both say then was so at one moment.
        for host in [0, 1, 0] {
            are_open = are_open && is_open(cluster, &mut sessions[host], host);
        }
        if are_open {
            wrong.push(format!("at {} ms, db1 and db2 both take writes", desk.begun.elapsed().as_millis()));
            std::thread::sleep(Duration::from_millis(500));
        }
        std::thread::sleep(PAUSE);
    }
    wrong
}

/// Watches that no host has the address from when `clear_ip` has said OK there until it is to have it again.
pub fn watch_addresses(cluster: &Cluster, desk: &Desk) -> Vec<String> {
    let mut wrong = Vec::new();
    while !*held(&desk.is_over) {
        let cleared = held(&desk.cleared).clone();
        for (host, since) in cleared {
            if has_address(cluster, host) && held(&desk.cleared).get(&host) == Some(&since) {
                let at = desk.begun.elapsed().as_millis();
                wrong.push(format!(
                    "at {at} ms, {} has the address; clear_ip said OK {} ms before",
                    Cluster::name(host),
                    since.elapsed().as_millis()
                ));
            }
        }
        std::thread::sleep(ADDRESS_PAUSE);
    }
    wrong
}

/// The threads of a host's replication.
#[derive(Clone, Copy, Debug)]
pub struct Threads {
    /// Whether a thread does not run, and whether an error says why.
    io: (bool, bool),
    sql: (bool, bool),
}

impl Threads {
    /// True if one of them does not run. One that tries to connect does.
    pub fn is_stopped(self) -> bool {
        self.io.0 || self.sql.0
    }

    /// True if the SQL thread alone does not run, and has no error.
    pub fn only_fetches(self) -> bool {
        !self.io.0 && self.sql == (true, false)
    }

    /// True if one of them does not run, and has no error.
    pub fn is_stopped_without_cause(self) -> bool {
        self.io == (true, false) || self.sql == (true, false)
    }
}

/// The threads of a host, if its server answers at once.
pub fn threads(cluster: &Cluster, host: usize) -> Option<Threads> {
    let status = cluster.status(host, Duration::from_millis(500)).ok()?;
    let is = |name: &str, value: &str| status.iter().any(|(field, is)| field == name && is == value);
    let thread =
        |name: &str| (is(&format!("Slave_{name}_Running"), "No"), !is(&format!("Last_{name}_Errno"), "0"));
    if status.is_empty() { None } else { Some(Threads { io: thread("IO"), sql: thread("SQL") }) }
}

/// True if the server of a host answers, over `session` or a new one, that it takes writes.
pub fn is_open(cluster: &Cluster, session: &mut Option<Conn>, host: usize) -> bool {
    if session.is_none() {
        *session = cluster.connect(host, Duration::from_millis(200)).ok();
    }
    let Some(open) = session else { return false };
    let Ok(read_only) = open.query_first::<u8, _>("SELECT @@GLOBAL.read_only") else {
        *session = None;
        return false;
    };
    read_only == Some(0)
}

/// A server whose disk was full looks only once a minute whether it still is.
fn patience(plan: &Plan, usual: Duration) -> Duration {
    if plan.small_disks().is_empty() { usual } else { usual + FULL }
}

/// Waits, after the last fault, for the role to be served: by one host with the address, to which `is_served` says that
/// rows are written.
pub fn await_role(
    cluster: &Cluster,
    desk: &Desk,
    plan: &Plan,
    mut is_served: impl FnMut() -> bool,
) -> Result<Duration, String> {
    let begun = Instant::now();
    loop {
        let holders: Vec<usize> = (0..2).filter(|host| has_address(cluster, *host)).collect();
        let open: Vec<usize> = (0..2).filter(|host| is_open(cluster, &mut None, *host)).collect();
        let writer = *held(&desk.writer);
        if holders.len() == 1 && holders == open && writer == holders.first().copied() && is_served() {
            return Ok(begun.elapsed());
        }
        if begun.elapsed() > patience(plan, SERVED) {
            return Err(format!(
                "{} s after the last fault the role is not served: the monitor wants {writer:?}, the address is on {holders:?}, \
                 {open:?} take writes",
                begun.elapsed().as_secs()
            ));
        }
        std::thread::sleep(Duration::from_millis(200));
    }
}

/// True if the writer address is on a host.
pub fn has_address(cluster: &Cluster, host: usize) -> bool {
    let shown = cluster.run(&Cluster::name(host), &["ip", "-4", "-o", "addr", "show", "dev", "eth0"]);
    shown.is_ok_and(|text| text.contains(&format!(" {WRITER_IP}/")))
}

/// Waits until everybody who lives follows whom it should. Says who does not.
pub fn await_following(cluster: &Cluster, desk: &Desk, plan: &Plan) -> Vec<String> {
    let begun = Instant::now();
    let mut asked = BTreeMap::new();
    loop {
        let mut wrong = Vec::new();
        let Some(writer) = *held(&desk.writer) else { return vec!["nobody has the role".into()] };
        for host in living(cluster, desk) {
            let source = match host {
                0 => 1,
                1 => 0,
                _ => writer,
            };
            if held(&desk.gone).contains(&source) {
                continue;
            }
            if host >= 2 && is_to_be_rebuilt(desk, host) {
                held(&desk.gone).insert(host);
                continue;
            }
            if let Some(reason) = why_not_following(cluster, host, source) {
                nudge(cluster, desk, plan, host, &reason, &mut asked);
                wrong.push(format!("{}: {reason}", Cluster::name(host)));
            }
        }
        if wrong.is_empty() || begun.elapsed() > patience(plan, SETTLED) {
            return wrong;
        }
        std::thread::sleep(Duration::from_millis(300));
    }
}

/// True if the writer was opened without what only this slave has, and it is refused for that.
fn is_to_be_rebuilt(desk: &Desk, host: usize) -> bool {
    let calls = held(&desk.calls);
    let last =
        calls.iter().rev().find(|called| called.host == host && called.call.starts_with("set_active_master"));
    let is_ahead =
        last.and_then(|called| called.answer.code.as_deref()).is_some_and(|code| AHEAD.contains(&code));
    is_ahead && calls.iter().any(is_opened_without)
}

/// What a slave is refused for that has more than the writer.
const AHEAD: [&str; 7] = [
    "replica-ahead",
    "keeps-no-log",
    "not-in-log",
    "out-of-order",
    "applies-no-further",
    "not-taken-over-yet",
    "tail-only-fetched",
];

/// True if the answer names what is lost.
fn is_opened_without(called: &Called) -> bool {
    called.answer.line.contains("continues without")
}

/// Waits, after the last write, until everybody who lives has the same rows. Says what differs.
pub fn await_rows(cluster: &Cluster, desk: &Desk, plan: &Plan) -> Vec<String> {
    let begun = Instant::now();
    loop {
        match rows_differ(cluster, desk) {
            None => return Vec::new(),
            Some(difference) if begun.elapsed() > patience(plan, SETTLED) => return vec![difference],
            Some(_) => std::thread::sleep(Duration::from_millis(300)),
        }
    }
}

/// The hosts whose servers are not gone for good.
fn living(cluster: &Cluster, desk: &Desk) -> Vec<usize> {
    let gone = held(&desk.gone);
    (0..cluster.hosts).filter(|host| !gone.contains(host)).collect()
}

fn why_not_following(cluster: &Cluster, host: usize, source: usize) -> Option<String> {
    let status = match cluster.status(host, Duration::from_secs(20)) {
        Ok(status) => status,
        Err(error) => return Some(error.to_string()),
    };
    let field = |name: &str| status.iter().find(|(field, _)| field == name).map_or("", |(_, value)| value);
    let threads = (field("Slave_IO_Running"), field("Slave_SQL_Running"));
    if field("Master_Host") != Cluster::address(source) {
        return Some(format!("follows {}, not {}", field("Master_Host"), Cluster::name(source)));
    }
    if threads != ("Yes", "Yes") {
        let errors = [field("Last_IO_Error"), field("Last_SQL_Error")].join(" ");
        let errors = if errors.trim().is_empty() { errors } else { format!("error {}", errors.trim()) };
        return Some(format!("threads {} {}: {}", threads.0, threads.1, errors.trim()));
    }
    None
}

/// What an operator does: has a thread connect that sleeps for a minute or has given up, and starts what the server's settings
/// leave stopped after its own start. Nothing that a helper may have left stopped.
fn nudge(
    cluster: &Cluster,
    desk: &Desk,
    plan: &Plan,
    host: usize,
    reason: &str,
    asked: &mut BTreeMap<usize, Instant>,
) {
    if asked.get(&host).is_some_and(|at| at.elapsed() <= Duration::from_secs(4)) {
        return;
    }
    let name = Cluster::name(host);
    let leaves_stopped = plan.settings.iter().any(|setting| setting.line.starts_with("skip_slave_start"));
    let was_restarted = held(&desk.servers_restarted).contains(&host);
    let is_connecting =
        reason.starts_with("threads Connecting") || reason.starts_with("threads No Yes: error");
    let words: &[&str] = if is_connecting {
        &["sql", &name, "STOP SLAVE IO_THREAD", "START SLAVE IO_THREAD"]
    } else if was_restarted && leaves_stopped && reason.starts_with("threads No No") {
        &["sql", &name, "START SLAVE"]
    } else {
        return;
    };
    asked.insert(host, Instant::now());
    let _ = cluster.control(words);
}

/// The tables that are compared, by what they hold.
const TABLES: [(&str, &str); 5] = [
    ("ticks", "SELECT id, at, '' FROM app.ticks ORDER BY id"),
    ("entries", "SELECT id, note, '' FROM app.entries ORDER BY id"),
    ("large", "SELECT id, note, HEX(CRC32(body)) FROM app.large ORDER BY id"),
    ("plain", "SELECT id, note, '' FROM app.plain ORDER BY id"),
    ("counters", "SELECT id, HEX(n), '' FROM app.counters ORDER BY id"),
];

fn rows_differ(cluster: &Cluster, desk: &Desk) -> Option<String> {
    for (table, statement) in TABLES {
        let mut first: Option<BTreeSet<(u64, String, String)>> = None;
        for host in living(cluster, desk) {
            let rows: BTreeSet<(u64, String, String)> = match cluster.rows(host, statement) {
                Ok(rows) => rows.into_iter().collect(),
                Err(error) => return Some(format!("{}: {error}", Cluster::name(host))),
            };
            match &first {
                None => first = Some(rows),
                Some(others) if *others == rows => {}
                Some(others) => {
                    let only_first: Vec<_> = others.difference(&rows).collect();
                    let only_here: Vec<_> = rows.difference(others).collect();
                    return Some(format!(
                        "{table}: {} rows only on the first {:?}, {} only on {} {:?}",
                        only_first.len(),
                        &only_first[..only_first.len().min(SHOWN)],
                        only_here.len(),
                        Cluster::name(host),
                        &only_here[..only_here.len().min(SHOWN)],
                    ));
                }
            }
        }
    }
    None
}

/// What clients noted.
#[derive(Debug, Default)]
pub struct Notes {
    /// What was acknowledged, with the number of its rows.
    pub acknowledged: BTreeMap<String, u64>,
    /// When something was acknowledged, in milliseconds since 1970.
    pub times: Vec<u128>,
    /// What was begun: on which server, and when, in milliseconds since 1970.
    pub begun: BTreeMap<String, (u64, u128)>,
}

/// Reads what the writers noted.
pub fn notes(folder: &Path) -> Notes {
    let mut notes = Notes::default();
    let files = fs::read_dir(folder).into_iter().flatten().flatten();
    for file in files.filter(|file| file.file_name().to_string_lossy().starts_with("notes")) {
        for line in fs::read_to_string(file.path()).unwrap_or_default().lines() {
            let words: Vec<&str> = line.split(' ').collect();
            match words[..] {
                ["?", name, server, at] => {
                    let begin = (server.parse().unwrap_or(0), at.parse().unwrap_or(0));
                    notes.begun.insert(name.into(), begin);
                }
                ["+", name, rows, at] => {
                    notes.acknowledged.insert(name.into(), rows.parse().unwrap_or(0));
                    notes.times.push(at.parse().unwrap_or(0));
                }
                _ => {}
            }
        }
    }
    notes.times.sort_unstable();
    notes
}

/// The longest time from `since` on in which nothing was acknowledged.
pub fn longest_pause(since: u128, notes: &Notes) -> u128 {
    let mut last = since;
    let pauses = notes.times.iter().map(|at| at.saturating_sub(std::mem::replace(&mut last, *at)));
    pauses.max().unwrap_or(0)
}

/// What clients were told is there, once, on every host that lives; of what they were not told, all or nothing; what was
/// rolled back is nowhere. What a writer that is gone for good had sent to nobody is lost with it; with semi-sync, nothing
/// is. Counts the rows in `compared`.
pub fn check_rows(
    cluster: &Cluster,
    desk: &Desk,
    plan: &Plan,
    notes: &Notes,
    compared: &mut u64,
) -> Vec<String> {
    let mut wrong = Vec::new();
    let lost = lost(desk, plan, notes);
    for host in living(cluster, desk) {
        let name = Cluster::name(host);
        let all = "SELECT note, COUNT(*) FROM (SELECT note FROM app.entries UNION ALL SELECT note FROM app.large \
                   UNION ALL SELECT note FROM app.plain) AS notes GROUP BY note";
        let there: BTreeMap<String, u64> = match cluster.rows::<(String, u64)>(host, all) {
            Ok(rows) => rows.into_iter().collect(),
            Err(error) => {
                wrong.push(format!("{name}: {error}"));
                continue;
            }
        };
        *compared += there.values().sum::<u64>();
        let mut complain = |what: &str, which: Vec<&str>| {
            if !which.is_empty() {
                wrong.push(format!("{name}: {} {what}: {:?}", which.len(), &which[..which.len().min(SHOWN)]));
            }
        };
        let of = |note: &str| there.get(note).copied().unwrap_or(0);
        let those = |is_so: fn(u64, u64) -> bool| {
            let all = notes.acknowledged.iter().filter(|(note, rows)| is_so(of(note), **rows));
            all.map(|(note, _)| note.as_str()).collect::<Vec<&str>>()
        };
        let mut missing = those(|there, rows| rows > 0 && there == 0);
        missing.retain(|note| !lost.contains(*note));
        complain("acknowledged are missing", missing);
        complain("acknowledged are there in part", those(|there, rows| there > 0 && there < rows));
        complain("are there more than once", those(|there, rows| there > rows));
        let is_known = |note: &str| notes.begun.contains_key(note) || note.starts_with("rolled back");
        complain("nobody wrote", there.keys().map(String::as_str).filter(|note| !is_known(note)).collect());
        complain(
            "were rolled back",
            there.keys().map(String::as_str).filter(|note| note.starts_with("rolled back")).collect(),
        );
        wrong.extend(check_counters(cluster, host, notes, &lost));
    }
    wrong
}

/// What was acknowledged by a writer that is gone for good, and may be lost.
fn lost<'n>(desk: &Desk, plan: &Plan, notes: &'n Notes) -> BTreeSet<&'n str> {
    let (gone, fetched) = (held(&desk.gone), held(&desk.fetched));
    let opened_without = held(&desk.calls).iter().any(is_opened_without);
    let is_fetched = |note: &str| fetched.contains(note.strip_prefix("same_").unwrap_or(note));
    // What waits for an acknowledgement is acknowledged only while a replica is connected.
    let waits = plan.semi_sync
        && plan.faults.iter().all(|(_, fault)| {
            matches!(fault, Fault::KillWriterForGood | Fault::Flush(..) | Fault::Late(..) | Fault::Slow(..))
        });
    let is_lost = |note: &str, server: u64| {
        let is_of_the_gone =
            usize::try_from(server).is_ok_and(|server| gone.contains(&server.wrapping_sub(1)));
        is_of_the_gone && !waits && (opened_without || !is_fetched(note))
    };
    notes
        .begun
        .iter()
        .filter(|(note, (server, _))| is_lost(note, *server))
        .map(|(note, _)| note.as_str())
        .collect()
}

/// Names of the transactions that the living have fetched: what stands in their relay logs. The last one of each may not
/// be whole.
pub fn fetched(cluster: &Cluster, desk: &Desk) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for host in living(cluster, desk) {
        let data = cluster.folder.join(Cluster::name(host)).join("data");
        let folders = [data, disk_of(host)];
        let files = folders.iter().flat_map(fs::read_dir).flatten().flatten().map(|file| file.path());
        let mut files: Vec<_> = files
            .filter(|path| {
                let name = path.file_name().unwrap_or_default().to_string_lossy();
                name.strip_prefix("relay.").is_some_and(|rest| rest.bytes().all(|byte| byte.is_ascii_digit()))
            })
            .collect();
        files.sort();
        let mut last = None;
        for name in files.iter().flat_map(|file| names_in(&fs::read(file).unwrap_or_default())) {
            if last.as_ref() != Some(&name) {
                names.extend(last.replace(name));
            }
        }
    }
    names
}

/// Each `NUMBER-NUMBER` in some bytes, as the writers name transactions.
fn names_in(bytes: &[u8]) -> Vec<String> {
    let is_of_a_name = |byte: &u8| byte.is_ascii_digit() || *byte == b'-';
    let words = bytes.split(|byte| !is_of_a_name(byte)).filter(|word| word.contains(&b'-'));
    let names = words.map(|word| String::from_utf8_lossy(word).into_owned());
    let is_name = |word: &String| {
        let halves = word.split_once('-');
        halves.is_some_and(|(one, other)| !one.is_empty() && !other.is_empty() && !other.contains('-'))
    };
    names.filter(is_name).collect()
}

/// The statements that are all alike: each acknowledged one counts once, and one whose end nobody knows at most once.
fn check_counters(cluster: &Cluster, host: usize, notes: &Notes, lost: &BTreeSet<&str>) -> Vec<String> {
    let counters = match cluster.rows::<(u64, u64)>(host, "SELECT id, n FROM app.counters") {
        Ok(rows) => rows,
        Err(error) => return vec![format!("{}: {error}", Cluster::name(host))],
    };
    let of_writer = |note: &str, id: u64| {
        note.strip_prefix("same_").is_some_and(|rest| rest.starts_with(&format!("{id}-")))
    };
    let mut wrong = Vec::new();
    for (id, n) in counters {
        let begun = notes.begun.keys().filter(|note| of_writer(note, id)).count() as u64;
        let is_known = |note: &&String| of_writer(note, id) && !lost.contains(note.as_str());
        let known = notes.acknowledged.keys().filter(is_known).count() as u64;
        if n < known || n > begun {
            wrong.push(format!(
                "{}: counter {id} is {n}; {known} were acknowledged, {begun} begun",
                Cluster::name(host)
            ));
        }
    }
    wrong
}

/// Nothing is written on a server from when `mysql_deny_write` has said OK there until it is opened again, nor on a slave.
pub fn check_closed(desk: &Desk, notes: &Notes) -> Vec<String> {
    let mut closed: Vec<(u64, u128, u128)> = Vec::new();
    for called in held(&desk.calls).iter() {
        let server = called.host as u64 + 1;
        let at = desk.began_at + called.at.as_millis();
        if called.call == "mysql_deny_write" && called.answer.is_ok() {
            closed.push((server, at + called.answer.took.as_millis(), u128::MAX));
        } else if called.call == "mysql_allow_write" {
            for (of, _, until) in &mut closed {
                if *of == server && *until == u128::MAX {
                    *until = at;
                }
            }
        }
    }
    let is_wrong = |server: u64, at: u128| {
        // A millisecond may be lost on either side.
        server > 2 || closed.iter().any(|(of, from, until)| *of == server && at > from + 2 && at + 2 < *until)
    };
    let written: Vec<&String> = notes
        .begun
        .iter()
        .filter(|(name, (server, at))| {
            is_wrong(*server, *at) && notes.acknowledged.get(*name).is_some_and(|rows| *rows > 0)
        })
        .map(|(name, _)| name)
        .collect();
    if written.is_empty() {
        return Vec::new();
    }
    vec![format!(
        "{} were written where writes were closed: {:?}",
        written.len(),
        &written[..written.len().min(SHOWN)]
    )]
}

/// Writes were opened without what only a slave had, although nothing of the round excuses that.
pub fn check_tails(desk: &Desk, plan: &Plan) -> Vec<String> {
    let is_excused = plan.delayed.is_some()
        || plan.settings.iter().any(|setting| setting.line.starts_with("log_slave_updates"))
        || plan.faults.iter().any(|(_, fault)| {
            fault.parts() || matches!(fault, Fault::Purge(..) | Fault::Kill(..) | Fault::Slow(..))
        });
    held(&desk.calls)
        .iter()
        .filter(|called| !is_excused && is_opened_without(called))
        .map(|called| format!("{}: {}", called.call, called.answer.line))
        .collect()
}

/// Refusals that are untrue: nothing that is drawn makes one of them right.
const UNTRUE: [&str; 28] = [
    "account-refused",
    "foreign-source",
    "gtids-missing",
    "ignores-new-master",
    "internal-error",
    "lacks-privilege",
    "log-begun-anew",
    "log-purged",
    "log-was-reset",
    "moves-itself",
    "new-master-filters",
    "new-master-is-this-host",
    "no-binlog",
    "no-slave-updates",
    "not-a-replica",
    "not-put-back",
    "old-filters-unknown",
    "own-log-cut",
    "own-transactions",
    "peer-log-cut",
    "peer-unreadable",
    "same-server-id",
    "several-channels",
    "several-sources",
    "unknown-domain",
    "unknown-host",
    "usage",
    "wrong-source",
];

/// Refusals whose reason is not so.
pub fn check_refusals(desk: &Desk) -> Vec<String> {
    let is_untrue =
        |called: &&Called| called.answer.code.as_deref().is_some_and(|code| UNTRUE.contains(&code));
    let calls = held(&desk.calls);
    let untrue = calls.iter().filter(is_untrue).take(SHOWN).map(|called| {
        let (at, name) = (called.at.as_millis(), Cluster::name(called.host));
        format!("at {at} ms, {} on {name} is refused for what is not so: {}", called.call, called.answer.line)
    });
    untrue.collect()
}

/// What helpers must not leave behind, and how long they may take.
pub fn check_helpers(cluster: &Cluster, desk: &Desk) -> Vec<String> {
    let mut wrong: Vec<String> = held(&desk.calls)
        .iter()
        .filter(|called| called.answer.took > LONGEST_CALL)
        .map(|called| {
            format!("{} on {} took {:?}", called.call, Cluster::name(called.host), called.answer.took)
        })
        .collect();
    for host in 0..cluster.hosts {
        let name = Cluster::name(host);
        let rules = cluster.run(&name, &["iptables", "-S"]).unwrap_or_default();
        let rules = rules.lines().filter(|line| line.starts_with("-A")).count();
        if rules != 0 {
            wrong.push(format!("{name}: {rules} packet filter rules are left"));
        }
        let look = || cluster.run(&name, &["pgrep", "-fa", "/[a-z_]+ mmm_agent"]).unwrap_or_default();
        let mut helpers = look();
        // One may be ending.
        for _ in 0..10 {
            if helpers.trim().is_empty() {
                break;
            }
            std::thread::sleep(Duration::from_millis(200));
            helpers = look();
        }
        if !helpers.trim().is_empty() {
            wrong.push(format!("{name}: helpers still run: {}", helpers.trim()));
        }
        let markers = cluster
            .run(&name, &["sh", "-c", "ls /var/lib/mysql-mmm 2>/dev/null | grep -E 'hold|takeover' || true"]);
        let markers = markers.unwrap_or_default();
        if !markers.trim().is_empty() {
            wrong.push(format!("{name}: markers are left: {}", markers.trim().replace('\n', " ")));
        }
    }
    wrong
}

#[cfg(test)]
mod tests;
