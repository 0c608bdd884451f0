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

/// True if the result of a search for `before` is of use for the present search: it looks for the same, or for what
/// lies after it.
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
mod tests;
