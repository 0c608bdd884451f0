//! Starts and stops a channel's threads, and checks that they have started or stopped.

use std::time::{Duration, Instant};

use mmm_core::event::{self, Change};
use mmm_core::mutant::takes_out;
use mmm_core::{interrupt, progress, report};

use crate::channel::{self, attempts, liveness, settling, workers};
use crate::errno::{GONE, NOT_ALLOWED};
use crate::error::{Error, Told};
use crate::gtid::GtidPosition;
use crate::position::BinlogPosition;
use crate::record::Record;
use crate::refusal::Refusal;
use crate::server::dialect::Threads;
use crate::server::{Server, privilege};
use crate::status::{Channel, IoThread, Mode};

/// Pause between two looks.
const PAUSE: Duration = Duration::from_millis(3);
/// How long an SQL thread that still has work is watched before it counts as running.
const SECOND_LOOK: Duration = Duration::from_millis(60);
/// After how long without data the helper assumes that the rest of half a transaction does not come.
const NOTHING_COMES: Duration = Duration::from_millis(300);
/// How long an SQL thread that is not waiting for more is watched: half a transaction shows only while the thread
/// waits.
const READING: Duration = Duration::from_millis(100);
/// Pause between two looks at what is received.
const COMING_PAUSE: Duration = Duration::from_millis(20);
/// How long a last attempt to start threads again may take, whatever the call has left.
pub const LAST_RESORT: Duration = Duration::from_millis(400);
/// How long an I/O thread may take to connect to its source.
const CONNECTING: Duration = Duration::from_secs(2);

/// Stops both threads and waits until both have stopped; returns the channel at rest.
pub fn stop(server: &mut Server, name: &str) -> Result<Channel, Error> {
    end_half(server, name)?;
    stop_at_once(server, name, Threads::Both)
}

/// As [`stop`], if no half a transaction has to be given up.
pub fn stop_at_once(server: &mut Server, name: &str, threads: Threads) -> Result<Channel, Error> {
    let statement = server.dialect().stop(name, threads);
    let _face = progress::waiting(format!(
        "waiting for {} to stop replicating; a transaction may be under way",
        server.host()
    ));
    let answer = if threads == Threads::Sql {
        server.execute(&statement)
    } else {
        attempts::ended_during(server, name, |server| server.execute(&statement))
    };
    match answer {
        // The server continues to stop the threads whether or not anybody waits.
        Err(Error::Silent { host, waited, .. }) => {
            return Err(Refusal::does_not_stop(host, waited).into());
        }
        other => other?,
    }
    let as_it_is = |channel| channel;
    watch(server, name, as_it_is, |server, channel| {
        if (channel.io == IoThread::No || threads == Threads::Sql) && !channel.sql_running {
            return Ok(Some(channel));
        }
        if !server.budget().pause(PAUSE) {
            let waited = server.budget().elapsed();
            return Err(Refusal::does_not_stop(server.host(), waited).into());
        }
        Ok(None)
    })
}

/// Looks at a channel again and again until `see`, which pauses in between, returns a result. In a dry run no statement
/// was sent, and the channel is judged `as_it_is`.
fn watch<T>(
    server: &mut Server,
    name: &str,
    as_it_is: impl FnOnce(Channel) -> T,
    mut see: impl FnMut(&mut Server, Channel) -> Result<Option<T>, Error>,
) -> Result<T, Error> {
    loop {
        let channel = channel::again(server, name)?;
        if report::is_dry_run() {
            return Ok(as_it_is(channel));
        }
        if let Some(seen) = see(server, channel)? {
            return Ok(seen);
        }
    }
}

/// Sends a STOP of the I/O thread alone, without checking its result.
pub fn stop_fetching(server: &mut Server, name: &str) -> Result<(), Error> {
    let statement = server.dialect().stop(name, Threads::Io);
    attempts::ended_during(server, name, |server| server.execute(&statement))
}

/// Waits, for at most `most`, for the rest of half a transaction while its source sends it; false if that takes longer.
/// Giving up the half is not always harmless. What a storage engine without transactions has written stays, and the
/// whole transaction comes again. And the STOP of a MySQL before 8.0 or of a MariaDB waits for the rest as long as data
/// comes (lab, 5.6, 10.11).
pub fn await_rest(server: &mut Server, name: &str, most: Duration) -> Result<bool, Error> {
    if report::is_dry_run() {
        return Ok(true);
    }
    if workers::are_blind(server)? {
        return Ok(true);
    }
    let begun = Instant::now();
    let mut seen = once_it_waits(server, name)?;
    let mut moved_at = begun;
    let mut face = None;
    while seen.has_half() && seen.io == IoThread::Yes && !is_whole(server, name)? {
        if moved_at.elapsed() >= NOTHING_COMES {
            // The status shows nothing of a large row before the whole row has been received.
            match liveness::last_data(server, &seen)?.filter(|ago| *ago < NOTHING_COMES) {
                Some(_) => moved_at = Instant::now(),
                None => return Ok(true),
            }
        }
        face.get_or_insert_with(|| {
            progress::waiting(format!("waiting for the rest of a transaction that {} gets", server.host()))
        });
        if begun.elapsed() >= most || !server.budget().pause(COMING_PAUSE) {
            return Ok(false);
        }
        let now = once_it_waits(server, name)?;
        if now.applied != seen.applied && !server.dialect().shows_transactions() {
            // The transaction has ended of which half was there. What is there of the next one is another matter.
            return Ok(true);
        }
        if now.fetched != seen.fetched {
            moved_at = Instant::now();
        }
        seen = now;
    }
    Ok(true)
}

/// A channel, once its SQL thread waits for more, or has been working for a while: a thread that is just reading an
/// event does not show that it will wait for the next one.
fn once_it_waits(server: &mut Server, name: &str) -> Result<Channel, Error> {
    let begun = Instant::now();
    let as_it_is = |channel| channel;
    watch(server, name, as_it_is, |server, channel| {
        let reads = channel.sql_running && !channel.has_applied_all();
        let goes_on = reads && begun.elapsed() < READING && server.budget().pause(PAUSE);
        Ok((!goes_on).then_some(channel))
    })
}

/// Ends an SQL thread that waits for the rest of a transaction; the server's STOP would also wait for that rest. What
/// the thread had applied of the transaction is rolled back. True if the thread was ended; the I/O thread may be
/// stopped.
pub fn end_half(server: &mut Server, name: &str) -> Result<bool, Error> {
    let coordinator = server.dialect().coordinator(name);
    if coordinator.is_empty() || takes_out("half") {
        return Ok(false);
    }
    let mut seen = once_it_waits(server, name)?;
    if !seen.has_half() || !may_wait_for_half(server, &seen)? {
        return Ok(false);
    }
    settling::look_closer(server, &mut seen)?;
    if seen.is_all_applied {
        return Ok(false);
    }
    // The beginning of another transaction may just be arriving, which the server does not show yet.
    if is_whole(server, name)? {
        server.budget().pause(COMING_PAUSE);
        if channel::again(server, name)?.fetched == seen.fetched && is_whole(server, name)? {
            return Ok(false);
        }
    }
    if report::is_dry_run() {
        report::observe(
            Some(server.host()),
            "half a transaction",
            "would be given up if its rest does not come",
        );
        return Ok(false);
    }
    // If nothing more comes, a thread that waits after its appliers have finished waits for ever.
    stop_fetching(server, name)?;
    while workers::are_busy(server, &seen)? && server.budget().pause(PAUSE) {}
    // Until its next checkpoint, the position of a parallel applier lies before what it has applied. If it were ended
    // now, it would leave a position from which rows come twice.
    let settled = server.budget().elapsed() + workers::settling_time(server)?;
    while server.budget().elapsed() < settled {
        if !once_it_waits(server, name)?.has_half() || !server.budget().pause(PAUSE) {
            return Ok(false);
        }
    }
    let only = |rows: &[Record]| if let [row] = rows { row.number("id") } else { None };
    let why =
        "; with several channels, nothing else shows which thread waits for the rest of half a transaction";
    let Some(id) = workers::first_told(server, &coordinator, only, why)? else { return Ok(false) };
    log::warn!("half a transaction is given up: its rest has not arrived");
    match server.execute(&format!("KILL {id}")) {
        Err(Error::Query { code: GONE, .. }) => {}
        Err(Error::Query { code, .. }) if NOT_ALLOWED.contains(&code) => {
            let why = "; without it, STOP would wait a minute for the rest of half a transaction";
            let privilege = server.dialect().kill_privilege();
            return Err(server.lacks(privilege.into(), why.into()));
        }
        other => other?,
    }
    // A STOP before the thread has ended would make it wait.
    while channel::again(server, name)?.sql_running && server.budget().pause(PAUSE) {}
    Ok(true)
}

/// True if a stop has to give up half a transaction, for which the server would wait.
pub fn has_half_to_give_up(server: &mut Server, name: &str) -> Result<bool, Error> {
    if server.dialect().coordinator(name).is_empty() {
        return Ok(false);
    }
    let seen = channel::again(server, name)?;
    Ok(seen.has_half() && may_wait_for_half(server, &seen)? && !is_whole(server, name)?)
}

/// False if a stop cannot wait for the rest of a transaction, whatever lies between what was fetched and what is applied.
/// Before MySQL 8.0.1, only parallel appliers wait for it, and something lies between in every moment with traffic. So they
/// count only if the source is lost.
fn may_wait_for_half(server: &mut Server, seen: &Channel) -> Result<bool, Error> {
    if server.dialect().blind_workers().is_none() {
        return Ok(true);
    }
    Ok(seen.io != IoThread::Yes && workers::are_blind(server)?)
}

/// True if the server says that what parallel appliers were given ends with a whole transaction. Their channel's
/// position shows that only at the next checkpoint.
fn is_whole(server: &mut Server, name: &str) -> Result<bool, Error> {
    let Some(statement) = server.dialect().half_read(name) else { return Ok(false) };
    match server.row(&statement) {
        Ok(row) => Ok(row.is_some_and(|row| row.get("half") == Some("0"))),
        Err(error) if privilege::is_of_schema(&error) => Ok(false),
        Err(error) => Err(error),
    }
}

/// Whether a source can send what a start would discard; if it cannot, why.
pub type Sends = Result<(), String>;

/// Of a source that nobody reached.
pub fn silent() -> Sends {
    Err("it does not answer".into())
}

/// Refuses if a start would discard what was fetched, and nothing shows that the source can send it again.
pub fn check_backlog(host: &str, channel: &Channel, source: &str, sends: Sends) -> Result<(), Refusal> {
    let reason = match sends {
        Err(reason) if channel.would_discard() => reason,
        _ => return Ok(()),
    };
    Err(Refusal::BacklogAtRisk {
        host: host.into(),
        source_host: source.into(),
        fetched: BinlogPosition::shown(channel.fetched.as_ref()),
        applied: BinlogPosition::shown(channel.applied.as_ref()),
        reason,
        cure: cure_of_backlog(channel),
    })
}

/// How what was fetched is applied without its source. By GTID, a server writes its relay log's position down only when
/// it stops in order: after a crash, that is of an earlier moment, and from there rows would come twice. So they would if
/// parallel appliers have applied one domain further than another.
fn cure_of_backlog(channel: &Channel) -> String {
    let domains = channel.fetched_gtids.parse::<GtidPosition>().map_or(0, |fetched| fetched.iter().count());
    let name = if channel.name.is_empty() { String::new() } else { format!(" '{}'", channel.name) };
    let mode = if channel.mode == Mode::CurrentPos { "current_pos" } else { "slave_pos" };
    let change = format!("CHANGE MASTER{name} TO MASTER_USE_GTID");
    match &channel.relay {
        Some(relay) if domains == 1 => format!(
            "Apply it first: {change}=no, RELAY_LOG_FILE='{}', RELAY_LOG_POS={}; START SLAVE{name} SQL_THREAD; when it has \
             applied all: STOP SLAVE{name}; {change}={mode}. Meanwhile, no agent may run here: set_active_master may end \
             that",
            relay.file, relay.offset
        ),
        _ => format!(
            "The server does not show where in its relay log the rest begins: read gtid_slave_pos; apply with \
             mariadb-binlog what comes after that in the relay log; then SET GLOBAL gtid_slave_pos to the last GTID of each \
             domain there, and {change}={mode}"
        ),
    }
}

/// Starts both threads. See [`check_backlog`] for when this must not be done.
pub fn start(server: &mut Server, name: &str) -> Result<(), Error> {
    let statement = server.dialect().start(name, Threads::Both);
    server.execute(&statement)
}

/// Lets the I/O thread connect to its source now instead of after its sleep; the caller holds the lock.
pub fn fetch_again(server: &mut Server, channel: &Channel) -> Result<(), Error> {
    if takes_out("wake") {
        return Ok(());
    }
    // If the SQL thread is stopped as well, this would discard what was fetched.
    let at_rest = Channel { io: IoThread::No, ..channel.clone() };
    if at_rest.would_discard() {
        log::info!("{}: {}; its SQL thread has to run first", channel.title(), channel.what_is_wrong());
        return Ok(());
    }
    let reason = if channel.io == IoThread::Yes {
        "nothing has come over its connection for too long".into()
    } else {
        channel.what_is_wrong()
    };
    log::warn!("{}: {reason}; it is told to connect now", channel.title());
    let [stop, start] = [
        server.dialect().stop(&channel.name, Threads::Io),
        server.dialect().start(&channel.name, Threads::Io),
    ];
    if channel.io == IoThread::No {
        return server.execute(&start);
    }
    // Together, so that it does not stay stopped if this process is killed between them.
    attempts::ended_during(server, &channel.name, |server| server.execute_all(&[stop, start]).1)
}

/// Starts the SQL thread alone, and checks that it runs.
pub fn start_applying(server: &mut Server, name: &str) -> Result<(), Error> {
    let statement = server.dialect().start(name, Threads::Sql);
    server.execute(&statement)?;
    let as_it_is = |_| ();
    watch(server, name, as_it_is, |server, channel| {
        if channel.sql_running {
            return Ok(Some(()));
        }
        if channel.sql_error.is_some() || !server.budget().pause(PAUSE) {
            let (host, error) = (server.host().into(), channel.what_is_wrong());
            return Err(Refusal::ApplierFailed { host, error }.into());
        }
        Ok(None)
    })
}

/// Watches started threads until they run and the source is connected; says what is wrong if they do not.
///
/// A source that is unreachable or an account that is refused shows as an error number beside `Connecting`.
pub fn until_running(server: &mut Server, name: &str) -> Told<Channel> {
    let deadline = server.budget().elapsed() + CONNECTING;
    let _face = progress::waiting(format!("waiting for replication on {} to start", server.host()));
    // When the threads were first seen to run, and how long they have to be seen so.
    let mut seen_running = None;
    // A thread that retries shows nothing meanwhile.
    let mut last_error = None;
    watch(server, name, Ok, |server, channel| {
        if channel.io_error.is_some() {
            last_error = Some(channel.what_is_wrong());
        }
        if channel.is_running() && channel.is_receiving() {
            // A thread runs until it reaches the event on which it will fail, and a source may still refuse.
            let now = server.budget().elapsed();
            let is_idle = channel.has_applied_all();
            match seen_running {
                Some(until) if is_idle || now >= until => return Ok(Some(Ok(channel))),
                Some(_) => {}
                None => seen_running = Some(now + if is_idle { PAUSE } else { SECOND_LOOK }),
            }
            server.budget().pause(PAUSE);
            return Ok(None);
        }
        // A stopped thread with an error stays so; a connecting one may yet succeed.
        let has_failed = (channel.io == IoThread::No && channel.io_error.is_some())
            || (!channel.sql_running && channel.sql_error.is_some());
        let is_late = server.budget().elapsed() >= deadline || !server.budget().pause(PAUSE);
        if has_failed || is_late {
            return Ok(Some(Err(last_error.take().unwrap_or_else(|| channel.what_is_wrong()))));
        }
        Ok(None)
    })
}

/// Starts what is stopped and checks that it runs. Whether `source` `can_send` is asked only if a start would discard
/// something, and in a dry run, which can check only that.
pub fn ensure_running(
    server: &mut Server,
    channel: &Channel,
    source: &str,
    can_send: impl FnOnce(&mut Server, &Channel) -> Sends,
) -> Result<(), Error> {
    if channel.is_running() || takes_out("start-again") {
        return Ok(());
    }
    let is_asked = channel.would_discard() || report::is_dry_run();
    let sends = if is_asked { can_send(server, channel) } else { Ok(()) };
    let answers = sends.is_ok();
    check_backlog(server.host(), channel, source, sends)?;
    log::info!("{} from {source}: {}", channel.title(), channel.what_is_wrong());
    let has_stopped = channel.io == IoThread::No || !channel.sql_running;
    if has_stopped {
        report::plan(format_args!("start replication from {source}"), channel.what_is_wrong());
        start(server, &channel.name)?;
    }
    // An I/O thread that found no source sleeps for a minute before it tries again.
    if channel.io == IoThread::Connecting && channel.has_lost_source() {
        let now = channel::again(server, &channel.name)?;
        report::plan(format_args!("connect to {source} now"), now.what_is_wrong());
        fetch_again(server, &now)?;
    }
    let seen = match until_running(server, &channel.name)? {
        Ok(_) if !answers => Err(format!("{source} does not answer")),
        Ok(now) if report::is_dry_run() && now.has_failed_on_data() => Err(now.what_is_wrong()),
        seen => seen,
    };
    let Err(reason) = seen else {
        if has_stopped {
            event::note(|| Change::ReplicationStarted { source: source.into() });
        }
        return Ok(());
    };
    let has_lost_source = channel::again(server, &channel.name).is_ok_and(|now| now.has_lost_source());
    let consequence = if report::is_dry_run() {
        "a dry run started nothing".to_string()
    } else if has_lost_source {
        format!(
            "its threads were told to start: start the server of {source}, or open its port; the I/O thread tries again \
             by itself"
        )
    } else {
        "its threads were told to start".into()
    };
    let failure =
        Refusal::DoesNotStart { host: server.host().into(), new: source.into(), reason, consequence };
    if interrupt::is_requested() {
        return Err(interrupted(server, channel, &failure.into(), |_, _| silent()));
    }
    Err(failure.into())
}

/// Starts the threads that ran when the channel was `found`, and stops the others, unless a start would lose something.
pub fn leave_as_found(
    server: &mut Server,
    found: &Channel,
    can_send: impl FnOnce(&mut Server, &Channel) -> Sends,
) -> Result<(), Error> {
    server.use_budget(server.budget().uninterrupted());
    let now = channel::again(server, &found.name)?;
    let fetching = |channel: &Channel| channel.io != IoThread::No;
    if fetching(found) && !fetching(&now) && now.would_discard() {
        let can_send = can_send(server, &now);
        check_backlog(server.host(), &now, &found.source(), can_send)?;
    }
    for (thread, ran, runs) in
        [(Threads::Io, fetching(found), fetching(&now)), (Threads::Sql, found.sql_running, now.sql_running)]
    {
        let dialect = server.dialect();
        match (ran, runs) {
            (true, false) => server.execute(&dialect.start(&found.name, thread))?,
            (false, true) if thread == Threads::Io => stop_fetching(server, &found.name)?,
            (false, true) => server.execute(&dialect.stop(&found.name, thread))?,
            _ => {}
        }
    }
    Ok(())
}

/// Leaves a channel as it was found after an interrupt, and reports that instead of the result of the wait.
pub fn interrupted(
    server: &mut Server,
    found: &Channel,
    waited_for: &Error,
    can_send: impl FnOnce(&mut Server, &Channel) -> Sends,
) -> Error {
    log::info!("interrupted: {waited_for}");
    let (host, source) = (server.host().to_string(), found.source());
    let state = match leave_as_found(server, found, can_send) {
        Ok(()) => {
            format!("replication on {host} from {source} was left as it was found: {}", found.what_is_wrong())
        }
        Err(error) => format!("replication on {host} from {source} may not be as it was found: {error}"),
    };
    Refusal::Interrupted { state }.into()
}
