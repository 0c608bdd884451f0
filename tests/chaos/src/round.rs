//! One round, from its plan to what was found.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use crate::cluster::Cluster;
use crate::monitor::{Desk, Monitor, held};
use crate::oracle::Notes;
use crate::plan::{Load, Plan};
use crate::results::Outcome;
use crate::{faults, oracle, say};

/// Where everything lies.
#[derive(Clone, Debug)]
pub struct Place {
    /// The project.
    pub repository: PathBuf,
    /// The helpers.
    pub helpers: PathBuf,
}

/// Plays a round.
pub fn play(place: &Place, plan: &Plan, index: usize) -> Outcome {
    say(&format!("round {}: {plan}", index + 1));
    let begun = Instant::now();
    let mut outcome = Outcome {
        seed: plan.seed,
        server: plan.kind.server.clone(),
        mode: plan.kind.mode.clone(),
        began: u64::try_from(crate::load::now()).unwrap_or(0),
        ..Outcome::default()
    };
    outcome.found = match Cluster::up(&place.repository, &place.helpers, plan) {
        Ok(cluster) => on(&cluster, plan, &mut outcome),
        Err(error) => vec![error],
    };
    outcome.took = milliseconds(begun.elapsed());
    if outcome.found.is_empty() {
        say(&format!(
            "  right, in {} s: {} transactions, {} moves of a slave, {} ms without a commit",
            outcome.took / 1000,
            outcome.transactions,
            outcome.moves,
            outcome.longest_pause
        ));
    } else {
        outcome.plan = Some(plan.clone());
    }
    for line in &outcome.found {
        say(&format!("  WRONG: {line}"));
    }
    outcome
}

fn milliseconds(of: Duration) -> u64 {
    u64::try_from(of.as_millis()).unwrap_or(u64::MAX)
}

fn on(cluster: &Cluster, plan: &Plan, outcome: &mut Outcome) -> Vec<String> {
    let work = cluster.folder.join("chaos");
    let prepared =
        fs::create_dir_all(&work).map_err(|error| error.to_string()).and_then(|()| prepare(cluster, plan));
    if let Err(error) = prepared {
        return vec![error];
    }
    let desk = Desk::new();
    let mut writers = match start_writers(cluster, plan, &work) {
        Ok(writers) => writers,
        Err(error) => return vec![error],
    };
    let mut wrong = Vec::new();
    let mut role = Duration::ZERO;
    std::thread::scope(|scope| {
        let watched = scope.spawn(|| oracle::watch(cluster, &desk));
        let addresses = scope.spawn(|| oracle::watch_addresses(cluster, &desk));
        scope.spawn(|| Monitor::new(cluster, &desk, plan).run());
        faults::strike(cluster, &desk, plan);
        let count = || oracle::notes(&work).acknowledged.len();
        let so_far = count();
        let served = oracle::await_role(cluster, &desk, plan, || count() > so_far + 3);
        match served {
            Ok(took) => role = took,
            Err(error) => wrong.push(error),
        }
        let following = oracle::await_following(cluster, &desk, plan);
        // A moment of ordinary work.
        std::thread::sleep(Duration::from_millis(500));
        let _ = fs::write(work.join("stop"), "");
        for writer in &mut writers {
            let _ = writer.wait();
        }
        if has_event(plan) {
            for host in 0..cluster.hosts {
                let _ = cluster.control(&["sql", &Cluster::name(host), "SET GLOBAL event_scheduler = OFF"]);
            }
        }
        if following.is_empty() {
            wrong.extend(oracle::await_rows(cluster, &desk, plan));
        }
        wrong.extend(following);
        *held(&desk.is_over) = true;
        for watched in [watched, addresses] {
            match watched.join() {
                Ok(seen) => wrong.extend(seen),
                Err(_) => wrong.push("the oracle's watch has failed".into()),
            }
        }
    });
    let notes = oracle::notes(&work);
    if notes.acknowledged.len() < 10 {
        wrong.push(format!("only {} transactions were acknowledged", notes.acknowledged.len()));
    }
    wrong.extend(std::mem::take(&mut *held(&desk.wrong)));
    wrong.extend(oracle::check_rows(cluster, &desk, plan, &notes, &mut outcome.rows));
    wrong.extend(oracle::check_closed(&desk, &notes));
    wrong.extend(oracle::check_tails(&desk, plan));
    wrong.extend(oracle::check_refusals(&desk));
    wrong.extend(oracle::check_helpers(cluster, &desk));
    count(&desk, &notes, role, outcome);
    if !wrong.is_empty() {
        keep(cluster, plan, &desk, &wrong);
    }
    wrong
}

/// True if an event writes, too.
fn has_event(plan: &Plan) -> bool {
    plan.settings.iter().any(|setting| setting.line.starts_with("event_scheduler"))
}

fn prepare(cluster: &Cluster, plan: &Plan) -> Result<(), String> {
    let tables = [
        "CREATE TABLE app.large (id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY, note VARCHAR(255), body LONGTEXT) ENGINE = InnoDB",
        "CREATE TABLE app.plain (id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY, note VARCHAR(255)) ENGINE = MyISAM",
        "CREATE TABLE app.counters (id BIGINT UNSIGNED NOT NULL PRIMARY KEY, n BIGINT UNSIGNED NOT NULL) ENGINE = InnoDB",
        "INSERT INTO app.counters VALUES (0, 0), (1, 0), (2, 0), (3, 0)",
        "CREATE TABLE app.ticks (id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY, at VARCHAR(255)) ENGINE = InnoDB",
    ];
    for statement in tables {
        cluster.control(&["sql", "db1", statement])?;
    }
    if plan.load.contains(&Load::Scratch) {
        for host in 0..cluster.hosts {
            let words = [
                "SET SESSION sql_log_bin = 0",
                "CREATE DATABASE scratch",
                "CREATE TABLE scratch.lines (id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY, note VARCHAR(255))",
                "GRANT ALL ON scratch.* TO 'app'@'10.77.0.%'",
            ];
            cluster.control(&[&["sql", &Cluster::name(host)], &words[..]].concat())?;
        }
    }
    if has_event(plan) {
        let event = "CREATE DEFINER = 'app'@'10.77.0.%' EVENT app.tick ON SCHEDULE EVERY 1 SECOND DO \
                     INSERT INTO app.ticks (at) VALUES (CONNECTION_ID())";
        cluster.control(&["sql", "db1", event])?;
    }
    if let Some(host) = plan.delayed {
        let name = Cluster::name(host);
        cluster.control(&["sql", &name, "STOP SLAVE", "CHANGE MASTER TO MASTER_DELAY = 2", "START SLAVE"])?;
    }
    Ok(())
}

fn start_writers(cluster: &Cluster, plan: &Plan, work: &Path) -> Result<Vec<Child>, String> {
    let program = std::env::current_exe().map_err(|error| error.to_string())?;
    let load: Vec<&str> = plan.load.iter().map(|kind: &Load| kind.into()).collect();
    let mut writers = Vec::new();
    for (number, rest) in plan.writers.iter().enumerate() {
        let words = [
            program.display().to_string(),
            "write".into(),
            number.to_string(),
            (plan.seed ^ (number as u64 + 1)).to_string(),
            rest.to_string(),
            load.join(","),
            work.join(format!("notes.{number}")).display().to_string(),
            work.join("stop").display().to_string(),
        ];
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let mut command = cluster.enter("client", &words)?;
        writers.push(command.stdout(Stdio::null()).spawn().map_err(|error| error.to_string())?);
    }
    Ok(writers)
}

fn count(desk: &Desk, notes: &Notes, role: Duration, outcome: &mut Outcome) {
    outcome.transactions = notes.acknowledged.len() as u64;
    outcome.longest_pause = u64::try_from(oracle::longest_pause(desk.began_at, notes)).unwrap_or(u64::MAX);
    outcome.role_after = milliseconds(role);
    for fault in held(&desk.struck).iter() {
        *outcome.faults.entry(fault.split('(').next().unwrap_or_default().to_string()).or_default() += 1;
    }
    for called in held(&desk.calls).iter() {
        let helper = called.call.split(' ').next().unwrap_or_default();
        *outcome.calls.entry(helper.into()).or_default() += 1;
        let longest = outcome.longest_calls.entry(helper.into()).or_default();
        *longest = (*longest).max(milliseconds(called.answer.took));
        if helper == "set_active_master" && called.answer.line == "OK" {
            outcome.moves += 1;
        }
        if !called.answer.is_ok() {
            let name = called.answer.code.as_deref().unwrap_or("killed");
            *outcome.refusals.entry(format!("{helper} {name}")).or_default() += 1;
        }
    }
}

/// An error without what differs from case to case.
fn without_names(line: &str) -> String {
    let mut short: String = line
        .split(' ')
        .map(|word| if word.chars().any(|letter| letter.is_ascii_digit()) { "…" } else { word })
        .collect::<Vec<_>>()
        .join(" ");
    if let Some((at, _)) = short.char_indices().nth(150) {
        short.truncate(at);
    }
    short
}

/// Keeps what a person needs to understand a round.
fn keep(cluster: &Cluster, plan: &Plan, desk: &Desk, wrong: &[String]) {
    let folder = PathBuf::from(format!(
        "/tmp/mmm-chaos-found/{}-{}-{}-{}",
        plan.seed,
        plan.kind.server,
        plan.kind.mode,
        crate::load::now()
    ));
    let _ = fs::create_dir_all(&folder);
    let mut text = format!("{plan}\n\n{}\n\n", wrong.join("\n"));
    for called in held(&desk.calls).iter() {
        let _ = writeln!(
            text,
            "{:>6} ms  {}  {}  {:.0} ms  {}",
            called.at.as_millis(),
            Cluster::name(called.host),
            called.call,
            called.answer.took.as_secs_f64() * 1000.0,
            called.answer.line
        );
    }
    let _ = fs::write(folder.join("round"), text);
    if let Ok(text) = serde_yaml::to_string(plan) {
        let _ = fs::write(folder.join("plan.yaml"), text);
    }
    for host in 0..cluster.hosts {
        let name = Cluster::name(host);
        let _ = fs::write(folder.join(format!("{name}.journal")), cluster.journal(host));
        let _ = fs::copy(
            cluster.folder.join(&name).join("server.log"),
            folder.join(format!("{name}.server.log")),
        );
        let status = cluster.status(host, Duration::from_secs(20)).map(|status| {
            status.iter().map(|(field, value)| format!("{field}: {value}")).collect::<Vec<_>>().join("\n")
        });
        let _ = fs::write(
            folder.join(format!("{name}.status")),
            status.unwrap_or_else(|error| error.to_string()),
        );
    }
    say(&format!("  kept in {}", folder.display()));
}

/// Leaves out part after part while the round still fails.
pub fn shrink(place: &Place, plan: &Plan, without: &[String], found: &[String]) {
    let shape = |found: &[String]| found.first().map(|line| without_names(line));
    let wanted = shape(found);
    let mut left_out = without.to_vec();
    for part in plan.parts().into_iter().rev() {
        if left_out.contains(&part) {
            continue;
        }
        let mut tried = left_out.clone();
        tried.push(part);
        // What fails by chance gets a second one.
        let fails = (0..2).any(|_| shape(&play(place, &plan.clone().without(&tried), 0).found) == wanted);
        if fails {
            left_out = tried;
        }
    }
    let smallest = plan.clone().without(&left_out);
    say(&format!("  still fails: --seed {} --without {}\n{smallest}", plan.seed, left_out.join(",")));
    let file = PathBuf::from(format!("/tmp/mmm-chaos-found/{}.yaml", plan.seed));
    match serde_yaml::to_string(&smallest)
        .map_err(|error| error.to_string())
        .and_then(|text| fs::write(&file, text).map_err(|error| error.to_string()))
    {
        Ok(()) => say(&format!("  it is in {}; run it again with PLAN=FILE", file.display())),
        Err(error) => say(&format!("  {}: {error}", file.display())),
    }
}
