//! Random failovers on real servers, with an oracle that knows what may be lost. See `make chaos` and docs/RELIABILITY.md.

#![allow(clippy::print_stdout, clippy::print_stderr)]

mod cluster;
mod dice;
mod faults;
mod load;
mod monitor;
mod oracle;
mod plan;
mod round;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use clap::{Parser, Subcommand};
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

use crate::dice::Dice;
use crate::load::Writer;
use crate::plan::{Kind, Load, Plan};

/// Random failovers on real servers.
#[derive(Debug, Parser)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Runs rounds, and ends with what was found.
    Run {
        /// A flavour of the test cluster; several take turns.
        #[arg(long, value_delimiter = ',', default_value = "mariadb-10.11,mysql-9")]
        server: Vec<String>,
        /// `file`, `gtid` or both in turn.
        #[arg(long, value_delimiter = ',', default_value = "file,gtid")]
        mode: Vec<String>,
        /// The seed of the first round; the next ones follow from it.
        #[arg(long)]
        seed: Option<u64>,
        /// How many rounds.
        #[arg(long)]
        rounds: Option<u64>,
        /// For how long rounds are begun.
        #[arg(long)]
        minutes: Option<u64>,
        /// Parts of a round to leave out, as its failure names them.
        #[arg(long, value_delimiter = ',')]
        without: Vec<String>,
        /// A round that a file has, as SHRINK leaves it; nothing is drawn.
        #[arg(long)]
        plan: Option<PathBuf>,
        /// Leave out part after part of a round that fails, and say what remains.
        #[arg(long)]
        shrink: bool,
        /// The helpers.
        #[arg(long)]
        helpers: PathBuf,
        /// The project's folder.
        #[arg(long, default_value = ".")]
        repository: PathBuf,
    },
    /// A writer in the clients' network; `run` starts it.
    #[command(hide = true)]
    Write { number: u64, seed: u64, rest: u64, load: String, notes: PathBuf, stop: PathBuf },
}

/// A line for the person who watches.
pub(crate) fn say(line: &str) {
    println!("{line}");
}

fn main() -> ExitCode {
    match Arguments::parse().command {
        Command::Write { number, seed, rest, load, notes, stop } => {
            let load: Vec<Load> = load.split(',').filter_map(|kind| kind.parse().ok()).collect();
            let writer = Writer { number, seed, rest: Duration::from_millis(rest), load };
            match load::write(&writer, cluster::WRITER_IP, &notes, &stop) {
                Ok(()) => ExitCode::SUCCESS,
                Err(error) => {
                    eprintln!("{error}");
                    ExitCode::FAILURE
                }
            }
        }
        Command::Run { server, mode, seed, rounds, minutes, without, plan, shrink, helpers, repository } => {
            let (Ok(repository), Ok(helpers)) = (repository.canonicalize(), helpers.canonicalize()) else {
                eprintln!("there is no such folder: {} or {}", repository.display(), helpers.display());
                return ExitCode::FAILURE;
            };
            end_when_told();
            let kinds: Vec<Kind> = server
                .iter()
                .flat_map(|server| {
                    mode.iter().map(|mode| Kind { server: server.clone(), mode: mode.clone() })
                })
                .collect();
            let first = seed.unwrap_or_else(|| {
                let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
                now.map_or(1, |now| now.as_secs() % 1_000_000)
            });
            let place = round::Place { repository, helpers };
            let begun = Instant::now();
            let limit = minutes.map(|minutes| Duration::from_secs(60 * minutes));
            let rounds = rounds.unwrap_or(if limit.is_some() { u64::MAX } else { 1 });
            let mut failed = Vec::new();
            let mut table = round::Table::default();
            if let Some(file) = plan {
                return again(&place, &file, rounds, &mut table);
            }
            for (index, seed) in (first..).take(usize::try_from(rounds).unwrap_or(usize::MAX)).enumerate() {
                if limit.is_some_and(|limit| begun.elapsed() >= limit) {
                    break;
                }
                let kind = if kinds.len() == 1 { &kinds[0] } else { kind_of(seed, &kinds) };
                let plan = Plan::draw(seed, kind).without(&without);
                let found = round::play(&place, &plan, index, &mut table);
                if !found.is_empty() {
                    failed.push(seed);
                    if shrink {
                        round::shrink(&place, &Plan::draw(seed, kind), &without, &found);
                    }
                }
            }
            table.show(begun.elapsed(), &failed);
            if failed.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
    }
}

/// Plays the round of a file so many times.
fn again(place: &round::Place, file: &Path, rounds: u64, table: &mut round::Table) -> ExitCode {
    let text = std::fs::read_to_string(file).map_err(|error| error.to_string());
    let plan: Plan =
        match text.and_then(|text| serde_yaml::from_str(&text).map_err(|error| error.to_string())) {
            Ok(plan) => plan,
            Err(error) => {
                eprintln!("{}: {error}", file.display());
                return ExitCode::FAILURE;
            }
        };
    let is_right = (0..rounds.min(1_000)).all(|round| {
        let index = usize::try_from(round).unwrap_or(0);
        round::play(place, &plan, index, table).is_empty()
    });
    if is_right { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Leaves no cluster behind when a person ends this program.
fn end_when_told() {
    let Ok(mut signals) = Signals::new([SIGINT, SIGTERM]) else { return };
    std::thread::spawn(move || {
        if signals.forever().next().is_some() {
            cluster::end();
            std::process::exit(130);
        }
    });
}

/// Which server a seed gets: the same whatever else is run beside it.
fn kind_of(seed: u64, kinds: &[Kind]) -> &Kind {
    Dice::new(seed ^ 0x6b69_6e64).pick(kinds)
}
