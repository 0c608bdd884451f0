//! Dry runs of `set_active_master`: the installed helper itself says whether it would move this slave.

use std::time::Instant;

use mmm_core::Budget;
use mmm_core::config::Config;
use mmm_core::outcome::USAGE;
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
        // What is wrong with the helper is a finding of its own.
        _ => Outcome::Unknown,
    };
    Move { to: to.into(), outcome, milliseconds: started.elapsed().as_secs_f64() * 1000.0 }
}

fn read(code: i32, text: &str) -> Outcome {
    match serde_json::from_str::<Document>(text.trim()) {
        Ok(document) if !document.dry_run => Outcome::Failed("its answer is not that of a dry run".into()),
        Ok(Document { result, message, .. }) if result == "ok" => Outcome::Works(message),
        Ok(Document { message, code, .. }) => Outcome::Refused { code, message: without_data(0, &message) },
        Err(_) if text.trim_start().starts_with(USAGE) => Outcome::Unknown,
        Err(_) => Outcome::Failed(format!("exit code {code}, and what it printed is no JSON document")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn document(rest: &str) -> String {
        format!(r#"{{"schema":1,"helper":"set_active_master","version":"0.1.0","host":"db3",{rest}}}"#)
    }

    #[test]
    fn a_helpers_document_is_understood() {
        let works = document(
            r#""dry_run":true,"result":"ok","exit_code":0,"message":"","code":null,"milliseconds":12.3,
            "plan":{"action":"go on by GTID (slave_pos)","proof":"…"},"observations":[],"steps":[],
            "changes":[{"host":"db3","kind":"sql","what":"STOP SLAVE","done":false}]"#,
        );
        assert_eq!(read(0, &works), Outcome::Works(String::new()));
        let refused = document(
            r#""dry_run":true,"result":"error","exit_code":255,"message":"no","code":"replica-ahead""#,
        );
        let expected = Outcome::Refused { code: Some("replica-ahead".into()), message: "no".into() };
        assert_eq!(read(255, &refused), expected);
        let real = document(r#""dry_run":false,"result":"ok","message":"","code":null"#);
        assert!(matches!(read(0, &real), Outcome::Failed(_)));
    }

    #[test]
    fn a_helper_without_dry_runs_is_known_by_its_usage_line() {
        let usage = "Usage: /usr/lib/mysql-mmm//agent/set_active_master <config_file> <new_master>\n\n";
        assert_eq!(read(1, usage), Outcome::Unknown);
        for text in ["", "ERROR: no", "{}"] {
            assert!(matches!(read(255, text), Outcome::Failed(_)), "{text}");
        }
    }
}
