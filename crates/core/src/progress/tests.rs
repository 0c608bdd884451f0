use super::*;

#[test]
fn a_pace_says_how_fast_and_how_long() {
    let pace = |left, per_second, kind: Left| Pace { left, per_second, kind }.to_string();
    let transactions = Left::Transactions(0);
    assert_eq!(pace(1200, 97.2, transactions), ", 98/s, about 13s");
    assert_eq!(pace(1 << 20, 524_288.0, Left::Bytes(0)), ", 512.00 KiB/s, about 2s");
    assert_eq!(pace(5, 0.0, transactions), ", not moving");
    assert_eq!(pace(0, 0.0, transactions), "");
}

#[test]
fn without_a_person_nothing_is_drawn() {
    assert!(!waiting("nobody sees this").is_seen());
}
