//! How many rows an event of changed rows holds. The event does not say, so each row's length is computed.
//!
//! The layouts are those of `Table_map_event` and `Rows_event` (MySQL Internals, "Binary Log Event"); of MariaDB's own,
//! the packed columns and events of `log_bin_compress`.

use std::io::Read;

use flate2::read::ZlibDecoder;

use crate::binlog::event::{kind, number};

/// What MariaDB writes with `log_bin_compress`: the first kind of each version.
const COMPRESSED_1: u8 = 166;
const COMPRESSED_2: u8 = 169;
/// No server has tables of more columns (MySQL and MariaDB manuals, "Limits on Table Column Count and Row Size").
const MOST_COLUMNS: usize = 4096;
/// More than this is not unpacked for counting.
const MOST_UNPACKED: u64 = 1 << 30;

/// Types of columns.
mod column {
    pub const TINY: u8 = 1;
    pub const SHORT: u8 = 2;
    pub const LONG: u8 = 3;
    pub const FLOAT: u8 = 4;
    pub const DOUBLE: u8 = 5;
    pub const NULL: u8 = 6;
    pub const TIMESTAMP: u8 = 7;
    pub const LONGLONG: u8 = 8;
    pub const INT24: u8 = 9;
    pub const DATE: u8 = 10;
    pub const TIME: u8 = 11;
    pub const DATETIME: u8 = 12;
    pub const YEAR: u8 = 13;
    pub const NEWDATE: u8 = 14;
    pub const VARCHAR: u8 = 15;
    pub const BIT: u8 = 16;
    pub const TIMESTAMP2: u8 = 17;
    pub const DATETIME2: u8 = 18;
    pub const TIME2: u8 = 19;
    pub const BLOB_COMPRESSED: u8 = 140;
    pub const VARCHAR_COMPRESSED: u8 = 141;
    pub const VECTOR: u8 = 242;
    pub const JSON: u8 = 245;
    pub const NEWDECIMAL: u8 = 246;
    pub const ENUM: u8 = 247;
    pub const SET: u8 = 248;
    pub const TINY_BLOB: u8 = 249;
    pub const BLOB: u8 = 252;
    pub const VAR_STRING: u8 = 253;
    pub const STRING: u8 = 254;
    pub const GEOMETRY: u8 = 255;
}

/// What is done to rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deed {
    /// INSERT, or the new row of REPLACE.
    Insert,
    /// UPDATE
    Update,
    /// DELETE
    Delete,
}

/// A table, with what the rows after it need.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Map {
    /// The number by which rows refer to it.
    pub id: u64,
    /// Its database.
    pub database: String,
    /// Its name.
    pub table: String,
    /// How long a value of each column is; `None` if a column has an unknown type.
    widths: Option<Vec<Width>>,
}

/// How long a value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Width {
    Fixed(usize),
    /// Its length comes before it, in so many bytes.
    Prefixed(usize),
    /// The same; an update may hold only changed parts.
    Json(usize),
}

impl Map {
    /// Reads the body of a `TABLE_MAP` event.
    pub fn read(body: &[u8]) -> Option<Self> {
        let id = number(body.get(..6)?);
        let mut rest = Bytes(body.get(8..)?);
        let mut name = || {
            let length = usize::from(rest.byte()?);
            let name = String::from_utf8_lossy(rest.take(length)?).into_owned();
            rest.take(1).map(|_| name)
        };
        let (database, table) = (name()?, name()?);
        let widths = widths(&mut rest);
        Some(Self { id, database, table, widths })
    }
}

/// The columns' types and what belongs to each of them.
fn widths(rest: &mut Bytes) -> Option<Vec<Width>> {
    let count = rest.packed().filter(|count| *count <= MOST_COLUMNS)?;
    let types = rest.take(count)?;
    let length = rest.packed()?;
    let mut details = Bytes(rest.take(length)?);
    types.iter().map(|kind| width(*kind, &mut details)).collect()
}

fn width(kind: u8, details: &mut Bytes) -> Option<Width> {
    use column as of;
    let fraction = |fixed: usize, digits: u8| Width::Fixed(fixed + usize::from(digits).div_ceil(2));
    Some(match kind {
        of::NULL => Width::Fixed(0),
        of::TINY | of::YEAR => Width::Fixed(1),
        of::SHORT => Width::Fixed(2),
        of::INT24 | of::DATE | of::TIME | of::NEWDATE => Width::Fixed(3),
        of::LONG | of::TIMESTAMP => Width::Fixed(4),
        of::LONGLONG | of::DATETIME => Width::Fixed(8),
        of::FLOAT | of::DOUBLE => Width::Fixed(details.byte()?.into()),
        of::TIMESTAMP2 => fraction(4, details.byte()?),
        of::DATETIME2 => fraction(5, details.byte()?),
        of::TIME2 => fraction(3, details.byte()?),
        of::VARCHAR | of::VAR_STRING | of::VARCHAR_COMPRESSED => {
            Width::Prefixed(if details.number(2)? < 256 { 1 } else { 2 })
        }
        of::BIT => {
            let (bits, bytes) = (details.byte()?, details.byte()?);
            Width::Fixed(usize::from(bytes) + usize::from(bits > 0))
        }
        of::TINY_BLOB..=of::BLOB | of::GEOMETRY | of::BLOB_COMPRESSED | of::VECTOR => {
            Width::Prefixed(details.byte()?.into())
        }
        of::JSON => Width::Json(details.byte()?.into()),
        of::NEWDECIMAL => {
            let (precision, scale) = (details.byte()?, details.byte()?);
            Width::Fixed(decimal(precision.checked_sub(scale)?) + decimal(scale))
        }
        of::ENUM | of::SET => {
            details.byte()?;
            Width::Fixed(details.byte()?.into())
        }
        of::STRING => {
            let (real, length) = (details.byte()?, details.byte()?);
            if real == of::ENUM || real == of::SET {
                Width::Fixed(length.into())
            } else {
                // Two bits of the length are stored, inverted, in the type.
                let most = usize::from(length) | usize::from((real & 0x30) ^ 0x30) << 4;
                Width::Prefixed(if most < 256 { 1 } else { 2 })
            }
        }
        // This includes DECIMAL of servers before 5.0.
        _ => return None,
    })
}

/// The bytes that so many decimal digits take: four for nine of them.
fn decimal(digits: u8) -> usize {
    const REST: [usize; 9] = [0, 1, 1, 2, 2, 3, 3, 4, 4];
    usize::from(digits / 9) * 4 + REST[usize::from(digits % 9)]
}

/// The table that rows belong to, and what is done to them; `None` for an event of another kind.
pub fn of_table(kind: u8, body: &[u8]) -> Option<(u64, Deed)> {
    let deed = match kind {
        23 | 30 | COMPRESSED_1 | COMPRESSED_2 => Deed::Insert,
        24 | 31 | kind::PARTIAL_UPDATE | 167 | 170 => Deed::Update,
        25 | 32 | 168 | 171 => Deed::Delete,
        _ => return None,
    };
    Some((number(body.get(..6)?), deed))
}

/// How many rows such an event holds; `None` if that cannot be computed.
pub fn count(kind: u8, body: &[u8], map: &Map) -> Option<u64> {
    let is_packed = (COMPRESSED_1..COMPRESSED_1 + 6).contains(&kind);
    let has_extra = kind >= *kind::ROWS_2.start() && !(COMPRESSED_1..COMPRESSED_2).contains(&kind);
    let extra = if has_extra { usize::try_from(number(body.get(8..10)?)).ok()? } else { 0 };
    let mut rest = Bytes(body.get(8 + extra..)?);
    let columns = rest.packed()?;
    let widths = map.widths.as_ref().filter(|widths| widths.len() == columns)?;
    let bits = columns.div_ceil(8);
    let before = rest.take(bits)?;
    let (is_update, is_partial) =
        (matches!(of_table(kind, body), Some((_, Deed::Update))), kind == kind::PARTIAL_UPDATE);
    let after = if is_update { Some(rest.take(bits)?) } else { None };
    let unpacked;
    if is_packed {
        unpacked = unpack(rest.0)?;
        rest = Bytes(&unpacked);
    }
    // Rows without any column take no space, so they cannot be counted.
    if before.iter().chain(after.unwrap_or_default()).all(|bits| *bits == 0) {
        return None;
    }
    let (before, after) = (there(widths, before), after.map(|after| there(widths, after)));
    let mut count = 0;
    while !rest.0.is_empty() {
        let left = rest.0.len();
        rest.pass_image(&before)?;
        if let Some(after) = &after {
            if is_partial && rest.packed()? & 1 != 0 {
                let json = widths.iter().filter(|width| matches!(width, Width::Json(_))).count();
                rest.take(json.div_ceil(8))?;
            }
            rest.pass_image(after)?;
        }
        if rest.0.len() == left {
            return None;
        }
        count += 1;
    }
    Some(count)
}

/// The columns that are in `present`.
fn there(widths: &[Width], present: &[u8]) -> Vec<Width> {
    widths.iter().enumerate().filter(|(index, _)| is_set(present, *index)).map(|(_, width)| *width).collect()
}

fn is_set(bits: &[u8], index: usize) -> bool {
    bits.get(index / 8).is_some_and(|byte| byte >> (index % 8) & 1 == 1)
}

/// What MariaDB has packed: a byte that holds how long the length is, the length, and zlib's data.
pub fn unpack(packed: &[u8]) -> Option<Vec<u8>> {
    let mut rest = Bytes(packed);
    let head = rest.byte()?;
    // The bits between say how it was packed: 0 is zlib.
    if head & 0xf0 != 0x80 {
        return None;
    }
    let length = rest.take(usize::from(head & 7))?.iter().fold(0, |sum, byte| sum << 8 | u64::from(*byte));
    if length > MOST_UNPACKED {
        return None;
    }
    let mut unpacked = Vec::new();
    ZlibDecoder::new(rest.0).take(length).read_to_end(&mut unpacked).ok()?;
    (unpacked.len() as u64 == length).then_some(unpacked)
}

/// Bytes that are read from their beginning.
struct Bytes<'b>(&'b [u8]);

impl<'b> Bytes<'b> {
    fn take(&mut self, count: usize) -> Option<&'b [u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }

    fn byte(&mut self) -> Option<u8> {
        self.take(1).map(|byte| byte[0])
    }

    fn number(&mut self, bytes: usize) -> Option<usize> {
        usize::try_from(number(self.take(bytes)?)).ok()
    }

    /// A length-encoded number.
    fn packed(&mut self) -> Option<usize> {
        match self.byte()? {
            0xfc => self.number(2),
            0xfd => self.number(3),
            0xfe => self.number(8),
            byte => Some(byte.into()),
        }
    }

    /// Passes the columns of a row.
    fn pass_image(&mut self, there: &[Width]) -> Option<()> {
        let nulls = self.take(there.len().div_ceil(8))?;
        for (index, width) in there.iter().enumerate() {
            if is_set(nulls, index) {
                continue;
            }
            let length = match *width {
                Width::Fixed(length) => length,
                Width::Prefixed(bytes) | Width::Json(bytes) => self.number(bytes)?,
            };
            self.take(length)?;
        }
        Some(())
    }
}

#[cfg(test)]
mod tests;
