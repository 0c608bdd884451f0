//! The process that runs `events.command`, once for each event, one after the other. Nobody waits for it.

use std::io::{self, Read};
use std::path::Path;
use std::process::{Command, ExitCode};

use jiff::Timestamp;
use serde_json::{Map, Value};

use super::{Change, Ending, Errand, Noted, Outlet, in_memory, row};
use crate::config;
use crate::detached;
use crate::escape;
use crate::hook::{self, HookError};
use crate::invocation::Program;
use crate::journal::{self, words};
use crate::process;
use crate::settings::{Events, find_program};

/// Number of the document's schema.
const SCHEMA: u8 = 1;
/// The maximum number of characters of a value in the environment, of which all together may hold only so much.
const LONGEST: usize = 4096;

pub(super) fn carry_out(program: &'static Program) -> ExitCode {
    process::prepare();
    let errand = detached::cut_loose(c"mmm-events").and_then(|()| {
        let mut text = Vec::new();
        io::stdin().read_to_end(&mut text)?;
        Ok(serde_json::from_slice::<Errand>(&text)?)
    });
    let Ok(errand) = errand else { return ExitCode::FAILURE };
    journal::open(program.name, &errand.outlet.log, 0);
    journal::keep_up();
    errand.run(program);
    journal::finish();
    ExitCode::SUCCESS
}

impl Errand {
    fn run(self, program: &Program) {
        let Self { outlet, call, caller, row, mut changes, ending } = self;
        if let Some((time, ending)) = ending
            && let Some(change) = what_is_new(&row, time, ending)
        {
            changes.push(Noted { time, change });
        }
        if changes.is_empty() {
            return;
        }
        // The address helpers do without a configuration, and so does this.
        let host = config::examine(&call.config).0.ok().map(|config| config.this().to_string());
        for Noted { time, change } in changes {
            let mut event = Map::new();
            event.insert("schema".into(), SCHEMA.into());
            event.insert("time".into(), format!("{time:.3}").into());
            event.insert("host".into(), host.clone().into());
            event.insert("helper".into(), program.name.into());
            event.insert("process".into(), caller.into());
            event.insert("config".into(), call.config.clone().into());
            let name = host.as_deref().unwrap_or("this host");
            event.insert("message".into(), escape::words(&format!("{name}: {change}")).into());
            match serde_json::to_value(&change) {
                Ok(Value::Object(fields)) => event.extend(fields),
                other => log::error!("an event has no fields: {other:?}"),
            }
            if let Err(error) = outlet.tell(&event) {
                let kind = shown(&event["kind"]).unwrap_or_default();
                log::warn!("{}{kind}{}{error}", words::THE_EVENT, words::WAS_NOT_TOLD);
            }
        }
    }
}

/// What the end of the call changes; `None` if it repeats what is known.
fn what_is_new(row: &Path, time: Timestamp, ending: Ending) -> Option<Change> {
    match ending {
        Ending::Failed { code, reason } => match row::refused(row, &code, time) {
            Ok(false) => None,
            Ok(true) => Some(Change::Refusal { code, reason }),
            Err(error) => {
                // Better told again than not at all.
                log::error!("not remembered that this call has failed: {}: {error}", row.display());
                Some(Change::Refusal { code, reason })
            }
        },
        Ending::Succeeded => row::end(row, time),
    }
}

impl Outlet {
    fn tell(&self, event: &Map<String, Value>) -> Result<(), HookError> {
        let untrusted = |reason| HookError::Untrusted { hook: Events::KEY, reason };
        let Some(word) = self.command.first() else { return Ok(()) };
        let program = find_program(self.untrusted.as_deref(), word).map_err(untrusted)?;
        let environment = event.iter().filter_map(|(key, value)| {
            let key = key.to_uppercase().replace('-', "_");
            Some((
                format!("MMM_EVENT_{key}"),
                escape::escaped(&shown(value)?).chars().take(LONGEST).collect(),
            ))
        });
        let environment: Vec<(String, String)> = environment.collect();
        let text = Value::Object(event.clone()).to_string() + "\n";
        let dress = |command: &mut Command| {
            command.stdin(in_memory(text.as_bytes())?).envs(environment);
            Ok(())
        };
        // The journal names the program alone: what follows may be a secret of the receiver.
        let ended = hook::execute(Events::KEY, word, program.as_deref(), &self.command, self.limit, dress);
        ended.map_err(|source| HookError::Command { hook: Events::KEY, source })
    }
}

/// A value as the environment has it; a list with commas; `None` for null.
fn shown(value: &Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        Value::Array(items) => Some(items.iter().filter_map(shown).collect::<Vec<_>>().join(",")),
        other => Some(other.to_string()),
    }
}
