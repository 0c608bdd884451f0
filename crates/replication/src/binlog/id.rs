//! The global id of a group, as its first event has it.

use mysql::binlog::events;

use crate::binlog::event::{Event, kind, number};
use crate::binlog::packets::parsed;
use crate::gtid::Gtid;

/// The global id of a group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Id {
    /// MariaDB's.
    MariaDb(Gtid),
    /// MySQL's: `uuid`, or `uuid:tag`, and number.
    MySql(String, u64),
}

impl Id {
    /// Of the event that a group begins with.
    pub fn of(event: &Event, raw: &events::Event) -> Option<Self> {
        Self::read(event, || Some(raw.clone()))
    }

    /// The same; the library's event is only asked for if it is needed.
    pub fn read(event: &Event, raw: impl FnOnce() -> Option<events::Event>) -> Option<Self> {
        match event.kind {
            kind::GTID_OF_MARIADB => event.gtid().map(Self::MariaDb),
            kind::GTID => Some(Self::MySql(uuid(event.body.get(1..17)?), number(event.body.get(17..25)?))),
            kind::TAGGED_GTID => {
                let raw = raw()?;
                let gtid = parsed(|| raw.read_event::<events::GtidEvent>()).ok()?;
                let source = gtid
                    .tag()
                    .map_or_else(|| uuid(&gtid.sid()), |tag| format!("{}:{tag}", uuid(&gtid.sid())));
                Some(Self::MySql(source, gtid.gno()))
            }
            _ => None,
        }
    }

    /// As its server writes it.
    pub fn shown(&self) -> String {
        match self {
            Self::MariaDb(gtid) => gtid.to_string(),
            Self::MySql(source, number) => format!("{source}:{number}"),
        }
    }
}

fn uuid(bytes: &[u8]) -> String {
    let number = bytes.iter().fold(0_u128, |number, byte| number << 8 | u128::from(*byte));
    let hex = format!("{number:032x}");
    [&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]].join("-")
}
