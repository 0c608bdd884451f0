//! What was seen of the cluster: its hosts and servers, this machine, who holds which address.
//!
//! Plain data that the checks judge, and the few questions that several of them ask of it. Nothing here looks.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use mmm_core::config::{Blocking, Host, Mode, Role};
use mmm_network::Mac;
use mmm_replication::dialect::{Dialect, Flavour, Version};
use mmm_replication::errant::Errant;
use mmm_replication::position::BinlogPosition;
use mmm_replication::rehearsal::Foreseen;
use mmm_replication::status::{Channel, IoThread};

use crate::product;

/// Everything that was seen.
#[derive(Debug)]
pub struct Cluster {
    /// Name of the agent's configuration.
    pub config: String,
    /// What its files say and probably do not mean.
    pub quirks: Vec<String>,
    /// Name of this host.
    pub this: String,
    pub members: Vec<Member>,
    pub roles: Vec<Role>,
    pub active_role: String,
    pub blocking: Blocking,
    /// `replication.channel`
    pub channel: Option<String>,
    /// `limits.call`
    pub call_limit: Duration,
    /// True if `mysql_deny_write` also sets `super_read_only`, where a server knows it.
    pub closes_to_all: bool,
    /// False if a new master asks no slave for what only that slave has.
    pub takes_over: bool,
    /// `allow_write.fence.limit` and how much of it a call leaves, if there is such a command.
    pub fence: Option<(Duration, Duration)>,
    pub addresses: Vec<Address>,
    pub machine: Machine,
    pub moves: Vec<Move>,
    pub rehearsed: Vec<Rehearsed>,
    /// What each host has that the writer lacks.
    pub errant: Vec<(String, Errant)>,
}

/// A host of the configuration.
#[derive(Debug)]
pub struct Member {
    pub host: Host,
    /// What its server said to the agent's account.
    pub server: Result<Seen, Unreached>,
    /// The grants of the replication account there; `None` if nobody here has to log in with it.
    pub replication: Option<Result<Vec<String>, Unreached>>,
}

/// Why a server said nothing.
#[derive(Clone, Debug)]
pub struct Unreached {
    pub reason: String,
    /// True if the server itself refused, so that it is alive.
    pub answered: bool,
    /// Its error number, if it refused the log-in.
    pub code: Option<u16>,
}

impl Unreached {
    /// True if the server itself turned the log-in down.
    pub fn is_refusal(&self) -> bool {
        self.answered && self.code.is_some()
    }
}

/// What a server says of itself.
#[derive(Debug)]
pub struct Seen {
    pub dialect: Dialect,
    /// `user@host`, as the server knows the agent's account.
    pub account: String,
    pub grants: Vec<String>,
    /// What the server refused to say, in the helpers' words.
    pub denied: Vec<String>,
    /// Global variables and counters, by their names in small letters.
    pub variables: BTreeMap<String, String>,
    pub links: Vec<Link>,
    /// False if the server does not tell the agent's account from whom it replicates.
    pub knows_links: bool,
    pub log_end: Option<BinlogPosition>,
    /// Filters of its own log, as `name=value`.
    pub log_filters: Vec<String>,
    /// How far its clock is ahead of this host's, in seconds.
    pub clock: f64,
    /// Who may write by an event although the server is closed.
    pub events: Option<String>,
    /// True if the connection was encrypted.
    pub is_encrypted: bool,
}

/// A replication channel.
#[derive(Debug)]
pub struct Link {
    pub channel: Channel,
    /// The configured host that it replicates from.
    pub source: Option<String>,
    /// The pause between two tries to reach the source, in seconds, and how many tries there are.
    pub retry: (Option<u64>, Option<u64>),
    /// `Seconds_Behind_Master`
    pub lag: Option<u64>,
}

/// A role's address.
#[derive(Debug)]
pub struct Address {
    pub role: String,
    pub ip: String,
    /// True if this host holds it.
    pub is_here: bool,
    /// What the agent would hear from `check_ip`: exit code and line.
    pub check_ip: Option<Result<(i32, String), String>>,
    /// The other hosts that answer for it; `None` if nobody could be asked.
    pub others: Option<Vec<Owner>>,
}

/// Who answers for an address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owner {
    pub mac: Mac,
    /// The configured host that has this hardware address.
    pub host: Option<String>,
    /// True if it is certainly none of them: all of theirs are known.
    pub is_stranger: bool,
}

/// This machine.
#[derive(Debug)]
pub struct Machine {
    pub is_root: bool,
    pub has_net_admin: bool,
    pub has_net_raw: bool,
    /// False if this host's configured `ip` is not on this machine; `None` if that is unknown.
    pub has_own_ip: Option<bool>,
    /// Whether the interface has a carrier; why no address can be added to it, and the cure.
    pub interface: Result<bool, (String, String)>,
    pub helpers: Vec<Helper>,
    /// How they came here, if that can be seen.
    pub installation: Option<Installation>,
    /// A package of ours that is installed, but does not serve the folder that the agent calls.
    pub elsewhere: Option<Way>,
    /// Commands of the packet filter that cannot be run, with the reason.
    pub firewall: Vec<(String, String)>,
    /// Where the journal is, and why it cannot be written.
    pub journal: (PathBuf, Result<(), String>),
    /// Where helpers note what has to survive a restart, and why nothing can be written there.
    pub state: (PathBuf, Result<(), String>),
    /// Markers of killed helpers, with what they say.
    pub leftovers: Vec<(PathBuf, String)>,
    /// This host's server, as far as this host shows it.
    pub server: Option<LocalServer>,
    /// Hooks that are not run, by their keys, each with the reason.
    pub untrusted: Vec<(&'static str, String)>,
    /// Commands of the settings that cannot be started, by their keys, each with the reason.
    pub missing: Vec<(&'static str, String)>,
}

/// What this host shows of its own server.
#[derive(Debug)]
pub struct LocalServer {
    /// Whether it is closed after its next start; `None` if that cannot be read.
    pub read_only: Option<bool>,
    /// Tables with rows and without transactions.
    pub unsafe_tables: Vec<String>,
}

/// What the list of an installation says of the helpers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Installation {
    pub way: Way,
    /// The package's own name of the agent's folder.
    pub served: Option<&'static str>,
    /// Helpers of which the file is not what was installed.
    pub overwritten: Vec<String>,
    /// Helpers of which the name in the agent's folder still leads to the package's program.
    pub linked: Vec<String>,
}

/// What has put the helpers where they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    Deb,
    Rpm,
    /// install.sh, from the source or from a release.
    Installer,
}

impl Way {
    /// The folders in which a package replaces the agent's helpers, as packaging/ has them; the first is the usual one.
    pub const fn folders(self) -> &'static [&'static str] {
        match self {
            Self::Deb => &["/usr/lib/mysql-mmm/agent"],
            Self::Rpm => &["/usr/libexec/mysql-mmm/agent", "/usr/lib/mysql-mmm/agent"],
            Self::Installer => &[],
        }
    }
}

/// A helper program of this machine.
#[derive(Debug)]
pub struct Helper {
    pub path: PathBuf,
    pub state: HelperState,
}

/// What a helper program is good for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HelperState {
    Missing,
    NotExecutable,
    /// None of this project's; it was not run.
    Foreign,
    /// It could not be run, with the reason.
    Failed(String),
    /// It says that it has this version.
    Version(String),
}

/// A dry run of `set_active_master`.
#[derive(Debug)]
pub struct Move {
    pub to: String,
    pub outcome: Outcome,
    pub milliseconds: f64,
}

/// What a dry run came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The slave would move, or is there already.
    Works(String),
    /// The helper refuses.
    Refused { code: Option<String>, message: String },
    /// The helper has no `--dry-run`.
    Unknown,
    /// It could not be run or understood.
    Failed(String),
}

/// What a host would be told in a failover.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Deed {
    /// A slave follows this master.
    Follow(String),
    /// A master is opened.
    Open,
    /// A master fetches what only this slave has.
    TakeOver(String),
}

/// What would become of that if the writer were closed now.
#[derive(Debug)]
pub struct Rehearsed {
    pub host: String,
    pub deed: Deed,
    pub foreseen: Foreseen,
    pub milliseconds: f64,
}

impl Deed {
    /// Its stable name.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Follow(_) => "follow",
            Self::Open => "open",
            Self::TakeOver(_) => "take-over",
        }
    }

    /// The other host that it needs.
    pub fn other(&self) -> Option<&str> {
        match self {
            Self::Follow(other) | Self::TakeOver(other) => Some(other),
            Self::Open => None,
        }
    }

    pub fn is_move(&self) -> bool {
        matches!(self, Self::Follow(_))
    }

    /// In words, of `host`.
    pub fn on(&self, host: &str) -> String {
        match self {
            Self::Follow(to) => format!("{host} follows {to}"),
            Self::Open => format!("{host} opens"),
            Self::TakeOver(from) => format!("{host} takes over from {from}"),
        }
    }
}

impl Cluster {
    /// This host.
    pub fn this(&self) -> Option<&Member> {
        self.member(&self.this)
    }

    /// The host of this name.
    pub fn member(&self, name: &str) -> Option<&Member> {
        self.members.iter().find(|member| member.name() == name)
    }

    /// Hosts whose servers answered, with what they said.
    pub fn seen(&self) -> impl Iterator<Item = (&Member, &Seen)> {
        self.members.iter().filter_map(|member| Some((member, member.server.as_ref().ok()?)))
    }

    /// Those of them that may hold the writer role.
    pub fn seen_masters(&self) -> impl Iterator<Item = (&Member, &Seen)> {
        self.seen().filter(|(member, _)| member.is_master())
    }

    /// The master that takes writes, if it is the only one.
    pub fn writer(&self) -> Option<&Member> {
        let mut writers = self.seen_masters().filter(|(_, seen)| !seen.is_read_only());
        writers.next().filter(|_| writers.next().is_none()).map(|(member, _)| member)
    }

    /// The hosts that hold an address, as far as known; hardware addresses stand for unknown hosts.
    pub fn holders(&self, address: &Address) -> Vec<String> {
        let others = address.others.iter().flatten().map(Owner::title);
        let mut holders: Vec<_> =
            address.is_here.then(|| self.this.clone()).into_iter().chain(others).collect();
        holders.sort();
        holders
    }

    /// Who the writer should be, if its role's address shows that.
    pub fn holder_of_writer_role(&self) -> Option<String> {
        let address = self.addresses.iter().find(|address| address.role == self.active_role)?;
        let mut holders = self.holders(address).into_iter();
        let holder = holders.next().filter(|_| holders.next().is_none());
        holder.filter(|holder| self.member(holder).is_some())
    }
}

impl Member {
    pub fn name(&self) -> &str {
        self.host.name.as_str()
    }

    pub fn is_master(&self) -> bool {
        self.host.mode == Mode::Master
    }

    /// Where its agent runs the helper `name`.
    pub fn helper(&self, name: &str) -> PathBuf {
        helper(&self.host, name)
    }

    pub fn seen(&self) -> Option<&Seen> {
        self.server.as_ref().ok()
    }
}

impl Seen {
    /// A global variable's or counter's value, empty if the server has none of this name.
    pub fn text(&self, name: &str) -> &str {
        self.variables.get(name).map_or("", String::as_str)
    }

    /// The value of the first of these that the server has: names that changed.
    pub fn first(&self, names: &[&str]) -> &str {
        names.iter().map(|name| self.text(name)).find(|value| !value.is_empty()).unwrap_or_default()
    }

    pub fn number(&self, name: &str) -> Option<u64> {
        self.text(name).parse().ok()
    }

    pub fn is_on(&self, name: &str) -> bool {
        is_on(self.text(name))
    }

    /// False if it takes writes. MariaDB 12 knows more words for "on" than one.
    pub fn is_read_only(&self) -> bool {
        !["", "OFF", "0"].contains(&self.text("read_only"))
    }

    /// `log_slave_updates`, by whichever name.
    pub fn logs_updates(&self) -> bool {
        is_on(self.first(&["log_slave_updates", "log_replica_updates"]))
    }

    pub fn is_mariadb(&self) -> bool {
        self.dialect.flavour() == Flavour::MariaDb
    }

    /// `MySQL` or `MariaDB`.
    pub fn family(&self) -> &'static str {
        product::family(self.dialect.flavour())
    }

    /// The version by the variable: a MariaDB's greeting may say 5.5.5.
    pub fn version(&self) -> Version {
        product::version(self.text("version"))
    }

    /// `MariaDB 10.11.6`
    pub fn product(&self) -> String {
        let (major, minor, patch) = self.version();
        format!("{} {major}.{minor}.{patch}", self.family())
    }

    /// The channel from a configured host.
    pub fn link(&self) -> Option<&Link> {
        self.links.iter().find(|link| link.source.is_some())
    }

    /// `slave_` or `replica_`: how variables of replication begin.
    pub fn prefix(&self) -> &'static str {
        if self.variables.contains_key("replica_parallel_workers") { "replica" } else { "slave" }
    }
}

impl Link {
    /// What its threads do, in a word or two.
    pub fn state(&self) -> &'static str {
        match (self.channel.io, self.channel.sql_running) {
            (IoThread::Yes, true) => "running",
            (IoThread::Connecting, true) => "not connected",
            (IoThread::No, true) => "not fetching",
            (IoThread::No, false) => "stopped",
            (_, false) => "not applying",
        }
    }
}

impl Owner {
    /// Its host, or what is known of it.
    pub fn title(&self) -> String {
        self.host.clone().unwrap_or_else(|| self.mac.to_string())
    }
}

/// Where the agent of `host` runs its helper `name`.
pub fn helper(host: &Host, name: &str) -> PathBuf {
    host.bin_path.join("agent").join(name)
}

/// True for `1`, `ON`, `YES`.
pub fn is_on(value: &str) -> bool {
    ["1", "on", "yes"].iter().any(|on| value.eq_ignore_ascii_case(on))
}

/// The address that a text means.
pub fn ip(text: &str) -> Option<IpAddr> {
    text.parse().ok()
}
