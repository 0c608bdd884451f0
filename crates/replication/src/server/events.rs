//! Scheduled events that may write on a server that is closed.

use crate::error::Error;
use crate::server::Server;
use crate::server::dialect::Flavour;

/// What the scheduler does while no event is enabled.
const IDLE: &str = "Waiting on empty queue";
const SCHEDULER: &str = "SELECT state AS state FROM information_schema.processlist \
     WHERE user = 'event_scheduler' AND command = 'Daemon'";
const DEFINERS: &str =
    "SELECT DISTINCT definer AS definer FROM information_schema.events WHERE status = 'ENABLED'";
const MIGHTY: &str = "SELECT DISTINCT grantee AS grantee FROM information_schema.user_privileges \
     WHERE privilege_type IN ('SUPER', 'CONNECTION_ADMIN', 'READ_ONLY ADMIN', 'READ ONLY ADMIN')";
/// Who may read this table sees everybody's privileges in `user_privileges`.
const SEES_ALL: &str = "SELECT COUNT(*) AS count FROM mysql.user";

/// Who may write by an enabled event although the server is closed, in words; `None` if nobody. Whose events or
/// privileges the account may not see counts as able to.
///
/// # Errors
/// If the server does not answer.
pub fn may_write(server: &mut Server) -> Result<Option<String>, Error> {
    if !server.one("SELECT @@event_scheduler AS event_scheduler")?.is_on("event_scheduler") {
        return Ok(None);
    }
    // The state needs no privilege on any schema. Without PROCESS, there is none.
    let state = server.row(SCHEDULER)?;
    if state.is_some_and(|row| row.text("state") == IDLE) {
        return Ok(None);
    }
    if server.dialect().flavour() == Flavour::MySql
        && server
            .row("SHOW GLOBAL VARIABLES LIKE 'super_read_only'")?
            .is_some_and(|row| row.at(1) == Some("ON"))
    {
        return Ok(None);
    }
    let unseen = || Ok(Some("an event that is enabled, which the agent's account may not see".to_string()));
    if !sees_all_events(server)? {
        return unseen();
    }
    let definers: Vec<_> = server
        .rows(DEFINERS)?
        .iter()
        .map(|row| crate::server::privilege::quoted(row.text("definer")))
        .collect();
    let all = || Ok((!definers.is_empty()).then(|| format!("events of {}", definers.join(", "))));
    if !matches!(server.row(SEES_ALL), Ok(Some(_))) {
        return all();
    }
    let mighty: Vec<_> = server.rows(MIGHTY)?.iter().map(|row| row.text("grantee").to_string()).collect();
    let able: Vec<_> = definers.iter().filter(|definer| mighty.contains(definer)).cloned().collect();
    Ok((!able.is_empty()).then(|| format!("events of {}", able.join(", "))))
}

/// True if the account may see the events of every schema.
fn sees_all_events(server: &mut Server) -> Result<bool, Error> {
    let rows = server.rows("SHOW GRANTS")?;
    let is_whole = |line: &str| {
        let Some((privileges, _)) = line.split_once(" ON *.* ") else { return false };
        let mut privileges = privileges.trim_start_matches("GRANT ").split(", ");
        privileges.any(|privilege| privilege == "EVENT" || privilege.starts_with("ALL PRIVILEGES"))
    };
    Ok(rows.iter().filter_map(|row| row.at(0)).any(is_whole))
}
