//! Transactions that a host has and the writer lacks: somebody has written there, beside replication. They reach no
//! other host, or reach it too late.
//!
//! Seen by GTIDs alone, while the writer lives and writes. What a host has was on its way through the writer, which
//! shows it at the next look. So only what is still missing there is errant.

use std::time::Duration;

use mmm_core::Budget;

use crate::binlog::by_gtid;
use crate::binlog::end::log_rule;
use crate::channel;
use crate::error::Error;
use crate::facts::OwnLog;
use crate::gtid::{Gtid, GtidPosition, GtidSet, GtidState};
use crate::record::Record;
use crate::rehearsal::Rehearsal;
use crate::server::Server;
use crate::server::dialect::Flavour;
use crate::status::Channel;

/// Pause between two looks at the writer.
const PAUSE: Duration = Duration::from_millis(50);
/// How long the writer may take to show what it has.
const PATIENCE: Duration = Duration::from_secs(1);

/// What a host has that the writer lacks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Errant {
    /// Nothing.
    None,
    /// These GTIDs.
    Found(String),
    /// These, and the writer may still get them.
    Moving(String),
    /// Nobody can tell, for this reason.
    Unknown(String),
}

/// Compares `host` with `writer`, which takes writes.
pub fn find(_: Rehearsal, host: &mut Server, writer: &mut Server, budget: Budget) -> Result<Errant, Error> {
    let until = budget.elapsed().saturating_add(PATIENCE);
    let patience =
        if budget.limit().is_some_and(|limit| limit <= until) { budget } else { budget.relimited(until) };
    // In this order: what the writer lacks later, it had not sent.
    let ours = host.one(&host.dialect().variables())?;
    let is_alone = channel::all(host)?.len() < 2;
    let mut earlier = from(writer, &ours)?;
    if !log_rule(writer)?.is_empty() || earlier.as_ref().is_some_and(|channel| !channel.filters.is_empty()) {
        return Ok(Errant::Unknown(format!("{} leaves rows out by filters", writer.host())));
    }
    loop {
        let theirs = writer.one(&writer.dialect().variables())?;
        let lacking = match host.dialect().flavour() {
            Flavour::MariaDb => lacking_groups(writer, &ours, &theirs, is_alone)?,
            Flavour::MySql if ours.text("gtid_mode") != "ON" || theirs.text("gtid_mode") != "ON" => {
                return Ok(Errant::Unknown("there are no GTIDs".into()));
            }
            Flavour::MySql => lacking_transactions(&ours, &theirs, is_alone)
                .map_err(|column| writer.unexpected("SELECT @@…", column))?,
        };
        let Some(lacking) = lacking else { return Ok(Errant::None) };
        if patience.pause(PAUSE) {
            continue;
        }
        let now = from(writer, &ours)?;
        let comes = |channel: &Channel| {
            let before = earlier.take().map(|earlier| earlier.applied);
            channel.is_running() && (!channel.has_applied_all() || before != Some(channel.applied.clone()))
        };
        return Ok(if now.as_ref().is_some_and(comes) {
            Errant::Moving(lacking)
        } else {
            Errant::Found(lacking)
        });
    }
}

/// The writer's channel from the host that says this of itself.
fn from(writer: &mut Server, ours: &Record) -> Result<Option<Channel>, Error> {
    let id = ours.number("server_id").unwrap_or(0);
    Ok(channel::all(writer)?.into_iter().find(|channel| channel.source_server_id == id))
}

/// MariaDB: transactions in the host's log that the writer's log has never held. What is older than the writer's log
/// may have come with a copy.
fn lacking_groups(
    writer: &mut Server,
    ours: &Record,
    theirs: &Record,
    is_alone: bool,
) -> Result<Option<String>, Error> {
    if !theirs.is_on("log_bin") || !theirs.is_on("log_slave_updates") {
        return Ok(None);
    }
    let unexpected = |column| move |server: &Server| server.unexpected("SELECT @@…", column);
    let logged: GtidState = ours.parsed("binlog_state").map_err(|column| unexpected(column)(writer))?;
    let state: GtidState = theirs.parsed("binlog_state").map_err(|column| unexpected(column)(writer))?;
    let position: GtidPosition = theirs.parsed("current_pos").map_err(|column| unexpected(column)(writer))?;
    let (own, of_writer) = (ours.number("server_id"), theirs.number("server_id"));
    let lacks = |gtid: &Gtid| {
        let server = Some(u64::from(gtid.server));
        let is_replicated = position
            .get(gtid.domain)
            .is_some_and(|last| last.server == gtid.server && last.sequence >= gtid.sequence);
        (server == own || is_alone) && server != of_writer && !state.includes(*gtid) && !is_replicated
    };
    let lacking: Vec<_> = logged.iter().filter(lacks).collect();
    if lacking.is_empty() {
        return Ok(None);
    }
    let log = OwnLog { state, begin: by_gtid::oldest_known(writer)? };
    let lacking: Vec<_> = lacking
        .into_iter()
        .filter(|gtid| log.has(*gtid) == Some(false))
        .map(|gtid| gtid.to_string())
        .collect();
    Ok((!lacking.is_empty()).then(|| lacking.join(", ")))
}

/// MySQL: transactions that the host has executed and the writer has not.
fn lacking_transactions(
    ours: &Record,
    theirs: &Record,
    is_alone: bool,
) -> Result<Option<String>, &'static str> {
    let (own, of_writer) = (ours.text("server_uuid"), theirs.text("server_uuid"));
    let concerns =
        |uuid: &str| (uuid.eq_ignore_ascii_case(own) || is_alone) && !uuid.eq_ignore_ascii_case(of_writer);
    let executed: GtidSet = ours.parsed("executed")?;
    let lacking = executed.filtered(concerns).without(&theirs.parsed("executed")?);
    Ok((!lacking.is_empty()).then(|| lacking.to_string()))
}
