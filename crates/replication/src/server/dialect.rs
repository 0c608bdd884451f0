//! The words that each server wants: the only place that knows a version.
//!
//! The facts are in the manuals and in docs/SERVERS.md. Where every version still has the older
//! spelling, that one is used. A version that is newer than all that are known here takes the newest words.

use std::fmt;

use crate::position::BinlogPosition;
use crate::status::{Mode, Place};

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
    /// The applying thread alone.
    Sql,
    /// The fetching thread alone.
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

/// What CHANGE MASTER is told.
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
    /// Where to go on.
    pub place: &'a Place,
}

impl Dialect {
    /// From what the handshake says of the server and of the session's `sql_mode`.
    ///
    /// Until 10.11 a MariaDB claims to be 5.5.5 and puts its own version behind that; no MySQL has come to 10.
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

    /// True where a server can have several channels; MySQL has names for them since 5.7.
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

    /// Every channel with everything about it.
    pub fn show_channels(self) -> &'static str {
        match self.flavour {
            Flavour::MariaDb => "SHOW ALL SLAVES STATUS",
            Flavour::MySql if self.is_mysql_since((8, 0, 22)) => "SHOW REPLICA STATUS",
            Flavour::MySql => "SHOW SLAVE STATUS",
        }
    }

    /// End of the server's own log, and the log's filters.
    pub fn show_log_end(self) -> &'static str {
        if self.is_mysql_since((8, 2, 0)) { "SHOW BINARY LOG STATUS" } else { "SHOW MASTER STATUS" }
    }

    /// What moving a replica has to know of a server; see [`crate::observe`].
    pub fn variables(self) -> String {
        let updates =
            if self.is_mysql_since((8, 0, 26)) { "log_replica_updates" } else { "log_slave_updates" };
        let gtids = match self.flavour {
            // In this order: a group is logged before it counts as executed.
            Flavour::MariaDb => "@@gtid_slave_pos AS slave_pos, @@gtid_current_pos AS current_pos, \
                 @@gtid_binlog_state AS binlog_state, @@gtid_binlog_pos AS binlog_pos, @@GLOBAL.binlog_format AS binlog_format, 1 AS keeps_order"
                .into(),
            Flavour::MySql => format!(
                "@@server_uuid AS server_uuid, @@GLOBAL.gtid_mode AS gtid_mode, \
                 @@GLOBAL.gtid_executed AS executed, @@GLOBAL.gtid_purged AS purged, {} AS keeps_order",
                self.keeps_order()
            ),
        };
        format!(
            "SELECT @@server_id AS server_id, @@read_only AS read_only, @@log_bin AS log_bin, \
             @@{updates} AS log_slave_updates, {gtids}"
        )
    }

    /// Whether a MySQL server logs what it replicates in its source's order. MariaDB does in each domain, whatever
    /// applies in parallel.
    fn keeps_order(self) -> &'static str {
        if self.is_mysql_since((8, 0, 26)) {
            "@@GLOBAL.replica_parallel_workers < 2 OR @@GLOBAL.replica_preserve_commit_order"
        } else if self.is_mysql_since((5, 7, 5)) {
            "@@GLOBAL.slave_parallel_workers < 2 OR @@GLOBAL.slave_preserve_commit_order"
        } else {
            "@@GLOBAL.slave_parallel_workers < 2"
        }
    }

    /// What a server has executed by GTID, as one value that changes with every group applied.
    pub fn applied_gtids(self) -> &'static str {
        match self.flavour {
            Flavour::MariaDb => "SELECT @@gtid_slave_pos AS gtids",
            Flavour::MySql => "SELECT @@GLOBAL.gtid_executed AS gtids",
        }
    }

    /// MariaDB's: from where a server goes on by GTID; its threads must not run.
    pub fn set_position(self, gtids: &str) -> String {
        format!("SET GLOBAL gtid_slave_pos = {}", self.quote(gtids))
    }

    /// MySQL's: the GTIDs of transactions under way. One is in this set before it is in the log, and until it is
    /// among those executed.
    pub fn owned_gtids(self) -> &'static str {
        "SELECT @@GLOBAL.gtid_owned AS gtids"
    }

    /// Options of a channel that its status does not show; `None` where the status shows all.
    pub fn channel_options(self, channel: &str) -> Option<String> {
        if self.flavour == Flavour::MariaDb {
            return None;
        }
        Some(if self.has_channels() {
            format!(
                "SELECT * FROM performance_schema.replication_connection_configuration WHERE channel_name = {}",
                self.quote(channel)
            )
        } else {
            "SELECT variable_value AS heartbeat_interval FROM information_schema.global_status \
             WHERE variable_name = 'Slave_heartbeat_period'"
                .into()
        })
    }

    /// How many heartbeats of its source a channel has received; `None` where its status shows that.
    pub fn heartbeats(self, channel: &str) -> Option<String> {
        if self.flavour == Flavour::MariaDb {
            return None;
        }
        Some(if self.has_channels() {
            format!(
                "SELECT count_received_heartbeats AS heartbeats FROM performance_schema.replication_connection_status \
                 WHERE channel_name = {}",
                self.quote(channel)
            )
        } else {
            "SELECT variable_value AS heartbeats FROM information_schema.global_status \
             WHERE variable_name = 'Slave_received_heartbeats'"
                .into()
        })
    }

    /// Whether parallel appliers of a channel have something to do, as `busy`. The first statement that tells counts: a
    /// server that does not watch its threads (`performance_schema=OFF`) says NULL to the best one.
    pub fn busy_workers(self, channel: &str) -> Vec<String> {
        if self.flavour == Flavour::MariaDb {
            return vec![
                "SELECT COUNT(*) > 0 AS busy FROM information_schema.processlist \
                 WHERE command = 'Slave_worker' AND state NOT LIKE 'Waiting for work%'"
                    .into(),
            ];
        }
        // Of those that wait, each is told by its state, the others by nothing; more than one channel has say nothing.
        let workers = if self.is_mysql_since((8, 0, 26)) {
            "replica_parallel_workers"
        } else {
            "slave_parallel_workers"
        };
        let by_state = format!(
            "SELECT IF(COUNT(*) > @@GLOBAL.{workers}, NULL, COUNT(*) < @@GLOBAL.{workers}) AS busy \
             FROM information_schema.processlist \
             WHERE user = 'system user' AND state LIKE 'Waiting for an event from Coordinator%'"
        );
        if !self.has_channels() {
            return vec![by_state];
        }
        // With half a transaction, they wait for the rest of it; what they apply does not tell that.
        let by_thread = format!(
            "SELECT SUM(processlist_state IS NULL OR processlist_state NOT LIKE 'Waiting for an event%' \
             AND processlist_state NOT LIKE '%has read all relay log%') > 0 AS busy \
             FROM performance_schema.replication_applier_status_by_worker \
             JOIN performance_schema.threads USING (thread_id) WHERE channel_name = {}",
            self.quote(channel)
        );
        vec![by_thread, by_state]
    }

    /// The thread that hands a channel's transactions to parallel appliers, as `id`, while it waits for more; the
    /// first statement that has one row counts. None where stopping does not wait for the rest of half a transaction.
    /// MySQL's does, a minute long, even if it can never come (lab, 9.7).
    pub fn coordinator(self, channel: &str) -> Vec<String> {
        if !self.is_mysql_since((8, 0, 0)) {
            return Vec::new();
        }
        let by_thread = format!(
            "SELECT processlist_id AS id FROM performance_schema.replication_applier_status_by_coordinator \
             JOIN performance_schema.threads USING (thread_id) WHERE channel_name = {}",
            self.quote(channel)
        );
        // A thread that applies all by itself has no others that wait for it.
        let by_state = "SELECT id AS id FROM information_schema.processlist \
             WHERE user = 'system user' AND state LIKE '%has read all relay log%' \
             AND EXISTS (SELECT * FROM information_schema.processlist \
             WHERE user = 'system user' AND state LIKE 'Waiting for an event from Coordinator%')";
        vec![by_thread, by_state.into()]
    }

    /// Asks whether the coordinator of a channel's parallel appliers has read only the beginning of a transaction (`half`);
    /// no row without parallel appliers. `None` where the server does not tell that (before MySQL 8.0; manual,
    /// `replication_applier_status_by_coordinator`).
    pub fn half_read(self, channel: &str) -> Option<String> {
        self.is_mysql_since((8, 0, 1)).then(|| {
            format!(
                "SELECT processing_transaction <> '' AS half \
                 FROM performance_schema.replication_applier_status_by_coordinator \
                 WHERE service_state = 'ON' AND channel_name = {}",
                self.quote(channel)
            )
        })
    }

    /// How long the place of parallel appliers may lie behind what they have applied, in milliseconds; `None` where it
    /// does not.
    pub fn checkpoint_period(self) -> Option<&'static str> {
        match self.flavour {
            Flavour::MariaDb => None,
            Flavour::MySql if self.is_mysql_since((8, 0, 26)) => {
                Some("SELECT @@GLOBAL.replica_checkpoint_period AS period")
            }
            Flavour::MySql => Some("SELECT @@GLOBAL.slave_checkpoint_period AS period"),
        }
    }

    /// ` 'name'` as MariaDB has it behind the verb; its default connection is `''`.
    fn in_front(self, channel: &str) -> String {
        if self.flavour == Flavour::MariaDb { format!(" {}", self.quote(channel)) } else { String::new() }
    }

    /// ` FOR CHANNEL 'name'` as MySQL has it at the end.
    fn behind(self, channel: &str) -> String {
        if self.flavour == Flavour::MySql && self.has_channels() {
            format!(" FOR CHANNEL {}", self.quote(channel))
        } else {
            String::new()
        }
    }

    /// Stops threads of a channel.
    pub fn stop(self, channel: &str, threads: Threads) -> String {
        self.with_threads("STOP", channel, threads)
    }

    /// Starts threads of a channel.
    pub fn start(self, channel: &str, threads: Threads) -> String {
        self.with_threads("START", channel, threads)
    }

    /// Starts threads of a channel, of which the applying one stops behind a place in its source's log.
    pub fn start_until(self, channel: &str, threads: Threads, place: &BinlogPosition) -> String {
        let (replica, source) = (self.replica(), self.source());
        let (file, offset) = (self.quote(&place.file), place.offset);
        format!(
            "START {replica}{}{} UNTIL {source}_LOG_FILE={file}, {source}_LOG_POS={offset}{}",
            self.in_front(channel),
            threads.words(),
            self.behind(channel)
        )
    }

    fn with_threads(self, verb: &str, channel: &str, threads: Threads) -> String {
        let (replica, threads) = (self.replica(), threads.words());
        format!("{verb} {replica}{}{threads}{}", self.in_front(channel), self.behind(channel))
    }

    /// CHANGE MASTER with these options.
    fn change_to(self, channel: &str, options: &str) -> String {
        let verb =
            if self.is_mysql_since((8, 0, 23)) { "CHANGE REPLICATION SOURCE" } else { "CHANGE MASTER" };
        format!("{verb}{} TO {options}{}", self.in_front(channel), self.behind(channel))
    }

    /// Points a channel elsewhere: the statement, and the statement as it may be shown.
    pub fn change(self, channel: &str, target: &Target) -> (String, String) {
        let source = self.source();
        let heartbeat = match target.heartbeat.parse::<f64>() {
            Ok(seconds) if seconds.is_finite() && seconds >= 0.0 => {
                format!("{source}_HEARTBEAT_PERIOD={seconds}, ")
            }
            _ => String::new(),
        };
        let key = target.fetches_key.map_or_else(String::new, |fetches_key| {
            format!("GET_{source}_PUBLIC_KEY={}, ", u8::from(fetches_key))
        });
        let place = self.place(target.place);
        let statement = |password: &str| {
            let options = format!(
                "{source}_HOST={}, {source}_PORT={}, {source}_USER={}, {source}_PASSWORD={password}, \
                 {heartbeat}{key}{place}",
                self.quote(target.host),
                target.port,
                self.quote(target.user),
            );
            self.change_to(channel, &options)
        };
        (statement(&self.quote(target.password)), statement("'***'"))
    }

    /// Lets a stopped channel fetch its source's log again from a place on; what it had fetched is forgotten.
    pub fn rewind(self, channel: &str, place: &Place) -> String {
        self.change_to(channel, &self.place(place))
    }

    fn place(self, place: &Place) -> String {
        let source = self.source();
        match place {
            Place::Gtid(Mode::AutoPosition) => format!("{source}_AUTO_POSITION=1"),
            Place::Gtid(Mode::CurrentPos) => "MASTER_USE_GTID=current_pos".into(),
            Place::Gtid(Mode::SlavePos | Mode::FilePosition) => "MASTER_USE_GTID=slave_pos".into(),
            Place::Position(BinlogPosition { file, offset }) => {
                let place = format!("{source}_LOG_FILE={}, {source}_LOG_POS={offset}", self.quote(file));
                match self.flavour {
                    Flavour::MariaDb => format!("{place}, MASTER_USE_GTID=no"),
                    Flavour::MySql => place,
                }
            }
        }
    }

    /// True where an account's password may have to be encrypted with a key of the source, without TLS.
    pub fn may_fetch_key(self) -> bool {
        self.is_mysql_since((8, 0, 4))
    }

    /// Waits on the server until a channel has applied up to a place: ≥ 0 reached, -1 timeout, NULL no applier.
    pub fn position_wait(self, channel: &str, place: &BinlogPosition, seconds: u64) -> String {
        let function = if self.is_mysql_since((8, 0, 26)) { "SOURCE_POS_WAIT" } else { "MASTER_POS_WAIT" };
        let (file, offset) = (self.quote(&place.file), place.offset);
        if channel.is_empty() || !self.has_channels() {
            format!("SELECT {function}({file}, {offset}, {seconds})")
        } else {
            format!("SELECT {function}({file}, {offset}, {seconds}, {})", self.quote(channel))
        }
    }

    /// True where a channel's status can be asked for while it is being stopped; MySQL 5.6 answers when it has
    /// stopped (lab).
    pub fn tells_status_while_stopping(self) -> bool {
        self.has_channels()
    }

    /// True where STOP does not interrupt an I/O thread that waits for its source to accept a connection or to say
    /// something over it. A MariaDB since 11.4, which sends its threads no signals any more (MDEV-32567), waits for the
    /// end of `slave_net_timeout` (lab, 11.8), and a MySQL 9.7 for 2 s (lab; so may 8.0). 5.6 and MariaDB 10 do not wait.
    pub fn waits_for_attempts(self) -> bool {
        match self.flavour {
            Flavour::MariaDb => self.version >= (11, 4, 0),
            Flavour::MySql => self.version >= (8, 0, 0),
        }
    }

    /// What it takes to end sessions of other accounts, administrators among them, which error 1095 does not say.
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
mod tests {
    use super::*;

    fn mysql(version: Version) -> Dialect {
        Dialect::new(version, false)
    }

    const MARIADB_10: Version = (5, 5, 5);
    const MARIADB_11: Version = (11, 8, 6);

    #[test]
    fn the_handshake_tells_the_families_apart() {
        for (version, shown) in [
            (MARIADB_10, "MariaDB"),
            (MARIADB_11, "MariaDB 11.8.6"),
            ((5, 6, 24), "MySQL 5.6.24"),
            ((5, 5, 62), "MySQL 5.5.62"),
            ((9, 7, 4), "MySQL 9.7.4"),
        ] {
            assert_eq!(mysql(version).to_string(), shown);
        }
    }

    #[test]
    fn each_version_gets_the_words_it_knows() {
        let words = |version| {
            let dialect = mysql(version);
            [
                dialect.show_channels().to_string(),
                dialect.show_log_end().to_string(),
                dialect.stop("", Threads::Both),
                dialect.start("x", Threads::Sql),
                dialect.rewind("x", &Place::Position(BinlogPosition::new("b.1", 4))),
                dialect.position_wait("x", &BinlogPosition::new("b.1", 4), 2),
            ]
        };
        let mariadb = [
            "SHOW ALL SLAVES STATUS",
            "SHOW MASTER STATUS",
            "STOP SLAVE ''",
            "START SLAVE 'x' SQL_THREAD",
            "CHANGE MASTER 'x' TO MASTER_LOG_FILE='b.1', MASTER_LOG_POS=4, MASTER_USE_GTID=no",
            "SELECT MASTER_POS_WAIT('b.1', 4, 2, 'x')",
        ];
        assert_eq!(words(MARIADB_10), mariadb);
        assert_eq!(words(MARIADB_11), mariadb);
        let without_channels = [
            "SHOW SLAVE STATUS",
            "SHOW MASTER STATUS",
            "STOP SLAVE",
            "START SLAVE SQL_THREAD",
            "CHANGE MASTER TO MASTER_LOG_FILE='b.1', MASTER_LOG_POS=4",
            "SELECT MASTER_POS_WAIT('b.1', 4, 2)",
        ];
        assert_eq!(words((5, 6, 24)), without_channels);
        let old = [
            "SHOW SLAVE STATUS",
            "SHOW MASTER STATUS",
            "STOP SLAVE FOR CHANNEL ''",
            "START SLAVE SQL_THREAD FOR CHANNEL 'x'",
            "CHANGE MASTER TO MASTER_LOG_FILE='b.1', MASTER_LOG_POS=4 FOR CHANNEL 'x'",
            "SELECT MASTER_POS_WAIT('b.1', 4, 2, 'x')",
        ];
        assert_eq!(words((5, 7, 44)), old);
        assert_eq!(words((8, 0, 21)), old);
        let new = [
            "SHOW REPLICA STATUS",
            "SHOW BINARY LOG STATUS",
            "STOP REPLICA FOR CHANNEL ''",
            "START REPLICA SQL_THREAD FOR CHANNEL 'x'",
            "CHANGE REPLICATION SOURCE TO SOURCE_LOG_FILE='b.1', SOURCE_LOG_POS=4 FOR CHANNEL 'x'",
            "SELECT SOURCE_POS_WAIT('b.1', 4, 2, 'x')",
        ];
        for version in [(8, 4, 0), (9, 7, 4), (9, 99, 0)] {
            assert_eq!(words(version), new, "{version:?}");
        }
    }

    #[test]
    fn words_changed_one_by_one_in_8_0() {
        let at = |patch| mysql((8, 0, patch));
        assert_eq!(at(22).stop("", Threads::Io), "STOP REPLICA IO_THREAD FOR CHANNEL ''");
        let place = Place::Gtid(Mode::AutoPosition);
        assert_eq!(at(22).rewind("", &place), "CHANGE MASTER TO MASTER_AUTO_POSITION=1 FOR CHANNEL ''");
        let renamed = "CHANGE REPLICATION SOURCE TO SOURCE_AUTO_POSITION=1 FOR CHANNEL ''";
        assert_eq!(at(23).rewind("", &place), renamed);
        let end = BinlogPosition::new("b.1", 4);
        assert_eq!(at(25).position_wait("", &end, 2), "SELECT MASTER_POS_WAIT('b.1', 4, 2)");
        assert_eq!(at(26).position_wait("", &end, 2), "SELECT SOURCE_POS_WAIT('b.1', 4, 2)");
        assert!(at(25).variables().contains("@@log_slave_updates"));
        assert!(at(26).variables().contains("@@log_replica_updates"));
        assert_eq!(at(44).show_log_end(), "SHOW MASTER STATUS");
    }

    #[test]
    fn newer_servers_wait_for_an_attempt_to_connect_to_end() {
        for (version, waits) in [
            (MARIADB_10, false),
            ((11, 3, 2), false),
            ((11, 4, 1), true),
            (MARIADB_11, true),
            ((5, 6, 24), false),
            ((9, 7, 4), true),
        ] {
            assert_eq!(mysql(version).waits_for_attempts(), waits, "{version:?}");
        }
    }

    fn target(place: &Place) -> Target<'_> {
        Target {
            host: "10.0.0.2",
            port: 3307,
            user: "r'",
            password: "it's",
            heartbeat: "2.000",
            fetches_key: None,
            place,
        }
    }

    #[test]
    fn a_change_names_everything_and_shows_no_password() {
        let place = Place::Gtid(Mode::SlavePos);
        let (statement, shown) = mysql(MARIADB_10).change("", &target(&place));
        assert_eq!(
            statement,
            "CHANGE MASTER '' TO MASTER_HOST='10.0.0.2', MASTER_PORT=3307, MASTER_USER='r''', \
             MASTER_PASSWORD='it''s', MASTER_HEARTBEAT_PERIOD=2, MASTER_USE_GTID=slave_pos"
        );
        assert_eq!(shown, statement.replace("it''s", "***"));
    }

    #[test]
    fn a_key_is_fetched_from_the_new_source_where_it_is_needed() {
        let place = Place::Gtid(Mode::AutoPosition);
        let target = Target { fetches_key: Some(true), heartbeat: "", ..target(&place) };
        let (statement, _) = mysql((9, 7, 4)).change("", &target);
        assert_eq!(
            statement,
            "CHANGE REPLICATION SOURCE TO SOURCE_HOST='10.0.0.2', SOURCE_PORT=3307, SOURCE_USER='r''', \
             SOURCE_PASSWORD='it''s', GET_SOURCE_PUBLIC_KEY=1, SOURCE_AUTO_POSITION=1 FOR CHANNEL ''"
        );
    }

    #[test]
    fn a_literal_cannot_be_left_under_either_sql_mode() {
        for (text, plain, no_backslashes) in [
            ("it's", "'it''s'", "'it''s'"),
            ("a\\", "'a\\\\'", "'a\\'"),
            ("\\'; DROP TABLE t -- ", "'\\\\''; DROP TABLE t -- '", "'\\''; DROP TABLE t -- '"),
        ] {
            assert_eq!(Dialect::new(MARIADB_10, false).quote(text), plain);
            assert_eq!(Dialect::new(MARIADB_10, true).quote(text), no_backslashes);
        }
    }
}
