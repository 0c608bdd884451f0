//! `mmm_guard`: a host that comes back takes no writes and holds no address, until the agent says otherwise.
//!
//! A server that was a writer when its machine died may start with `read_only = 0`, and the machine may come up with the
//! writer's address. The order of work: is this the start of the host (`decision`)? Take the addresses off, which needs no
//! server. Wait for the server, and close it. What does it is the agent's own helpers, `clear_ip` and `mysql_deny_write`;
//! where they are not this project's, the same code does it here.

use std::ffi::OsString;
use std::fs;
use std::io::{self, Write};
use std::net::{IpAddr, SocketAddr, TcpStream};
use std::os::unix::net::UnixStream;
use std::process::ExitCode;
use std::time::Duration;

use jiff::Timestamp;
use mmm_core::config::{self, Config, Host};
use mmm_core::contract::{ERROR, OK_BECAUSE};
use mmm_core::settings::Settings;
use mmm_core::{Budget, escape, names};
use mmm_network::announcer::withdraw;
use mmm_network::{Interface, Link, Netlink, NetworkError, VirtualIp};
use mmm_replication::closing::Closing;
use mmm_replication::{Error, Server};

mod arguments;
mod decision;

use arguments::Arguments;
pub use arguments::command;
use decision::{Service, Situation};

use crate::journal::history;
use crate::options;
use crate::preflight::{HelperState, program};

const REFUSED: u8 = 1;
const WRONG_ARGUMENTS: u8 = 2;
const INCOMPLETE: u8 = 3;
/// Between two looks at a server that does not run yet.
const LOOK: Duration = Duration::from_millis(100);
const LOOK_AGAIN: Duration = Duration::from_secs(1);
/// The maximum time for addresses of this host to be listed.
const KERNEL: Duration = Duration::from_secs(5);
/// How much longer than a helper may take it is waited for.
const GRACE: Duration = Duration::from_secs(4);

/// The whole of the program.
pub fn run(words: impl IntoIterator<Item = OsString>) -> ExitCode {
    let arguments = match Arguments::read(words) {
        Ok(arguments) => arguments,
        Err(error) => return options::not_run(&error, WRONG_ARGUMENTS),
    };
    // The settings are optional: an error in them keeps no server open.
    let unused = |error: &dyn std::fmt::Display| {
        complain(&format!("{error}. mmm_helpers.yaml is not used; continuing with the defaults"));
    };
    let settings = Settings::load().unwrap_or_else(|error| {
        unused(&error);
        Settings::default()
    });
    if settings.is_dangling {
        complain(
            "/etc/mysql-mmm/mmm_helpers.yaml is a link to a file that is not there: the defaults are used",
        );
    }
    let loaded = config::load(&arguments.config).and_then(|mut config| match config.adopt(&settings) {
        Ok(()) => Ok(config),
        Err(error) => {
            unused(&error);
            config::load(&arguments.config)
        }
    });
    let config = match loaded {
        Ok(config) => config,
        Err(error) => {
            complain(&format!("{error}. Nothing was done: this host may take writes and hold addresses"));
            return ExitCode::from(INCOMPLETE);
        }
    };
    let mut guard = Guard {
        arguments: &arguments,
        settings: &settings,
        config: &config,
        is_complete: true,
        has_acted: false,
    };
    if let Some(refusal) = guard.situation().refusal() {
        complain(&refusal.to_string());
        return ExitCode::from(REFUSED);
    }
    guard.take_addresses();
    guard.close_server();
    if guard.is_complete && !guard.has_acted {
        say("nothing to do");
    }
    if guard.is_complete { ExitCode::SUCCESS } else { ExitCode::from(INCOMPLETE) }
}

/// If stdout is gone, the work is done all the same.
fn say(text: &str) {
    let _ = writeln!(io::stdout(), "{}", escape::words(text));
}

fn complain(text: &str) {
    let _ = writeln!(io::stderr(), "mmm_guard: {}", escape::words(text));
}

struct Guard<'g> {
    arguments: &'g Arguments,
    settings: &'g Settings,
    config: &'g Config,
    is_complete: bool,
    has_acted: bool,
}

impl Guard<'_> {
    fn host(&self) -> &Host {
        self.config.this_host()
    }

    fn failed(&mut self, text: &str) {
        complain(text);
        self.is_complete = false;
    }

    fn situation(&self) -> Situation {
        Situation {
            is_wanted: self.arguments.now,
            within: self.arguments.within,
            machine: machine_runs_for(),
            server: self.service(),
            agent_runs: agent_runs(),
            given: history::read_in(self.settings.log.file.clone()).ok().and_then(|history| history.given),
            now: Timestamp::now(),
        }
    }

    fn connect(&self, budget: Budget) -> Result<Server, Error> {
        Server::connect(self.host(), self.settings.limits.connect, budget)
    }

    fn service(&self) -> Service {
        if is_down(self.host(), self.settings.limits.connect) {
            return Service::Down;
        }
        let budget = Budget::start(Some(self.settings.limits.call));
        let running = self
            .connect(budget)
            .and_then(|mut server| server.one("SHOW GLOBAL STATUS LIKE 'Uptime'"))
            .map(|row| row.number("Value").unwrap_or(u64::MAX));
        match running {
            Ok(seconds) => Service::Up(Duration::from_secs(seconds)),
            Err(error) => Service::Closed(error.to_string()),
        }
    }

    /// Takes every address of a role from the interface.
    fn take_addresses(&mut self) {
        let hosts: Vec<&str> = self.config.hosts().iter().map(|host| host.ip.as_str()).collect();
        let mut addresses: Vec<&String> = self.config.roles().iter().flat_map(|role| &role.ips).collect();
        addresses.sort();
        addresses.dedup();
        // An address that is also a host's own, by a mistake of the configuration, stays.
        let addresses: Vec<String> =
            addresses.into_iter().filter(|ip| !hosts.contains(&ip.as_str())).cloned().collect();
        for address in addresses {
            if let Err(error) = self.take_address(&address) {
                self.failed(&format!("{address} may still be here: {error}"));
            }
        }
    }

    fn take_address(&mut self, address: &str) -> Result<(), NetworkError> {
        let interface: Interface = self.host().cluster_interface.parse()?;
        let ip: VirtualIp = address.parse()?;
        let mut kernel = Netlink::open(Budget::start(Some(KERNEL)))?;
        let Some(link) = kernel.find_link(&interface)? else { return Ok(()) };
        if kernel.find(&link, ip)?.is_none() {
            return Ok(());
        }
        self.has_acted = true;
        let told = self.helper("clear_ip", &[&self.host().cluster_interface, address]);
        // Whatever it said: the address has to go.
        let mut kernel = Netlink::open(Budget::start(Some(KERNEL)))?;
        take_if_left(&mut kernel, &link, ip)?;
        say(&format!("took {address} from {link}"));
        if let Some(Err(reason)) = told {
            self.failed(&format!("clear_ip {address}: {reason}"));
        }
        Ok(())
    }

    /// Closes the server as soon as it runs.
    fn close_server(&mut self) {
        let name = self.host().name.to_string();
        let budget = Budget::start(Some(self.arguments.wait));
        let mut is_waiting = false;
        let mut server = loop {
            let patience = Budget::start(Some(self.settings.limits.call));
            let error = match self.connect(patience) {
                Ok(server) => break server,
                Err(error) => error,
            };
            // A server that refuses the log-in writes that into its log each time.
            let is_refused = matches!(error, Error::Connect { answered: true, .. });
            if !budget.pause(if is_refused { LOOK_AGAIN } else { LOOK }) {
                self.failed(&format!(
                    "the server of {name} was not closed: {error}; run mmm_guard --now when it runs"
                ));
                return;
            }
            if !is_waiting {
                let most = self.arguments.wait.as_secs();
                say(&format!("waiting for the server of {name}, at most {most} s"));
            }
            is_waiting = true;
        };
        if is_waiting {
            // The agent may have been quicker.
            if let Some(refusal) = self.situation().refusal() {
                complain(&refusal.to_string());
                return;
            }
            // An interface may have come up meanwhile.
            self.take_addresses();
        }
        match self.is_closed(&mut server) {
            Ok(true) => {
                if is_waiting || self.has_acted {
                    say(&format!("the server of {name} takes no writes already"));
                }
                return;
            }
            Ok(false) => {}
            Err(error) => self.failed(&error.to_string()),
        }
        self.has_acted = true;
        drop(server);
        let told = self.helper("mysql_deny_write", &[]).unwrap_or_else(|| self.close());
        let patience = Budget::start(Some(self.settings.limits.call));
        let closed = self.connect(patience).and_then(|mut server| self.is_closed(&mut server));
        match (closed, told) {
            (Ok(true), Ok(remark)) => {
                let remark = if remark.is_empty() { String::new() } else { format!(" ({remark})") };
                say(&format!("closed {name} to writes: read_only is on, and clients' sessions were ended{remark}"));
            }
            (Ok(true), Err(reason)) => {
                say(&format!("closed {name} to writes: read_only is on"));
                self.failed(&format!("mysql_deny_write: {reason}"));
            }
            (_, Err(reason)) => self.failed(&format!("{name} is not closed: {reason}")),
            (Ok(false), Ok(_)) => self.failed(&format!(
                "{name} is open again: somebody has switched read_only off; find out who, and run mysql_deny_write"
            )),
            (Err(error), Ok(_)) => self.failed(&format!("{name}: not seen whether it is closed: {error}")),
        }
    }

    /// True if the server is closed as `mysql_deny_write` would close it.
    fn is_closed(&self, server: &mut Server) -> Result<bool, Error> {
        let is_read_only = server.is_read_only()?;
        if !is_read_only || !self.settings.deny_write.super_read_only {
            return Ok(is_read_only);
        }
        let row = server.row("SHOW GLOBAL VARIABLES LIKE 'super_read_only'")?;
        Ok(row.is_none_or(|row| row.is_on("Value")))
    }

    /// The closing of `mysql_deny_write`, without its packet filter.
    fn close(&self) -> Result<String, String> {
        let budget = Budget::start(Some(self.settings.limits.call));
        let closed = Closing::begin(self.host(), self.settings, budget, None).and_then(|mut closing| {
            closing.set_read_only()?;
            closing.end_clients()?;
            closing.confirm()
        });
        closed.map(|_| String::new()).map_err(|error| error.to_string())
    }

    /// What a helper answers behind `OK`, or why it failed; `None` if it is not this project's.
    fn helper(&self, name: &str, arguments: &[&str]) -> Option<Result<String, String>> {
        let host = self.host();
        let found = program::inspect(host, name, &Budget::start(Some(self.settings.limits.call)));
        if !matches!(found.state, HelperState::Version(_)) {
            say(&format!("{} is not this project's helper; its work is done here", found.path.display()));
            return None;
        }
        let seconds = self.config.max_kill_retries.clamp(0, 3600).unsigned_abs();
        let limit = self.settings.limits.call.max(Duration::from_secs(seconds)) + GRACE;
        let words: Vec<&str> = [self.arguments.config.as_str()].iter().chain(arguments).copied().collect();
        Some(program::run_for(Some("mmm_guard"), &found.path, &words, limit).and_then(|(_, output)| {
            let line = output.trim_end().lines().last().unwrap_or_default().to_string();
            match line.strip_prefix("OK") {
                Some(_) => Ok(line.strip_prefix(OK_BECAUSE).unwrap_or_default().into()),
                None => Err(line.strip_prefix(ERROR).unwrap_or(&line).into()),
            }
        }))
    }
}

fn take_if_left(kernel: &mut Netlink, link: &Link, ip: VirtualIp) -> Result<(), NetworkError> {
    if kernel.find(link, ip)?.is_some() {
        withdraw(kernel, link, ip, || ())?;
    }
    Ok(())
}

/// True if nobody accepts connections where the server should.
fn is_down(host: &Host, most: Duration) -> bool {
    let refused = |error: &io::Error| {
        matches!(error.kind(), io::ErrorKind::ConnectionRefused | io::ErrorKind::NotFound)
    };
    if let Some(socket) = &host.socket {
        return UnixStream::connect(socket).is_err_and(|error| refused(&error));
    }
    let addresses: Vec<IpAddr> = names::addresses(&host.ip, names::PATIENCE).unwrap_or_default();
    let is_refused = |ip: &IpAddr| {
        TcpStream::connect_timeout(&SocketAddr::new(*ip, host.mysql_port), most)
            .is_err_and(|error| refused(&error))
    };
    !addresses.is_empty() && addresses.iter().all(is_refused)
}

fn machine_runs_for() -> Duration {
    let uptime = fs::read_to_string("/proc/uptime").unwrap_or_default();
    let seconds = uptime.split('.').next().and_then(|seconds| seconds.parse().ok());
    Duration::from_secs(seconds.unwrap_or(u64::from(u32::MAX)))
}

/// True if a process of this machine is MMM's agent.
fn agent_runs() -> bool {
    let is_agent = |entry: fs::DirEntry| {
        let words = fs::read(entry.path().join("cmdline")).unwrap_or_default();
        words.split(|byte| *byte == 0).take(3).any(|word| {
            let name = word.rsplit(|byte| *byte == b'/').next().unwrap_or_default();
            name.starts_with(b"mmm_agentd") || name.starts_with(b"mysql-mmm-agent")
        })
    };
    fs::read_dir("/proc").into_iter().flatten().flatten().any(is_agent)
}
