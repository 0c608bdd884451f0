use super::*;
use crate::binlog::group::Print;

#[test]
fn what_an_earlier_call_has_seen_or_was_logged_since_counts() {
    for (earlier, newer, later, is_there) in
        [(1, 1, 1, false), (2, 1, 1, true), (1, 2, 1, true), (1, 1, 2, true)]
    {
        let group = |server_id| Group { print: Print(7), server_id, time: 7, begin: 4, end: 9 };
        let mut first = Own { id: 2, is_there: false };
        first.group(&group(earlier));
        let mut second = Own { id: 2, is_there: false }.resumed(&first.to_text(), "").expect("a note");
        assert!(second.newer(&group(newer)), "it goes on");
        second.group(&group(later));
        assert_eq!(second.is_settled(), is_there, "{earlier} {newer} {later}");
    }
    assert!(Own { id: 2, is_there: false }.resumed("is_there=x", "").is_none());
}
