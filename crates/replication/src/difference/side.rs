//! One of the two servers.

use crate::binlog::by_gtid::oldest_known;
use crate::binlog::end::log_rule;
use crate::channel;
use crate::error::Error;
use crate::facts::OwnLog;
use crate::gtid::{GtidPosition, GtidSet};
use crate::record::Record;
use crate::server::Server;
use crate::server::dialect::Flavour;
use crate::status::Channel;

/// Variables that tell a person what to do; a server answers those that it knows.
const VARIABLES: &str = "SHOW GLOBAL VARIABLES WHERE Variable_name IN \
    ('version', 'server_uuid', 'super_read_only', 'gtid_strict_mode', 'gtid_mode', 'max_allowed_packet')";

/// One of the two servers.
// Facts that have nothing to do with each other.
#[allow(clippy::struct_excessive_bools)]
#[derive(Clone, Debug)]
pub struct Side {
    /// Its host.
    pub host: String,
    /// Its family.
    pub flavour: Flavour,
    /// Its version, as the server names it.
    pub version: String,
    /// `server_id`
    pub server_id: u64,
    /// MySQL's; empty on MariaDB.
    pub uuid: String,
    /// `read_only`
    pub read_only: bool,
    /// MySQL's `super_read_only`
    pub super_read_only: bool,
    /// MariaDB's `gtid_strict_mode`
    pub strict_gtids: bool,
    /// MySQL's `gtid_mode`; empty on MariaDB.
    pub gtid_mode: String,
    /// `max_allowed_packet`: no statement is longer.
    pub longest_statement: u64,
    /// `log_bin`
    pub logs: bool,
    /// True if it also logs what it replicates, and leaves nothing out.
    pub logs_updates: bool,
    /// Where it replicates from.
    pub channels: Vec<Channel>,
    pub(super) known: Known,
}

/// What a server has executed.
#[derive(Clone, Debug)]
pub(super) enum Known {
    /// MySQL's, by GTID.
    Sets { executed: GtidSet, purged: GtidSet },
    /// MariaDB's.
    States { log: OwnLog, replicated: GtidPosition },
    /// MySQL's without GTIDs: only its log shows it.
    Unnumbered,
}

/// Asks a server what it has.
pub fn look(server: &mut Server) -> Result<Side, Error> {
    let all = server.rows(VARIABLES)?;
    let named = |name: &str| all.iter().find(|row| row.text("Variable_name").eq_ignore_ascii_case(name));
    let value = |name: &str| named(name).map_or("", |row| row.text("Value"));
    let is_on = |name: &str| named(name).is_some_and(|row| row.is_on("Value"));
    let variables = server.one(&server.dialect().variables())?;
    let flavour = server.dialect().flavour();
    let logs = variables.is_on("log_bin");
    let logs_updates = logs && variables.is_on("log_slave_updates") && log_rule(server)?.is_empty();
    let known = match flavour {
        Flavour::MariaDb => Known::States {
            log: OwnLog {
                state: read(server, &variables, "binlog_state")?,
                begin: if logs { oldest_known(server)? } else { OwnLog::default().begin },
            },
            replicated: read(server, &variables, "slave_pos")?,
        },
        Flavour::MySql if value("gtid_mode").eq_ignore_ascii_case("ON") => Known::Sets {
            executed: read(server, &variables, "executed")?,
            purged: read(server, &variables, "purged")?,
        },
        Flavour::MySql => Known::Unnumbered,
    };
    Ok(Side {
        host: server.host().into(),
        flavour,
        version: value("version").into(),
        server_id: variables.number("server_id").unwrap_or(0),
        uuid: value("server_uuid").to_ascii_lowercase(),
        read_only: variables.is_read_only(),
        super_read_only: is_on("super_read_only"),
        strict_gtids: is_on("gtid_strict_mode"),
        gtid_mode: value("gtid_mode").into(),
        longest_statement: value("max_allowed_packet").parse().unwrap_or(u64::MAX),
        logs,
        logs_updates,
        channels: channel::all(server)?,
        known,
    })
}

fn read<T: std::str::FromStr>(server: &Server, row: &Record, column: &str) -> Result<T, Error> {
    row.text(column).parse().map_err(|_| server.unexpected("SELECT @@…", column))
}
