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
use crate::gtid::{Gtid, GtidState};
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
        let Scan { at, running, scope, .. } = scan;
        let text = format!(
            "{host} {file}:{offset} {at} {} {} {} {:?} {}",
            running.state, running.position, scope.order, scope.masters, scope.own
        );
        Self { path, text: text.replace(['\t', '\n'], " ") }
    }

    /// Lets the scan go on where an earlier call came; then the second in which that file was begun.
    pub(super) fn resume(&self, scan: &mut Scan) -> Option<u32> {
        let text = Marker::noted(&self.path)?;
        if value(&text, "search")? != self.text {
            return None;
        }
        let (noted, begun) = from_text(&text, scan)?;
        log::info!("the search goes on at {}:{}, where an earlier call came", noted.file, noted.end);
        *scan = noted;
        Some(begun)
    }

    /// Notes how far the scan came in a file that was begun in this second.
    pub(super) fn keep(&self, scan: &Scan, begun: u32) {
        let text = format!("search={}\t{}", self.text, to_text(scan, begun));
        if report::is_dry_run() || text.len() > LONGEST {
            return;
        }
        match write(&self.path, &text) {
            Ok(_) => log::info!("the next call goes on at {}:{}", scan.file, scan.end),
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

fn to_text(scan: &Scan, begun: u32) -> String {
    let found: Vec<String> = scan.found.iter().map(|(domain, state)| format!("{domain}:{state}")).collect();
    let gtid = |gtid: Option<Gtid>| gtid.map(|gtid| gtid.to_string()).unwrap_or_default();
    let gaps: Vec<String> =
        scan.gaps.iter().map(|gap| format!("{}>{}", gtid(gap.after), gap.before)).collect();
    let fields = [
        ("begun", begun.to_string()),
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
fn from_text(text: &str, scan: &Scan) -> Option<(Scan, u32)> {
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
    Some((noted, field("begun")?.parse().ok()?))
}
