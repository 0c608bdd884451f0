//! How far a search by content came, as text. Names of files are part of it, but for tabs.

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
mod tests {
    use super::*;

    fn group(content: u128) -> Group {
        Group {
            print: Print(content << 100 | content),
            server_id: 2,
            time: 7,
            begin: 5 << 32,
            end: (5 << 32) + 9,
        }
    }

    fn search(places: usize) -> Search {
        let groups = [group(1), Group { server_id: 1, ..group(2) }, Group { server_id: 1, ..group(3) }];
        let wanted = Wanted::new(&groups, 3, 2).expect("enough groups");
        let mut search = Search::new(wanted);
        let mut place = Place {
            position: BinlogPosition::new("a b.000007", 5 << 32),
            group: group(3),
            same: 2,
            missing: 1,
            other: LastOf::default(),
        };
        search.begin("a b.000007");
        for number in 0..places {
            search.places.push(place.clone());
            place.other = LastOf { group: Some(group(9)), alike: number, is_whole: number % 2 == 0 };
            search.file.places.push(place.clone());
        }
        search.file.last = (0..3).map(|content| Print(u128::MAX - content)).collect();
        search.file.other = place.other;
        search.has_own = places > 0;
        search
    }

    #[test]
    fn a_search_is_read_as_it_was_noted() {
        for places in [0, 1, 2, 64] {
            let search = search(places);
            let read = from_text(&to_text(&search), &search.wanted, "a b.000007").expect("a note");
            assert_eq!(format!("{read:?}"), format!("{search:?}"), "{places} places");
            // The journal shows only the beginning of a print.
            assert_eq!((read.places, read.file), (search.places, search.file), "{places} places");
        }
    }

    #[test]
    fn half_a_note_is_none() {
        let search = search(1);
        let whole = to_text(&search);
        assert!(whole.lines().count() == 1, "a note is one line");
        for end in (0..whole.len()).filter(|end| !whole[*end..].starts_with(|c: char| c.is_ascii_digit())) {
            let half = &whole[..end];
            if let Some(read) = from_text(half, &search.wanted, "a b.000007") {
                // What is cut off is the last list's end.
                assert!(half.contains("\there="), "{half}: {read:?}");
            }
        }
        for (what, instead) in [("own=1", "own=2"), ("prints=", "prints=x"), ("/1/", "/x")] {
            let other = whole.replacen(what, instead, 1);
            assert!(from_text(&other, &search.wanted, "a b.000007").is_none() || other == whole, "{other}");
        }
    }

    #[test]
    fn whatever_is_looked_for_is_a_part_of_the_key() {
        let wanted = search(0).wanted;
        let others = [
            Wanted { tail: wanted.tail[1..].to_vec(), ..wanted.clone() },
            Wanted { tail: wanted.tail.iter().rev().copied().collect(), ..wanted.clone() },
            Wanted { enough: 9, ..wanted.clone() },
            Wanted { enough_for_other: Some(9), ..wanted.clone() },
            Wanted { replica_id: 9, ..wanted.clone() },
            Wanted { own_id: 9, ..wanted.clone() },
            Wanted { last_is_own: !wanted.last_is_own, ..wanted.clone() },
        ];
        assert_eq!(key(&wanted), key(&wanted.clone()));
        for other in others {
            assert_ne!(key(&wanted), key(&other), "{other:?}");
        }
    }
}
