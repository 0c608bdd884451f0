//! What one host's server is asked: only questions, each of them cheap.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use mmm_core::Budget;
use mmm_core::config::{Config, Host, Mode};
use mmm_core::settings::TlsMode;
use mmm_replication::binlog::end::log_filters;
use mmm_replication::position::BinlogPosition;
use mmm_replication::status::Channel;
use mmm_replication::{Error, Server, channel, events};

use super::super::cluster::{Link, Seen, Unreached};

/// Variables by all the names they have had; a server answers those that it knows.
const VARIABLES: &str = "SHOW GLOBAL VARIABLES WHERE Variable_name IN ('version', 'server_id', 'server_uuid', \
    'hostname', 'read_only', 'super_read_only', 'log_bin', 'log_slave_updates', 'log_replica_updates', 'gtid_mode', \
    'binlog_format', 'auto_increment_increment', 'auto_increment_offset', 'port', 'slave_parallel_workers', \
    'replica_parallel_workers', 'sync_binlog', 'innodb_flush_log_at_trx_commit', 'gtid_strict_mode', \
    'expire_logs_days', 'binlog_expire_logs_seconds', 'binlog_expire_logs_auto_purge', 'max_connections', \
    'slave_preserve_commit_order', 'replica_preserve_commit_order') OR Variable_name LIKE 'rpl\\_semi\\_sync\\_%'";
const COUNTERS: &str = "SHOW GLOBAL STATUS WHERE Variable_name IN ('Threads_connected', 'Rpl_semi_sync_master_clients', \
    'Rpl_semi_sync_source_clients')";

/// Asks a host's server, within `budget`; `most` is for the connection.
pub fn ask(host: &Host, config: &Config, most: Duration, budget: Budget) -> Result<Seen, Unreached> {
    look(host, config, most, budget).map_err(|error| unreached(&error))
}

/// The replication account's grants on a master. It logs in as a replica does: from this host, which is not the master.
pub fn log_in_as_replica(
    host: &Host,
    config: &Config,
    server: &Result<Seen, Unreached>,
    most: Duration,
    budget: Budget,
) -> Option<Result<Vec<String>, Unreached>> {
    let is_silent = server.as_ref().is_err_and(|unreached| !unreached.answered);
    if host.mode == Mode::Slave || host.name == *config.this() || is_silent {
        return None;
    }
    let mut account = host.as_replica();
    let mut answer = grants(&account, most, budget);
    // The account may ask for TLS, which the channels then use whatever the helpers do.
    if answer.is_err() && account.tls.mode == TlsMode::Off {
        account.tls.mode = TlsMode::Required;
        answer = grants(&account, most, budget).or(answer);
    }
    Some(answer.map_err(|error| unreached(&error)))
}

fn grants(host: &Host, most: Duration, budget: Budget) -> Result<Vec<String>, Error> {
    show_grants(&mut Server::connect(host, most, budget)?)
}

fn show_grants(server: &mut Server) -> Result<Vec<String>, Error> {
    let rows = server.rows("SHOW GRANTS")?;
    Ok(rows.iter().filter_map(|row| row.at(0).map(str::to_string)).collect())
}

fn unreached(error: &Error) -> Unreached {
    let (reason, answered, code) = match error {
        Error::Connect { cause, answered, code, .. } => (cause.clone(), *answered, *code),
        Error::Query { code, .. } => (error.to_string(), true, Some(*code)),
        Error::Silent { .. } | Error::Broken { .. } => (error.to_string(), false, None),
        _ => (error.to_string(), true, None),
    };
    Unreached { reason, answered, code }
}

fn look(host: &Host, config: &Config, most: Duration, budget: Budget) -> Result<Seen, Error> {
    let mut server = Server::connect(host, most, budget)?;
    let account = server.one("SELECT CURRENT_USER() AS account")?.text("account").to_string();
    let mut seen = Seen {
        dialect: server.dialect(),
        account,
        grants: Vec::new(),
        denied: Vec::new(),
        variables: BTreeMap::new(),
        links: Vec::new(),
        knows_links: true,
        log_end: None,
        log_filters: Vec::new(),
        clock: clock(&mut server)?,
        events: None,
        is_encrypted: false,
    };
    for statement in [VARIABLES, COUNTERS] {
        for row in server.rows(statement)? {
            let (name, value) = (row.at(0).unwrap_or_default(), row.at(1).unwrap_or_default());
            seen.variables.insert(name.to_ascii_lowercase(), value.into());
        }
    }
    let cipher = server.row("SHOW SESSION STATUS LIKE 'Ssl_cipher'")?;
    seen.is_encrypted = cipher.is_some_and(|row| row.at(1).is_some_and(|cipher| !cipher.is_empty()));
    seen.grants = show_grants(&mut server)?;
    let events = events::may_write(&mut server);
    seen.events = allowed(events, &mut Vec::new())?.flatten();
    let links = links(&mut server, config);
    let links = allowed(links, &mut seen.denied)?;
    seen.knows_links = links.is_some();
    seen.links = links.unwrap_or_default();
    let end = server.row(seen.dialect.show_log_end());
    if let Some(row) = allowed(end, &mut seen.denied)?.flatten() {
        seen.log_end = BinlogPosition::from_columns(&row, "File", "Position");
        seen.log_filters = log_filters(&row);
    }
    Ok(seen)
}

/// What the server refuses because a privilege is missing is one of the findings.
fn allowed<T>(answer: Result<T, Error>, denied: &mut Vec<String>) -> Result<Option<T>, Error> {
    match answer {
        Ok(value) => Ok(Some(value)),
        Err(error @ (Error::Refused(_) | Error::Query { .. })) => {
            denied.push(error.to_string());
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

fn links(server: &mut Server, config: &Config) -> Result<Vec<Link>, Error> {
    let rows = server.rows(server.dialect().show_channels())?;
    let chosen = channel::choose(server, config, |_| None);
    let chosen = chosen.ok().map(|chosen| (chosen.channel.name, chosen.source.name.to_string()));
    let link = |row: mmm_replication::Record| {
        let words = row.clone().with_old_names();
        let lag = words.number("Seconds_Behind_Master");
        let retry = (words.number("Connect_Retry"), words.number("Master_Retry_Count"));
        let channel = Channel::from_record(row);
        let source =
            chosen.as_ref().filter(|(name, _)| *name == channel.name).map(|(_, source)| source.clone());
        Link { channel, source, retry, lag }
    };
    Ok(rows.into_iter().map(link).collect())
}

/// How far the server's clock is ahead of this host's, in seconds.
fn clock(server: &mut Server) -> Result<f64, Error> {
    let before = now();
    let row = server.one("SELECT TIMESTAMPDIFF(MICROSECOND, '1970-01-01', UTC_TIMESTAMP(6)) AS micros")?;
    let middle = f64::midpoint(before, now());
    let theirs: f64 = row.text("micros").parse().unwrap_or(middle * 1e6);
    Ok(theirs / 1e6 - middle)
}

fn now() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64()
}
