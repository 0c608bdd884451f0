use super::*;

#[test]
fn what_was_fetched_of_each_domain_may_be_older_than_the_place_tells() {
    let is_behind = |fetched: &str, applied: &str| {
        let channel = Channel::from_record([("Gtid_IO_Pos", fetched)].into_iter().collect());
        let ours: Record = [("server_id", "2"), ("slave_pos", applied)].into_iter().collect();
        is_behind_in_a_domain(&ours, &channel).unwrap()
    };
    assert!(is_behind("0-1-9,7-1-4", "0-1-9,7-1-3"));
    assert!(is_behind("0-1-9,7-1-4", "0-1-9"), "the first of its domain");
    for (fetched, applied, why) in [
        ("0-1-9,7-1-4", "0-1-9,7-1-4", "all of it"),
        ("0-1-9", "0-1-9,3-5-1", "another channel's domain"),
        ("0-2-9", "0-1-7", "its own comes back"),
        ("", "0-1-9", "nothing was fetched"),
    ] {
        assert!(!is_behind(fetched, applied), "{why}");
    }
}

#[test]
fn without_positions_what_was_retrieved_must_be_executed() {
    const A: &str = "3e11fa47-71ca-11e1-9e33-c80aa9429562";
    let lacks = |executed: &str, retrieved: &str| {
        let channel = Channel::from_record([("Retrieved_Gtid_Set", retrieved)].into_iter().collect());
        lacks_retrieved(&[("gtids", executed)].into_iter().collect(), &channel).unwrap()
    };
    assert!(lacks(&format!("{A}:1-6"), &format!("{A}:7-11")));
    assert!(!lacks(&format!("{A}:1-11"), &format!("{A}:7-11")));
    assert!(!lacks("", ""), "nothing was fetched");
}
