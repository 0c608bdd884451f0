use super::*;

#[test]
fn a_domain_of_which_an_older_group_is_still_applied_is_late() {
    let late = |slave_pos: &str, state: &str| {
        let ours = [("server_id", "2"), ("slave_pos", slave_pos), ("binlog_state", state)];
        let theirs = "0-1-900,7-1-40,8-2-5".parse().unwrap();
        late_domain(&ours.into_iter().collect(), &theirs).unwrap().map(|gtid| gtid.to_string())
    };
    assert_eq!(late("0-1-900,7-1-39", "").as_deref(), Some("7-1-40"));
    for (slave_pos, state, why) in [
        ("0-1-900,7-1-40", "", "all is there"),
        ("0-2-901,7-1-39", "7-1-40", "its log has it"),
        ("0-1-900,7-1-40,8-2-4", "", "its own does not come"),
        ("0-1-900", "", "a domain that never came, nor will"),
    ] {
        assert_eq!(late(slave_pos, state), None, "{why}");
    }
}
