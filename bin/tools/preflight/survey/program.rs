//! A helper of this machine, run as a child with a time limit, and what it is without running it.

use std::fs::{self, File};
use std::io::{self, Read};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use mmm_core::config::Host;
use mmm_core::journal::words;
use mmm_core::{Budget, CommandError, child};

use super::super::cluster::{Helper, HelperState, helper};
use super::super::parallel::{later, wait};

/// The maximum that is read of a program's output.
const MOST: u64 = 1 << 20;
/// How long to wait for the output of a program that has ended.
const LAST_WORDS: Duration = Duration::from_millis(200);

/// Every helper of this machine.
pub fn helpers(host: &Host, budget: &Budget) -> Vec<Helper> {
    mmm_agent_helpers::ALL.iter().map(|program| inspect(host, program.name, budget)).collect()
}

/// What a helper is.
pub fn inspect(host: &Host, name: &str, budget: &Budget) -> Helper {
    let path = helper(host, name);
    let state = state(&path, name, budget.share(Duration::from_secs(2)));
    Helper { path, state }
}

fn state(path: &Path, name: &str, limit: Duration) -> HelperState {
    let metadata = match fs::metadata(path) {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return HelperState::Missing,
        Err(error) => return HelperState::Failed(error.to_string()),
    };
    if !metadata.is_file() || metadata.permissions().mode() & 0o111 == 0 {
        return HelperState::NotExecutable;
    }
    // The originals are scripts. Those of MMM 2.0 do their work whatever their arguments are, so no script is ever run.
    match is_program(path) {
        Ok(true) => {}
        Ok(false) => return HelperState::Foreign,
        Err(error) => return HelperState::Failed(error.to_string()),
    }
    match run(path, &["--version"], limit) {
        Ok((0, text)) => match text.trim().split_once(' ') {
            Some((said, version)) if said == name => HelperState::Version(version.into()),
            _ => HelperState::Foreign,
        },
        Ok((code, _)) => HelperState::Failed(format!("'{} --version' ended with {code}", path.display())),
        Err(reason) => HelperState::Failed(reason),
    }
}

fn is_program(path: &Path) -> io::Result<bool> {
    let mut magic = [0; 4];
    File::open(path)?.read_exact(&mut magic)?;
    Ok(magic == *b"\x7fELF")
}

/// Runs a program as the agent does, without a shell. Gives its exit code and its stdout, or why there is none.
pub fn run(program: &Path, arguments: &[&str], limit: Duration) -> Result<(i32, String), String> {
    run_for(None, program, arguments, limit)
}

/// The same for a program that names itself in the helper's journal.
pub fn run_for(
    caller: Option<&str>,
    program: &Path,
    arguments: &[&str],
    limit: Duration,
) -> Result<(i32, String), String> {
    let started = Instant::now();
    let mut child = Command::new(program)
        .args(arguments)
        .current_dir("/")
        // A look leaves no lines in the helpers' journal.
        .env("RUST_LOG", "off")
        .envs(caller.map(|caller| (words::CALLER, caller)))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .process_group(0)
        .spawn()
        .map_err(|error| format!("{}: {error}", program.display()))?;
    let output = child.stdout.take().map(|stdout| {
        later(move || {
            let mut bytes = Vec::new();
            let _ = stdout.take(MOST).read_to_end(&mut bytes);
            String::from_utf8_lossy(&bytes).into_owned()
        })
    });
    let ended = child::finish(&mut child, &program.display().to_string(), started, limit, || None);
    let code = match ended {
        Ok(()) => 0,
        Err(CommandError::Failed { code, .. }) => code,
        Err(error) => return Err(error.to_string()),
    };
    let text = output.and_then(|output| wait(&output, &Budget::start(Some(LAST_WORDS))));
    Ok((code, text.unwrap_or_default()))
}

#[cfg(test)]
mod tests;
