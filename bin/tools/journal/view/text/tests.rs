use super::*;

#[test]
fn amounts_are_short() {
    let table = [(0.04, "0.0 ms"), (999.0, "999.0 ms"), (8000.0, "8.0 s"), (1.2e6, "20 min"), (2e7, "5.6 h")];
    for (milliseconds, text) in table {
        assert_eq!(amount(milliseconds), text);
    }
}
