use super::*;

#[test]
fn lists_are_read_with_and_without_brackets() {
    for (text, expected) in [
        ("", vec![]),
        ("0-1-5", vec![(0, 1, 5)]),
        ("0-1-5,1-2-18446744073709551615", vec![(0, 1, 5), (1, 2, u64::MAX)]),
        ("[0-2-7, 0-1-5]", vec![(0, 2, 7), (0, 1, 5)]),
        ("[]", vec![]),
    ] {
        let read: Vec<_> =
            parse_list(text).expect(text).iter().map(|g| (g.domain, g.server, g.sequence)).collect();
        assert_eq!(read, expected, "{text}");
    }
    for wrong in ["0-1", "0-1-5-6", "a-b-c", "0-1-5;", "4294967296-1-1"] {
        assert!(parse_list(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn a_position_keeps_the_later_of_two_entries_of_a_domain_and_a_state_keeps_both() {
    let position: GtidPosition = "0-2-7,0-1-5".parse().expect("list");
    assert_eq!(position.to_string(), "0-1-5");
    let state: GtidState = "0-2-7,0-1-5".parse().expect("list");
    assert_eq!(state.to_string(), "0-1-5,0-2-7");
    assert_eq!(state.highest(0), Some(7));
    assert!(state.includes("0-2-6".parse().expect("gtid")));
    assert!(!state.includes("0-1-6".parse().expect("gtid")));
    assert!(!state.includes("1-1-1".parse().expect("gtid")));
}
