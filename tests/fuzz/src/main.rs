//! `mmm_fuzz SECONDS [TARGET…]`: changes the corpora at random for so long each; see tests/fuzz/run.

use std::env;
use std::fs;
use std::io::{self, Write};
use std::process::ExitCode;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use mmm_fuzz::{TARGETS, Target, mutation};

fn main() -> ExitCode {
    let mut words = env::args().skip(1);
    let seconds = words.next().and_then(|seconds| seconds.parse().ok());
    let targets: Option<Vec<Target>> = words.map(|name| mmm_fuzz::target(&name)).collect();
    let (Some(seconds), Some(targets)) = (seconds, targets) else {
        say("mmm_fuzz SECONDS [TARGET…]");
        return ExitCode::from(2);
    };
    let targets = if targets.is_empty() { TARGETS.to_vec() } else { targets };
    mmm_fuzz::be_quiet_about_caught_panics();
    let seed = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |now| now.as_secs());
    let mut end = ExitCode::SUCCESS;
    for target in targets {
        match mutation::run(target, seed, u32::MAX, Duration::from_secs(seconds)) {
            Ok(cases) => say(&format!("{}: {cases} inputs, seed {seed}: nothing found", target.name)),
            Err((input, reason)) => {
                let file = env::temp_dir().join(format!("mmm-fuzz-{}-{seed}", target.name));
                let kept = match fs::write(&file, input) {
                    Ok(()) => format!("the input is in {}", file.display()),
                    Err(error) => format!("the input could not be kept: {error}"),
                };
                say(&format!("{}: FOUND with seed {seed}: {reason}; {kept}", target.name));
                end = ExitCode::FAILURE;
            }
        }
    }
    end
}

fn say(line: &str) {
    // Nobody reads it if that fails.
    let _ = writeln!(io::stdout(), "{line}");
}
