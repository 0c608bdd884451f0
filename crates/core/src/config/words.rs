//! The words of the language: which variables each section may hold, for all MMM releases and forks whose
//! agents call these helpers together, so that every site's file is accepted.

/// A kind of section.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// `<monitor>`
    Monitor,
    /// `<socket>`
    Socket,
    /// `<host NAME>`
    Host,
    /// `<role NAME>`
    Role,
    /// `<check NAME>`
    Check,
    /// `<copy_method NAME>`
    CopyMethod,
}

impl Kind {
    /// The kind of this word.
    pub fn of(word: &str) -> Option<Self> {
        [Self::Monitor, Self::Socket, Self::Host, Self::Role, Self::Check, Self::CopyMethod]
            .into_iter()
            .find(|kind| kind.word() == word)
    }

    /// As it is written in a tag.
    pub fn word(self) -> &'static str {
        match self {
            Self::Monitor => "monitor",
            Self::Socket => "socket",
            Self::Host => "host",
            Self::Role => "role",
            Self::Check => "check",
            Self::CopyMethod => "copy_method",
        }
    }

    /// True if sections of this kind have names; false if there is one at most.
    pub fn is_named(self) -> bool {
        !matches!(self, Self::Monitor | Self::Socket)
    }

    fn variables(self) -> &'static [&'static str] {
        match self {
            Self::Monitor => MONITOR,
            Self::Socket => &["type", "cert_file", "key_file", "ca_file"],
            Self::Host => HOST,
            Self::Role => &["mode", "hosts", "ips", "prefer"],
            Self::Check => &["check_period", "trap_period", "timeout", "restart_after", "max_backlog"],
            Self::CopyMethod => COPY_METHOD,
        }
    }
}

const TOP: &[&str] = &[
    "this",
    "debug",
    "active_master_role",
    "max_kill_retries",
    "default_copy_method",
    "clone_dirs",
    // 2.2.3
    "blocking_type",
    "iptables_block_cmd",
    "iptables_unblock_cmd",
    // allan, mysql-m3
    "mmm_channel",
    "replication_channel",
];

const MONITOR: &[&str] = &[
    "ip",
    "port",
    "pid_path",
    "bin_path",
    "status_path",
    "ping_interval",
    "ping_ips",
    "flap_duration",
    "flap_count",
    "auto_set_online",
    "kill_host_bin",
    "careful_startup",
    "mode",
    "wait_for_other_master",
];

const HOST: &[&str] = &[
    "ip",
    "mode",
    "peer",
    "pid_path",
    "bin_path",
    "cluster_interface",
    "agent_port",
    "agent_user",
    "agent_password",
    "monitor_user",
    "monitor_password",
    "replication_user",
    "replication_password",
    "tools_user",
    "tools_password",
    "mysql_port",
    "mysql_pidfile",
    "mysql_rcscript",
    "mysql_cnf",
    "ssh_user",
    "ssh_port",
    "ssh_parameters",
    "backup_dir",
    "restore_dir",
    "lvm_bin_lvcreate",
    "lvm_bin_lvremove",
    "lvm_snapshot_size",
    "lvm_logical_volume",
    "lvm_volume_group",
    "lvm_mount_dir",
    "lvm_mount_opts",
    // Fedora release 41
    "notify_cmd",
    // 2.2.3
    "blocking_type",
    "iptables_block_cmd",
    "iptables_unblock_cmd",
    // allan, mysql-m3
    "eni",
    "mmm_channel",
    "replication_channel",
];

const COPY_METHOD: &[&str] =
    &["backup_command", "restore_command", "incremental_command", "single_run", "true_incremental"];

/// The variable of this name in a section of this kind, outside any section if there is none.
pub fn variable(kind: Option<Kind>, key: &[u8]) -> Option<&'static str> {
    kind.map_or(TOP, Kind::variables).iter().copied().find(|known| known.as_bytes() == key)
}

/// True for the variables whose value is split at commas.
pub fn is_list(variable: &str) -> bool {
    matches!(variable, "hosts" | "ips" | "ping_ips" | "clone_dirs")
}

/// True for the variables that are yes or no.
pub fn is_boolean(variable: &str) -> bool {
    matches!(variable, "debug" | "careful_startup" | "single_run" | "true_incremental")
}
