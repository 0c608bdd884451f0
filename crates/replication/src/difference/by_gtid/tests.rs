use super::*;

#[test]
fn where_one_servers_last_groups_are_missing_the_log_is_read_behind_those_before() {
    for (missing, state, theirs, place) in [
        ("0-1-9", "0-1-9,0-2-7", "0-1-8,0-2-7", Some("0-1-8")),
        ("0-1-9", "0-1-9,3-2-7,3-1-8", "0-1-5", Some("0-1-5,3-1-8")),
        // A first group of its own may lie anywhere.
        ("0-3-9", "0-1-8,0-3-9", "0-1-8", None),
        ("0-1-9,0-3-10", "0-1-9,0-3-10", "0-1-8,0-3-7", None),
    ] {
        let log = OwnLog { state: theirs.parse().unwrap(), begin: GtidState::default() };
        let other = Has { log, replicated: GtidPosition::default(), logs_updates: true };
        let missing: GtidState = missing.parse().unwrap();
        let missing: Vec<Gtid> = missing.iter().collect();
        let found = up_to(&missing, &state.parse().unwrap(), &other);
        assert_eq!(found.map(|place| place.to_string()).as_deref(), place, "{missing:?}");
    }
}

#[test]
fn a_server_has_what_its_log_or_else_its_place_tells() {
    for (state, begin, replicated, logs_updates, gtid, has) in [
        ("0-1-5,0-3-7", "0-1-1", "0-1-5", true, "0-1-5", true),
        ("0-1-5,0-3-7", "0-1-1", "0-1-5", true, "0-1-6", false),
        // Its log shows more than its position, which a group of its own has advanced.
        ("0-1-5,0-2-9", "0-1-1", "0-1-5", true, "0-3-4", false),
        // Begun after the group.
        ("0-1-9", "0-1-8", "0-1-9", true, "0-3-4", true),
        ("0-1-9", "0-1-8", "", true, "0-3-4", false),
        // Begun anew with a copy, and nothing since.
        ("", "", "0-1-9", true, "0-1-9", true),
        ("", "", "0-1-9", true, "0-1-10", false),
        // It keeps no log of what it replicates.
        ("0-3-2", "", "0-1-9", false, "0-1-9", true),
        ("0-3-20", "", "0-1-9", false, "0-1-10", false),
        ("", "", "0-1-9", false, "7-1-1", false),
    ] {
        let log = OwnLog { state: state.parse().unwrap(), begin: begin.parse().unwrap() };
        let server = Has { log, replicated: replicated.parse().unwrap(), logs_updates };
        assert_eq!(
            server.has(gtid.parse().unwrap()),
            has,
            "{gtid} in [{state}] from [{begin}] at {replicated}"
        );
    }
}
