//! Which transactions has one server executed that another has not?
//!
//! Told by their global ids, where both servers write them, else by what is in them. [`look`] asks a server what it has,
//! [`compare`] finds out which files of the log hold what the other lacks, and [`Plan::read`] reads these. Nothing is
//! changed on any server. What is read is told to the caller transaction by transaction and not kept.

mod by_content;
mod by_gtid;
pub mod left_behind;
mod rows;
mod save;
mod statement;
pub(crate) mod transaction;

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use mysql::binlog::events;

use crate::binlog::by_gtid::oldest_known;
use crate::binlog::end::log_rule;
use crate::binlog::event::{Event, kind};
use crate::binlog::files::FIRST_EVENT;
use crate::binlog::id::Id;
use crate::binlog::logged::Logged;
use crate::binlog::stream::{Reader, Start};
use crate::channel;
use crate::difference::transaction::{Bounds, Part, Summary};
use crate::error::Error;
use crate::facts::OwnLog;
use crate::gtid::{GtidPosition, GtidSet, GtidState};
use crate::record::Record;
use crate::server::Server;
use crate::server::dialect::Flavour;
use crate::status::Channel;

pub use save::LogFile;
pub use transaction::{Statement, Table, Transaction};

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
    /// As it names it.
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
    /// True where it also logs what it replicates, and leaves nothing out.
    pub logs_updates: bool,
    /// Whom it replicates from.
    pub channels: Vec<Channel>,
    known: Known,
}

/// What a server has executed.
#[derive(Clone, Debug)]
enum Known {
    /// MySQL's, by GTID.
    Sets { executed: GtidSet, purged: GtidSet },
    /// MariaDB's.
    States { log: OwnLog, replicated: GtidPosition },
    /// MySQL's without GTIDs: only its log tells.
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
        read_only: variables.is_on("read_only"),
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

/// How transactions are told apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// By their global ids.
    Gtid,
    /// By what is in them.
    Content,
}

/// Where the difference lies.
#[derive(Clone, Debug)]
pub struct Plan {
    /// How it was found.
    pub method: Method,
    /// What is missing, by GTID, for a person; empty where nothing is, or where there are none.
    pub gtids: String,
    /// How many transactions that are, where it is known before the log was read.
    pub count: Option<u64>,
    /// Missing, and purged from the log.
    pub purged: Option<String>,
    /// Executed, and perhaps missing, but never logged.
    pub unlogged: Option<String>,
    /// From when on the logs were compared, in seconds since 1970; `None` where all was.
    pub since: Option<u32>,
    /// The files to read, with their place among all.
    files: Vec<(usize, String)>,
    wanted: Wanted,
    skip: Skip,
}

/// What the server need not send.
#[derive(Clone, Debug)]
enum Skip {
    /// It has to send all.
    Nothing,
    /// What lies before this offset of the first file.
    Before(u64),
    /// MySQL: these.
    Set(GtidSet),
    /// MariaDB: what lies before this place in the first file, if the place is there.
    UpTo(GtidPosition),
}

impl Skip {
    fn start(&self, is_first: bool) -> Start<'_> {
        match self {
            Self::Set(set) => Start::Without(set),
            Self::Before(offset) if is_first => Start::At(*offset),
            Self::UpTo(position) if is_first => Start::Behind(position),
            _ => Start::First,
        }
    }
}

/// A file's place among all, and an offset in it.
type Place = (usize, u64);

/// What is looked for in the files. What was executed since that was found out is left out: the other may have got it.
#[derive(Clone, Debug)]
enum Wanted {
    /// All that is in this set.
    InSet(GtidSet),
    /// All of this state that the other has not.
    NotOf { of: GtidState, other: by_gtid::Has },
    /// All between these places but what this server wrote.
    Between { begin: Place, end: Place, but: u32 },
    /// What begins at these places.
    At(BTreeSet<Place>),
}

impl Wanted {
    fn is(&self, place: Place, event: &Event, id: Option<&Id>) -> bool {
        match (self, id) {
            (Self::InSet(set), Some(Id::MySql(source, number))) => set.has(source, *number),
            (Self::NotOf { of, other }, Some(Id::MariaDb(gtid))) => of.includes(*gtid) && !other.has(*gtid),
            (Self::InSet(_) | Self::NotOf { .. }, _) => false,
            (Self::Between { begin, end, but }, _) => {
                (*begin..*end).contains(&place) && event.server_id != *but
            }
            (Self::At(places), _) => places.contains(&place),
        }
    }
}

/// Finds out where in the log of the first server that lies which the other lacks; else why that cannot be told.
/// `other_is_here` says that the other is this host's, so that its relay log can be read.
pub fn compare(
    (one, side): (&mut Logged, &Side),
    (other, other_side): (&mut Logged, &Side),
    other_is_here: bool,
) -> Result<Result<Plan, String>, Error> {
    match (&side.known, &other_side.known) {
        _ if side.flavour != other_side.flavour => Ok(Err(format!(
            "{} is MariaDB or MySQL, and {} the other: their logs cannot be compared",
            side.host, other_side.host
        ))),
        (Known::Sets { executed, purged }, Known::Sets { executed: theirs, .. }) => {
            by_gtid::of_sets(one.server, side, executed, purged, theirs).map(Ok)
        }
        (Known::States { log, replicated }, Known::States { .. }) => {
            by_gtid::of_states(one.server, side, log, replicated, other_side).map(Ok)
        }
        _ => by_content::find((one, side), (other, other_side), other_is_here),
    }
}

/// What reading has come to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// Transactions.
    pub transactions: u64,
    /// Bytes of them.
    pub bytes: u64,
    /// Bytes of the largest.
    pub largest: u64,
    /// The file that they were saved in, and its length.
    pub saved: Option<(PathBuf, u64)>,
}

/// Why reading came to nothing.
#[derive(Debug, thiserror::Error)]
pub enum Trouble {
    /// The server.
    #[error(transparent)]
    Server(#[from] Error),
    /// The file.
    #[error("{} cannot be written: {source}", .path.display())]
    Save {
        /// Its name.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
}

impl Plan {
    /// Reads what is missing, shows it to `see`, and saves it where `save` says. Beyond the first `listed` transactions,
    /// their statements are passed over.
    pub fn read(
        &self,
        reader: &Reader,
        listed: u64,
        save: Option<&Path>,
        see: impl FnMut(&Transaction),
    ) -> Result<Found, Trouble> {
        let mut reading = Reading {
            wanted: &self.wanted,
            listed,
            save,
            see,
            file: (0, ""),
            format: None,
            bounds: Bounds::default(),
            is_open: false,
            end: FIRST_EVENT,
            summary: Summary::default(),
            saved: None,
            found: Found::default(),
        };
        for (number, (index, name)) in self.files.iter().enumerate() {
            reading.file = (*index, name);
            let mut failed = None;
            let mut each = |start| {
                reader.each_until(name, start, |event, sent| {
                    failed = sent.read().and_then(|sent| reading.event(event, &sent)).err();
                    failed.is_some()
                })
            };
            let start = self.skip.start(number == 0);
            match each(start) {
                Ok(true) => {}
                // The place is in another file, or nowhere: the server refuses that before it sends anything.
                Ok(false) | Err(Error::Query { .. }) if matches!(start, Start::Behind(_)) => {
                    each(Start::First)?;
                }
                other => {
                    other?;
                }
            }
            failed.map_or_else(|| reading.forget(), Err).map_err(|source| trouble(save, source))?;
        }
        reading.finish().map_err(|source| trouble(save, source))
    }
}

/// Seconds since 1970, in UTC.
pub fn utc(seconds: u32) -> String {
    Timestamp::from_second(seconds.into()).map_or_else(|_| seconds.to_string(), |time| time.to_string())
}

fn trouble(save: Option<&Path>, source: io::Error) -> Trouble {
    Trouble::Save { path: save.unwrap_or(Path::new("")).into(), source }
}

/// The reading of some files.
struct Reading<'p, S> {
    wanted: &'p Wanted,
    listed: u64,
    save: Option<&'p Path>,
    see: S,
    /// The file's place among all, and its name.
    file: (usize, &'p str),
    /// Its first event.
    format: Option<events::Event>,
    bounds: Bounds,
    /// True within a transaction that is wanted.
    is_open: bool,
    /// Where the event before ended.
    end: u64,
    summary: Summary,
    saved: Option<LogFile>,
    found: Found,
}

impl<S: FnMut(&Transaction)> Reading<'_, S> {
    fn event(&mut self, event: &Event, sent: &events::Event) -> io::Result<()> {
        let before = std::mem::replace(&mut self.end, event.end);
        let is_last = match self.bounds.event(event) {
            Part::OfFile => {
                self.forget()?;
                if event.kind == kind::FORMAT_DESCRIPTION {
                    self.format = Some(sent.clone());
                }
                return Ok(());
            }
            Part::First(is_last) => {
                if self.is_open {
                    self.complete(before);
                }
                self.begin(event, sent)?;
                is_last
            }
            Part::Next(is_last) => is_last,
        };
        if self.is_open {
            self.summary.event(event, sent);
            if let Some(file) = &mut self.saved {
                file.event(sent)?;
            }
            if is_last {
                self.complete(event.end);
            }
        }
        Ok(())
    }

    fn begin(&mut self, event: &Event, sent: &events::Event) -> io::Result<()> {
        let id = Id::of(event, sent);
        let begin = event.end.saturating_sub(sent.header().event_size().into());
        self.is_open = self.wanted.is((self.file.0, begin), event, id.as_ref());
        if !self.is_open {
            return Ok(());
        }
        let in_detail = self.found.transactions < self.listed;
        self.summary.begin(event, id.as_ref(), self.file.1, begin, in_detail);
        if let (None, Some(path)) = (&self.saved, self.save) {
            if self.format.is_none() {
                return Err(io::Error::other("the server does not say what its events are like"));
            }
            self.saved = Some(LogFile::create(path)?);
        }
        if let (Some(file), Some(format)) = (&mut self.saved, self.format.take()) {
            file.format(&format)?;
        }
        if let Some(file) = &mut self.saved {
            file.begin();
        }
        Ok(())
    }

    fn complete(&mut self, end: u64) {
        self.is_open = false;
        let transaction = self.summary.end(end);
        self.found.transactions += 1;
        self.found.bytes += transaction.bytes;
        self.found.largest = self.found.largest.max(transaction.bytes);
        (self.see)(&transaction);
    }

    /// A transaction that does not come to its end in its file was never committed.
    fn forget(&mut self) -> io::Result<()> {
        if std::mem::take(&mut self.is_open)
            && let Some(file) = &mut self.saved
        {
            file.forget()?;
        }
        self.bounds = Bounds::default();
        Ok(())
    }

    fn finish(mut self) -> io::Result<Found> {
        if let Some(file) = self.saved.take() {
            // Half a transaction was all.
            if self.found.transactions > 0 {
                let (path, bytes) = file.at();
                self.found.saved = Some((path.into(), bytes));
                file.finish()?;
            }
        }
        Ok(self.found)
    }
}
