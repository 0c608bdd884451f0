//! Where a server's log ends, what is left out of it, and what the server has executed by then.

use crate::error::Error;
use crate::facts::LogRule;
use crate::gtid::GtidSet;
use crate::position::BinlogPosition;
use crate::record::Record;
use crate::server::Server;

/// The end of a server's own log; `None` without one.
pub fn log_end(server: &mut Server) -> Result<Option<BinlogPosition>, Error> {
    Ok(server
        .row(server.dialect().show_log_end())?
        .and_then(|row| BinlogPosition::from_columns(&row, "File", "Position")))
}

/// What a server leaves out of its log, as `name=value`, from the row that shows where its log ends.
pub fn log_filters(status: &Record) -> Vec<String> {
    let columns = ["Binlog_Do_DB", "Binlog_Ignore_DB"].map(|column| (column, status.text(column)));
    let set = columns.into_iter().filter(|(_, value)| !value.is_empty());
    set.map(|(column, value)| format!("{column}={}", in_order(value))).collect()
}

/// A list in a fixed order, however it was configured.
fn in_order(list: &str) -> String {
    let mut items: Vec<&str> = list.split(',').map(str::trim).collect();
    items.sort_unstable();
    items.dedup();
    items.join(",")
}

/// What a server leaves out of its own log.
pub fn log_rule(server: &mut Server) -> Result<LogRule, Error> {
    let filters =
        server.row(server.dialect().show_log_end())?.map(|row| log_filters(&row)).unwrap_or_default();
    if filters.is_empty() {
        return Ok(LogRule::default());
    }
    let format = server.row("SHOW GLOBAL VARIABLES LIKE 'binlog_format'")?;
    Ok(LogRule { filters, format: format.map(|row| row.text("Value").to_string()).unwrap_or_default() })
}

/// MySQL: what a server has executed by GTID.
pub fn executed(server: &mut Server) -> Result<GtidSet, Error> {
    let statement = server.dialect().applied_gtids();
    let row = server.one(statement)?;
    row.text("gtids").parse().map_err(|_| server.unexpected(statement, "a readable GTID set"))
}
