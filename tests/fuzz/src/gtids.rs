//! GTID sets of MySQL, GTID positions and states of MariaDB, and positions by file: up to three, one a line.

use std::cmp::Ordering;

use mmm_replication::fuzzed::{GtidPosition, GtidSet, GtidState, parse_list};
use mmm_replication::position::BinlogPosition;

pub fn read(input: &[u8]) {
    let text = String::from_utf8_lossy(input);
    let mut lines = text.lines();
    let [one, two, three] = [(); 3].map(|()| lines.next().unwrap_or_default());
    sets(one, two, three);
    of_mariadb(one);
    of_mariadb(two);
    positions(one, two, three);
}

/// The laws of sets.
fn sets(one: &str, two: &str, three: &str) {
    let Ok(a) = one.parse::<GtidSet>() else { return };
    assert_eq!(a.to_string().parse::<GtidSet>().as_ref(), Ok(&a), "{a}");
    assert_eq!(a.is_empty(), a.to_string().is_empty());
    assert!(a.is_within(&a) && a.without(&a).is_empty() && a.with(&a) == a && a.within(&a) == a);
    assert!(!a.is_behind(&a) || a.is_empty(), "{a}");
    assert!(a.filtered(|_| true) == a && a.filtered(|_| false).is_empty());
    let Ok(b) = two.parse::<GtidSet>() else { return };
    let (both, common, left) = (a.with(&b), a.within(&b), a.without(&b));
    assert_eq!(both.to_string().parse::<GtidSet>().as_ref(), Ok(&both));
    assert_eq!(both, b.with(&a));
    assert_eq!(common, b.within(&a));
    assert!(a.is_within(&both) && b.is_within(&both));
    assert!(common.is_within(&a) && common.is_within(&b));
    assert!(left.is_within(&a) && left.within(&b).is_empty());
    assert_eq!(left.with(&common), a);
    assert_eq!(a.is_within(&b), both == b);
    if both.count() < u64::MAX && a.count().checked_add(b.count()).is_some() {
        assert_eq!(both.count() + common.count(), a.count() + b.count());
    }
    for (source, number) in some_of(one).into_iter().chain(some_of(two)) {
        let (in_a, in_b) = (a.has(&source, number), b.has(&source, number));
        assert_eq!(both.has(&source, number), in_a || in_b);
        assert_eq!(common.has(&source, number), in_a && in_b);
        assert_eq!(left.has(&source, number), in_a && !in_b);
        let mut more = a.clone();
        more.add(&source, number, number);
        assert!(more.has(&source, number) && a.is_within(&more));
        assert_eq!(more == a, in_a);
    }
    let Ok(c) = three.parse::<GtidSet>() else { return };
    assert_eq!(a.with(&b).with(&c), a.with(&b.with(&c)));
    assert_eq!(a.within(&b).within(&c), a.within(&b.within(&c)));
    assert_eq!(a.without(&b).without(&c), a.without(&b.with(&c)));
    assert!(!a.is_within(&b) || !b.is_within(&c) || a.is_within(&c));
}

/// Some numbers that the text of a set names, and their neighbours.
fn some_of(text: &str) -> Vec<(String, u64)> {
    let mut some = Vec::new();
    for part in text.split(',').take(4) {
        let mut fields = part.split(':').map(str::trim);
        let Some(uuid) = fields.next() else { continue };
        for field in fields.take(4) {
            let numbers = field.split('-').filter_map(|number| number.trim().parse::<u64>().ok());
            for number in
                numbers.flat_map(|number| [number.saturating_sub(1), number, number.saturating_add(1)])
            {
                if number > 0 {
                    some.push((uuid.to_ascii_lowercase(), number));
                }
            }
        }
    }
    some
}

fn of_mariadb(text: &str) {
    let Ok(gtids) = parse_list(text) else { return };
    let (position, state): (GtidPosition, GtidState) =
        (gtids.iter().copied().collect(), gtids.iter().copied().collect());
    assert_eq!(position.to_string().parse::<GtidPosition>().as_ref(), Ok(&position));
    assert_eq!(state.to_string().parse::<GtidState>().as_ref(), Ok(&state));
    assert_eq!(text.parse::<GtidPosition>().as_ref(), Ok(&position));
    for gtid in &gtids {
        assert_eq!(gtid.to_string().parse().as_ref(), Ok(gtid));
        assert!(
            state.knows(gtid.domain) && state.is_stepped_back_by(state.newest(gtid.domain).unwrap_or(*gtid))
        );
        let newest = state.newest(gtid.domain).map(|gtid| gtid.sequence);
        assert_eq!(newest, state.highest(gtid.domain));
        assert!(position.get(gtid.domain).is_some_and(|last| state.includes(last)));
        assert_eq!(state.of_domain(gtid.domain).highest(gtid.domain), newest);
    }
    let mut merged = state.clone();
    merged.merge(&state);
    assert_eq!(merged, state);
}

fn positions(one: &str, two: &str, three: &str) {
    let read = |text: &str| {
        let position = BinlogPosition::from_text(text)?;
        assert_eq!(BinlogPosition::from_text(&position.to_string()).as_ref(), Some(&position));
        Some(position)
    };
    let (Some(a), Some(b)) = (read(one), read(two)) else { return };
    assert_eq!(a.compare(&b), b.compare(&a).map(Ordering::reverse));
    assert!(a.compare(&a).is_none_or(Ordering::is_eq));
    let Some(c) = read(three) else { return };
    if a.has_reached(&b) && b.has_reached(&c) {
        assert!(a.has_reached(&c), "{a}, {b}, {c}");
    }
}
