//! The words that each server wants: the only place that knows a version.
//!
//! MariaDB 10.5 to 11.x so far. Statements take the older spelling wherever every version still has it.

use crate::error::Error;
use crate::plan::Place;
use crate::position::BinlogPosition;
use crate::server::Server;
use crate::status::Mode;

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

/// What CHANGE MASTER is told. The password is the caller's to hide: see [`change`].
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
    /// Heartbeat period in seconds, as the channel has it: naming a host resets it (failover section A).
    pub heartbeat: &'a str,
    /// Where to go on.
    pub place: &'a Place,
}

/// Every channel with everything about it.
pub const SHOW_CHANNELS: &str = "SHOW ALL SLAVES STATUS";
/// End of the server's own log.
pub const SHOW_LOG_END: &str = "SHOW MASTER STATUS";

/// This server's id and, with it, which groups of its log are its own.
pub const OWN_WRITES: &str = "SELECT @@server_id AS server_id, @@gtid_binlog_state AS binlog_state";
/// What it takes to end other accounts' sessions, which error 1095 does not say.
pub const KILL_PRIVILEGE: &str = "CONNECTION ADMIN";
/// The kind of server, where its words have to be explained.
pub const PRODUCT: &str = "MariaDB";

/// ` 'name'` behind STOP SLAVE, START SLAVE, CHANGE MASTER; MariaDB's default connection is `''`.
fn named(server: &Server, channel: &str) -> String {
    server.quoted(channel)
}

/// Stops threads of a channel.
pub fn stop(server: &Server, channel: &str, threads: Threads) -> String {
    format!("STOP SLAVE {}{}", named(server, channel), thread_words(threads))
}

/// Starts threads of a channel.
pub fn start(server: &Server, channel: &str, threads: Threads) -> String {
    format!("START SLAVE {}{}", named(server, channel), thread_words(threads))
}

fn thread_words(threads: Threads) -> &'static str {
    match threads {
        Threads::Both => "",
        Threads::Sql => " SQL_THREAD",
        Threads::Io => " IO_THREAD",
    }
}

/// Points a channel elsewhere: the statement, and the statement as it may be shown.
pub fn change(server: &Server, channel: &str, target: &Target) -> (String, String) {
    let place = match target.place {
        Place::Gtid(Mode::CurrentPos) => "MASTER_USE_GTID=current_pos".to_string(),
        Place::Gtid(_) => "MASTER_USE_GTID=slave_pos".to_string(),
        Place::Position(position) => format!(
            "MASTER_LOG_FILE={}, MASTER_LOG_POS={}, MASTER_USE_GTID=no",
            server.quoted(&position.file),
            position.offset
        ),
    };
    let heartbeat = match target.heartbeat.parse::<f64>() {
        Ok(seconds) if seconds.is_finite() && seconds >= 0.0 => {
            format!("MASTER_HEARTBEAT_PERIOD={seconds}, ")
        }
        _ => String::new(),
    };
    let statement = |password: &str| {
        format!(
            "CHANGE MASTER {} TO MASTER_HOST={}, MASTER_PORT={}, MASTER_USER={}, MASTER_PASSWORD={password}, \
             {heartbeat}{place}",
            named(server, channel),
            server.quoted(target.host),
            target.port,
            server.quoted(target.user),
        )
    };
    (statement(&server.quoted(target.password)), statement("'***'"))
}

/// Lets a stopped channel fetch its source's log again from a place on; what it had fetched is forgotten.
pub fn rewind(server: &Server, channel: &str, place: &BinlogPosition) -> String {
    format!(
        "CHANGE MASTER {} TO MASTER_LOG_FILE={}, MASTER_LOG_POS={}",
        named(server, channel),
        server.quoted(&place.file),
        place.offset
    )
}

/// Closes a server to writes, and with `to_all` to those who may otherwise ignore that; MariaDB has no word
/// for the latter.
pub fn close(server: &mut Server, to_all: bool) -> Result<&'static str, Error> {
    if to_all {
        if server.row("SHOW GLOBAL VARIABLES LIKE 'super_read_only'")?.is_some() {
            // Switches read_only on with it.
            return Ok("SET GLOBAL super_read_only = 1");
        }
        log::warn!("{} has no super_read_only: read_only alone is set", server.host());
    }
    Ok("SET GLOBAL read_only = 1")
}

/// Waits on the server until a channel has applied up to a place: ≥ 0 reached, -1 timeout, NULL no applier.
pub fn position_wait(server: &Server, channel: &str, file: &str, offset: u64, seconds: u64) -> String {
    let file = server.quoted(file);
    if channel.is_empty() {
        format!("SELECT MASTER_POS_WAIT({file}, {offset}, {seconds})")
    } else {
        format!("SELECT MASTER_POS_WAIT({file}, {offset}, {seconds}, {})", server.quoted(channel))
    }
}
