use super::*;

#[test]
fn what_this_host_wrote_last_in_a_domain_and_a_survivor_has_not_is_newer_than_its_tail() {
    let own = |logged: &str, replicated: &str, logs: &str, state: &str, last: &str| {
        let (own_state, newest) = logged.split_once(" to ").unwrap_or((logged, logged));
        let ours: Record = [
            ("server_id", "2"),
            ("binlog_state", own_state),
            ("binlog_pos", newest),
            ("slave_pos", replicated),
            ("log_slave_updates", logs),
        ]
        .into_iter()
        .collect();
        let theirs: Record = [("binlog_state", state), ("slave_pos", last)].into_iter().collect();
        own_that_lacks(&ours, &theirs).unwrap()
    };
    for (logged, replicated, logs, state, last, why) in [
        ("0-2-9", "0-1-8", "1", "0-1-12,0-2-9", "0-1-12", "it is there"),
        ("0-2-9", "0-1-8", "1", "", "0-2-9", "it is there, and was not logged or no longer is"),
        ("1-1-30,2-2-9", "1-1-30", "1", "1-1-33", "1-1-33,2-2-9", "the same, in a domain of its own"),
        ("0-3-9", "0-1-8", "1", "0-1-12", "0-1-12", "another server's"),
        ("", "0-1-8", "1", "0-1-12", "0-1-12", "nothing was logged"),
    ] {
        assert_eq!(own(logged, replicated, logs, state, last), None, "{why}");
    }
    for (logged, replicated, logs, state, last, is_newest, why) in [
        ("0-2-9", "0-1-8", "1", "0-1-12,0-2-7", "0-1-12", true, "the tail has higher numbers"),
        ("0-2-9", "0-1-8", "0", "0-1-12", "0-1-12", true, "the same, where only its own is logged"),
        ("0-2-9", "0-1-11", "1", "0-1-12", "0-1-12", true, "its log was begun anew, and its numbers with it"),
        ("1-1-30,0-2-9", "1-1-30", "1", "1-1-33", "1-1-33,0-2-7", true, "a domain of its own"),
        ("0-1-12,0-2-9 to 0-1-12", "0-1-12", "1", "0-1-14", "0-1-14", false, "others' followed"),
        ("0-2-9", "0-1-11", "0", "0-1-12", "0-1-12", false, "what followed is not logged"),
    ] {
        let lacks = Some(("0-2-9".parse().unwrap(), is_newest));
        assert_eq!(own(logged, replicated, logs, state, last), lacks, "{why}");
    }
}
