use super::*;

#[test]
fn a_server_is_closed_by_every_value_of_read_only_but_off() {
    let closed = |value: &str| Record::from_iter([("read_only", value)]).is_read_only();
    for value in ["1", "ON", "on", "NO_LOCK", "NO_LOCK_NO_ADMIN"] {
        assert!(closed(value), "{value}");
    }
    for value in ["0", "OFF", "off", ""] {
        assert!(!closed(value), "{value:?}");
    }
}

#[test]
fn a_server_that_does_not_show_read_only_is_not_closed() {
    assert!(!Record::from_iter([("super_read_only", "ON")]).is_read_only());
    assert!(!Record(vec![("read_only".into(), None)]).is_read_only());
}
