//! Looks at the three servers of a move and writes down what planning needs to know.

use std::time::Duration;

use mmm_core::Budget;
use mmm_core::config::Host;

use crate::binlog::by_gtid;
use crate::binlog::end::{log_end, log_rule};
use crate::channel::liveness::{self, Sign};
use crate::channel::settling::{self, Settling};
use crate::channel::{self, own_gtids};
use crate::error::{Error, Told};
use crate::facts::{
    Facts, LogRule, MasterSets, NewMaster, OldMaster, OldState, OwnLog, Replica, ReplicaSets,
};
use crate::gtid::{GtidPosition, GtidState};
use crate::position::BinlogPosition;
use crate::record::Record;
use crate::server::dialect::Flavour;
use crate::server::patience::OTHERS_PATIENCE;
use crate::server::{Server, privilege};
use crate::status::{Channel, IoThread, Mode};

/// The old master's connection, or how it failed.
#[derive(Debug)]
pub enum Old {
    /// Connected.
    Connected(Box<Server>),
    /// Its connection broke; nobody has tried again yet.
    Broke(OldMaster),
    /// It let us in, and did not answer in time; nobody has judged it yet.
    Stalled(OldMaster),
    /// It did not answer, or not as it should.
    Failed(OldMaster),
}

impl Old {
    /// Connects to the old master, not waiting long: it is often dead.
    pub fn connect(host: &Host, most: Duration, budget: Budget) -> Self {
        match liveness::connect(host, most.min(OTHERS_PATIENCE), budget) {
            Ok(server) => Self::Connected(Box::new(server)),
            Err(error) => Self::Failed(how_it_failed(host.name.as_str(), &error)),
        }
    }

    /// Judges an old master that lets nobody in by what the replica hears from it: while its replication connection
    /// brings signs of life, it may be taking writes. Waits up to `patience` if the silence becomes certain within that
    /// time.
    pub fn judge(
        &mut self,
        replica: &mut Server,
        channel: &str,
        host: &Host,
        silence: Duration,
        patience: Budget,
    ) -> Result<(), Error> {
        let (Self::Failed(OldMaster::Silent { reason, .. })
        | Self::Broke(OldMaster::Silent { reason, .. })
        | Self::Stalled(OldMaster::Silent { reason, .. })) = self
        else {
            return Ok(());
        };
        let reason = reason.clone();
        let Some(Sign { heard, limit }) = liveness::settled(replica, channel, host, silence, patience)?
        else {
            if let Self::Stalled(silent) = self {
                let is_heard_of = channel::again(replica, channel)?.io == IoThread::Yes;
                *self = Self::Failed(if is_heard_of { silent.clone() } else { stalled(host, &reason) });
            }
            return Ok(());
        };
        let reason = format!(
            "nobody can log in there ({reason}), yet it is alive: {} heard it over its replication connection \
             {heard:.1?} ago; after {limit:.1?} of silence it counts as dead",
            replica.host()
        );
        *self = Self::Failed(OldMaster::Unreadable { host: host.name.to_string(), reason });
        Ok(())
    }
}

/// An old master that let us in a moment ago may only be slow, and taking writes, if the replica's connection does not
/// show more. If it has frozen, the next call's log-in shows that.
fn stalled(host: &Host, reason: &str) -> OldMaster {
    let reason = format!("it let the agent log in and did not answer after that: {reason}");
    OldMaster::Unreadable { host: host.name.to_string(), reason }
}

/// A server that refuses the account is alive, and may be taking writes; one that is silent is taken for dead.
fn how_it_failed(host: &str, error: &Error) -> OldMaster {
    let (host, reason) = (host.to_string(), error.to_string());
    match error {
        Error::Connect { answered: true, .. } | Error::Query { .. } => OldMaster::Unreadable { host, reason },
        _ => OldMaster::Silent { host, reason },
    }
}

/// What the old master has said of what lies before a position in its log. The old master reads the file to find that
/// out.
pub type PlaceTold = Option<(BinlogPosition, GtidPosition)>;

/// What does not change while a call lasts, read once.
#[derive(Debug)]
pub struct Constants {
    replica_log_begin: GtidState,
    new_log_begin: GtidState,
    new_log_listed: GtidState,
    new_log_rule: LogRule,
    /// True if the replica's log leaves out nothing, or the same as the new master's.
    logs_compare: bool,
    options: Record,
}

/// Reads what is read once.
pub fn constants(replica: &mut Server, channel: &str, new: &mut Server) -> Result<Constants, Error> {
    let begin = |server: &mut Server| -> Result<(GtidState, GtidState), Error> {
        let has_log = server.one("SELECT @@log_bin AS log_bin")?.is_on("log_bin");
        let is_mariadb = server.dialect().flavour() == Flavour::MariaDb;
        if has_log && is_mariadb { by_gtid::oldest_listed(server) } else { Ok(Default::default()) }
    };
    let options = match replica.dialect().channel_options(channel) {
        Some(statement) => options(replica, &statement)?,
        None => Record::default(),
    };
    let (rule, new_log_rule) = (log_rule(replica)?, log_rule(new)?);
    let (_, replica_log_begin) = begin(replica)?;
    let (new_log_listed, new_log_begin) = begin(new)?;
    Ok(Constants {
        replica_log_begin,
        new_log_begin,
        new_log_listed,
        logs_compare: rule.is_empty() || rule == new_log_rule,
        new_log_rule,
        options,
    })
}

/// Options that no proof needs: an account that may not read them can still move a slave.
fn options(replica: &mut Server, statement: &str) -> Result<Record, Error> {
    match replica.row(statement) {
        Err(error) if privilege::is_of_schema(&error) => {
            let why = "; without it, the channel's heartbeat period becomes the server's own, and nobody sees \
                       whether the server moves the channel to other sources by itself";
            log::warn!("{}", privilege::because(error, why));
            Ok(Record::default())
        }
        other => Ok(other?.unwrap_or_default()),
    }
}

/// Observes all three servers. The second value says whether the replica was applying meanwhile, so that its
/// position and its log's state may not belong together.
pub fn observe(
    replica: &mut Server,
    channel_name: &str,
    new: &mut Server,
    old: &mut Old,
    constants: &Constants,
    settling: &mut Settling,
    told: &mut PlaceTold,
) -> Result<(Facts, bool), Error> {
    let (mut replica_facts, moving) = observe_replica(replica, channel_name, constants)?;
    if replica_facts.may_be_ahead {
        place_by_file(&mut replica_facts, old, told)?;
    }
    let old_end = from_old(old, log_end)?.unwrap_or(None);
    let new_end = log_end(new)?;
    let source = &replica_facts.channel;
    let mut new_facts = observe_new(new, source, constants)?;
    let mut old_facts = observe_old(old, new_facts.server_id)?;
    let mut quiet = new_end == new_facts.end;
    match &mut old_facts {
        OldMaster::Answers(state) => {
            state.rests = state.end == old_end;
            quiet &= state.rests;
        }
        // It may have fallen silent in between.
        _ => quiet &= old_end.is_none(),
    }
    if let (OldMaster::Silent { .. }, Some(channel)) = (&old_facts, &new_facts.channel) {
        new_facts.is_settled = settling.is_settled(new, channel)?;
    }
    let facts =
        Facts { replica: replica_facts, new: new_facts, old: old_facts, quiet, log_filters_agree: false };
    Ok((facts, moving))
}

fn observe_replica(server: &mut Server, name: &str, constants: &Constants) -> Result<(Replica, bool), Error> {
    let before = server.one(server.dialect().applied_gtids())?;
    let all = channel::all(server)?;
    let other_channels = all.len() > 1;
    let statement = server.dialect().show_channels();
    let mut channel = all
        .into_iter()
        .find(|channel| channel.name == name)
        .ok_or_else(|| server.unexpected(statement, &format!("channel '{name}'")))?;
    if channel.heartbeat.is_empty() {
        channel.heartbeat = constants.options.text("heartbeat_interval").into();
    }
    // By GTID, no proof asks for the position.
    if channel.mode == Mode::FilePosition {
        settling::look_closer(server, &mut channel)?;
    }
    let variables = server.one(&server.dialect().variables())?;
    let temporary_tables = temporary_tables(server)?;
    let after = server.one(server.dialect().applied_gtids())?;
    let column = if channel.mode == Mode::CurrentPos { "current_pos" } else { "slave_pos" };
    let logs_updates =
        variables.is_on("log_bin") && variables.is_on("log_slave_updates") && constants.logs_compare;
    let log = if logs_updates && variables.get("binlog_state").is_some() {
        let state = gtids(server, &variables, "binlog_state")?;
        Some(OwnLog { state, begin: constants.replica_log_begin.clone() })
    } else {
        None
    };
    let sets = if has_sets(&variables) {
        let (uuid, executed) = (variables.text("server_uuid").into(), gtids(server, &variables, "executed")?);
        Some(ReplicaSets { uuid, executed })
    } else {
        None
    };
    let why_no_set = if sets.is_some() { own_gtids::why_no_set(server, &channel)? } else { None };
    // With several channels, another one may be applying. Without it, this one has nothing to do.
    let is_moving = before != after && !(other_channels && channel.has_applied_all());
    let may_be_ahead = variables.get(column).is_some()
        && channel.mode == Mode::FilePosition
        && channel.applied != channel.fetched;
    let replica = Replica {
        host: server.host().into(),
        server_id: variables.number("server_id").unwrap_or(0),
        channel,
        other_channels,
        gtid_position: gtids(server, &variables, column)?,
        may_be_ahead,
        applied_gtids: after.text("gtids").into(),
        sets,
        why_no_set,
        logs_updates,
        log,
        temporary_tables,
        moves_itself: constants.options.is_on("source_connection_auto_failover"),
    };
    Ok((replica, is_moving))
}

/// By file and position, when a MariaDB connects to its source, it sets its GTID position to that from which it
/// continues to *fetch*, whatever it has applied (lab: 10.11). The old master can show what lies before the position
/// that the replica has applied; the replica's own log can show what it has logged.
fn place_by_file(replica: &mut Replica, old: &mut Old, told: &mut PlaceTold) -> Result<(), Error> {
    let Some(applied) = &replica.channel.applied else { return Ok(()) };
    if told.as_ref().is_none_or(|(place, _)| place != applied) {
        let of_old = from_old(old, |server| {
            let file = server.quoted(&applied.file);
            server.one(&format!("SELECT BINLOG_GTID_POS({file}, {}) AS gtids", applied.offset))
        })?;
        let of_old = of_old.ok().and_then(|row| row.text("gtids").parse().ok());
        *told = of_old.map(|position| (applied.clone(), position));
    }
    let of_old = told.as_ref().map(|(_, position)| position.clone());
    if let Some(position) = of_old.filter(|position| !position.is_empty()) {
        (replica.gtid_position, replica.may_be_ahead) = (position, false);
    } else if let Some(log) = &replica.log
        && replica.channel.filters.is_empty()
        && replica.gtid_position.iter().all(|gtid| log.state.knows(gtid.domain))
    {
        let logged = log.last_up_to(&replica.gtid_position, replica.server_id);
        (replica.gtid_position, replica.may_be_ahead) = (logged, false);
    }
    Ok(())
}

fn observe_new(server: &mut Server, source: &Channel, constants: &Constants) -> Result<NewMaster, Error> {
    // Between the end of the log and what is executed, in this order: what was logged before that end and is not
    // under way any more is among what is executed.
    let is_committing = server.dialect().flavour() == Flavour::MySql
        && !server.one(server.dialect().owned_gtids())?.text("gtids").is_empty();
    let variables = server.one(&server.dialect().variables())?;
    // Its channel from the old master, which the replica's channel names; by server id if the channel there has another
    // name for it.
    let channels = channel::all(server)?;
    let other_channels = channels.len() > 1;
    let mut channel = channels.into_iter().find(|channel| {
        (channel.source_host == source.source_host && channel.source_port == source.source_port)
            || (source.source_server_id != 0 && channel.source_server_id == source.source_server_id)
    });
    if let Some(channel) = &mut channel {
        look_closer(server, channel)?;
    }
    let end = log_end(server)?;
    let filters = channel.as_ref().map(|channel| channel.filters.clone()).unwrap_or_default();
    let sets = if has_sets(&variables) {
        let (executed, purged) =
            (gtids(server, &variables, "executed")?, gtids(server, &variables, "purged")?);
        Some(MasterSets { executed, purged, is_committing })
    } else {
        None
    };
    let why_no_set = match &channel {
        Some(channel) if sets.is_some() && source.mode == Mode::FilePosition => {
            own_gtids::why_no_set(server, channel)?
        }
        _ => None,
    };
    let ignores_servers = channel.as_ref().is_none_or(|channel| !channel.ignored_server_ids.is_empty());
    let may_be_ahead = channel.as_ref().is_none_or(|channel| {
        channel.mode == Mode::FilePosition
            && (channel.fetched.is_none() || channel.fetched != channel.applied)
    });
    let logs_all = constants.new_log_rule.is_empty();
    let executed = if filters.is_empty() && logs_all && !other_channels && !ignores_servers && !may_be_ahead {
        gtids(server, &variables, "slave_pos")?
    } else {
        GtidPosition::default()
    };
    Ok(NewMaster {
        host: server.host().into(),
        server_id: variables.number("server_id").unwrap_or(0),
        read_only: variables.is_read_only(),
        log_slave_updates: variables.is_on("log_bin") && variables.is_on("log_slave_updates"),
        keeps_order: variables.is_on("keeps_order"),
        end,
        state: gtids(server, &variables, "binlog_state")?,
        begin: constants.new_log_begin.clone(),
        listed: constants.new_log_listed.clone(),
        executed,
        replicated: gtids(server, &variables, "slave_pos")?,
        logs_rows: logs_rows(&variables),
        sets,
        why_no_set,
        filters,
        log_rule: constants.new_log_rule.clone(),
        channel,
        is_settled: true,
        other_channels,
    })
}

/// What a channel has applied, as its server's threads show it. A replica's own channel keeps what its status shows:
/// the status shows the position in the relay log equally late.
fn look_closer(server: &mut Server, channel: &mut Channel) -> Result<(), Error> {
    settling::look_closer(server, channel)?;
    channel.applied = channel.executed().cloned();
    Ok(())
}

/// Every transaction of a MySQL server has a GTID from `ON` on; before, some may have none.
fn has_sets(variables: &Record) -> bool {
    variables.text("gtid_mode") == "ON"
}

fn logs_rows(variables: &Record) -> bool {
    variables.text("binlog_format") == "ROW"
}

fn observe_old(old: &mut Old, new_server_id: u64) -> Result<OldMaster, Error> {
    let answer = from_old(old, |server| {
        let variables = server.one(&server.dialect().variables())?;
        let mut from_new =
            channel::all(server)?.into_iter().find(|channel| channel.source_server_id == new_server_id);
        if let Some(channel) = &mut from_new {
            look_closer(server, channel)?;
        }
        Ok(OldState {
            host: server.host().into(),
            read_only: variables.is_read_only(),
            log_slave_updates: variables.is_on("log_slave_updates"),
            logs_rows: logs_rows(&variables),
            log_rule: log_rule(server)?,
            end: log_end(server)?,
            rests: false,
            from_new,
            held: None,
        })
    })?;
    Ok(match answer {
        Ok(state) => OldMaster::Answers(state),
        Err(how) => how,
    })
}

/// Asks the old master, without waiting long. Once it has failed to answer, it is not asked again before it is judged.
fn from_old<T>(old: &mut Old, ask: impl FnOnce(&mut Server) -> Result<T, Error>) -> Told<T, OldMaster> {
    let server = match old {
        Old::Failed(how) | Old::Broke(how) | Old::Stalled(how) => return Ok(Err(how.clone())),
        Old::Connected(server) => server,
    };
    let whole = server.budget();
    server.use_budget(Budget::start(Some(whole.share(OTHERS_PATIENCE))));
    let answer = ask(server);
    server.use_budget(whole);
    match answer {
        Err(error @ (Error::Silent { .. } | Error::Broken { .. })) => {
            log::warn!("{error}");
            let how = how_it_failed(server.host(), &error);
            let has_broken = matches!(error, Error::Broken { .. });
            *old = if has_broken { Old::Broke(how.clone()) } else { Old::Stalled(how.clone()) };
            Ok(Err(how))
        }
        other => other.map(Ok),
    }
}

/// How many temporary tables of replicated statements are open.
pub fn temporary_tables(server: &mut Server) -> Result<u64, Error> {
    let statement = server.dialect().open_temporary_tables();
    let count = server.row(statement)?.and_then(|row| row.number("Value"));
    count.ok_or_else(|| server.unexpected(statement, "Slave_open_temp_tables"))
}

fn gtids<T: std::str::FromStr>(server: &Server, row: &Record, column: &str) -> Result<T, Error> {
    row.text(column).parse().map_err(|_| server.unexpected("SELECT @@…", column))
}
