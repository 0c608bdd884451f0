//! The addresses of a host name, as the whole name service of this machine knows them.
//!
//! A static program's own look-up reads /etc/hosts and asks DNS, and nothing else: no LDAP, no mDNS, no module of
//! nsswitch.conf. `getent` asks all of them, in a process that can be ended when it is late. Without a `getent`, the
//! look-up that is built in has to do.

use std::io::{self, ErrorKind, Read};
use std::net::{IpAddr, ToSocketAddrs};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::{Mutex, PoisonError, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use crate::child::{self, CommandError};

/// The agent may run with any PATH; every system that has it has it there.
const GETENT: &str = "/usr/bin/getent";
/// What is waited for a name of which nothing depends on the answer within a call.
pub const PATIENCE: Duration = Duration::from_secs(2);
/// The maximum of its output that is read, in bytes.
const MOST_OUTPUT: u64 = 64 << 10;
/// For how long an answer counts, and that there was none: one call asks for the same name many times.
const VALID: Duration = Duration::from_secs(5);

/// What the name service said of a name.
struct Answer {
    name: String,
    at: Instant,
    /// How long it was waited for.
    most: Duration,
    found: Result<Vec<IpAddr>, (ErrorKind, String)>,
}

static ANSWERS: Mutex<Vec<Answer>> = Mutex::new(Vec::new());

/// The addresses of `name`, in the order in which they should be tried; an address is its own, at no cost. What the
/// name service said is remembered for some seconds.
///
/// # Errors
/// `NotFound`: nobody knows the name. `TimedOut`: the name service did not answer within `most`.
pub fn addresses(name: &str, most: Duration) -> io::Result<Vec<IpAddr>> {
    match name.parse() {
        Ok(address) => Ok(vec![address]),
        Err(_) if name.is_empty() => known(name, Vec::new()),
        Err(_) => remembered(name, most, || ask(Path::new(GETENT), name, most)),
    }
}

fn remembered(
    name: &str,
    most: Duration,
    ask: impl FnOnce() -> io::Result<Vec<IpAddr>>,
) -> io::Result<Vec<IpAddr>> {
    // Not held while it is asked: other names must not wait.
    let answers = || ANSWERS.lock().unwrap_or_else(PoisonError::into_inner);
    // Whoever has more time than the one who got no answer may get one.
    let counts = |answer: &&Answer| {
        answer.name == name && !matches!(&answer.found, Err((ErrorKind::TimedOut, _)) if answer.most < most)
    };
    answers().retain(|answer| answer.at.elapsed() < VALID);
    if let Some(answer) = answers().iter().find(counts) {
        return answer.found.clone().map_err(|(kind, text)| io::Error::new(kind, text));
    }
    let found = ask();
    let kept = match &found {
        Ok(found) => Ok(found.clone()),
        Err(error) => Err((error.kind(), error.to_string())),
    };
    let mut answers = answers();
    answers.retain(|answer| answer.name != name);
    answers.push(Answer { name: name.into(), at: Instant::now(), most, found: kept });
    found
}

fn ask(getent: &Path, name: &str, most: Duration) -> io::Result<Vec<IpAddr>> {
    let started = Instant::now();
    let child = Command::new(getent)
        .args(["ahosts", "--", name])
        .current_dir("/")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .process_group(0)
        .spawn();
    let mut child = match child {
        Ok(child) => child,
        Err(error) if error.kind() == ErrorKind::NotFound => return built_in(name, most),
        Err(error) => return Err(error),
    };
    // Its output is read beside it: it may be longer than a pipe holds.
    let (sender, receiver) = mpsc::channel();
    if let Some(stdout) = child.stdout.take() {
        thread::Builder::new().spawn(move || {
            let mut text = String::new();
            let _ = stdout.take(MOST_OUTPUT).read_to_string(&mut text);
            let _ = sender.send(text);
        })?;
    }
    let command = format!("getent ahosts {name}");
    match child::finish(&mut child, &command, started, most, || None) {
        Ok(()) => {
            let left = most.saturating_sub(started.elapsed());
            let text = receiver.recv_timeout(left).map_err(|_| late(name, most))?;
            known(name, each(&text))
        }
        Err(CommandError::Hung { .. }) => Err(late(name, most)),
        // It does not know the name.
        Err(CommandError::Failed { code: 2, .. }) => known(name, Vec::new()),
        Err(error) => Err(io::Error::other(error)),
    }
}

/// The first word of each line; a name has a line for each kind of socket.
fn each(text: &str) -> Vec<IpAddr> {
    let mut found = Vec::new();
    for address in text.lines().filter_map(|line| line.split_whitespace().next()?.parse().ok()) {
        if !found.contains(&address) {
            found.push(address);
        }
    }
    found
}

/// In a thread of its own, which is left behind when it is late: nothing ends a look-up of the C library.
fn built_in(name: &str, most: Duration) -> io::Result<Vec<IpAddr>> {
    let (sender, receiver) = mpsc::channel();
    let asked = name.to_string();
    thread::Builder::new().spawn(move || {
        let found = (asked.as_str(), 0).to_socket_addrs();
        let _ = sender.send(found.map(|found| found.map(|address| address.ip()).collect::<Vec<_>>()));
    })?;
    let found = receiver.recv_timeout(most).map_err(|_| late(name, most))?;
    let mut found =
        found.map_err(|error| io::Error::new(ErrorKind::NotFound, unknown(name, &error.to_string())))?;
    found.dedup();
    known(name, found)
}

fn known(name: &str, found: Vec<IpAddr>) -> io::Result<Vec<IpAddr>> {
    if found.is_empty() {
        return Err(io::Error::new(
            ErrorKind::NotFound,
            unknown(name, "the name service knows no such host"),
        ));
    }
    Ok(found)
}

fn unknown(name: &str, reason: &str) -> String {
    format!("The host name {name} has no address: {reason}")
}

fn late(name: &str, most: Duration) -> io::Error {
    io::Error::new(
        ErrorKind::TimedOut,
        format!("The name service did not answer for {name} within {most:.1?}"),
    )
}

#[cfg(test)]
mod tests;
