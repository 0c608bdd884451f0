use super::*;
use crate::status::Mode;

#[test]
fn a_channel_has_applied_something_where_its_set_or_without_gtids_its_place_is_another() {
    let at = |offset| BinlogPosition::new("bin.000007", offset);
    let (place, by_gtid) = (Place::Position(at(300)), Place::Gtid(Mode::AutoPosition));
    for (to, applied, is_other_set, all_have_gtids, expected) in [
        (&place, Some(at(300)), false, false, false),
        (&place, Some(at(400)), false, false, true),
        (&place, Some(at(300)), true, false, true),
        (&place, None, false, false, false),
        // A new file of the log moves the place, too.
        (&place, Some(at(400)), false, true, false),
        (&place, Some(at(400)), true, true, true),
        (&by_gtid, Some(at(400)), false, true, false),
        (&by_gtid, Some(at(400)), true, true, true),
    ] {
        let moved = has_moved(to, applied.as_ref(), is_other_set, all_have_gtids);
        assert_eq!(moved, expected, "{to} {applied:?} {is_other_set} {all_have_gtids}");
    }
}

#[test]
fn a17_of_several_channels_of_a_mysql_only_what_the_moved_one_has_fetched_is_new() {
    let named = |groups: &str| {
        let named = |group: &str| format!("00000000-0000-0000-0000-00000000000{group}");
        groups.split_whitespace().map(named).collect::<Vec<_>>().join(",")
    };
    for (before, now, fetched, expected, why) in [
        ("1:1-8 9:1-3", "1:1-8 9:1-7", "", false, "another channel has gone on"),
        ("1:1-8 9:1-3", "1:1-8 2:1 9:1-7", "2:1", true, "both have"),
        ("1:1-8 9:1-3", "1:1-8 9:1-7", "2:1", false, "what was fetched is not applied yet"),
        ("1:1-8 9:1-3", "1:1-8 9:1-3", "1:7-8", false, "it had that before"),
        ("1:1-8", "1:1-8 3:1", "", false, "somebody has written on the replica"),
    ] {
        let came = came_as_fetched(&named(before), &named(now), &named(fetched));
        assert_eq!(came, Ok(expected), "{why}");
    }
    assert_eq!(came_as_fetched("", "", "?"), Err("Retrieved_Gtid_Set"));
}

#[test]
fn a17_of_several_channels_of_a_mariadb_only_the_new_masters_domains_count() {
    let new: GtidState = "0-1-8,0-2-5".parse().unwrap();
    for (now, expected, why) in [
        ("0-1-8,9-90-3", false, "nothing has gone on"),
        ("0-1-8,9-90-7", false, "another channel has"),
        ("0-2-9,9-90-3", true, "the new master's domain has"),
        ("0-1-8,2-2-1,9-90-3", true, "the new master has begun a domain"),
    ] {
        assert_eq!(came_in_domains_of(&new, "0-1-8,9-90-3", now), Ok(expected), "{why}");
    }
    assert_eq!(came_in_domains_of(&new, "0-1-8", "?"), Err("gtid_slave_pos"));
}
