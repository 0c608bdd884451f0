//! What `SHOW … STATUS` says of a replica's channel and of a server's own log, as types.

use std::fmt;
use std::path::PathBuf;

use mmm_core::settings::{TlsMode, TlsOptions};

use crate::errno::{OF_LOST_SOURCE, OF_RELAY_LOG, SIGNALLED};
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

/// How the channel finds its position in the source's log.
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

/// The words in a server's error message around a value of a row or a part of a statement. The last occurrence of the
/// end counts: the value may hold the same words.
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
    // The statement is always at the end, and may be cut off there. Any message may come before it.
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
// Observations that have nothing to do with each other.
#[allow(clippy::struct_excessive_bools)]
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
    /// The I/O thread.
    pub io: IoThread,
    /// `Slave_IO_State`
    pub io_state: String,
    /// True while the SQL thread runs.
    pub sql_running: bool,
    /// What the I/O thread last failed with.
    pub io_error: Option<ThreadError>,
    /// What the SQL thread last failed with.
    pub sql_error: Option<ThreadError>,
    /// MySQL's `Retrieved_Gtid_Set`, as it is shown.
    pub retrieved: String,
    /// MariaDB's `Gtid_IO_Pos`: what was fetched by GTID; empty by file and position.
    pub fetched_gtids: String,
    /// End of what was fetched, in the source's log.
    pub fetched: Option<BinlogPosition>,
    /// End of the last transaction that was applied, in the source's log.
    pub applied: Option<BinlogPosition>,
    /// True if the server's threads have shown that `fetched` is the end of what is applied, although the server shows
    /// `applied` later: `settling::look_closer`. No status shows that.
    pub is_all_applied: bool,
    /// The SQL thread's position in this host's own relay log.
    pub relay: Option<BinlogPosition>,
    /// How the channel finds its position.
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
    /// `Until_Condition`, if one is set.
    pub until: Option<String>,
    /// `Master_SSL_Allowed`
    pub uses_tls: bool,
    /// True if the channel has a certificate of its own (`Master_SSL_Cert`).
    pub has_certificate: bool,
    /// `Master_SSL_CA_File`, if the channel verifies its source by it (`Master_SSL_Verify_Server_Cert`).
    pub verified_by: Option<PathBuf>,
    /// Which key is trusted without TLS.
    pub key: SourceKey,
}

/// The source's key, with which MySQL encrypts a password without TLS.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SourceKey {
    /// `Master_public_key_path`; empty if none is pinned.
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

/// MySQL with `GTID_ONLY=1` (from 8.0.27 on) does not keep its positions. After a start of the server each is the same
/// word, and says nothing (lab, 9.7).
fn known(place: Option<BinlogPosition>) -> Option<BinlogPosition> {
    place.filter(|place| place.file != "INVALID")
}

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
            fetched: known(BinlogPosition::from_columns(row, "Master_Log_File", "Read_Master_Log_Pos")),
            applied: known(BinlogPosition::from_columns(row, "Relay_Master_Log_File", "Exec_Master_Log_Pos")),
            is_all_applied: false,
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

    /// True if both threads run and the source is connected.
    pub fn is_running(&self) -> bool {
        self.io == IoThread::Yes && self.sql_running
    }

    /// True if the I/O thread has asked its source for events. Once connected, it first asks for the source's id.
    pub fn is_receiving(&self) -> bool {
        self.source_server_id != 0
            && ["to send event", "Queueing", "relay log"].iter().any(|state| self.io_state.contains(state))
    }

    /// True if the I/O thread could not reach its source, and sleeps before it tries again (60 s by default)
    /// or has given up (MySQL 8.4 and 9: after ten times).
    pub fn has_lost_source(&self) -> bool {
        // Errors of the client side, and of a source that had no room or was shutting down. Any other error of a source
        // would come again.
        let is_of_connection = |code: u64| (2000..3000).contains(&code) || OF_LOST_SOURCE.contains(&code);
        self.io != IoThread::Yes && self.io_error.as_ref().is_some_and(|error| is_of_connection(error.code))
    }

    /// True if the SQL thread says that it waits for more from the source, or all that was fetched is applied. After a
    /// source died in the middle of sending a transaction, `fetched` stays beyond `applied` for ever; only the thread's
    /// state tells that nothing complete is left.
    pub fn has_applied_all(&self) -> bool {
        (self.fetched.is_some() && self.fetched == self.applied) || self.says_all_is_read()
    }

    /// True if the SQL thread says that it has handed on all that was fetched.
    pub fn says_all_is_read(&self) -> bool {
        self.sql_running && self.sql_state.contains("has read all relay log")
    }

    /// End of the last transaction that was applied, as the status or the server's threads tell it.
    pub fn executed(&self) -> Option<&BinlogPosition> {
        if self.is_all_applied { self.fetched.as_ref() } else { self.applied.as_ref() }
    }

    /// True if all that was fetched is applied except the beginning of a transaction.
    pub fn has_half(&self) -> bool {
        self.has_applied_all() && self.fetched != self.applied
    }

    /// True if the SQL thread failed on the data. It may also have failed on its relay log, which a move
    /// begins anew, or have been killed, after which a MySQL with gaps refuses the move itself.
    pub fn has_failed_on_data(&self) -> bool {
        !self.sql_running && self.sql_error.as_ref().is_some_and(|error| !OF_RELAY_LOG.contains(&error.code))
    }

    /// True if starting any thread would discard what was fetched and is not applied yet.
    ///
    /// By GTID, if both threads of a MariaDB are stopped, a start begins a new relay log and fetches everything again
    /// (measured on 10.11). The backlog is lost if the source cannot send it again, whether or not it lets somebody in.
    pub fn would_discard(&self) -> bool {
        matches!(self.mode, Mode::SlavePos | Mode::CurrentPos)
            && self.io == IoThread::No
            && !self.sql_running
            && self.fetched != self.applied
    }

    /// The stricter of what the channel and the settings want of a source, so that the password goes nowhere where neither
    /// would send it. The certificate of the settings is the agent's, not the channel's.
    pub(crate) fn tls_of_trial(&self, settings: &TlsOptions) -> TlsOptions {
        let mode = match &self.verified_by {
            _ if !self.uses_tls => TlsMode::Off,
            None => TlsMode::Required,
            Some(_) => TlsMode::VerifyCa,
        };
        if mode > settings.mode {
            return TlsOptions { mode, ca: self.verified_by.clone(), identity: None };
        }
        TlsOptions { identity: None, ..settings.clone() }
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

    /// What a channel's threads say, for people.
    pub fn what_is_wrong(&self) -> String {
        let mut parts = Vec::new();
        match (&self.io, &self.io_error) {
            (IoThread::Yes, _) => {}
            (IoThread::No, None) => parts.push("the I/O thread is stopped".to_string()),
            (IoThread::Connecting, None) => parts.push("the I/O thread is still connecting".to_string()),
            (_, Some(error)) => parts.push(format!("I/O thread: {error}")),
        }
        match (self.sql_running, &self.sql_error) {
            (true, _) => {}
            (false, None) => parts.push("the SQL thread is stopped".to_string()),
            (false, Some(error)) => parts.push(format!("SQL thread: {error}")),
        }
        if parts.is_empty() { "both threads run".into() } else { parts.join("; ") }
    }
}

/// What CHANGE MASTER names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// The replica's own GTID position, in the mode that it already uses.
    Gtid(Mode),
    /// A file and an offset in the new master's log.
    Position(BinlogPosition),
}

impl Place {
    /// A channel's position in its source's log, in the mode that it uses.
    pub fn of(channel: &Channel) -> Self {
        match (channel.mode, &channel.applied) {
            (Mode::FilePosition, Some(applied)) => Self::Position(applied.clone()),
            (mode, _) => Self::Gtid(mode),
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Gtid(mode) => write!(f, "continue by {mode}"),
            Self::Position(position) => write!(f, "continue at {position}"),
        }
    }
}

impl fmt::Display for ThreadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "error {}: {}", self.code, self.text)
    }
}

#[cfg(test)]
mod tests;
