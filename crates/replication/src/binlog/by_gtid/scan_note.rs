//! How far a search by GTID came, as text.

use crate::binlog::by_gtid::beginning::Beginning;
use crate::binlog::by_gtid::scan::{Part, Scan};
use crate::binlog::located::Gap;
use crate::binlog::reading::{ByEvent, Seen};
use crate::gtid::{Gtid, GtidPosition, GtidState};
use crate::note::value;
use crate::position::BinlogPosition;

impl ByEvent for Scan {
    fn key(&self) -> String {
        let Self { running, scope, .. } = self;
        format!(
            "gtid {}:{} {} {} {} {:?} {}",
            self.file, self.end, running.state, running.position, scope.order, scope.masters, scope.own
        )
    }

    fn to_text(&self) -> String {
        to_text(self)
    }

    fn resumed(&self, text: &str, _: &BinlogPosition) -> Option<Self> {
        from_text(text, self)
    }

    fn open(&mut self, place: &BinlogPosition) {
        self.file.clone_from(&place.file);
        self.end = place.offset;
    }

    fn see(&mut self, seen: &Seen) -> bool {
        self.event(&Part::of(seen));
        self.is_done()
    }

    fn close(&mut self) -> bool {
        self.close_group();
        self.is_done()
    }

    fn wanted(&self) -> String {
        let last = self.at.iter().next();
        self.first_missing().or(last).unwrap_or(Gtid { domain: 0, server: 0, sequence: 0 }).to_string()
    }
}

fn to_text(scan: &Scan) -> String {
    let found: Vec<String> = scan.found.iter().map(|(domain, state)| format!("{domain}:{state}")).collect();
    let gtid = |gtid: Option<Gtid>| gtid.map(|gtid| gtid.to_string()).unwrap_or_default();
    let gaps: Vec<String> =
        scan.gaps.iter().map(|gap| format!("{}>{}", gtid(gap.after), gap.before)).collect();
    let fields = [
        ("at", scan.at.to_string()),
        ("state", scan.running.state.to_string()),
        ("position", scan.running.position.to_string()),
        ("found", found.join(";")),
        ("others", scan.others.as_ref().map(|others| format!("+{others}")).unwrap_or_default()),
        ("place", scan.position.as_ref().map(ToString::to_string).unwrap_or_default()),
        ("disorder", gtid(scan.out_of_order)),
        ("gaps", gaps.join(";")),
    ];
    fields.map(|(name, value)| format!("{name}={value}")).join("\t")
}

/// The scan as it was noted; of `scan`, what it looks for.
fn from_text(text: &str, scan: &Scan) -> Option<Scan> {
    let field = |name: &str| value(text, name);
    let some = |name: &str| field(name).map(|text| (!text.is_empty()).then_some(text));
    let list = |name: &str| -> Option<Vec<String>> {
        Some(some(name)?.map(|text| text.split(';').map(ToString::to_string).collect()).unwrap_or_default())
    };
    let found = list("found")?.into_iter().map(|text| {
        let (domain, state) = text.split_once(':')?;
        Some((domain.parse().ok()?, state.parse::<GtidState>().ok()?))
    });
    let gaps = list("gaps")?.into_iter().map(|text| {
        let (after, before) = text.split_once('>')?;
        let after = if after.is_empty() { None } else { Some(after.parse().ok()?) };
        Some(Gap { after, before: before.parse().ok()? })
    });
    let others = match some("others")? {
        Some(text) => Some(text.strip_prefix('+')?.parse().ok()?),
        None => None,
    };
    let position = match some("place")? {
        Some(text) => Some(BinlogPosition::from_text(&text)?),
        None => None,
    };
    let out_of_order = match some("disorder")? {
        Some(text) => Some(text.parse().ok()?),
        None => None,
    };
    let noted = Scan {
        at: scan.at.clone(),
        running: Beginning {
            state: field("state")?.parse().ok()?,
            position: field("position")?.parse().ok()?,
        },
        file: scan.file.clone(),
        group: None,
        end: scan.end,
        found: found.collect::<Option<_>>()?,
        others,
        position,
        scope: scan.scope.clone(),
        out_of_order,
        gaps: gaps.collect::<Option<_>>()?,
    };
    goes_on(&noted, &field("at")?.parse().ok()?).then_some(noted)
}

/// True where what was read, by one who looked for `before`, is of use for what is looked for now: the same, or what lies
/// further on.
fn goes_on(noted: &Scan, before: &GtidPosition) -> bool {
    let domains = |at: &GtidPosition| at.iter().map(|gtid| gtid.domain).collect::<Vec<_>>();
    let is_ahead = || {
        noted.found.is_empty()
            && domains(&noted.at) == domains(before)
            && noted.at.iter().all(|gtid| !noted.running.state.includes(gtid))
    };
    noted.at == *before || is_ahead()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::binlog::by_gtid::scan::{Part, Scope, What};

    /// What is left to read of these groups, of ten bytes each, by one who looks for `at`.
    fn begun(at: &str, log: &str) -> Scan {
        let scope = Scope { order: false, masters: vec![1, 2], own: 2, until: "0-1-9".parse().unwrap() };
        let place = BinlogPosition::new("bin.000007", 4);
        let mut scan = Scan::new(at.parse().unwrap(), place, Beginning::default(), &scope);
        for (index, gtid) in log.split_whitespace().enumerate() {
            scan.event(&Part { what: What::Group(gtid.parse().unwrap()), end: 10 * (index as u64 + 1) });
        }
        scan
    }

    #[test]
    fn a_search_goes_on_behind_the_last_transaction_that_it_read_to_its_end() {
        for (at, log) in [
            ("0-1-6", "0-1-4 0-1-5"),
            ("0-1-4", "0-1-4 0-1-7 0-2-8"),
            ("0-1-4,7-1-1", "7-2-1 0-1-4 0-1-5"),
            ("0-1-4", ""),
        ] {
            let scan = begun(at, log);
            let noted = from_text(&to_text(&scan), &begun(at, "")).unwrap();
            let whole = Scan { group: None, end: 4, ..scan };
            assert_eq!(format!("{noted:?}"), format!("{whole:?}"), "{at} in {log}");
        }
    }

    #[test]
    fn what_was_read_is_of_use_for_a_later_place_and_not_for_one_that_was_passed() {
        for (before, log, at, is_of_use) in [
            ("0-1-6", "0-1-4 0-1-5", "0-1-6", true),
            ("0-1-6", "0-1-4 0-1-5", "0-1-8", true),
            ("0-1-6", "0-1-4 0-1-5 0-1-6 0-1-7", "0-1-4", false),
            ("0-1-4", "0-1-4 0-1-5 0-1-6", "0-1-8", false),
            ("0-1-9", "0-1-4 0-1-5 0-1-6", "0-1-5", false),
            ("0-1-6", "0-1-4 0-1-5", "0-1-6,7-1-1", false),
        ] {
            let text = to_text(&begun(before, log));
            assert_eq!(from_text(&text, &begun(at, "")).is_some(), is_of_use, "{before} {at} in {log}");
        }
    }

    proptest! {
        /// Whatever is in a log, and wherever a call ends.
        #[test]
        fn a_search_in_two_calls_comes_to_what_a_single_one_does(
            groups in prop::collection::vec((0..2u32, 1..4u32, 1..12u64), 1..12),
            at in prop::collection::vec((0..2u32, 1..4u32, 1..12u64), 1..3),
            order: bool,
        ) {
            let gtid = |(domain, server, sequence)| Gtid { domain, server, sequence };
            let groups: Vec<Gtid> = groups.into_iter().map(gtid).collect();
            let at: GtidPosition = at.into_iter().map(gtid).collect();
            let until = groups.iter().copied().collect();
            let scope = Scope { order, masters: vec![1, 2], own: 2, until };
            let place = BinlogPosition::new("bin.000007", 0);
            let new = || Scan::new(at.clone(), place.clone(), Beginning::default(), &scope);
            let read = |scan: &mut Scan, from: usize, to: usize| {
                for (index, gtid) in groups.iter().enumerate().take(to).skip(from) {
                    scan.event(&Part { what: What::Group(*gtid), end: 10 * (index as u64 + 1) });
                }
            };
            let mut single = new();
            read(&mut single, 0, groups.len());
            single.close();
            for cut in 1..=groups.len() {
                let mut first = new();
                read(&mut first, 0, cut);
                if first.is_done() {
                    break;
                }
                // The last one is open, and read again.
                let mut second = new().resumed(&first.to_text(), &place).expect("it goes on");
                second.open(&BinlogPosition::new("bin.000007", 10 * (cut as u64 - 1)));
                read(&mut second, cut - 1, groups.len());
                second.close();
                prop_assert_eq!(second.finish(), single.clone().finish(), "cut at {}", cut);
            }
        }
    }

    #[test]
    fn half_a_note_is_none() {
        for text in ["", "file=bin.000007", "at=0-1-6\tfound=x"] {
            assert!(from_text(text, &begun("0-1-6", "")).is_none(), "{text}");
        }
    }
}
