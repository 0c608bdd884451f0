use super::*;

#[test]
fn positions_of_one_log_are_ordered_by_number_and_offset() {
    let at = BinlogPosition::new;
    for (a, b, expected) in [
        (at("bin.000001", 9), at("bin.000001", 10), Some(Ordering::Less)),
        (at("bin.000002", 4), at("bin.000001", 900), Some(Ordering::Greater)),
        (at("bin.999999", 4), at("bin.1000000", 4), Some(Ordering::Less)),
        (at("a.b.000001", 4), at("a.b.000001", 4), Some(Ordering::Equal)),
        (at("bin.000001", 4), at("mysql-bin.000001", 4), None),
        (at("bin", 4), at("bin", 4), None),
    ] {
        assert_eq!(a.compare(&b), expected, "{a} {b}");
    }
}

#[test]
fn a_position_is_read_as_it_is_shown_or_not_at_all() {
    for position in [BinlogPosition::new("bin.000007", 300), BinlogPosition::new("a:b.000007", 4)] {
        assert_eq!(BinlogPosition::from_text(&position.to_string()), Some(position));
    }
    for text in ["", "nothing", "bin.000007:", "bin.000007:x"] {
        assert_eq!(BinlogPosition::from_text(text), None, "{text}");
    }
}

#[test]
fn another_base_name_is_never_reached() {
    assert!(!BinlogPosition::new("bin.000009", 4).has_reached(&BinlogPosition::new("old.000001", 4)));
}
