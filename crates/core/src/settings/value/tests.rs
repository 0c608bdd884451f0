use super::*;

#[test]
fn a_time_has_a_unit_or_is_in_seconds() {
    let table = [
        ("3s", 3000),
        ("3", 3000),
        ("0.5", 500),
        ("1.5s", 1500),
        ("500ms", 500),
        ("500 ms", 500),
        ("2m", 120_000),
        ("1h", 3_600_000),
        ("1ms", 1),
    ];
    for (text, milliseconds) in table {
        assert_eq!(time(text), Some(Duration::from_millis(milliseconds)), "{text}");
    }
}

#[test]
fn no_time_and_no_sensible_one_are_refused() {
    for text in
        ["", "s", "0", "0s", "0.0001ms", "-3s", "3 days", "61m", "3601", "1e3", "inf", "NaN", "1.2.3s", "3S"]
    {
        assert_eq!(time(text), None, "{text}");
    }
}
