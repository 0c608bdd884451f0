//! The words that each server wants. Only this module knows versions.
//!
//! The facts are in the manuals and in docs/SERVERS.md. If every version still has the older spelling, that one is
//! used. A version that is newer than all that are known here gets the newest words.

mod orders;
mod questions;

use std::fmt;

use crate::status::Place;

/// Major, minor, patch.
pub type Version = (u16, u16, u16);

/// The two families of servers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flavour {
    /// MariaDB, 10.5 and later.
    MariaDb,
    /// MySQL, 5.6 and later.
    MySql,
}

/// How statements are written for one session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dialect {
    flavour: Flavour,
    version: Version,
    no_backslash_escapes: bool,
}

/// Which of a channel's threads a statement means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Threads {
    /// Both.
    Both,
    /// The SQL thread alone.
    Sql,
    /// The I/O thread alone.
    Io,
}

impl Threads {
    fn words(self) -> &'static str {
        match self {
            Self::Both => "",
            Self::Sql => " SQL_THREAD",
            Self::Io => " IO_THREAD",
        }
    }
}

/// The options of CHANGE MASTER.
#[derive(Debug)]
pub struct Target<'a> {
    /// Address of the source.
    pub host: &'a str,
    /// Its port.
    pub port: u16,
    /// Replication account.
    pub user: &'a str,
    /// Its password.
    pub password: &'a str,
    /// Heartbeat period in seconds, as the channel has it: naming a host resets it (docs/FAILOVER.md, 2.11).
    pub heartbeat: &'a str,
    /// Whether the account's password may be encrypted with a key that the source sends; `None` leaves that as it is.
    pub fetches_key: Option<bool>,
    /// Where to continue.
    pub place: &'a Place,
}

impl Dialect {
    /// From what the handshake says of the server and of the session's `sql_mode`.
    ///
    /// Until 10.11 a MariaDB claims to be 5.5.5 and puts its own version after that; no MySQL has reached version 10.
    pub fn new(version: Version, no_backslash_escapes: bool) -> Self {
        let is_mariadb = version == (5, 5, 5) || version.0 >= 10;
        let flavour = if is_mariadb { Flavour::MariaDb } else { Flavour::MySql };
        Self { flavour, version, no_backslash_escapes }
    }

    /// Which family the server is of.
    pub fn flavour(self) -> Flavour {
        self.flavour
    }

    fn is_mysql_since(self, version: Version) -> bool {
        self.flavour == Flavour::MySql && self.version >= version
    }

    /// True if a server can have several channels; MySQL has names for them since 5.7.
    fn has_channels(self) -> bool {
        self.flavour == Flavour::MariaDb || self.is_mysql_since((5, 7, 0))
    }

    /// `REPLICA` or `SLAVE`.
    fn replica(self) -> &'static str {
        if self.is_mysql_since((8, 0, 22)) { "REPLICA" } else { "SLAVE" }
    }

    /// How options of CHANGE begin: `SOURCE` or `MASTER`.
    fn source(self) -> &'static str {
        if self.is_mysql_since((8, 0, 23)) { "SOURCE" } else { "MASTER" }
    }

    /// A string literal: with `NO_BACKSLASH_ESCAPES` a backslash is an ordinary character.
    pub fn quote(self, text: &str) -> String {
        let mut quoted = String::with_capacity(text.len() + 2);
        quoted.push('\'');
        for c in text.chars() {
            match c {
                '\'' => quoted.push_str("''"),
                '\\' if !self.no_backslash_escapes => quoted.push_str("\\\\"),
                other => quoted.push(other),
            }
        }
        quoted.push('\'');
        quoted
    }

    /// True if an account's password may have to be encrypted with a key of the source, without TLS.
    pub fn may_fetch_key(self) -> bool {
        self.is_mysql_since((8, 0, 4))
    }

    /// True if `Retrieved_Gtid_Set` has a transaction of which only the beginning was fetched: MySQL 5.6 (lab).
    pub fn counts_half_as_retrieved(self) -> bool {
        self.flavour == Flavour::MySql && !self.is_mysql_since((5, 7, 0))
    }

    /// True if a channel's status can be asked for while it is being stopped; MySQL 5.6 answers when it has
    /// stopped (lab).
    pub fn tells_status_while_stopping(self) -> bool {
        self.has_channels()
    }

    /// True if STOP does not interrupt an I/O thread that waits until its source accepts a connection or sends
    /// something over it. A MariaDB since 11.4, which sends its threads no signals any more (MDEV-32567), waits for the
    /// end of `slave_net_timeout` (lab, 11.8), and a MySQL 9.7 for 2 s (lab; so may 8.0). 5.6 and MariaDB 10 do not
    /// wait.
    pub fn waits_for_attempts(self) -> bool {
        match self.flavour {
            Flavour::MariaDb => self.version >= (11, 4, 0),
            Flavour::MySql => self.version >= (8, 0, 0),
        }
    }

    /// All privileges that the agent's account needs on `*.*` (docs/PRIVILEGES.md), or `missing` alone if that is
    /// another one.
    pub fn privileges(self, missing: &str) -> String {
        let mut all = match self.flavour {
            Flavour::MariaDb => {
                "PROCESS, BINLOG MONITOR, SLAVE MONITOR, REPLICATION SLAVE ADMIN, READ_ONLY ADMIN, CONNECTION ADMIN"
            }
            Flavour::MySql if self.is_mysql_since((8, 0, 0)) => {
                "PROCESS, REPLICATION CLIENT, REPLICATION SLAVE, REPLICATION_SLAVE_ADMIN, SYSTEM_VARIABLES_ADMIN, \
                 CONNECTION_ADMIN, XA_RECOVER_ADMIN"
            }
            Flavour::MySql => "PROCESS, SUPER, REPLICATION SLAVE",
        }
        .to_string();
        if self.is_mysql_since((8, 0, 16)) {
            all += ", SYSTEM_USER";
        }
        let is_among = |privilege: &str| all.split(", ").any(|one| one == privilege);
        if missing.split(", ").all(is_among) { all } else { missing.into() }
    }

    /// The privileges that are needed to end sessions of other accounts, also of administrators. Error 1095 does not
    /// name them.
    pub fn kill_privilege(self) -> &'static str {
        match self.flavour {
            Flavour::MariaDb => "CONNECTION ADMIN",
            Flavour::MySql if self.is_mysql_since((8, 0, 16)) => "CONNECTION_ADMIN, SYSTEM_USER",
            Flavour::MySql if self.is_mysql_since((8, 0, 0)) => "CONNECTION_ADMIN",
            Flavour::MySql => "SUPER",
        }
    }
}

impl fmt::Display for Dialect {
    /// `MySQL 9.7.4`, `MariaDB`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (major, minor, patch) = self.version;
        match (self.flavour, self.version) {
            (Flavour::MariaDb, (5, 5, 5)) => f.write_str("MariaDB"),
            (Flavour::MariaDb, _) => write!(f, "MariaDB {major}.{minor}.{patch}"),
            (Flavour::MySql, _) => write!(f, "MySQL {major}.{minor}.{patch}"),
        }
    }
}

#[cfg(test)]
mod tests;
