use super::*;

#[test]
fn bytes_are_counted_through_the_files_between() {
    let at = BinlogPosition::new;
    let sizes = [("bin.1".to_string(), 1000), ("bin.2".into(), 500), ("bin.3".into(), 70)];
    let left = |from, to| bytes(Some(&from), Some(&to), &sizes);
    assert_eq!(left(at("bin.1", 900), at("bin.1", 1000)), Some(Left::Bytes(100)));
    assert_eq!(left(at("bin.1", 900), at("bin.3", 70)), Some(Left::Bytes(670)));
    assert_eq!(left(at("bin.3", 70), at("bin.3", 70)), None);
    assert_eq!(left(at("bin.3", 70), at("bin.1", 900)), None, "nothing is left of what was passed");
    assert_eq!(left(at("other.1", 4), at("bin.1", 900)), None, "a file that is gone");
}
