//! A search that a call could not finish: how far it came, for the next call to go on there.
//!
//! The note is believed only where it is of the same search, and the file in which it ended begins with the same event
//! as then: a log that was reset has files of the same names.

use std::path::{Path, PathBuf};

use mmm_core::config::Host;
use mmm_core::marker::{self, Marker};
use mmm_core::report;

use super::located::Gap;
use super::scan::{Beginning, Scan};
use crate::gtid::{Gtid, GtidPosition, GtidState};
use crate::hold::FOLDER;
use crate::position::BinlogPosition;
use crate::takeover::note::value;
use crate::takeover::write;

/// A note that is longer is not written.
const LONGEST: usize = 60 << 10;

/// Where `this` host notes an unfinished search of a log of `other`.
pub fn note_of(this: &Host, other: &str) -> PathBuf {
    let other: String =
        other.chars().map(|c| if c.is_ascii_alphanumeric() || c == '-' { c } else { '_' }).collect();
    marker::path(Path::new(FOLDER), &format!("search-{other}"), this)
}

/// A search, told apart from others.
#[derive(Debug)]
pub(super) struct Key {
    path: PathBuf,
    text: String,
}

impl Key {
    /// Of a scan that begins at `offset` of `file`.
    pub(super) fn new(path: PathBuf, host: &str, file: &str, offset: u64, scan: &Scan) -> Self {
        let Scan { running, scope, .. } = scan;
        let text = format!(
            "{host} {file}:{offset} {} {} {} {:?} {}",
            running.state, running.position, scope.order, scope.masters, scope.own
        );
        Self { path, text: text.replace(['\t', '\n'], " ") }
    }

    /// Lets the scan go on where an earlier call came; then that place, and what its file begins with.
    pub(super) fn resume(&self, scan: &mut Scan) -> Option<(BinlogPosition, String)> {
        let text = Marker::noted(&self.path)?;
        if value(&text, "search")? != self.text {
            return None;
        }
        let (noted, begun) = from_text(&text, scan)?;
        let place = reached(&noted);
        log::info!("the search goes on at {place}, where an earlier call came");
        *scan = noted;
        Some((place, begun))
    }

    /// Notes how far the scan came in a file that begins so.
    pub(super) fn keep(&self, scan: &Scan, begun: &str) {
        let text = format!("search={}\t{}", self.text, to_text(scan, begun));
        if report::is_dry_run() || text.len() > LONGEST {
            return;
        }
        match write(&self.path, &text) {
            Ok(_) => log::info!("the next call goes on at {}", reached(scan)),
            Err(error) => log::warn!("{error}"),
        }
    }

    /// The search has ended, or the log is another by now.
    pub(super) fn forget(&self) {
        if !report::is_dry_run()
            && let Some((mut marker, _)) = Marker::leftover(&self.path)
        {
            marker.remove();
        }
    }
}

/// Where the last group ends that was read. Within a group, MariaDB 11.8 does not tell where events end.
fn reached(scan: &Scan) -> BinlogPosition {
    BinlogPosition::new(scan.file.clone(), scan.end)
}

fn to_text(scan: &Scan, begun: &str) -> String {
    let found: Vec<String> = scan.found.iter().map(|(domain, state)| format!("{domain}:{state}")).collect();
    let gtid = |gtid: Option<Gtid>| gtid.map(|gtid| gtid.to_string()).unwrap_or_default();
    let gaps: Vec<String> =
        scan.gaps.iter().map(|gap| format!("{}>{}", gtid(gap.after), gap.before)).collect();
    let fields = [
        ("begun", begun.to_string()),
        ("at", scan.at.to_string()),
        ("file", scan.file.clone()),
        ("end", scan.end.to_string()),
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
fn from_text(text: &str, scan: &Scan) -> Option<(Scan, String)> {
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
        file: field("file")?,
        group: None,
        end: field("end")?.parse().ok()?,
        found: found.collect::<Option<_>>()?,
        others,
        position,
        scope: scan.scope.clone(),
        out_of_order,
        gaps: gaps.collect::<Option<_>>()?,
    };
    (goes_on(&noted, &field("at")?.parse().ok()?)).then_some((noted, field("begun")?))
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
    use super::*;
    use crate::history::scan::{Part, Scope, What};

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
            let (noted, first) = from_text(&to_text(&scan, "77-163-5a"), &begun(at, "")).unwrap();
            let whole = Scan { group: None, ..scan };
            assert_eq!((format!("{noted:?}"), &*first), (format!("{whole:?}"), "77-163-5a"), "{at} in {log}");
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
            let text = to_text(&begun(before, log), "77-163-5a");
            assert_eq!(from_text(&text, &begun(at, "")).is_some(), is_of_use, "{before} {at} in {log}");
        }
    }

    #[test]
    fn half_a_note_is_none() {
        for text in ["", "begun=7\tfile=bin.000007", "begun=7\tat=0-1-6\tfound=x"] {
            assert!(from_text(text, &begun("0-1-6", "")).is_none(), "{text}");
        }
    }
}
