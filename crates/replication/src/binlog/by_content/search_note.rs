//! How far a search by content came, as text. Names of files are part of it, without their tabs.

use std::collections::VecDeque;

use twox_hash::XxHash3_128;

use crate::binlog::begin::Begin;
use crate::binlog::by_content::backwards::ByGroup;
use crate::binlog::by_content::search::{File, LastOf, Place, Search, Wanted};
use crate::binlog::group::{Group, Print};
use crate::note::value;
use crate::position::BinlogPosition;

impl ByGroup for Search {
    fn key(&self) -> String {
        format!("content {}", key(&self.wanted))
    }

    fn to_text(&self) -> String {
        to_text(self)
    }

    fn resumed(&self, text: &str, name: &str) -> Option<Self> {
        from_text(text, &self.wanted, name)
    }

    fn open(&mut self, name: &str) {
        self.begin(name);
    }

    fn group(&mut self, group: &Group) {
        self.take(group);
    }

    fn end(&mut self, _: &Begin) {
        self.close();
    }

    fn is_settled(&self) -> bool {
        self.is_settled()
    }

    fn newer(&mut self, group: &Group) -> bool {
        self.take_newer(group)
    }
}

/// All that is looked for.
pub(super) fn key(wanted: &Wanted) -> String {
    let Wanted { tail, enough, enough_for_other, replica_id, own_id, last_is_own } = wanted;
    let prints: Vec<u8> = tail.iter().flat_map(|print| print.0.to_le_bytes()).collect();
    let all = XxHash3_128::oneshot(&prints);
    format!("{all:x} {enough} {enough_for_other:?} {replica_id} {own_id} {last_is_own}")
}

pub(super) fn to_text(search: &Search) -> String {
    let Search { has_own, file, .. } = search;
    let places = |places: &[Place]| places.iter().map(of_place).collect::<Vec<_>>().join(";");
    let last: Vec<String> = file.last.iter().map(|print| format!("{:x}", print.0)).collect();
    let fields = [
        ("own", u8::from(*has_own).to_string()),
        ("places", places(&search.places)),
        ("prints", last.join(",")),
        ("other", of_last(&file.other)),
        ("here", places(&file.places)),
    ];
    fields.map(|(name, value)| format!("{name}={value}")).join("\t")
}

/// The search as it was noted in the file `name`.
pub(super) fn from_text(text: &str, wanted: &Wanted, name: &str) -> Option<Search> {
    let list = |field: &str, separator: char| {
        let text = value(text, field)?;
        let parts = text.split(separator).filter(|part| !part.is_empty()).map(ToString::to_string);
        Some(parts.collect::<Vec<_>>())
    };
    let places =
        |field: &str| list(field, ';')?.iter().map(|text| to_place(text)).collect::<Option<Vec<_>>>();
    let prints: Option<VecDeque<Print>> = list("prints", ',')?.iter().map(|text| to_print(text)).collect();
    let has_own = match &*value(text, "own")? {
        "0" => false,
        "1" => true,
        _ => return None,
    };
    let other = to_last(&value(text, "other")?)?;
    let file = File { name: name.into(), last: prints?, other, places: places("here")? };
    let is_possible = file.last.len() <= wanted.tail.len();
    is_possible.then(|| Some(Search { wanted: wanted.clone(), places: places("places")?, has_own, file }))?
}

fn of_place(place: &Place) -> String {
    let Place { position, group, same, missing, other } = place;
    format!("{} {same} {missing} {} {position}", of_group(group), of_last(other))
}

fn to_place(text: &str) -> Option<Place> {
    let mut fields = text.splitn(5, ' ');
    let mut next = || fields.next();
    Some(Place {
        group: to_group(next()?)?,
        same: next()?.parse().ok()?,
        missing: next()?.parse().ok()?,
        other: to_last(next()?)?,
        position: BinlogPosition::from_text(next()?)?,
    })
}

pub(super) fn of_last(last: &LastOf) -> String {
    let group = last.group.as_ref().map(of_group).unwrap_or_default();
    format!("{}/{}/{group}", last.alike, u8::from(last.is_whole))
}

pub(super) fn to_last(text: &str) -> Option<LastOf> {
    let (alike, rest) = text.split_once('/')?;
    let (is_whole, group) = rest.split_once('/')?;
    let group = if group.is_empty() { None } else { Some(to_group(group)?) };
    Some(LastOf { group, alike: alike.parse().ok()?, is_whole: is_whole == "1" })
}

fn of_group(group: &Group) -> String {
    let Group { print, server_id, time, begin, end } = group;
    format!("{:x},{server_id},{time},{begin},{end}", print.0)
}

fn to_group(text: &str) -> Option<Group> {
    let mut fields = text.splitn(5, ',');
    let mut next = || fields.next();
    Some(Group {
        print: to_print(next()?)?,
        server_id: next()?.parse().ok()?,
        time: next()?.parse().ok()?,
        begin: next()?.parse().ok()?,
        end: next()?.parse().ok()?,
    })
}

pub(super) fn to_print(text: &str) -> Option<Print> {
    u128::from_str_radix(text, 16).ok().map(Print)
}

#[cfg(test)]
mod tests;
