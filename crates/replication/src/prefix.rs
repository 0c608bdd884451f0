//! Looking through a MySQL server's binary log: where do the groups of a set end, and who wrote in it?
//!
//! Read as replicas get it, from the last file whose `Previous_gtids` are all in the set. `Prefix` does the thinking
//! without a server.

use crate::binlog::event::kind;
use crate::difference::transaction::Id;
use crate::error::Error;
use crate::gtid_set::GtidSet;
use crate::history::{FIRST_EVENT, Located, Log, Seen, each_seen, last_that_begins, log_files, page};
use crate::position::BinlogPosition;
use crate::record::Record;
use crate::server::Server;

/// Enough events to see what a file begins with.
const FIRST_EVENTS: usize = 4;
/// Events that every file has, whoever wrote in it.
const OF_THE_FILE: [&str; 7] =
    ["Format_desc", "Previous_gtids", "Rotate", "Stop", "Gtid_list", "Binlog_checkpoint", "Start_encryption"];

/// Finds the end of the groups that are in `set`; behind what was found `earlier`, where that is of a part of the set.
pub fn locate(log: &mut Log, set: &GtidSet, earlier: Option<&Located>) -> Result<Located, Error> {
    let files = log_files(log.server)?;
    if let Some(Located::Prefix { of, position, before }) = earlier
        && of.is_within(set)
        && let Some(first) = files.iter().position(|file| *file == position.file)
    {
        return read_on(log, &files[first..], position, Prefix::new(set, before.clone()));
    }
    let lies_before = |file: &str| {
        let previous = previous_gtids(log.server, file)?;
        Ok(previous.is_within(set).then_some(previous))
    };
    let Some((first, before)) = last_that_begins(&files, lies_before)? else {
        let oldest = files.first().cloned().unwrap_or_default();
        let gone = previous_gtids(log.server, &oldest)?.without(set);
        return Ok(Located::PurgedOfSet { of: set.clone(), gone });
    };
    let begin = BinlogPosition::new(&files[first], FIRST_EVENT);
    read_on(log, &files[first..], &begin, Prefix::new(set, before))
}

/// Reads these files, the first from `begin` on.
fn read_on(
    log: &mut Log,
    files: &[String],
    begin: &BinlogPosition,
    mut prefix: Prefix,
) -> Result<Located, Error> {
    prefix.end = begin.clone();
    for file in files.iter().skip_while(|file| **file != begin.file) {
        let from = if *file == begin.file { begin.offset } else { FIRST_EVENT };
        let place = BinlogPosition::new(file, from);
        if each_seen(log, &place, "the replica's place", |seen| prefix.seen(file, seen))? {
            break;
        }
    }
    Ok(prefix.finish())
}

/// True of an event that this server wrote itself.
pub(crate) fn is_of(row: &Record, server_id: Option<u64>) -> bool {
    row.number("Server_id") == server_id && !is_of_the_file(row)
}

/// True of an event that every file has, whoever wrote in it.
pub(crate) fn is_of_the_file(row: &Record) -> bool {
    OF_THE_FILE.contains(&row.text("Event_type"))
}

/// What was logged before a file.
pub(crate) fn previous_gtids(server: &mut Server, file: &str) -> Result<GtidSet, Error> {
    let rows = page(server, file, FIRST_EVENT, FIRST_EVENTS)?;
    let previous = rows.iter().find(|row| row.text("Event_type") == "Previous_gtids");
    previous
        .map_or("", |row| row.text("Info"))
        .parse()
        .map_err(|_| server.unexpected("SHOW BINLOG EVENTS", "readable Previous_gtids"))
}

/// The groups that are read, as long as they are in the set.
#[derive(Debug)]
struct Prefix<'s> {
    of: &'s GtidSet,
    before: GtidSet,
    end: BinlogPosition,
    unnamed: Option<BinlogPosition>,
}

impl<'s> Prefix<'s> {
    fn new(of: &'s GtidSet, before: GtidSet) -> Self {
        Self { of, before, end: BinlogPosition::new("", 0), unnamed: None }
    }

    /// True where nothing further needs to be read.
    fn seen(&mut self, file: &str, seen: &Seen) -> bool {
        match seen {
            Seen::Row(row) => self.event(file, row),
            Seen::Event(event, sent) => {
                let what = match event.kind {
                    kind::ANONYMOUS_GTID => What::Unnamed,
                    kind::GTID | kind::TAGGED_GTID => match Id::read(event, || sent.read().ok()) {
                        Some(Id::MySql(source, number)) => What::Group(Some((source, number))),
                        _ => What::Group(None),
                    },
                    kind::ROTATE | kind::STOP => What::End,
                    _ => What::Other,
                };
                self.take(file, what, event.end.saturating_sub(u64::from(sent.size)), event.end)
            }
        }
    }

    fn event(&mut self, file: &str, row: &Record) -> bool {
        let what = match row.text("Event_type") {
            "Anonymous_Gtid" => What::Unnamed,
            // `Gtid`, and for tagged ones `Gtid_tagged`.
            kind if kind.starts_with("Gtid") => What::Group(gtid_of(row)),
            "Rotate" | "Stop" => What::End,
            _ => What::Other,
        };
        let place = |column| row.number(column).unwrap_or(FIRST_EVENT);
        self.take(file, what, place("Pos"), place("End_log_pos"))
    }

    fn take(&mut self, file: &str, what: What, begin: u64, end: u64) -> bool {
        match what {
            What::Unnamed => {
                self.unnamed = Some(BinlogPosition::new(file, begin));
                return true;
            }
            What::Group(group) => match group {
                Some((source, number)) if self.of.has(&source, number) => {
                    self.before.add(&source, number, number);
                }
                _ => {
                    self.end = BinlogPosition::new(file, begin);
                    return true;
                }
            },
            // Behind it nothing can be read on in this file.
            What::End => return false,
            What::Other => {}
        }
        if self.end.file != file {
            self.end.file = file.into();
        }
        self.end.offset = end;
        false
    }

    fn finish(self) -> Located {
        match self.unnamed {
            Some(place) => Located::Unnamed(place),
            None => Located::Prefix { of: self.of.clone(), position: self.end, before: self.before },
        }
    }
}

/// What an event is to a prefix.
enum What {
    /// A group begins; an unreadable one is in no set, and nothing goes on behind it.
    Group(Option<(String, u64)>),
    /// A group without a GTID begins.
    Unnamed,
    /// The file ends.
    End,
    /// Anything else.
    Other,
}

/// `SET @@SESSION.GTID_NEXT= 'uuid:5'`, of tagged ones `'uuid:tag:5'`.
fn gtid_of(row: &Record) -> Option<(String, u64)> {
    let (source, number) = row.text("Info").split('\'').nth(1)?.rsplit_once(':')?;
    Some((source.to_ascii_lowercase(), number.parse().ok()?))
}

/// A log given as GTIDs alone, searched as a server's log would be: for the property tests of planning.
#[cfg(test)]
pub(crate) fn locate_in(log: &[String], set: &GtidSet) -> Located {
    let mut prefix = Prefix::new(set, GtidSet::default());
    prefix.end = BinlogPosition::new("bin.000001", 0);
    for (index, gtid) in log.iter().enumerate() {
        let row = Record::from_iter([
            ("Event_type", "Gtid".to_string()),
            ("Info", format!("SET @@SESSION.GTID_NEXT= '{gtid}'")),
            ("Pos", index.to_string()),
            ("End_log_pos", (index + 1).to_string()),
        ]);
        if prefix.event("bin.000001", &row) {
            break;
        }
    }
    prefix.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: &str = "3e11fa47-71ca-11e1-9e33-c80aa9429562";
    const B: &str = "4e11fa47-71ca-11e1-9e33-c80aa9429562";

    /// A log as text: `a5` is a group of server A, `x` one without a GTID, `R` a rotation. Groups are 100 bytes.
    fn read(set: &str, log: &str) -> (String, String) {
        let named = |text: &str| text.replace('a', A).replace('b', B);
        let set: GtidSet = named(set).parse().unwrap();
        let mut prefix = Prefix::new(&set, GtidSet::default());
        let (mut file, mut pos) = (1, 4);
        for word in log.split_whitespace() {
            let name = format!("bin.{file:06}");
            let mut is_done = false;
            let mut row = |kind: &str, info: String, size: u64| {
                let row = Record::from_iter([
                    ("Event_type", kind.to_string()),
                    ("Info", info),
                    ("Pos", pos.to_string()),
                    ("End_log_pos", (pos + size).to_string()),
                ]);
                pos += size;
                is_done = is_done || prefix.event(&name, &row);
            };
            match word {
                "R" => {
                    row("Rotate", String::new(), 40);
                    (file, pos) = (file + 1, 4);
                }
                "x" => row("Anonymous_Gtid", "SET @@SESSION.GTID_NEXT= 'ANONYMOUS'".into(), 60),
                group => {
                    let (source, number) = group.split_at(1);
                    row("Gtid", format!("SET @@SESSION.GTID_NEXT= '{}:{number}'", named(source)), 60);
                    row("Xid", "COMMIT /* xid=1 */".into(), 40);
                }
            }
            if is_done {
                break;
            }
        }
        match prefix.finish() {
            Located::Prefix { position, before, .. } => {
                (position.to_string(), before.to_string().replace(A, "a").replace(B, "b"))
            }
            other => (format!("{other:?}"), String::new()),
        }
    }

    #[test]
    fn the_place_is_before_the_first_group_that_is_not_in_the_set() {
        for (set, log, place, before) in [
            ("a:1-2", "a1 a2 b1 a3", "bin.000001:204", "a:1-2"),
            ("a:1-2,b:1", "a1 b1 a2", "bin.000001:304", "a:1-2,b:1"),
            ("a:1-2", "a1 a2 R b1", "bin.000002:4", "a:1-2"),
            ("a:1-2", "a1 a2 R", "bin.000001:204", "a:1-2"),
            ("a:1-3", "a1 b1 a2 a3", "bin.000001:104", "a:1"),
        ] {
            assert_eq!(read(set, log), (place.to_string(), before.to_string()), "{set} in {log}");
        }
    }

    #[test]
    fn a_group_without_a_gtid_is_not_passed() {
        assert!(read("a:1-2", "a1 x a2").0.starts_with("Unnamed"));
        assert_eq!(read("a:1", "a1 b1 x").0, "bin.000001:104", "behind the place it does not matter");
    }
}
