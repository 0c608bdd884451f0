//! What the marker of a takeover says: all that the next call needs if this one is killed.

use std::path::{Path, PathBuf};

use mmm_core::config::Host;
use mmm_core::marker;
use mmm_core::mutant::takes_out;

use crate::gtid::GtidSet;
use crate::note::{FOLDER, value};
use crate::position::BinlogPosition;
use crate::status::{Channel, Mode, Place};

/// A takeover under way. Positions are file and offset, and of no use by GTID.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// Whose log is executed.
    pub survivor: String,
    /// This host's channel.
    pub channel: String,
    /// How that channel finds its position in the old master's log.
    pub mode: Mode,
    /// Where it begins in the survivor's log.
    pub begin: Option<BinlogPosition>,
    /// The end of the survivor's log.
    pub end: Option<BinlogPosition>,
    /// MySQL's: what the survivor had executed by then.
    pub gtids: GtidSet,
    /// What this host had executed by GTID where it begins.
    pub had: String,
    /// The old master as the channel names it.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// Its position in the old master's log before.
    pub from: Option<BinlogPosition>,
    /// Its position in the old master's log after the survivor's tail.
    pub back: Option<BinlogPosition>,
    /// The channel's heartbeat period, which naming a host resets.
    pub heartbeat: String,
    /// What the channel had for fetching its source's key, if a takeover changes that.
    pub fetches_key: Option<bool>,
    /// True if writes were opened when this host had only a part, and nothing showed its position in the old master's
    /// log: the channel waits at a position that does not exist until that master answers.
    pub is_open: bool,
}

/// A host's position in the survivor's log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It has executed nothing of it.
    AtBegin,
    /// A part, or more than what was noted.
    Between,
    /// All that was noted.
    AtEnd,
}

/// Where it lies.
pub fn marker_of(this: &Host) -> PathBuf {
    marker::path(Path::new(FOLDER), "takeover", this)
}

const MODES: [(Mode, &str); 4] = [
    (Mode::FilePosition, "position"),
    (Mode::SlavePos, "slave_pos"),
    (Mode::CurrentPos, "current_pos"),
    (Mode::AutoPosition, "auto"),
];

impl Note {
    /// A channel's position in the survivor's log, by its host's GTIDs `executed`.
    pub fn standing(&self, now: &Channel, executed: &str) -> Standing {
        let (Some(applied), Some(end)) = (&now.applied, &self.end) else { return Standing::Between };
        // A crash may set back a position that is kept in files (MariaDB, MySQL before 8), but not what was executed.
        if self.begin.as_ref() == Some(applied) && applied != end && self.has_got_nothing(executed) {
            return Standing::AtBegin;
        }
        // By file and position, only from here can the channel continue at an exact position in the old master's log.
        let is_there = if self.mode == Mode::FilePosition {
            applied == end
        } else {
            self.mode == Mode::AutoPosition || applied.has_reached(end)
        };
        if is_there { Standing::AtEnd } else { Standing::Between }
    }

    /// True if what this host has executed since is none of the survivor's. Another channel may have brought it, which
    /// only MySQL's sets show.
    fn has_got_nothing(&self, executed: &str) -> bool {
        let sets = || Some((self.had.parse::<GtidSet>().ok()?, executed.parse::<GtidSet>().ok()?));
        is_same_set(&self.had, executed)
            || !self.gtids.is_empty()
                && sets().is_some_and(|(had, now)| now.without(&had).within(&self.gtids).is_empty())
    }

    /// True if it has executed all that was noted. By auto-position, what a server has executed decides: it skips what
    /// it has.
    pub fn has_all(&self, now: &Channel, executed: &str) -> bool {
        takes_out("whole-tail")
            || self.standing(now, executed) == Standing::AtEnd
                && (self.mode != Mode::AutoPosition
                    || executed.parse().is_ok_and(|executed| self.gtids.is_within(&executed)))
    }

    /// Where it continues in the old master's log, once it has stopped; `None` if nothing shows that.
    pub fn way_back(&self, stopped: &Channel, executed: &str) -> Option<Place> {
        if self.mode != Mode::FilePosition {
            return Some(Place::Gtid(self.mode));
        }
        let place = match self.standing(stopped, executed) {
            Standing::AtBegin => self.from.clone(),
            Standing::AtEnd => self.back.clone(),
            Standing::Between => None,
        };
        place.map(Place::Position)
    }

    /// One line: `key=value`, with tabs between.
    pub fn to_text(&self) -> String {
        let place =
            |place: &Option<BinlogPosition>| place.as_ref().map(ToString::to_string).unwrap_or_default();
        let mode = MODES.iter().find(|(mode, _)| *mode == self.mode).map_or("", |(_, name)| *name);
        let key = self.fetches_key.map(|key| u8::from(key).to_string()).unwrap_or_default();
        let fields = [
            ("survivor", self.survivor.clone()),
            ("channel", self.channel.clone()),
            ("mode", mode.into()),
            ("begin", place(&self.begin)),
            ("end", place(&self.end)),
            ("gtids", self.gtids.to_string()),
            ("had", self.had.clone()),
            ("host", self.host.clone()),
            ("port", self.port.to_string()),
            ("from", place(&self.from)),
            ("back", place(&self.back)),
            ("heartbeat", self.heartbeat.clone()),
            ("key", key),
            ("open", u8::from(self.is_open).to_string()),
        ];
        let shown = |(name, value): &(&str, String)| format!("{name}={}", value.replace(['\t', '\n'], " "));
        fields.iter().map(shown).collect::<Vec<_>>().join("\t")
    }

    /// What was written; `None` for anything else.
    pub fn from_text(text: &str) -> Option<Self> {
        let value = |name: &str| value(text, name);
        let place = |name: &str| -> Option<Option<BinlogPosition>> {
            let text = value(name)?;
            if text.is_empty() {
                return Some(None);
            }
            Some(Some(BinlogPosition::from_text(&text)?))
        };
        let mode = value("mode")?;
        Some(Self {
            survivor: value("survivor")?,
            channel: value("channel")?,
            mode: MODES.iter().find(|(_, name)| *name == mode)?.0,
            begin: place("begin")?,
            end: place("end")?,
            gtids: value("gtids")?.parse().ok()?,
            had: value("had")?,
            host: value("host")?,
            port: value("port")?.parse().ok()?,
            from: place("from")?,
            back: place("back")?,
            heartbeat: value("heartbeat")?,
            fetches_key: value("key").filter(|key| !key.is_empty()).map(|key| key == "1"),
            is_open: value("open")? == "1",
        })
    }
}

/// MySQL shows each server's part of a set on a line of its own; a note is one line.
fn is_same_set(one: &str, other: &str) -> bool {
    let words = |set: &str| set.split_whitespace().collect::<String>();
    words(one) == words(other)
}

#[cfg(test)]
mod tests;
