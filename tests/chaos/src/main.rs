//! Random failovers on real servers, with an oracle that knows what may be lost. See `make chaos` and docs/RELIABILITY.md.

#![allow(clippy::print_stdout, clippy::print_stderr)]

mod cluster;
mod dice;
mod faults;
mod load;
mod monitor;
mod mutants;
mod oracle;
mod plan;
mod results;
mod round;
mod witness;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use clap::{Parser, Subcommand};
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

use crate::dice::Dice;
use crate::load::Writer;
use crate::plan::{Kind, Load, Plan};
use crate::results::Outcome;

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
        /// The same in hours.
        #[arg(long)]
        hours: Option<f64>,
        /// Parts of a round to leave out, as its failure names them.
        #[arg(long, value_delimiter = ',')]
        without: Vec<String>,
        /// A round that a file has, as SHRINK leaves it; of a folder, all that end with `.yaml`. Nothing is drawn.
        #[arg(long)]
        plan: Option<PathBuf>,
        /// A file with rounds, each a line: server, mode and seed. They are played behind those of `--plan`.
        #[arg(long)]
        list: Option<PathBuf>,
        /// Leave out part after part of a round that fails, and say what remains.
        #[arg(long)]
        shrink: bool,
        /// A file to which what each round came to is added as a line; the table at the end is that of the whole file.
        #[arg(long)]
        results: Option<PathBuf>,
        /// The helpers.
        #[arg(long)]
        helpers: PathBuf,
        /// The project's folder.
        #[arg(long, default_value = ".")]
        repository: PathBuf,
    },
    /// Prints the table of a file that `run --results` has written.
    Table {
        /// The file.
        results: PathBuf,
    },
    /// Takes out one rule of the helpers after the other, and looks how many rounds it takes until that is found.
    Mutants {
        /// Rules of tests/chaos/mutants.yaml; without any, all.
        #[arg(long, value_delimiter = ',')]
        mutant: Vec<String>,
        /// How many rounds a rule gets.
        #[arg(long, default_value = "15")]
        rounds: u64,
        /// The seed of the first round of each rule.
        #[arg(long, default_value = "1")]
        seed: u64,
        /// Helpers that were built with the feature `mutants`.
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
        Command::Mutants { mutant, rounds, seed, helpers, repository } => {
            end_when_told();
            mutants::run(&mutant, rounds, seed, &helpers, &repository)
        }
        Command::Table { results } => match results::read(&results) {
            Ok(outcomes) => {
                say(&results::table(&outcomes));
                ExitCode::SUCCESS
            }
            Err(error) => {
                eprintln!("{error}");
                ExitCode::FAILURE
            }
        },
        Command::Run {
            server,
            mode,
            seed,
            rounds,
            minutes,
            hours,
            without,
            plan,
            list,
            shrink,
            results,
            helpers,
            repository,
        } => {
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
            let mut run = Run {
                place: round::Place { repository, helpers },
                begun: Instant::now(),
                limit: hours
                    .map(|hours| Duration::from_secs_f64(3600.0 * hours.max(0.0)))
                    .or_else(|| minutes.map(|minutes| Duration::from_secs(60 * minutes))),
                results,
                outcomes: Vec::new(),
            };
            let rounds = rounds.unwrap_or(if run.limit.is_some() { u64::MAX } else { 1 });
            if plan.is_some() || list.is_some() {
                let plans = plan.map_or(Ok(Vec::new()), |file| of_files(&file)).and_then(|mut plans| {
                    plans.extend(list.map_or(Ok(Vec::new()), |file| of_list(&file))?);
                    Ok(plans)
                });
                return match plans {
                    Ok(plans) if plans.is_empty() => {
                        eprintln!("there is no round to play");
                        ExitCode::FAILURE
                    }
                    Ok(plans) => run.all(&plans, rounds),
                    Err(error) => {
                        eprintln!("{error}");
                        ExitCode::FAILURE
                    }
                };
            }
            let is_named = seed.is_some();
            let first = seed.unwrap_or_else(any_seed);
            for (index, seed) in (first..).take(usize::try_from(rounds).unwrap_or(usize::MAX)).enumerate() {
                if run.is_late() {
                    break;
                }
                // A seed that somebody names gets the same server each time; else all servers take turns.
                let kind = if is_named { kind_of(seed, &kinds) } else { &kinds[index % kinds.len()] };
                let plan = Plan::draw(seed, kind);
                let found = run.play(&plan.clone().without(&without), index);
                if shrink && !found.is_empty() {
                    round::shrink(&run.place, &plan, &without, &found);
                }
            }
            run.end()
        }
    }
}

/// Rounds that are played one after the other.
struct Run {
    place: round::Place,
    begun: Instant,
    limit: Option<Duration>,
    results: Option<PathBuf>,
    outcomes: Vec<Outcome>,
}

impl Run {
    /// True if no more round is begun: one as long as the last one would not end in time.
    fn is_late(&self) -> bool {
        let last = self.outcomes.last().map_or(0, |outcome| outcome.took);
        self.limit.is_some_and(|limit| self.begun.elapsed() + Duration::from_millis(last) >= limit)
    }

    /// Plays a round, and keeps what it came to. Returns what was wrong.
    fn play(&mut self, plan: &Plan, index: usize) -> Vec<String> {
        let outcome = round::play(&self.place, plan, index);
        if let Some(file) = &self.results
            && let Err(error) = results::append(file, &outcome)
        {
            say(&format!("  {error}"));
        }
        let found = outcome.found.clone();
        self.outcomes.push(outcome);
        found
    }

    /// Plays each of these rounds so many times, or until one fails.
    fn all(mut self, plans: &[Plan], rounds: u64) -> ExitCode {
        let rounds = if self.limit.is_some() { 1 } else { usize::try_from(rounds).unwrap_or(usize::MAX) };
        for (index, plan) in plans.iter().flat_map(|plan| std::iter::repeat_n(plan, rounds)).enumerate() {
            if self.is_late() || !self.play(plan, index).is_empty() {
                break;
            }
        }
        self.end()
    }

    /// Prints the table.
    fn end(self) -> ExitCode {
        let is_right = self.outcomes.iter().all(|outcome| outcome.found.is_empty());
        let all = self.results.map_or(Ok(self.outcomes), |file| results::read(&file));
        match all {
            Ok(outcomes) => say(&format!("\n{}", results::table(&outcomes))),
            Err(error) => eprintln!("{error}"),
        }
        if is_right { ExitCode::SUCCESS } else { ExitCode::FAILURE }
    }
}

/// The rounds of a file, or of all files in a folder.
fn of_files(place: &Path) -> Result<Vec<Plan>, String> {
    let mut files = vec![place.to_path_buf()];
    if place.is_dir() {
        let there = std::fs::read_dir(place).map_err(|error| format!("{}: {error}", place.display()))?;
        files = there.flatten().map(|file| file.path()).collect();
        files.retain(|file| file.extension().is_some_and(|extension| extension == "yaml"));
        files.sort();
    }
    let read = |file: &PathBuf| {
        let text = std::fs::read_to_string(file).map_err(|error| error.to_string());
        text.and_then(|text| serde_yaml::from_str(&text).map_err(|error| error.to_string()))
            .map_err(|error| format!("{}: {error}", file.display()))
    };
    files.iter().map(read).collect()
}

/// The rounds of a list.
fn of_list(file: &Path) -> Result<Vec<Plan>, String> {
    let text = std::fs::read_to_string(file).map_err(|error| format!("{}: {error}", file.display()))?;
    let lines = text.lines().filter(|line| !line.starts_with('#') && !line.is_empty());
    lines
        .map(|line| match line.split(' ').collect::<Vec<_>>()[..] {
            [server, mode, seed] => {
                let kind = Kind { server: server.into(), mode: mode.into() };
                let seed = seed.parse().map_err(|error| format!("{}: {line}: {error}", file.display()))?;
                Ok(Plan::draw(seed, &kind))
            }
            _ => Err(format!("{}: {line}: this is no server, mode and seed", file.display())),
        })
        .collect()
}

/// A seed that nobody names.
fn any_seed() -> u64 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    Dice::new(now.map_or(1, |now| now.as_secs())).below(1_000_000_000)
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

#[cfg(test)]
mod tests;
