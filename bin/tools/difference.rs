//! `mmm_difference A B`: which transactions has host A executed that host B has not?
//!
//! The order of work: read the configuration, ask both servers what they have, read from A's log what B lacks, count
//! what A lacks, and say what can be done (`advice`). Nothing is changed on any server.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::{self, Write};
use std::panic::{self, AssertUnwindSafe};
use std::process::ExitCode;

use mmm_core::config::{self, Config, Host};
use mmm_core::report::Format;
use mmm_core::settings::Settings;
use mmm_core::{Budget, Coded, escape};
use mmm_replication::binlog::logged::Logged;
use mmm_replication::binlog::stream::Reader;
use mmm_replication::difference::{self, Method, Plan, Side, Transaction, Trouble};
use mmm_replication::position::BinlogPosition;
use mmm_replication::status::{Channel, IoThread, Mode};
use mmm_replication::{Error, Server, Told};

mod advice;
mod arguments;
mod report;
mod screen;

use arguments::Arguments;
pub use arguments::command;
use report::{Code, HostRow, List, Origin, Outcome, Report, Saved};

use crate::{options, product, terminal};

/// The whole of the program.
pub fn run(words: impl IntoIterator<Item = OsString>) -> ExitCode {
    let arguments = match Arguments::read(words) {
        Ok(arguments) => arguments,
        Err(error) => return options::not_run(&error, Outcome::Unknown.exit_code()),
    };
    let budget = Budget::start(Some(arguments.timeout));
    let report = panic::catch_unwind(AssertUnwindSafe(|| examine(&arguments, budget)));
    let mut report = report.unwrap_or_else(|_| {
        empty(&arguments).failed(Code::DifferenceFailed, "an internal error; stderr says where")
    });
    report.milliseconds = budget.elapsed().as_secs_f64() * 1000.0;
    report.exit_code = report.result.exit_code();
    let text = match arguments.format {
        Format::Text => screen::draw(&report),
        Format::Json => escape::json(&report, true).unwrap_or_default() + "\n",
        Format::Yaml => escape::yaml(&report).unwrap_or_default(),
    };
    if let Err(error) = terminal::deliver(&text, &mut io::stdout().lock()) {
        // If this fails, too, nothing can be done.
        let _ = writeln!(
            io::stderr(),
            "mmm_difference: the answer could not be written to stdout: {error}; is the disk there full?"
        );
        return ExitCode::from(Outcome::Unknown.exit_code());
    }
    ExitCode::from(report.exit_code)
}

fn empty(arguments: &Arguments) -> Report {
    Report::new(&arguments.config, &arguments.from, &arguments.to)
}

fn examine(arguments: &Arguments, budget: Budget) -> Report {
    let mut report = empty(arguments);
    let settings = match Settings::load() {
        Ok(settings) => settings,
        Err(error) => return report.failed(error.code(), &error.to_string()),
    };
    let (config, _) = config::examine(&arguments.config);
    let config = match config.and_then(|mut config| config.adopt(&settings).map(|()| config)) {
        Ok(config) => config,
        Err(error) => return report.failed(error.code(), &error.to_string()),
    };
    report.host = Some(config.this().to_string());
    let (Some(from), Some(to)) = (config.host(&arguments.from), config.host(&arguments.to)) else {
        let unknown = if config.host(&arguments.from).is_none() { &arguments.from } else { &arguments.to };
        let known = config.hosts().iter().map(|host| host.name.as_str()).collect::<Vec<_>>().join(", ");
        let text = format!("'{unknown}' is not a host of {}; the hosts are {known}", arguments.config);
        return report.failed(Code::UnknownHost, &text);
    };
    if from.name == to.name {
        return report.failed(Code::UnknownHost, "A and B are the same host; name two different hosts");
    }
    if let Some(file) = arguments.save.as_ref().filter(|file| file.symlink_metadata().is_ok()) {
        let text = format!("{} is there already and stays as it is; name another file", file.display());
        return report.failed(Code::SaveFailed, &text);
    }
    let pair = Pair { config: &config, from, to, settings: &settings, budget };
    match pair.compare(arguments, &mut report) {
        Ok(()) => report,
        Err(Trouble::Server(error)) => report.failed(error.code(), &explained(&error)),
        Err(trouble @ Trouble::Save { .. }) => report.failed(Code::SaveFailed, &trouble.to_string()),
    }
}

/// What to do about an error differs from what a helper's caller does.
fn explained(error: &Error) -> String {
    let mut text = error.to_string();
    if let Error::Connect { .. } = error {
        text += "; start that server, open its port, or correct the account (mmm_preflight says more), and ask again";
    }
    text.replace("run it by hand with --wait forever", "raise --timeout")
}

/// The two hosts, and what is needed to ask them.
struct Pair<'c> {
    config: &'c Config,
    from: &'c Host,
    to: &'c Host,
    settings: &'c Settings,
    budget: Budget,
}

impl Pair<'_> {
    fn connect(&self, host: &Host) -> Result<Server, Error> {
        Server::connect(host, self.settings.limits.connect, self.budget)
    }

    fn reader<'h>(&self, host: &'h Host) -> Reader<'h> {
        Reader::new(host, self.settings.limits.connect, self.budget)
    }

    fn compare(&self, arguments: &Arguments, report: &mut Report) -> Result<(), Trouble> {
        let (mut one, mut other) = (self.connect(self.from)?, self.connect(self.to)?);
        // In this order, so that what the second host gets meanwhile does not count as missing there.
        let (side, other_side) = (difference::look(&mut one)?, difference::look(&mut other)?);
        report.from = row(self.from, &side);
        report.to = row(self.to, &other_side);
        let of_rest = notes_of_rest(&other_side);
        report.notes = notes(&side);
        report.notes.extend_from_slice(&of_rest);
        let mut from = Logged { server: &mut one, reader: self.reader(self.from), notes: None };
        let mut to = Logged { server: &mut other, reader: self.reader(self.to), notes: None };
        let is_here = |host: &Host| host.name == *self.config.this();
        let plan = difference::compare((&mut from, &side), (&mut to, &other_side), is_here(self.to))?;
        let plan = match plan {
            Ok(plan) => plan,
            Err(why) => {
                report.error =
                    Some(report::Failure { code: Code::CannotTell.into(), text: escape::words(&why) });
                return Ok(());
            }
        };
        let (origins, mut list, limit) =
            (Origins::of(self.config, &side, &other_side), List::default(), arguments.limit);
        let (mut count, mut furthest) = (0, None);
        let found = plan.read(&from.reader, limit, arguments.save.as_deref(), |transaction| {
            list.add(transaction, count < limit, |transaction| origins.of_transaction(transaction));
            count += 1;
            furthest = Some(BinlogPosition::new(&transaction.file, transaction.begin));
        })?;
        fill(report, &plan, &found, list);
        if report.result == Outcome::NothingMissing {
            report.notes.retain(|note| !of_rest.contains(note));
        }
        if report.result == Outcome::Missing {
            let back = difference::compare((&mut to, &other_side), (&mut from, &side), is_here(self.from));
            count_reverse(report, &to.reader, back);
        }
        report.advice = advice::all(&advice::Situation {
            config: self.config,
            from: self.from,
            to: self.to,
            side: &side,
            other_side: &other_side,
            report,
            largest: found.largest,
            is_followed: self.follows(&other_side, self.from).is_some(),
            will_come: furthest.is_some_and(|last| self.will_come(&other_side, &last)),
        });
        Ok(())
    }

    /// The channel by which a host replicates from `source`.
    fn follows<'s>(&self, side: &'s Side, source: &Host) -> Option<&'s Channel> {
        side.channels.iter().find(|channel| {
            let host = self.config.host_at(&channel.source_host, channel.source_port);
            matches!(host, Ok(Some(host)) if host.name == source.name)
        })
    }

    /// True if the second host replicates from the first, and has not executed its log up to `last`: it gets what is
    /// missing there by itself.
    fn will_come(&self, other: &Side, last: &BinlogPosition) -> bool {
        let Some(channel) = self.follows(other, self.from) else { return false };
        // By MySQL's GTIDs, the source sends all that is missing, wherever it is in its log.
        channel.mode == Mode::AutoPosition
            || channel.executed().is_none_or(|executed| executed == last || !executed.has_reached(last))
    }
}

/// Counts what the second host has and the first lacks. If that fails, the answer still stands.
fn count_reverse(report: &mut Report, reader: &Reader, plan: Told<Plan>) {
    let counted = match plan {
        Ok(Ok(Plan { count: Some(count), .. })) => Ok(count),
        Ok(Ok(plan)) => match plan.read(reader, 0, None, |_| ()) {
            Ok(found) => Ok(found.transactions),
            Err(trouble) => Err(trouble.to_string()),
        },
        Ok(Err(why)) => Err(why),
        Err(error) => Err(explained(&error)),
    };
    match counted {
        Ok(count) => report.reverse.transactions = Some(count),
        Err(why) => report.reverse.error = Some(escape::words(&why)),
    }
}

fn row(host: &Host, side: &Side) -> HostRow {
    let family = product::family(side.flavour);
    let version = side.version.split('-').next().unwrap_or_default();
    HostRow {
        name: host.name.to_string(),
        address: Some(format!("{}:{}", host.ip, host.mysql_port)),
        product: Some(format!("{family} {}", escape::words(version))),
        server_id: Some(side.server_id),
        read_only: Some(side.read_only),
    }
}

/// What the answer does not cover, or what may change it in a moment.
fn notes(side: &Side) -> Vec<String> {
    let mut notes = Vec::new();
    let host = &side.host;
    if !side.logs {
        notes.push(format!(
            "{host} keeps no binary log: nothing of what it has executed can be shown or saved"
        ));
    } else if !side.logs_updates {
        notes.push(format!("{host} does not log what it replicates: nothing of that can be shown or saved"));
    }
    for channel in &side.channels {
        if let Some(fetched) = channel.fetched.as_ref().filter(|_| channel.fetched != channel.applied) {
            let applied = channel.applied.as_ref().map_or("nothing".into(), ToString::to_string);
            notes.push(format!(
                "{host} has fetched the log of {} up to {fetched} and executed up to {applied}: the rest is in its \
                 relay log, and not in this comparison",
                channel.source()
            ));
        }
    }
    notes.iter().map(|note| escape::words(note)).collect()
}

/// What may make an end of what is missing on the second host.
fn notes_of_rest(other: &Side) -> Vec<String> {
    let mut notes = Vec::new();
    for channel in &other.channels {
        let has_rest = channel.fetched.is_some() && channel.fetched != channel.applied;
        if has_rest && !channel.sql_running {
            notes.push(format!(
                "{} has fetched more of the log of {} than it has executed: what is missing may be in its relay log",
                other.host,
                channel.source()
            ));
        }
        if channel.io == IoThread::Yes && channel.sql_running {
            notes.push(format!(
                "{} replicates from {}: what is missing may be on its way; look again",
                other.host,
                channel.source()
            ));
        }
    }
    notes.iter().map(|note| escape::words(note)).collect()
}

fn fill(report: &mut Report, plan: &Plan, found: &difference::Found, list: List) {
    report.method = Some(match plan.method {
        Method::Gtid => "gtid",
        Method::Content => "content",
    });
    let missing = &mut report.missing;
    let is_whole = plan.purged.is_none() && plan.unlogged.is_none();
    missing.transactions = plan.count.or((is_whole && plan.since.is_none()).then_some(found.transactions));
    (missing.in_log, missing.bytes) = (found.transactions, found.bytes);
    missing.gtids = (plan.method == Method::Gtid).then(|| plan.gtids.clone());
    (missing.purged, missing.unlogged) = (plan.purged.clone(), plan.unlogged.clone());
    (missing.first, missing.last) = list.times();
    missing.tables = list.tables();
    let is_missing = found.transactions > 0 || !is_whole || plan.count.is_some_and(|count| count > 0);
    report.result = if is_missing { Outcome::Missing } else { Outcome::NothingMissing };
    if let Some(since) = plan.since {
        report.notes.push(format!(
            "no position in one log shows what the other host has: the logs were compared as a whole, but only what was \
             written since {}, as far back as both go",
            difference::utc(since)
        ));
    }
    report.saved = found.saved.as_ref().map(|(path, bytes)| Saved {
        file: path.display().to_string(),
        bytes: *bytes,
        transactions: found.transactions,
    });
    report.transactions = list.rows;
}

/// Which configured host a server id or a UUID is.
struct Origins {
    by_id: BTreeMap<u64, String>,
    by_uuid: BTreeMap<String, String>,
}

impl Origins {
    fn of(config: &Config, side: &Side, other: &Side) -> Self {
        let (mut by_id, mut by_uuid) = (BTreeMap::new(), BTreeMap::new());
        for side in [side, other] {
            by_id.insert(side.server_id, side.host.clone());
            by_uuid.insert(side.uuid.clone(), side.host.clone());
        }
        for channel in side.channels.iter().chain(&other.channels) {
            // A source that is named otherwise there stays a number.
            if let Ok(Some(source)) = config.host_at(&channel.source_host, channel.source_port) {
                by_id.entry(channel.source_server_id).or_insert_with(|| source.name.to_string());
                let uuid = channel.source_uuid.to_ascii_lowercase();
                by_uuid.entry(uuid).or_insert_with(|| source.name.to_string());
            }
        }
        by_id.remove(&0);
        by_uuid.remove("");
        Self { by_id, by_uuid }
    }

    fn of_transaction(&self, transaction: &Transaction) -> Origin {
        let uuid =
            transaction.gtid.as_ref().and_then(|gtid| gtid.split_once(':')).map(|(uuid, _)| uuid.to_string());
        let by_uuid = uuid.as_ref().and_then(|uuid| self.by_uuid.get(uuid));
        let host = by_uuid.or_else(|| self.by_id.get(&transaction.server_id.into())).cloned();
        Origin { server_id: transaction.server_id, uuid, host }
    }
}
