//! Dry runs of `set_active_master`: the installed helper itself says whether it would move this slave.

use std::time::Instant;

use mmm_core::Budget;
use mmm_core::config::Config;
use mmm_core::contract::{CallResult, USAGE};
use mmm_replication::status::without_data;
use serde::Deserialize;

use super::super::cluster::{HelperState, Move, Outcome, helper};
use super::program;

/// What a helper prints with `--format json`, as far as it matters here.
#[derive(Debug, Deserialize)]
struct Document {
    dry_run: bool,
    result: String,
    #[serde(default)]
    message: String,
    code: Option<String>,
}

/// Asks the helper whether this host could follow `to`: until the end of `own` by its own clock, of `most` by ours.
pub fn try_out(config_name: &str, config: &Config, to: &str, own: Budget, most: Budget) -> Move {
    let started = Instant::now();
    let host = config.this_host();
    let outcome = match program::inspect(host, "set_active_master", &own).state {
        HelperState::Version(_) => {
            let wait = format!("{:.1}", own.share(own.limit().unwrap_or_default()).as_secs_f64());
            let arguments = ["--dry-run", "--format", "json", "--wait", &wait, config_name, to];
            let limit = most.share(most.limit().unwrap_or_default());
            match program::run(&helper(host, "set_active_master"), &arguments, limit) {
                Ok((code, text)) => read(code, &text),
                Err(reason) => Outcome::Failed(reason),
            }
        }
        // A problem of the helper is a finding of its own.
        _ => Outcome::Unknown,
    };
    Move { to: to.into(), outcome, milliseconds: started.elapsed().as_secs_f64() * 1000.0 }
}

fn read(code: i32, text: &str) -> Outcome {
    match serde_json::from_str::<Document>(text.trim()) {
        Ok(document) if !document.dry_run => Outcome::Failed("its answer is not that of a dry run".into()),
        Ok(Document { result, message, .. }) if result.parse() == Ok(CallResult::Ok) => {
            Outcome::Works(message)
        }
        Ok(Document { message, code, .. }) => Outcome::Refused { code, message: without_data(0, &message) },
        Err(_) if text.trim_start().starts_with(USAGE) => Outcome::Unknown,
        Err(_) => Outcome::Failed(format!("exit code {code}, and what it printed is no JSON document")),
    }
}

#[cfg(test)]
mod tests;
