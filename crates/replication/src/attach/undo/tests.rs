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
