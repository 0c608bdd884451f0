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
