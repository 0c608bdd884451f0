//! The statements that ask something.

use crate::position::BinlogPosition;
use crate::server::dialect::{Dialect, Flavour};

/// How long ago, in seconds, an applier must have been given its last transaction before its answer counts that it has
/// none.
const HANDED_OUT: &str = "0.05";

impl Dialect {
    /// Every channel with its whole status.
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

    /// What moving a replica has to know of a server.
    pub fn variables(self) -> String {
        let updates =
            if self.is_mysql_since((8, 0, 26)) { "log_replica_updates" } else { "log_slave_updates" };
        let gtids = match self.flavour {
            // In this order: a transaction is logged before it counts as executed.
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

    /// Whether a MySQL server logs what it replicates in its source's order. MariaDB does in each domain, even with
    /// parallel appliers.
    fn keeps_order(self) -> &'static str {
        if self.is_mysql_since((8, 0, 26)) {
            "@@GLOBAL.replica_parallel_workers < 2 OR @@GLOBAL.replica_preserve_commit_order"
        } else if self.is_mysql_since((5, 7, 5)) {
            "@@GLOBAL.slave_parallel_workers < 2 OR @@GLOBAL.slave_preserve_commit_order"
        } else {
            "@@GLOBAL.slave_parallel_workers < 2"
        }
    }

    /// What a server has executed by GTID, as one value that changes with every transaction applied.
    pub fn applied_gtids(self) -> &'static str {
        match self.flavour {
            Flavour::MariaDb => "SELECT @@gtid_slave_pos AS gtids",
            Flavour::MySql => "SELECT @@GLOBAL.gtid_executed AS gtids",
        }
    }

    /// MySQL's: the GTIDs of transactions under way. One is in this set before it is in the log, and until it is
    /// among those executed.
    pub fn owned_gtids(self) -> &'static str {
        "SELECT @@GLOBAL.gtid_owned AS gtids"
    }

    /// How many temporary tables of replicated statements are open. The old name is deprecated since MySQL 8.0.26.
    pub fn open_temporary_tables(self) -> &'static str {
        "SHOW GLOBAL STATUS WHERE Variable_name IN ('Slave_open_temp_tables', 'Replica_open_temp_tables')"
    }

    /// Options of a channel that its status does not show; `None` if the status shows all.
    pub fn channel_options(self, channel: &str) -> Option<String> {
        let options = "* FROM performance_schema.replication_connection_configuration";
        self.beside_status(channel, options, ("Slave_heartbeat_period", "heartbeat_interval"))
    }

    /// Which GTIDs a channel gives to transactions that come without one, as `given`: `OFF`, `LOCAL` or `UUID`; `None`
    /// if the server gives none (before MySQL 8.0.23; manual, `ASSIGN_GTIDS_TO_ANONYMOUS_TRANSACTIONS`).
    pub fn gtids_given(self, channel: &str) -> Option<String> {
        self.is_mysql_since((8, 0, 23)).then(|| {
            format!(
                "SELECT assign_gtids_to_anonymous_transactions_type AS given \
                 FROM performance_schema.replication_applier_configuration WHERE channel_name = {}",
                self.quote(channel)
            )
        })
    }

    /// How many heartbeats of its source a channel has received; `None` if its status shows that.
    pub fn heartbeats(self, channel: &str) -> Option<String> {
        let received =
            "count_received_heartbeats AS heartbeats FROM performance_schema.replication_connection_status";
        self.beside_status(channel, received, ("Slave_received_heartbeats", "heartbeats"))
    }

    /// What a MySQL shows of a channel outside of its status: `of_channel`, or, in versions without channels, the
    /// server's `counter`, under that name.
    fn beside_status(self, channel: &str, of_channel: &str, (counter, name): (&str, &str)) -> Option<String> {
        if self.flavour == Flavour::MariaDb {
            return None;
        }
        Some(if self.has_channels() {
            format!("SELECT {of_channel} WHERE channel_name = {}", self.quote(channel))
        } else {
            format!(
                "SELECT variable_value AS {name} FROM information_schema.global_status \
                 WHERE variable_name = '{counter}'"
            )
        })
    }

    /// Whether parallel appliers of a channel have something to do, as `busy`. The first statement that shows it
    /// counts: a server that does not watch its threads (`performance_schema=OFF`) answers NULL to the best one.
    pub fn busy_workers(self, channel: &str) -> Vec<String> {
        if self.flavour == Flavour::MariaDb {
            return vec![
                "SELECT COUNT(*) > 0 AS busy FROM information_schema.processlist \
                 WHERE command = 'Slave_worker' AND state NOT LIKE 'Waiting for work%'"
                    .into(),
            ];
        }
        // Only appliers that wait can be recognised, by their state. If there are more than the appliers of one
        // channel, this shows nothing.
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
        // With half a transaction, they wait for the rest of it; what they apply does not show that.
        let by_thread = format!(
            "SELECT SUM(processlist_state IS NULL OR processlist_state NOT LIKE 'Waiting for an event%' \
             AND processlist_state NOT LIKE '%has read all relay log%') > 0 AS busy \
             FROM performance_schema.replication_applier_status_by_worker \
             JOIN performance_schema.threads USING (thread_id) WHERE channel_name = {}",
            self.quote(channel)
        );
        vec![by_thread, by_state]
    }

    /// The thread that hands a channel's transactions to parallel appliers, as `id`, while it waits for more; the first
    /// statement that has one row counts. None if STOP does not wait for the rest of half a transaction. MySQL's does,
    /// a minute long, even if it can never come (lab, 5.6, 9.7).
    pub fn coordinator(self, channel: &str) -> Vec<String> {
        if self.flavour == Flavour::MariaDb {
            return Vec::new();
        }
        let by_thread = format!(
            "SELECT processlist_id AS id FROM performance_schema.replication_applier_status_by_coordinator \
             JOIN performance_schema.threads USING (thread_id) WHERE channel_name = {}",
            self.quote(channel)
        );
        // A thread that applies everything itself has no other threads that wait for it.
        let by_state = "SELECT id AS id FROM information_schema.processlist \
             WHERE user = 'system user' AND state LIKE '%has read all relay log%' \
             AND EXISTS (SELECT * FROM information_schema.processlist \
             WHERE user = 'system user' AND state LIKE 'Waiting for an event from Coordinator%')";
        if self.has_channels() { vec![by_thread, by_state.into()] } else { vec![by_state.into()] }
    }

    /// True if the server shows which transaction each thread of a channel handles, and which it handled last (MySQL 8.0.1 and
    /// later; manual, Performance Schema Replication Tables).
    pub fn shows_transactions(self) -> bool {
        self.is_mysql_since((8, 0, 1))
    }

    /// Asks whether the coordinator of a channel's parallel appliers has read only the beginning of a transaction
    /// (`half`); no row without parallel appliers. `None` if the server does not show that (before MySQL 8.0; manual,
    /// `replication_applier_status_by_coordinator`).
    pub fn half_read(self, channel: &str) -> Option<String> {
        self.shows_transactions().then(|| {
            format!(
                "SELECT processing_transaction <> '' AS half \
                 FROM performance_schema.replication_applier_status_by_coordinator \
                 WHERE service_state = 'ON' AND channel_name = {}",
                self.quote(channel)
            )
        })
    }

    /// Asks whether the last transaction that a channel has fetched is one that its parallel appliers have applied
    /// (`applied_all`), by the microsecond of its first commit. Transactions are committed in order, except for those of
    /// storage engines without transactions. So no applier may be at work, and the last transaction must have been handed
    /// out some time ago. `None` before MySQL 8.0.1, which shows no such times (manual, Performance Schema Replication
    /// Tables).
    pub fn applied_all(self, channel: &str) -> Option<String> {
        // Of the appliers that run: the number that is set counts only at their next start.
        let keeps_order = if self.is_mysql_since((8, 0, 26)) {
            "replica_preserve_commit_order"
        } else {
            "slave_preserve_commit_order"
        };
        self.shows_transactions().then(|| {
            format!(
                "SELECT (COUNT(*) < 2 OR @@GLOBAL.{keeps_order}) AND c.queueing_transaction = '' AND o.processing_transaction = '' \
                 AND o.last_processed_transaction_original_commit_timestamp = \
                 c.last_queued_transaction_original_commit_timestamp \
                 AND UNIX_TIMESTAMP(c.last_queued_transaction_original_commit_timestamp) > 0 \
                 AND UNIX_TIMESTAMP(o.last_processed_transaction_end_buffer_timestamp) \
                 < TIMESTAMPDIFF(MICROSECOND, '1970-01-01', UTC_TIMESTAMP(6)) / 1000000 - {HANDED_OUT} \
                 AND SUM(w.service_state <> 'ON' OR w.applying_transaction <> '') = 0 \
                 AND SUM(w.last_applied_transaction_original_commit_timestamp = \
                 c.last_queued_transaction_original_commit_timestamp) > 0 AS applied_all \
                 FROM performance_schema.replication_connection_status c \
                 JOIN performance_schema.replication_applier_status_by_coordinator o USING (channel_name) \
                 JOIN performance_schema.replication_applier_status_by_worker w USING (channel_name) \
                 WHERE o.service_state = 'ON' AND channel_name = {channel} \
                 GROUP BY c.queueing_transaction, o.processing_transaction, \
                 c.last_queued_transaction_original_commit_timestamp, \
                 o.last_processed_transaction_original_commit_timestamp, \
                 o.last_processed_transaction_end_buffer_timestamp",
                channel = self.quote(channel)
            )
        })
    }

    /// How many parallel appliers there are, as `workers`, if the server does not show whether they wait for the rest of a
    /// transaction (before MySQL 8.0.1).
    pub fn blind_workers(self) -> Option<&'static str> {
        let is_blind = self.flavour == Flavour::MySql && !self.shows_transactions();
        is_blind.then_some("SELECT @@GLOBAL.slave_parallel_workers AS workers")
    }

    /// For how long the position of parallel appliers may lag behind what they have applied, in milliseconds; `None` if
    /// it does not.
    pub fn checkpoint_period(self) -> Option<&'static str> {
        match self.flavour {
            Flavour::MariaDb => None,
            Flavour::MySql if self.is_mysql_since((8, 0, 26)) => {
                Some("SELECT @@GLOBAL.replica_checkpoint_period AS period")
            }
            Flavour::MySql => Some("SELECT @@GLOBAL.slave_checkpoint_period AS period"),
        }
    }

    /// Waits on the server until a channel has applied up to a position: ≥ 0 reached, -1 timeout, NULL no applier.
    pub fn position_wait(self, channel: &str, place: &BinlogPosition, seconds: u64) -> String {
        let function = if self.is_mysql_since((8, 0, 26)) { "SOURCE_POS_WAIT" } else { "MASTER_POS_WAIT" };
        let (file, offset) = (self.quote(&place.file), place.offset);
        if channel.is_empty() || !self.has_channels() {
            format!("SELECT {function}({file}, {offset}, {seconds})")
        } else {
            format!("SELECT {function}({file}, {offset}, {seconds}, {})", self.quote(channel))
        }
    }
}
