//! Looking through a MySQL server's binary log: where do the groups of a set end, and who wrote in it?
//!
//! Read as replicas get it, from the last file whose `Previous_gtids` are all in the set. `Prefix` does the thinking
//! without a server.

use crate::binlog::event::kind;
use crate::binlog::files::{FIRST_EVENT, last_that_begins, log_files};
use crate::binlog::id::Id;
use crate::binlog::located::Located;
use crate::binlog::pages::page;
use crate::binlog::reading::{ByEvent, Log, Seen, read};
use crate::error::Error;
use crate::gtid::GtidSet;
use crate::note::value;
use crate::position::BinlogPosition;
use crate::record::Record;
use crate::server::Server;

/// Enough events to see what a file begins with.
const FIRST_EVENTS: usize = 4;

/// Finds the end of the groups that are in `set`; behind what was found `earlier`, where that is of a part of the set.
pub fn locate(log: &mut Log, set: &GtidSet, earlier: Option<&Located>) -> Result<Located, Error> {
    let files = log_files(log.server)?;
    if let Some(Located::Prefix { of, position, before }) = earlier
        && of.is_within(set)
        && files.contains(&position.file)
    {
        return read_on(log, &files, position, Prefix::new(set, before.clone()));
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
    read_on(log, &files, &begin, Prefix::new(set, before))
}

fn read_on(
    log: &mut Log,
    files: &[String],
    begin: &BinlogPosition,
    mut prefix: Prefix,
) -> Result<Located, Error> {
    read(log, files, begin, &mut prefix)?;
    Ok(prefix.finish())
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
#[derive(Clone, Debug)]
struct Prefix<'s> {
    of: &'s GtidSet,
    /// All groups that were read to their end.
    before: GtidSet,
    /// The one that is being read.
    group: Option<(String, u64)>,
    /// Where what was read ends, in the file that is being read.
    end: BinlogPosition,
    unnamed: Option<BinlogPosition>,
}

impl<'s> Prefix<'s> {
    fn new(of: &'s GtidSet, before: GtidSet) -> Self {
        Self { of, before, group: None, end: BinlogPosition::new("", 0), unnamed: None }
    }

    fn event(&mut self, row: &Record) -> bool {
        let what = match row.text("Event_type") {
            "Anonymous_Gtid" => What::Unnamed,
            // `Gtid`, and for tagged ones `Gtid_tagged`.
            kind if kind.starts_with("Gtid") => What::Group(gtid_of(row)),
            "Rotate" | "Stop" => What::End,
            _ => What::Other,
        };
        let place = |column| row.number(column).unwrap_or(FIRST_EVENT);
        self.take(what, place("Pos"), place("End_log_pos"))
    }

    fn take(&mut self, what: What, begin: u64, end: u64) -> bool {
        if !matches!(what, What::Other) {
            self.close_group();
        }
        match what {
            What::Unnamed => {
                self.unnamed = Some(BinlogPosition::new(&self.end.file, begin));
                return true;
            }
            What::Group(group) => match group {
                Some((source, number)) if self.of.has(&source, number) => {
                    self.group = Some((source, number));
                }
                _ => {
                    self.end.offset = begin;
                    return true;
                }
            },
            // Behind it nothing can be read on in this file.
            What::End => return false,
            What::Other => {}
        }
        self.end.offset = end;
        false
    }

    fn close_group(&mut self) {
        if let Some((source, number)) = self.group.take() {
            self.before.add(&source, number, number);
        }
    }

    fn finish(mut self) -> Located {
        self.close_group();
        match self.unnamed {
            Some(place) => Located::Unnamed(place),
            None => Located::Prefix { of: self.of.clone(), position: self.end, before: self.before },
        }
    }
}

impl ByEvent for Prefix<'_> {
    /// What was read before a place is of use for every set that holds it.
    fn key(&self) -> String {
        "set".into()
    }

    fn to_text(&self) -> String {
        format!("before={}", self.before)
    }

    fn resumed(&self, text: &str, place: &BinlogPosition) -> Option<Self> {
        let before: GtidSet = value(text, "before")?.parse().ok()?;
        let is_ahead = place.has_reached(&self.end) && before.is_within(self.of);
        is_ahead.then(|| Self::new(self.of, before))
    }

    fn open(&mut self, place: &BinlogPosition) {
        self.end.clone_from(place);
    }

    fn see(&mut self, seen: &Seen) -> bool {
        match seen {
            Seen::Row(row) => self.event(row),
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
                self.take(what, event.end.saturating_sub(u64::from(sent.size)), event.end)
            }
        }
    }

    fn close(&mut self) -> bool {
        self.close_group();
        false
    }

    fn wanted(&self) -> String {
        "the replica's place".into()
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
        if prefix.event(&row) {
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

    fn named(text: &str) -> String {
        text.replace('a', A).replace('b', B)
    }

    /// A log as text: `a5` is a group of server A, `x` one without a GTID, `R` a rotation. Groups are 100 bytes.
    fn rows(log: &str) -> Vec<(BinlogPosition, Record)> {
        let (mut file, mut pos, mut rows) = (1, 4, Vec::new());
        for word in log.split_whitespace() {
            let mut row = |kind: &str, info: String, size: u64| {
                let row = Record::from_iter([
                    ("Event_type", kind.to_string()),
                    ("Info", info),
                    ("Pos", pos.to_string()),
                    ("End_log_pos", (pos + size).to_string()),
                ]);
                rows.push((BinlogPosition::new(format!("bin.{file:06}"), pos), row));
                pos += size;
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
        }
        rows
    }

    /// True where it is done.
    fn take(prefix: &mut Prefix, rows: &[(BinlogPosition, Record)]) -> bool {
        rows.iter().any(|(place, row)| {
            if prefix.end.file != place.file {
                prefix.open(place);
            }
            prefix.event(row)
        })
    }

    fn told(prefix: Prefix) -> (String, String) {
        match prefix.finish() {
            Located::Prefix { position, before, .. } => {
                (position.to_string(), before.to_string().replace(A, "a").replace(B, "b"))
            }
            other => (format!("{other:?}"), String::new()),
        }
    }

    fn read(set: &str, log: &str) -> (String, String) {
        let set: GtidSet = named(set).parse().unwrap();
        let mut prefix = Prefix::new(&set, GtidSet::default());
        take(&mut prefix, &rows(log));
        told(prefix)
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

    #[test]
    fn a_search_goes_on_at_whatever_group_a_call_ended_for_the_same_set_or_a_larger_one() {
        for (set, log) in [
            ("a:1-2", "a1 a2 b1 a3"),
            ("a:1-3,b:1-2", "a1 b1 a2 R b2 a3 R a4"),
            ("a:1-3,b:1-2", "a1 b1 a2 R b2 R"),
            ("a:1-3", "a1 a2 x a3"),
        ] {
            let larger = format!("{set},b:1-9");
            let log = rows(log);
            let begins = |(_, row): &(BinlogPosition, Record)| row.text("Event_type") == "Gtid";
            let groups: Vec<usize> = (0..log.len()).filter(|index| begins(&log[*index])).collect();
            for cut in groups.windows(2) {
                let small: GtidSet = named(set).parse().unwrap();
                let mut first = Prefix::new(&small, GtidSet::default());
                if take(&mut first, &log[..=cut[1]]) {
                    break;
                }
                for set in [set, &larger] {
                    let set: GtidSet = named(set).parse().unwrap();
                    let mut single = Prefix::new(&set, GtidSet::default());
                    take(&mut single, &log);
                    let mut second = Prefix::new(&set, GtidSet::default());
                    second.open(&BinlogPosition::new("bin.000001", 4));
                    let mut second = second.resumed(&first.to_text(), &log[cut[0]].0).expect("it goes on");
                    take(&mut second, &log[cut[1]..]);
                    assert_eq!(told(second), told(single), "cut at {}", log[cut[1]].0);
                }
            }
        }
    }

    #[test]
    fn what_was_read_is_of_no_use_for_a_set_that_lacks_of_it_nor_behind_it() {
        let all: GtidSet = named("a:1-9").parse().unwrap();
        let mut first = Prefix::new(&all, GtidSet::default());
        take(&mut first, &rows("a1 a2 a3 a4"));
        let place = BinlogPosition::new("bin.000001", 204);
        for (set, begin, is_of_use) in [
            ("a:1-9", "bin.000001:4", true),
            ("a:1-3", "bin.000001:204", true),
            ("a:1-2,b:1-9", "bin.000001:4", false),
            ("a:1-9", "bin.000001:205", false),
            ("a:1-9", "bin.000002:4", false),
            ("a:1-9", "log.000001:4", false),
        ] {
            let set: GtidSet = named(set).parse().unwrap();
            let mut prefix = Prefix::new(&set, GtidSet::default());
            prefix.open(&BinlogPosition::from_text(begin).unwrap());
            assert_eq!(prefix.resumed(&first.to_text(), &place).is_some(), is_of_use, "{set} {begin}");
        }
        for text in ["", "before=x", "file=bin.000001"] {
            assert!(Prefix::new(&all, GtidSet::default()).resumed(text, &place).is_none(), "{text}");
        }
    }
}
