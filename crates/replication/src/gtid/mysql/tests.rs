use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;

const A: &str = "3e11fa47-71ca-11e1-9e33-c80aa9429562";
const B: &str = "4e11fa47-71ca-11e1-9e33-c80aa9429562";

fn set(text: &str) -> GtidSet {
    text.parse().unwrap()
}

#[test]
fn texts_of_servers_are_read_whatever_their_blanks() {
    for (text, shown) in [
        (String::new(), String::new()),
        (format!("{A}:1-5"), format!("{A}:1-5")),
        (format!("{A}:1-5:7:9-10"), format!("{A}:1-5:7:9-10")),
        (format!("{A}:1-5:6-8"), format!("{A}:1-8")),
        (format!("{A}:1-5,\n{B}:1"), format!("{A}:1-5,{B}:1")),
        (format!("{}:3", A.to_uppercase()), format!("{A}:3")),
        (format!("{A}:1-5:tag:2-3"), format!("{A}:1-5,{A}:tag:2-3")),
    ] {
        assert_eq!(set(&text).to_string(), shown, "{text}");
    }
}

#[test]
fn what_is_no_set_is_refused() {
    for text in ["x", "0-1-5", A, &format!("{A}:"), &format!("{A}:0"), &format!("{A}:5-1")] {
        assert!(text.parse::<GtidSet>().is_err(), "{text}");
    }
}

#[test]
fn sources_and_tags_are_kept_apart() {
    let some = set(&format!("{A}:1-10,{B}:1-3"));
    assert!(set(&format!("{A}:4-6")).is_within(&some));
    assert!(!set(&format!("{B}:4")).is_within(&some));
    assert!(!set(&format!("{A}:tag:4")).is_within(&some));
    assert_eq!(some.without(&set(&format!("{A}:3-4"))).to_string(), format!("{A}:1-2:5-10,{B}:1-3"));
    assert_eq!(some.count(), 13);
    assert!(set(&format!("{A}:11-12,{B}:9")).is_behind(&some));
    for not in [format!("{A}:10-12"), format!("{A}:11,{B}:2"), format!("{A}:tag:11")] {
        assert!(!set(&not).is_behind(&some), "{not}");
    }
    assert!(set(&format!("{A}:tag:4")).knows(&A.to_uppercase()) && !some.knows("x"));
    assert_eq!(some.filtered(|uuid| uuid == B).to_string(), format!("{B}:1-3"));
    assert_eq!(
        set(&format!("{A}:1-2")).with(&set(&format!("{A}:3,{B}:1"))).to_string(),
        format!("{A}:1-3,{B}:1")
    );
}

fn members() -> impl Strategy<Value = BTreeSet<u64>> {
    prop::collection::btree_set(1_u64..40, 0..25)
}

fn of(members: &BTreeSet<u64>) -> GtidSet {
    let mut set = GtidSet::default();
    for number in members {
        set.add(A, *number, *number);
    }
    set
}

proptest! {
    #[test]
    fn differences_and_subsets_are_those_of_sets(one in members(), other in members()) {
        let difference: BTreeSet<u64> = one.difference(&other).copied().collect();
        prop_assert_eq!(of(&one).without(&of(&other)), of(&difference));
        prop_assert_eq!(of(&one).is_within(&of(&other)), one.is_subset(&other));
        prop_assert_eq!(set(&of(&one).to_string()), of(&one));
        let both: BTreeSet<u64> = one.intersection(&other).copied().collect();
        prop_assert_eq!(of(&one).within(&of(&other)), of(&both));
        for number in 1..41 {
            prop_assert_eq!(of(&one).has(A, number), one.contains(&number));
        }
    }
}

#[test]
fn the_largest_numbers_are_in_sets_as_others_are() {
    let all = set(&format!("{A}:1-18446744073709551615,{B}:1-18446744073709551615"));
    assert!(all.is_within(&all) && all.without(&all).is_empty());
    assert_eq!(all.count(), u64::MAX);
    let last = set(&format!("{A}:18446744073709551615"));
    assert_eq!(
        all.without(&last).within(&set(&format!("{A}:1-18446744073709551615"))).to_string(),
        format!("{A}:1-18446744073709551614")
    );
}

#[test]
fn a_set_of_many_gaps_takes_no_longer_than_its_text() {
    use std::fmt::Write as _;
    use std::time::{Duration, Instant};

    let gaps = |first: u64| {
        (0..100_000_u32).rev().fold(A.to_string(), |mut text, index| {
            write!(text, ":{}", first + u64::from(index) * 4).expect("room");
            text
        })
    };
    let started = Instant::now();
    let (one, other) = (set(&gaps(1)), set(&gaps(3)));
    assert_eq!(one.without(&other), one);
    assert_eq!(one.with(&other).count(), 200_000);
    let mut logged = GtidSet::default();
    (1..400_000).step_by(4).for_each(|number| logged.add(A, number, number));
    assert_eq!(logged, one);
    assert!(started.elapsed() < Duration::from_secs(3), "{:.1?}", started.elapsed());
}
