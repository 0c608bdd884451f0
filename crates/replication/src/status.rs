//! What `SHOW … STATUS` says of a replica's channel and of a server's own log, as types.

use std::fmt;
use std::path::PathBuf;

use crate::position::BinlogPosition;
use crate::record::Record;

/// State of the thread that fetches from the source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IoThread {
    /// Stopped.
    No,
    /// Running but not connected (`Connecting`, `Preparing`).
    Connecting,
    /// Connected.
    Yes,
}

/// How the channel finds its place in the source's log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// File name and offset.
    FilePosition,
    /// MariaDB `MASTER_USE_GTID=slave_pos`.
    SlavePos,
    /// MariaDB `MASTER_USE_GTID=current_pos`.
    CurrentPos,
    /// MySQL `SOURCE_AUTO_POSITION=1`.
    AutoPosition,
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::FilePosition => "file and position",
            Self::SlavePos => "GTID (slave_pos)",
            Self::CurrentPos => "GTID (current_pos)",
            Self::AutoPosition => "GTID (auto-position)",
        })
    }
}

/// An error number and text of one of the two threads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ThreadError {
    /// The server's error number.
    pub code: u64,
    /// Its text, without customers' data.
    pub text: String,
}

/// A message that was written by the site itself (`SIGNAL`).
const SIGNALLED: u64 = 1644;

/// What stands in a server's error message around a value of a row or a part of a statement. The end counts where it
/// comes last: the value may hold the same words.
const DATA: [(&str, &[&str]); 5] = [
    ("Duplicate entry '", &["' for key"]),
    ("value: '", &["' for column", "' for function"]),
    ("near '", &["' at line"]),
    ("out of range in '", &[]),
    ("no partition for value ", &[]),
];

/// A server's error message without the statement and the values of rows that it repeats: they are customers' data,
/// and must reach neither agent nor journal.
pub fn without_data(code: u64, text: &str) -> String {
    // The statement always stands at the end, and may be cut off there. Any message may come before it.
    let statement = text.find(" Query: '").unwrap_or(text.len());
    let mut text = text[..statement].to_string();
    if code == SIGNALLED || text.contains("Error_code: 1644") {
        return "a message of the site's own (SIGNAL); it is in that server's error log".into();
    }
    for (begin, ends) in DATA {
        let Some(start) = text.find(begin).map(|at| at + begin.len()) else { continue };
        let rest = &text[start..];
        let end = ends.iter().filter_map(|end| rest.rfind(end)).max();
        let behind = end.map_or("", |end| &rest[end..]);
        text = format!("{}***{behind}", &text[..start]);
    }
    text
}

/// One channel of a replica: a row of `SHOW … STATUS`, with the columns' older names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Channel {
    /// Connection name (MariaDB) or channel name (MySQL 5.7 and later); empty for the default one.
    pub name: String,
    /// `Master_Host`, as it was given to CHANGE MASTER.
    pub source_host: String,
    /// `Master_Port`
    pub source_port: u16,
    /// `Master_User`
    pub source_user: String,
    /// `Master_Server_Id`; 0 until the first connection.
    pub source_server_id: u64,
    /// The fetching thread.
    pub io: IoThread,
    /// `Slave_IO_State`
    pub io_state: String,
    /// True while the applying thread runs.
    pub sql_running: bool,
    /// What the fetching thread last failed with.
    pub io_error: Option<ThreadError>,
    /// What the applying thread last failed with.
    pub sql_error: Option<ThreadError>,
    /// MySQL's `Retrieved_Gtid_Set`, as it is shown.
    pub retrieved: String,
    /// MariaDB's `Gtid_IO_Pos`: what was fetched by GTID; empty by file and position.
    pub fetched_gtids: String,
    /// End of what was fetched, in the source's log.
    pub fetched: Option<BinlogPosition>,
    /// End of the last group that was applied, in the source's log.
    pub applied: Option<BinlogPosition>,
    /// Where the applying thread stands in this host's own relay log.
    pub relay: Option<BinlogPosition>,
    /// How the channel finds its place.
    pub mode: Mode,
    /// `Slave_SQL_Running_State`
    pub sql_state: String,
    /// `SQL_Delay`, seconds.
    pub delay: u64,
    /// `Master_UUID`; empty on MariaDB, and on MySQL until the first connection.
    pub source_uuid: String,
    /// `Slave_heartbeat_period`, seconds, as the server prints it; empty on MySQL, whose status does not show it.
    pub heartbeat: String,
    /// `Slave_received_heartbeats`; empty on MySQL.
    pub heartbeats: String,
    /// `Replicate_Ignore_Server_Ids`
    pub ignored_server_ids: Vec<u64>,
    /// Every non-empty replication filter, as `column=value`.
    pub filters: Vec<String>,
    /// `Until_Condition`, where one is set.
    pub until: Option<String>,
    /// `Master_SSL_Allowed`
    pub uses_tls: bool,
    /// True where the channel has a certificate of its own (`Master_SSL_Cert`).
    pub has_certificate: bool,
    /// `Master_SSL_CA_File`, where the channel verifies its source by it (`Master_SSL_Verify_Server_Cert`).
    pub verified_by: Option<PathBuf>,
    /// Whose key is believed where there is no TLS.
    pub key: SourceKey,
}

/// The source's key, under which MySQL sends a password where there is no TLS.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SourceKey {
    /// `Master_public_key_path`; empty where none is pinned.
    pub pinned: String,
    /// `Get_Master_public_key`: the source itself may send one.
    pub is_fetched: bool,
}

const FILTERS: [&str; 10] = [
    "Replicate_Do_DB",
    "Replicate_Ignore_DB",
    "Replicate_Do_Table",
    "Replicate_Ignore_Table",
    "Replicate_Wild_Do_Table",
    "Replicate_Wild_Ignore_Table",
    "Replicate_Rewrite_DB",
    "Replicate_Do_Domain_Ids",
    "Replicate_Ignore_Domain_Ids",
    "Replicate_Ignore_Server_Ids",
];

impl Channel {
    /// Reads a row of `SHOW ALL SLAVES STATUS`, `SHOW SLAVE STATUS` or `SHOW REPLICA STATUS`.
    pub fn from_record(row: Record) -> Self {
        let row = &row.with_old_names();
        let error = |code: &str, text: &str| {
            row.number(code)
                .filter(|number| *number != 0)
                .map(|code| ThreadError { code, text: without_data(code, row.text(text)) })
        };
        Self {
            name: row.get("Connection_name").or(row.get("Channel_Name")).unwrap_or_default().into(),
            source_host: row.text("Master_Host").into(),
            source_port: row.number("Master_Port").and_then(|port| port.try_into().ok()).unwrap_or(3306),
            source_user: row.text("Master_User").into(),
            source_server_id: row.number("Master_Server_Id").unwrap_or(0),
            io: match row.text("Slave_IO_Running") {
                "Yes" => IoThread::Yes,
                "No" => IoThread::No,
                _ => IoThread::Connecting,
            },
            io_state: row.text("Slave_IO_State").into(),
            sql_running: row.text("Slave_SQL_Running") == "Yes",
            io_error: error("Last_IO_Errno", "Last_IO_Error"),
            sql_error: error("Last_SQL_Errno", "Last_SQL_Error"),
            retrieved: row.text("Retrieved_Gtid_Set").into(),
            fetched_gtids: row.text("Gtid_IO_Pos").into(),
            fetched: BinlogPosition::from_columns(row, "Master_Log_File", "Read_Master_Log_Pos"),
            applied: BinlogPosition::from_columns(row, "Relay_Master_Log_File", "Exec_Master_Log_Pos"),
            relay: BinlogPosition::from_columns(row, "Relay_Log_File", "Relay_Log_Pos"),
            mode: match row.text("Using_Gtid") {
                "Slave_Pos" => Mode::SlavePos,
                "Current_Pos" => Mode::CurrentPos,
                _ if row.is_on("Auto_Position") => Mode::AutoPosition,
                _ => Mode::FilePosition,
            },
            sql_state: row.text("Slave_SQL_Running_State").into(),
            delay: row.number("SQL_Delay").unwrap_or(0),
            source_uuid: row.text("Master_UUID").into(),
            heartbeat: row.text("Slave_heartbeat_period").into(),
            heartbeats: row.text("Slave_received_heartbeats").into(),
            ignored_server_ids: row
                .text("Replicate_Ignore_Server_Ids")
                .split(',')
                .filter_map(|id| id.trim().parse().ok())
                .collect(),
            filters: FILTERS
                .iter()
                .filter(|column| !row.text(column).is_empty())
                .map(|column| format!("{column}={}", row.text(column)))
                .collect(),
            until: row
                .get("Until_Condition")
                .filter(|until| !until.is_empty() && *until != "None")
                .map(Into::into),
            uses_tls: row.is_on("Master_SSL_Allowed"),
            has_certificate: !row.text("Master_SSL_Cert").is_empty(),
            verified_by: Some(PathBuf::from(row.text("Master_SSL_CA_File")))
                .filter(|file| file.is_absolute() && row.is_on("Master_SSL_Verify_Server_Cert")),
            key: SourceKey {
                pinned: row.text("Master_public_key_path").into(),
                is_fetched: row.is_on("Get_Master_public_key"),
            },
        }
    }

    /// True where both threads run and the source is connected.
    pub fn is_running(&self) -> bool {
        self.io == IoThread::Yes && self.sql_running
    }

    /// True where the fetching thread has asked its source for events. Connected, it first asks who that is.
    pub fn is_receiving(&self) -> bool {
        self.source_server_id != 0
            && ["to send event", "Queueing", "relay log"].iter().any(|state| self.io_state.contains(state))
    }

    /// True where the fetching thread could not reach its source, and sleeps before it tries again (60 s by default)
    /// or has given up (MySQL 8.4 and 9: after ten times).
    pub fn has_lost_source(&self) -> bool {
        // Errors of the client side, and a source that had no room or was going down. Whatever else a source says, it
        // will say again.
        let is_of_connection =
            |code: u64| (2000..3000).contains(&code) || [1040, 1053, 1158, 1159, 1160, 1161].contains(&code);
        self.io != IoThread::Yes && self.io_error.as_ref().is_some_and(|error| is_of_connection(error.code))
    }

    /// True where the applying thread says that it waits for more from the source, or all that was fetched
    /// is applied. After a source died in the middle of sending a group, `fetched` stays beyond `applied`
    /// for ever; only the thread's state tells that nothing complete is left.
    pub fn has_applied_all(&self) -> bool {
        (self.fetched.is_some() && self.fetched == self.applied)
            || (self.sql_running && self.sql_state.contains("has read all relay log"))
    }

    /// True where all that was fetched is applied but for the beginning of a group.
    pub fn has_half(&self) -> bool {
        self.has_applied_all() && self.fetched != self.applied
    }

    /// True where the applying thread failed on the data. It may also have failed on its relay log, which a move
    /// begins anew, or have been killed, after which a MySQL with gaps refuses the move itself.
    pub fn has_failed_on_data(&self) -> bool {
        const HARMLESS: [u64; 3] = [1594, 13121, 1756];
        !self.sql_running && self.sql_error.as_ref().is_some_and(|error| !HARMLESS.contains(&error.code))
    }

    /// True where starting any thread would throw away what was fetched and is not applied yet.
    ///
    /// By GTID, a MariaDB whose threads both stand still begins a new relay log and has everything sent again
    /// (measured on 10.11): no loss while the source answers, the loss of it when the source is dead.
    pub fn would_discard(&self) -> bool {
        matches!(self.mode, Mode::SlavePos | Mode::CurrentPos)
            && self.io == IoThread::No
            && !self.sql_running
            && self.fetched != self.applied
    }

    /// `IP:PORT` of the source, as configured on the server.
    pub fn source(&self) -> String {
        format!("{}:{}", self.source_host, self.source_port)
    }

    /// The channel's name for people.
    pub fn title(&self) -> String {
        if self.name.is_empty() {
            "replication".into()
        } else {
            format!("replication channel '{}'", self.name)
        }
    }
}

impl fmt::Display for ThreadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "error {}: {}", self.code, self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(columns: &[(&str, &str)]) -> Record {
        let usual = [
            ("Connection_name", ""),
            ("Master_Host", "10.0.0.1"),
            ("Master_Port", "3307"),
            ("Slave_IO_Running", "Yes"),
            ("Slave_SQL_Running", "Yes"),
            ("Master_Log_File", "bin.000002"),
            ("Read_Master_Log_Pos", "900"),
            ("Relay_Master_Log_File", "bin.000002"),
            ("Exec_Master_Log_Pos", "700"),
            ("Last_IO_Errno", "0"),
            ("Using_Gtid", "No"),
        ];
        // The first of two columns with one name counts.
        columns.iter().copied().chain(usual).collect()
    }

    /// A row as a client shows it in vertical form.
    fn shown(text: &str) -> Record {
        let columns = text.lines().filter_map(|line| line.split_once(':'));
        columns.map(|(name, value)| (name.trim(), value.trim())).collect()
    }

    #[test]
    fn every_servers_status_is_read() {
        for (text, mode, heartbeat, has_uuid) in [
            (include_str!("recorded/mariadb-10.5-file.txt"), Mode::FilePosition, "2.000", false),
            (include_str!("recorded/mariadb-10.11-gtid.txt"), Mode::SlavePos, "2.000", false),
            (include_str!("recorded/mariadb-11.8-gtid.txt"), Mode::SlavePos, "2.000", false),
            (include_str!("recorded/mysql-5.6-file.txt"), Mode::FilePosition, "", true),
            (include_str!("recorded/mysql-5.6-gtid.txt"), Mode::AutoPosition, "", true),
            (include_str!("recorded/mysql-9-file.txt"), Mode::FilePosition, "", true),
            (include_str!("recorded/mysql-9-gtid.txt"), Mode::AutoPosition, "", true),
        ] {
            let channel = Channel::from_record(shown(text));
            assert!(channel.is_running() && channel.is_receiving() && channel.has_applied_all(), "{text}");
            assert_eq!((channel.name.as_str(), channel.source().as_str()), ("", "10.77.0.11:3306"));
            assert_eq!((channel.source_user.as_str(), channel.source_server_id), ("replication", 1));
            assert_eq!((channel.mode, channel.heartbeat.as_str()), (mode, heartbeat));
            assert_eq!(channel.source_uuid.len() == 36, has_uuid, "{text}");
            assert!(channel.fetched.is_some_and(|end| end.file == "binlog.000001" && end.offset > 300));
            assert!(channel.relay.is_some_and(|place| place.file.starts_with("relay.")));
            assert!(channel.filters.is_empty() && channel.sql_error.is_none() && channel.until.is_none());
        }
    }

    #[test]
    fn the_words_of_5_7_and_of_8_0_22_say_the_same() {
        let new = include_str!("recorded/mysql-9-gtid.txt").replace("Channel_Name:", "Channel_Name: x");
        let old = new.replace("Source", "Master").replace("Replica_", "Slave_");
        assert!(old.contains("Master_Host") && old.contains("Slave_SQL_Running"), "{old}");
        let (new, old) = (Channel::from_record(shown(&new)), Channel::from_record(shown(&old)));
        assert_eq!(new.name, "x");
        let words = (new.io_state.clone(), new.sql_state.clone());
        assert_eq!(Channel { io_state: words.0, sql_state: words.1, ..old }, new);
    }

    #[test]
    fn a_channel_that_was_never_connected_has_no_positions() {
        let channel = Channel::from_record(row(&[("Master_Log_File", ""), ("Relay_Master_Log_File", "")]));
        assert_eq!((channel.fetched, channel.applied), (None, None));
    }

    #[test]
    fn preparing_and_connecting_are_not_connected() {
        for state in ["Connecting", "Preparing", "Anything newer"] {
            let channel = Channel::from_record(row(&[("Slave_IO_Running", state)]));
            assert_eq!(channel.io, IoThread::Connecting);
            assert!(!channel.is_running());
        }
    }

    #[test]
    fn a_source_is_lost_where_it_was_not_reached_and_not_where_it_refuses() {
        for (running, code, is_lost) in [
            ("Connecting", "2003", true),
            ("Connecting", "2013", true),
            ("Connecting", "1040", true),
            ("No", "2003", true),
            ("Yes", "2003", false),
            ("Connecting", "0", false),
            ("No", "0", false),
            ("No", "1236", false),
            ("No", "13114", false),
            ("Connecting", "1045", false),
        ] {
            let channel =
                Channel::from_record(row(&[("Slave_IO_Running", running), ("Last_IO_Errno", code)]));
            assert_eq!(channel.has_lost_source(), is_lost, "{running} {code}");
        }
    }

    #[test]
    fn half_a_group_at_the_end_is_all_applied_only_while_the_thread_waits_for_more() {
        let waiting = ("Slave_SQL_Running_State", "Slave has read all relay log; waiting for more updates");
        assert!(Channel::from_record(row(&[waiting])).has_applied_all());
        assert!(!Channel::from_record(row(&[waiting, ("Slave_SQL_Running", "No")])).has_applied_all());
        let reading = ("Slave_SQL_Running_State", "Reading event from the relay log");
        assert!(!Channel::from_record(row(&[reading])).has_applied_all());
        assert!(Channel::from_record(row(&[reading, ("Exec_Master_Log_Pos", "900")])).has_applied_all());
    }

    #[test]
    fn a_backlog_is_at_risk_only_by_gtid_and_while_both_threads_stand_still() {
        let stopped = [("Slave_IO_Running", "No"), ("Slave_SQL_Running", "No")];
        let with = |more: &[(&str, &str)]| {
            let columns: Vec<_> = more.iter().chain(&stopped).copied().collect();
            Channel::from_record(row(&columns)).would_discard()
        };
        assert!(with(&[("Using_Gtid", "Slave_Pos")]));
        assert!(!with(&[("Using_Gtid", "No")]));
        assert!(!with(&[("Using_Gtid", "Slave_Pos"), ("Slave_IO_Running", "Connecting")]));
        assert!(!with(&[("Using_Gtid", "Slave_Pos"), ("Exec_Master_Log_Pos", "900")]));
    }

    #[test]
    fn filters_and_ignored_servers_are_seen() {
        let channel = Channel::from_record(row(&[
            ("Replicate_Ignore_Server_Ids", "2, 7"),
            ("Replicate_Wild_Ignore_Table", "tmp.%"),
        ]));
        assert_eq!(channel.ignored_server_ids, [2, 7]);
        assert_eq!(
            channel.filters,
            ["Replicate_Wild_Ignore_Table=tmp.%", "Replicate_Ignore_Server_Ids=2, 7"]
        );
    }

    #[test]
    fn no_error_shows_a_customers_data() {
        const SECRET: &str = "s3cret";
        let table = [
            // Statement format: MariaDB and MySQL 5.6, then the same cut off within the statement.
            (
                1062,
                "Error 'Duplicate entry 's3cret' for key 'PRIMARY'' on query. Default database: 'app'. Query: \
                 'INSERT INTO entries VALUES (1, 's3cret'); x'",
                "Error 'Duplicate entry '***' for key 'PRIMARY'' on query. Default database: 'app'.",
            ),
            (
                1146,
                "Error 'Table 'app.t' doesn't exist' on query. Default database: 'app'. Query: 'INSERT INTO t VA'; s3cret",
                "Error 'Table 'app.t' doesn't exist' on query. Default database: 'app'.",
            ),
            // Row format: MariaDB 10.11, MySQL 5.6 and 9.
            (
                1062,
                "Could not execute Write_rows_v1 event on table app.entries; Duplicate entry 's3cret' for key 'mail', \
                 Error_code: 1062; handler error HA_ERR_FOUND_DUPP_KEY; the event's master log binlog.000001, \
                 end_log_pos 721",
                "Could not execute Write_rows_v1 event on table app.entries; Duplicate entry '***' for key 'mail', \
                 Error_code: 1062; handler error HA_ERR_FOUND_DUPP_KEY; the event's master log binlog.000001, \
                 end_log_pos 721",
            ),
            (
                1062,
                "Worker 1 failed executing transaction '3e11fa47-71ca-11e1-9e33-c80aa9429562:7' at source log \
                 binlog.000002, end_log_pos 912; Could not execute Write_rows event on table app.entries; Duplicate \
                 entry 's3cret' for key 'x' for key 'entries.PRIMARY', Error_code: 1062; handler error \
                 HA_ERR_FOUND_DUPP_KEY; the event's source log binlog.000002, end_log_pos 912",
                "Worker 1 failed executing transaction '3e11fa47-71ca-11e1-9e33-c80aa9429562:7' at source log \
                 binlog.000002, end_log_pos 912; Could not execute Write_rows event on table app.entries; Duplicate \
                 entry '***' for key 'entries.PRIMARY', Error_code: 1062; handler error HA_ERR_FOUND_DUPP_KEY; the \
                 event's source log binlog.000002, end_log_pos 912",
            ),
            (
                1366,
                "Error 'Incorrect integer value: 's3cret' for column 'n' at row 1' on query. Default database: 'app'.",
                "Error 'Incorrect integer value: '***' for column 'n' at row 1' on query. Default database: 'app'.",
            ),
            (
                1292,
                "Error 'Truncated incorrect DOUBLE value: 's3cret'' on query.",
                "Error 'Truncated incorrect DOUBLE value: '***",
            ),
            (
                1064,
                "Error 'You have an error in your SQL syntax; check the manual for the right syntax to use near \
                 's3cret' at line 1' on query.",
                "Error 'You have an error in your SQL syntax; check the manual for the right syntax to use near \
                 '***' at line 1' on query.",
            ),
            (1526, "Table has no partition for value s3cret", "Table has no partition for value ***"),
            (
                1644,
                "Error 's3cret is not allowed' on query.",
                "a message of the site's own (SIGNAL); it is in that server's error log",
            ),
            // Nothing of the kind.
            (1032, "Can't find record in 'entries'", "Can't find record in 'entries'"),
        ];
        for (code, text, shown) in table {
            assert_eq!(without_data(code, text), shown);
            assert!(!shown.contains(SECRET) && without_data(code, shown) == shown);
        }
        let columns = [("Last_SQL_Errno", "1062"), ("Last_SQL_Error", table[0].1)];
        let channel = Channel::from_record(row(&columns));
        assert!(!format!("{channel:?}").contains(SECRET));
    }

    #[test]
    fn modes_and_errors_are_read() {
        let channel = Channel::from_record(row(&[
            ("Using_Gtid", "Current_Pos"),
            ("Last_SQL_Errno", "1062"),
            ("Last_SQL_Error", "Duplicate entry"),
        ]));
        assert_eq!(channel.mode, Mode::CurrentPos);
        assert_eq!(channel.sql_error.map(|e| e.to_string()).as_deref(), Some("error 1062: Duplicate entry"));
        assert_eq!(channel.io_error, None);
    }
}
