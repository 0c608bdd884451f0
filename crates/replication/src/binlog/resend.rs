//! Whether a source sends again what a start of replication would discard.
//!
//! A source that lets somebody in, or refuses, proves nothing: its disk may hang, its log may be unreadable, cut or
//! purged. So its log is read as the I/O thread would read it: with the account, the TLS and the GTID settings of the
//! replica.

use std::time::{Duration, Instant};

use mmm_core::Budget;
use mmm_core::config::Host;

use crate::binlog::files::log_files_and_sizes;
use crate::binlog::stream::{Reader, Start};
use crate::channel::threads::{Sends, silent};
use crate::error::Error;
use crate::gtid::GtidPosition;
use crate::position::BinlogPosition;
use crate::server::Server;
use crate::status::{Channel, Mode};

/// How long a source may take to send the backlog; a quarter of what is left of the call, if that is more.
const ASKING: Duration = Duration::from_secs(3);
/// A source that has sent its log for this long, pauses left out, need not send all of a backlog, only its end.
const SENDING: Duration = Duration::from_secs(1);
/// More between two events is a pause.
const GAP: Duration = Duration::from_millis(100);

/// If a start of the `channel` discards something, its source has just sent that again. Else its source answers, if it
/// is known. `most` limits each connection.
///
/// # Errors
/// Why this does not hold, in words.
pub fn check_source(
    replica: &mut Server,
    channel: &Channel,
    source: Option<&Host>,
    most: Duration,
    budget: Budget,
) -> Sends {
    if !channel.would_discard() {
        let answers = source.is_none_or(|source| Server::answers(source, most, budget));
        return if answers { Ok(()) } else { silent() };
    }
    let Some(source) = source else {
        return Err("no host of the configuration is known to have that address, so it was not asked".into());
    };
    let budget = if budget.limit().is_some() {
        let most = ASKING.max(budget.share(Duration::MAX) / 4);
        budget.relimited(budget.elapsed() + budget.share(most))
    } else {
        budget
    };
    sends_backlog(replica, channel, source, most, budget).unwrap_or_else(|error| Err(error.to_string()))
}

/// Reads what comes after all that the replica has applied.
fn sends_backlog(
    replica: &mut Server,
    channel: &Channel,
    source: &Host,
    most: Duration,
    budget: Budget,
) -> Result<Sends, Error> {
    let Some(fetched) = &channel.fetched else { return Ok(Err("the status shows no position".into())) };
    let position = if channel.mode == Mode::CurrentPos { "gtid_current_pos" } else { "gtid_slave_pos" };
    let statement = format!(
        "SELECT @@{position} AS gtids, @@gtid_strict_mode AS strict, @@gtid_ignore_duplicates AS ignored"
    );
    let ours = replica.one(&statement)?;
    let applied: GtidPosition =
        ours.parsed("gtids").map_err(|column| replica.unexpected(&statement, column))?;

    // In this order: what it has logged by then has to come, from the files that it has by then.
    let mut server = Server::connect(source, most, budget)?;
    let statement = "SELECT @@gtid_binlog_pos AS gtids";
    let logged: GtidPosition =
        server.one(statement)?.parsed("gtids").map_err(|column| server.unexpected(statement, column))?;
    let logs = log_files_and_sizes(&mut server)?;
    drop(server);
    if let Some((_, size)) = logs.iter().find(|(file, size)| *file == fetched.file && *size < fetched.offset)
    {
        return Ok(Err(format!("its {} ends at {size}, before what was fetched", fetched.file)));
    }

    let reader = Reader::new(source, most, budget)
        .seeking(format!("what {} has fetched", replica.host()))
        .like(channel, ours.is_on("ignored"));
    let files: Vec<_> = logs.iter().map(|(file, _)| file.clone()).collect();
    let mut has = applied.clone();
    let mut flow = Flow::default();
    let mut is_sent = false;
    reader.each_behind(&files, &applied, ours.is_on("strict"), |file, _, event| {
        if let Some(gtid) = event.gtid() {
            has.advance(gtid);
        }
        is_sent = BinlogPosition::new(file, event.end).has_reached(fetched);
        is_sent || flow.has_lasted()
    })?;
    if !is_sent && flow.is_enough() {
        // What follows what was fetched, or nothing. An end that cannot be read is an error.
        reader.each_until(&fetched.file, Start::At(fetched.offset), |event, _| event.end > fetched.offset)?;
        return Ok(Ok(()));
    }
    // The replica may have applied all that there is, and have fetched only what it skips, as events of its own; or its
    // positions are of an earlier moment than its GTIDs, as behind a crash.
    let has_all =
        logged.iter().all(|last| has.get(last.domain).is_some_and(|has| has.sequence >= last.sequence));
    let has_file = logs.iter().any(|(file, _)| *file == fetched.file);
    if is_sent || has_all && has_file {
        return Ok(Ok(()));
    }
    Ok(Err(format!("its log ends before {fetched}")))
}

/// For how long events came, pauses left out.
#[derive(Debug, Default)]
struct Flow {
    last: Option<Instant>,
    lasted: Duration,
}

impl Flow {
    /// One more event has come. True once events have come for long enough.
    fn has_lasted(&mut self) -> bool {
        let now = Instant::now();
        let gap = self.last.map_or(Duration::ZERO, |last| now - last);
        if gap <= GAP {
            self.lasted += gap;
        }
        self.last = Some(now);
        self.is_enough()
    }

    fn is_enough(&self) -> bool {
        self.lasted >= SENDING
    }
}
