use super::*;

#[test]
fn no_digits_are_shown_that_nobody_measured() {
    assert_eq!(milliseconds(SignedDuration::from_millis(4001)).to_string(), "4001");
    assert_eq!(milliseconds(SignedDuration::from_micros(-1_004_001_005)).to_string(), "-1004001.005");
    assert_eq!(milliseconds(SignedDuration::ZERO).to_string(), "0");
}
