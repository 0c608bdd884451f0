//! What a round is to be: settings, load and faults, drawn from its seed.

use std::collections::BTreeSet;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::dice::Dice;

/// A server and how its replicas keep their position.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct Kind {
    /// A flavour of the test cluster, such as `mysql-9`.
    pub server: String,
    /// `file` or `gtid`
    pub mode: String,
}

impl Kind {
    /// True for a MariaDB.
    pub fn is_mariadb(&self) -> bool {
        self.server.starts_with("mariadb")
    }

    fn is_old(&self) -> bool {
        self.server == "mysql-5.6"
    }

    /// True if transactions have GTIDs, however replicas keep their position.
    fn has_gtids(&self) -> bool {
        self.mode == "gtid" || self.is_mariadb()
    }

    /// True if a server that is killed may not know what it had applied, which it writes down some time after that.
    pub fn forgets(&self) -> bool {
        self.mode == "file" && self.is_mariadb()
    }

    /// `binlog_format`
    fn format(&self, settings: &[Setting]) -> String {
        let set = settings.iter().find_map(|setting| setting.line.strip_prefix("binlog_format = "));
        let default = match () {
            () if self.is_mariadb() => "MIXED",
            () if self.is_old() => "STATEMENT",
            () => "ROW",
        };
        set.unwrap_or(default).into()
    }
}

/// A slave that keeps no log of what it replicates.
const NO_LOG: &str = "log_slave_updates = 0";

/// A line of the servers' configuration: of one host, or of all.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct Setting {
    /// The host; none for all.
    pub host: Option<usize>,
    /// The line.
    pub line: String,
}

/// What the writers do.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    strum::Display,
    strum::EnumString,
    strum::IntoStaticStr,
    Deserialize,
    Serialize,
)]
#[serde(rename_all = "kebab-case")]
#[strum(serialize_all = "kebab-case")]
pub enum Load {
    /// One row, committed by itself.
    Row,
    /// Several rows in a transaction.
    Rows,
    /// Rows of some 100 KB.
    LargeRows,
    /// A row of a table without transactions.
    MyIsam,
    /// A statement that is the same every time.
    Same,
    /// A transaction that is rolled back.
    Rollback,
    /// A table, made and filled.
    Table,
    /// Rows by way of a temporary table.
    Temporary,
    /// A transaction in two phases.
    Xa,
    /// Rows of a file that the client sends.
    File,
    /// A row of a database that filters leave out.
    Scratch,
}

/// Something that goes wrong, or that a person does.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fault {
    /// The server of a host is killed, and started again after so many milliseconds.
    Kill(usize, u64),
    /// The same of whoever has the writer role.
    KillWriter(u64),
    /// The server of whoever has the writer role is killed, and is not seen again.
    KillWriterForGood,
    /// The server of a host is stopped where it is for so many milliseconds.
    Freeze(usize, u64),
    /// The same, and never continues: it is killed when the faults end.
    FreezeForEver(usize),
    /// Between two hosts nothing arrives for so many milliseconds.
    Drop(usize, usize, u64),
    /// What one host sends to another does not arrive for so many milliseconds.
    DropOneWay(usize, usize, u64),
    /// Between two hosts so many of a hundred packets are lost, for so many milliseconds.
    Lose(usize, usize, u64, u64),
    /// Between two hosts no new connection is made for so many milliseconds.
    DropNew(usize, usize, u64),
    /// A host is sent so little at a time that it comes up to so many milliseconds late, for so many milliseconds.
    Slow(usize, u64, u64),
    /// Whatever helper runs on a host within the next second is killed.
    KillHelper(usize),
    /// The next helper that stops replication on a host is killed so many milliseconds after that.
    KillStopped(usize, u64),
    /// The next helper on a host that writes down what it has changed elsewhere is killed then.
    KillAtMarker(usize),
    /// An operator moves the role.
    Move,
    /// The agent of a host dies, and is started again after so many milliseconds.
    Agent(usize, u64),
    /// A person stops a thread of a slave for so many milliseconds.
    StopSlave(usize, String, u64),
    /// A person begins a new log file on a host.
    Flush(usize),
    /// The same on a slave, and everything older is purged.
    Purge(usize),
    /// A person stops a thread while a helper runs on that host, and starts it so many milliseconds later.
    StopDuringCall(usize, String, u64),
    /// The server of a host is shut down as it should be, and started again.
    Restart(usize),
    /// The monitor cannot reach a host for so many milliseconds, neither its server nor its agent.
    Unseen(usize, u64),
    /// The monitor takes a host for late (`REPLICATION_DELAY`) for so many milliseconds.
    Late(usize, u64),
    /// The disk on which a host's logs lie is full for so many milliseconds.
    FullDisk(usize, u64),
    /// The clock of a host is wrong from then on, by so many seconds.
    Clock(usize, i64),
    /// A person calls a helper on a host, whatever the agent calls at that moment.
    Beside(usize),
    /// Somebody else holds a lock of the helpers for so many milliseconds.
    Lock(usize, String, u64),
}

impl Fault {
    /// True where a server dies of it, or may.
    pub fn kills(&self) -> bool {
        matches!(
            self,
            Self::Kill(..)
                | Self::KillWriter(..)
                | Self::KillWriterForGood
                | Self::FreezeForEver(..)
                | Self::Restart(..)
                | Self::FullDisk(..)
        )
    }

    /// True if it may stop a thread of a host's replication, or end its server.
    pub fn may_stop(&self, host: usize) -> bool {
        match self {
            Self::KillWriter(..) | Self::KillWriterForGood => host < 2,
            Self::Kill(of, ..)
            | Self::FreezeForEver(of)
            | Self::Freeze(of, ..)
            | Self::Restart(of)
            | Self::StopSlave(of, ..)
            | Self::StopDuringCall(of, ..)
            | Self::FullDisk(of, ..)
            | Self::Beside(of) => *of == host,
            _ => false,
        }
    }

    /// True if a host may have to do without another one that lives.
    pub fn parts(&self) -> bool {
        matches!(
            self,
            Self::Drop(..)
                | Self::DropOneWay(..)
                | Self::DropNew(..)
                | Self::Lose(..)
                | Self::StopSlave(..)
                | Self::StopDuringCall(..)
                | Self::FullDisk(..)
                | Self::Lock(..)
                | Self::Freeze(..)
        )
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let db = |host: &usize| format!("db{}", host + 1);
        match self {
            Self::Kill(host, ms) => write!(f, "kill the server of {}, start it {ms} ms later", db(host)),
            Self::KillWriter(ms) => write!(f, "kill the server of the writer, start it {ms} ms later"),
            Self::KillWriterForGood => write!(f, "kill the server of the writer for good"),
            Self::Freeze(host, ms) => write!(f, "freeze the server of {} for {ms} ms", db(host)),
            Self::FreezeForEver(host) => write!(f, "freeze the server of {}, kill it in the end", db(host)),
            Self::Drop(a, b, ms) => write!(f, "drop packets between {} and {} for {ms} ms", db(a), db(b)),
            Self::DropOneWay(a, b, ms) => {
                write!(f, "drop packets from {} to {} for {ms} ms", db(a), db(b))
            }
            Self::Lose(a, b, percent, ms) => {
                write!(f, "lose {percent} % of the packets between {} and {} for {ms} ms", db(a), db(b))
            }
            Self::DropNew(a, b, ms) => {
                write!(f, "drop new connections between {} and {} for {ms} ms", db(a), db(b))
            }
            Self::Slow(host, late, ms) => {
                write!(f, "packets to {} come up to {late} ms late for {ms} ms", db(host))
            }
            Self::KillHelper(host) => write!(f, "kill the helper that runs on {}", db(host)),
            Self::KillStopped(host, ms) => {
                write!(f, "kill the next helper that stops replication on {}, {ms} ms later", db(host))
            }
            Self::KillAtMarker(host) => write!(f, "kill the next helper on {} that has a marker", db(host)),
            Self::Move => write!(f, "move the writer role"),
            Self::Agent(host, ms) => write!(f, "end the agent of {}, start it {ms} ms later", db(host)),
            Self::StopSlave(host, thread, ms) => {
                write!(f, "STOP SLAVE {thread} on {}, start it {ms} ms later", db(host))
            }
            Self::Flush(host) => write!(f, "FLUSH LOGS on {}", db(host)),
            Self::Purge(host) => write!(f, "FLUSH LOGS and PURGE BINARY LOGS on {}", db(host)),
            Self::StopDuringCall(host, thread, ms) => {
                write!(f, "STOP SLAVE {thread} on {} during a call, start it {ms} ms later", db(host))
            }
            Self::Restart(host) => write!(f, "restart the server of {}", db(host)),
            Self::Unseen(host, ms) => write!(f, "the monitor does not reach {} for {ms} ms", db(host)),
            Self::Late(host, ms) => write!(f, "the monitor takes {} for late for {ms} ms", db(host)),
            Self::FullDisk(host, ms) => {
                write!(f, "the disk with the logs of {} is full for {ms} ms", db(host))
            }
            Self::Clock(host, seconds) => write!(f, "the clock of {} is wrong by {seconds:+} s", db(host)),
            Self::Beside(host) => write!(f, "a person calls a helper on {}", db(host)),
            Self::Lock(host, name, ms) => write!(f, "hold the lock {name} on {} for {ms} ms", db(host)),
        }
    }
}

/// A round.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct Plan {
    /// What everything else was drawn from.
    pub seed: u64,
    /// The servers.
    pub kind: Kind,
    /// How many hosts: two masters and slaves.
    pub hosts: usize,
    /// The servers' settings.
    pub settings: Vec<Setting>,
    /// The helpers' own settings, lines of `mmm_helpers.yaml`.
    #[serde(default)]
    pub helpers: Vec<String>,
    /// True if every host acknowledges, and waits for one acknowledgment.
    pub semi_sync: bool,
    /// A slave that applies two seconds late.
    pub delayed: Option<usize>,
    /// Milliseconds that a writer rests between two transactions, by writer.
    pub writers: Vec<u64>,
    /// What the writers do.
    pub load: Vec<Load>,
    /// True where the monitor tells the new master before the slaves.
    pub master_first: bool,
    /// What goes wrong, and how many milliseconds after the load began.
    pub faults: Vec<(u64, Fault)>,
    /// How long faults go on, in milliseconds.
    pub length: u64,
}

impl Plan {
    /// The round of a seed.
    pub fn draw(seed: u64, kind: &Kind) -> Self {
        let mut dice = Dice::new(seed);
        let hosts = *dice.pick(&[3, 3, 3, 4, 4, 4, 5]);
        let semi_sync = !kind.is_old() && dice.chance(25);
        let delayed = if dice.chance(12) { Some(hosts - 1) } else { None };
        let writers = (0..dice.between(2, 4)).map(|_| *dice.pick(&[1, 2, 5, 20])).collect();
        let length = dice.between(8_000, 14_000);
        let mut faults: Vec<(u64, Fault)> = (0..dice.between(1, 5))
            .map(|_| (dice.between(500, length - 2_000), fault(&mut dice, kind, hosts)))
            .collect();
        faults.sort_by_key(|(at, _)| *at);
        // A slave that is late on purpose waits until its source's clock is past.
        let is_timed = faults.iter().any(|(_, fault)| matches!(fault, Fault::Clock(..)));
        let delayed = delayed.filter(|_| !is_timed);
        let kills = faults.iter().any(|(_, fault)| fault.kills());
        let parts = faults.iter().any(|(_, fault)| fault.parts());
        // With gaps, MySQL 5.6 does not start again by itself; only the old master shows where a slave is that comes
        // late to a new one that logs in any order.
        let is_in_order = faults.iter().any(|(_, fault)| match fault {
            Fault::Kill(..) | Fault::FreezeForEver(..) => true,
            Fault::KillWriterForGood => kind.mode == "file",
            _ => false,
        });
        let mut settings = settings(&mut dice, kind, hosts, kills || parts, is_in_order);
        if semi_sync {
            settings.extend(of_semi_sync(kind));
        }
        // Without GTIDs, nothing shows where a slave without a log is that is always late.
        if !kind.has_gtids() {
            settings.retain(|setting| {
                setting.host.is_none() || setting.host != delayed || setting.line != NO_LOG
            });
        }
        let mut load = vec![Load::Row, Load::Rows, Load::Rollback];
        let filter = filters(&mut dice);
        let leaves_out = filter.is_some();
        let helpers = of_helpers(&mut dice, kind, filter.as_deref());
        // Only the old master's log shows then where a slave without a log is.
        if leaves_out && faults.iter().any(|(_, fault)| *fault == Fault::KillWriterForGood) {
            settings.retain(|setting| setting.line != NO_LOG);
        }
        settings.extend(filter.map(|line| Setting { host: None, line }));
        for more in [
            Load::LargeRows,
            Load::Same,
            Load::MyIsam,
            Load::Table,
            Load::Temporary,
            Load::Xa,
            Load::File,
            Load::Scratch,
        ] {
            let is_rare = matches!(more, Load::MyIsam | Load::Table | Load::Xa | Load::Scratch);
            let is_wanted = dice.chance(if is_rare { 70 } else { 40 });
            let format = kind.format(&settings);
            let is_fair = match more {
                // A server that is killed while it changes such tables does not know afterwards whether it has; and what two
                // servers have made apart does not go together. Nobody ends what was prepared on a host that is gone.
                Load::MyIsam | Load::Table | Load::Xa => !kills && !parts,
                // A server that starts again has lost them.
                Load::Temporary => !kills || format == "ROW",
                // What a dead master had not sent comes with the number that its row had.
                Load::Same => !kills && !parts || format != "ROW",
                Load::Scratch => leaves_out,
                // From MySQL 8 on, two of these at once get interleaved numbers, which statements do not repeat
                // (`innodb_autoinc_lock_mode` in its manual).
                Load::File => format != "STATEMENT" || kind.is_mariadb() || kind.is_old(),
                _ => true,
            };
            if is_wanted && is_fair {
                load.push(more);
            }
        }
        if load.contains(&Load::File) {
            settings.push(Setting { host: None, line: "local_infile = 1".into() });
        }
        if dice.chance(15) {
            settings.push(Setting { host: None, line: "event_scheduler = 1".into() });
        }
        let master_first = dice.chance(50);
        Self {
            seed,
            kind: kind.clone(),
            hosts,
            settings,
            helpers,
            semi_sync,
            delayed,
            writers,
            load,
            master_first,
            faults,
            length,
        }
    }

    /// The hosts whose logs lie on a disk of their own, which gets full.
    pub fn small_disks(&self) -> BTreeSet<usize> {
        let of = |fault: &Fault| if let Fault::FullDisk(host, _) = fault { Some(*host) } else { None };
        self.faults.iter().filter_map(|(_, fault)| of(fault)).collect()
    }

    /// True if a clock gets wrong.
    pub fn has_wrong_clock(&self) -> bool {
        self.faults.iter().any(|(_, fault)| matches!(fault, Fault::Clock(..)))
    }

    /// The same without some of what was drawn: `s0` is the first setting, `h0` the first of the helpers' own, `f0` the
    /// first fault, `l0` the first load.
    pub fn without(mut self, left_out: &[String]) -> Self {
        let is_kept = |letter: char, index: usize| !left_out.contains(&format!("{letter}{index}"));
        let mut index = 0;
        self.settings.retain(|_| {
            index += 1;
            is_kept('s', index - 1)
        });
        index = 0;
        self.helpers.retain(|_| {
            index += 1;
            is_kept('h', index - 1)
        });
        index = 0;
        self.faults.retain(|_| {
            index += 1;
            is_kept('f', index - 1)
        });
        index = 0;
        self.load.retain(|_| {
            index += 1;
            is_kept('l', index - 1)
        });
        if left_out.iter().any(|part| part == "delay") {
            self.delayed = None;
        }
        self
    }

    /// What could be left out of it.
    pub fn parts(&self) -> Vec<String> {
        let mut parts: Vec<String> = (0..self.faults.len()).map(|index| format!("f{index}")).collect();
        parts.extend((0..self.settings.len()).map(|index| format!("s{index}")));
        parts.extend((0..self.helpers.len()).map(|index| format!("h{index}")));
        parts.extend((1..self.load.len()).map(|index| format!("l{index}")));
        if self.delayed.is_some() {
            parts.push("delay".into());
        }
        parts
    }
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "seed {}: {} by {}, {} hosts{}, the monitor tells {} first",
            self.seed,
            self.kind.server,
            self.kind.mode,
            self.hosts,
            if self.semi_sync { ", semi-sync" } else { "" },
            if self.master_first { "the new master" } else { "the slaves" }
        )?;
        let load: Vec<&str> = self.load.iter().map(Into::into).collect();
        writeln!(f, "  load: {}; writers rest {:?} ms", load.join(", "), self.writers)?;
        if let Some(host) = self.delayed {
            writeln!(f, "  db{} applies 2 s late", host + 1)?;
        }
        for setting in &self.settings {
            let host = setting.host.map_or("all".into(), |host| format!("db{}", host + 1));
            writeln!(f, "  setting of {host}: {}", setting.line)?;
        }
        for line in &self.helpers {
            writeln!(f, "  setting of the helpers: {line}")?;
        }
        for (at, fault) in &self.faults {
            writeln!(f, "  at {at:>5} ms: {fault}")?;
        }
        write!(f, "  faults end at {} ms", self.length)
    }
}

fn settings(dice: &mut Dice, kind: &Kind, hosts: usize, diverge: bool, is_in_order: bool) -> Vec<Setting> {
    let mut all = Vec::new();
    let mut add = |host: Option<usize>, line: String| all.push(Setting { host, line });
    if dice.chance(30) {
        add(None, "sync_binlog = 1".into());
    }
    if dice.chance(50) {
        add(None, format!("binlog_format = {}", dice.pick(&["ROW", "MIXED", "STATEMENT"])));
    }
    let has_small_files = dice.chance(30);
    if has_small_files {
        add(None, format!("max_binlog_size = {}", dice.pick(&["65536", "1M"])));
    }
    if dice.chance(25) {
        add(None, "skip_slave_start = 1".into());
    }
    if kind.is_mariadb() {
        if dice.chance(50) {
            add(None, "slave_parallel_threads = 4".into());
            add(None, format!("slave_parallel_mode = {}", dice.pick(&["optimistic", "conservative"])));
        }
        let domains = dice.chance(30);
        for host in (0..hosts).filter(|_| domains) {
            add(Some(host), format!("gtid_domain_id = {}", host + 1));
        }
        // In one domain, it stops what a dead master had not sent to anybody.
        if dice.chance(25) && (domains || !diverge) {
            add(None, "gtid_strict_mode = 1".into());
        }
        if dice.chance(20) {
            add(None, "binlog_commit_wait_usec = 3000".into());
            add(None, "binlog_commit_wait_count = 3".into());
        }
        if dice.chance(20) {
            add(None, "performance_schema = 1".into());
        }
    } else if kind.is_old() {
        for table in ["relay_log_info", "master_info"] {
            add(None, format!("{table}_repository = TABLE"));
        }
        add(None, "relay_log_recovery = 1".into());
        // With many relay log files, it does not always find its own place in them after STOP SLAVE.
        if dice.chance(30) && !is_in_order && !has_small_files {
            add(None, "slave_parallel_workers = 4".into());
        }
    } else {
        // By file and position, a server that is killed may otherwise fetch something twice.
        if kind.mode == "file" {
            add(None, "relay_log_recovery = 1".into());
        }
        if dice.chance(30) {
            add(None, format!("replica_parallel_workers = {}", dice.pick(&["0", "1"])));
        }
        if dice.chance(20) {
            add(None, "binlog_group_commit_sync_delay = 3000".into());
        }
        if dice.chance(15) {
            add(None, "performance_schema = 0".into());
        }
    }
    for host in 2..hosts {
        // By GTID, MySQL 5.6 needs it.
        if dice.chance(25) && !(kind.is_old() && kind.mode == "gtid") {
            add(Some(host), NO_LOG.into());
        }
    }
    all
}

/// A filter that all hosts have.
fn filters(dice: &mut Dice) -> Option<String> {
    let lines = [
        "binlog_ignore_db = scratch",
        "replicate_ignore_db = scratch",
        "replicate_wild_ignore_table = scratch.%",
    ];
    if dice.chance(25) { Some((*dice.pick(&lines)).into()) } else { None }
}

/// Settings of the helpers that a site may have.
fn of_helpers(dice: &mut Dice, kind: &Kind, filter: Option<&str>) -> Vec<String> {
    let mut lines = Vec::new();
    let mut attach = Vec::new();
    // Else a slave of a dead master is refused, as it should be.
    if filter.is_some_and(|line| line.starts_with("binlog")) {
        attach.push("log_filters_agree: true".to_string());
    }
    if dice.chance(15) {
        attach.push(format!("patience: {}", dice.pick(&["50ms", "2s"])));
    }
    if !attach.is_empty() {
        lines.push(format!("attach: {{{}}}", attach.join(", ")));
    }
    if dice.chance(25) && !kind.is_mariadb() && !kind.is_old() {
        lines.push("deny_write: {super_read_only: true}".into());
    }
    if dice.chance(10) {
        lines.push("network: {farewell: off}".into());
    }
    lines
}

fn of_semi_sync(kind: &Kind) -> Vec<Setting> {
    let lines: &[&str] = if kind.is_mariadb() {
        &[
            "rpl_semi_sync_master_enabled = 1",
            "rpl_semi_sync_slave_enabled = 1",
            "rpl_semi_sync_master_wait_point = AFTER_SYNC",
            "rpl_semi_sync_master_wait_no_slave = 0",
        ]
    } else {
        &[
            "plugin_load_add = semisync_source.so",
            "plugin_load_add = semisync_replica.so",
            "loose_rpl_semi_sync_source_enabled = 1",
            "loose_rpl_semi_sync_replica_enabled = 1",
            "loose_rpl_semi_sync_source_wait_no_replica = 0",
        ]
    };
    lines.iter().map(|line| Setting { host: None, line: (*line).into() }).collect()
}

fn fault(dice: &mut Dice, kind: &Kind, hosts: usize) -> Fault {
    let host = |dice: &mut Dice| usize::try_from(dice.below(hosts as u64)).unwrap_or(0);
    let slave = |dice: &mut Dice| usize::try_from(dice.between(2, hosts as u64 - 1)).unwrap_or(2);
    let master = |dice: &mut Dice| usize::try_from(dice.below(2)).unwrap_or(0);
    let two = |dice: &mut Dice| {
        let one = host(dice);
        let other = (one + usize::try_from(dice.between(1, hosts as u64 - 1)).unwrap_or(1)) % hosts;
        (one, other)
    };
    let stopped = |dice: &mut Dice| (*dice.pick::<&str>(&["", "IO_THREAD", "SQL_THREAD"])).to_string();
    match dice.below(100) {
        0..5 => Fault::KillWriterForGood,
        5..35 if kind.forgets() => Fault::KillWriter(dice.between(300, 8_000)),
        5..12 => Fault::KillWriter(dice.between(300, 8_000)),
        12..20 => Fault::Kill(master(dice), dice.between(300, 8_000)),
        20..25 => Fault::Kill(host(dice), dice.between(300, 5_000)),
        25..31 => Fault::Freeze(host(dice), dice.between(200, 1_500)),
        31..35 => Fault::FreezeForEver(master(dice)),
        35..38 => Fault::Restart(host(dice)),
        38..43 => {
            let (one, other) = two(dice);
            Fault::Drop(one, other, dice.between(500, 6_000))
        }
        43..45 => {
            let (one, other) = two(dice);
            Fault::DropOneWay(one, other, dice.between(500, 6_000))
        }
        45..48 => {
            let (one, other) = two(dice);
            Fault::Lose(one, other, *dice.pick(&[2, 10, 30]), dice.between(1_000, 5_000))
        }
        48..52 => {
            let (one, other) = two(dice);
            Fault::DropNew(one, other, dice.between(500, 6_000))
        }
        52..55 => Fault::Slow(host(dice), *dice.pick(&[5, 30, 150]), dice.between(1_000, 5_000)),
        55..62 => Fault::KillHelper(host(dice)),
        62..75 => Fault::Move,
        75..78 => Fault::Agent(host(dice), dice.between(300, 4_000)),
        78..82 => Fault::StopSlave(host(dice), stopped(dice), dice.between(500, 4_000)),
        82..85 => Fault::StopDuringCall(host(dice), stopped(dice), dice.between(0, 1_000)),
        85..88 => Fault::Unseen(host(dice), dice.between(500, 5_000)),
        88..91 => Fault::Late(host(dice), dice.between(500, 6_000)),
        91..93 => Fault::Beside(host(dice)),
        93..94 => Fault::Flush(host(dice)),
        94..95 => Fault::Clock(host(dice), *dice.pick(&[-90_000, -3_600, -30, 30, 3_600, 90_000])),
        // MySQL 5.6 goes on without its log; what MariaDB then has at the end of its log, it never sends.
        95..96 if !kind.is_old() => {
            let host = if kind.is_mariadb() { slave(dice) } else { host(dice) };
            Fault::FullDisk(host, dice.between(1_000, 5_000))
        }
        95..97 => Fault::Purge(slave(dice)),
        _ => Fault::Lock(
            host(dice),
            (*dice.pick::<&str>(&["replication", "writes"])).into(),
            dice.between(500, 5_000),
        ),
    }
}

#[cfg(test)]
mod tests;
