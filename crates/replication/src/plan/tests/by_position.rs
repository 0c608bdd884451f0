//! By exact positions.

use super::*;

#[test]
fn b1_all_quiet_needs_every_one_of_its_conditions() {
    assert_eq!(place(&without_gtids(), None), Place::Position(BinlogPosition::new("bin.000007", 300)));
    let spoilers: [Spoiler; 8] = [
        ("a log grows", |f| f.quiet = false),
        ("new master does not follow", |f| f.new.channel = None),
        ("new master lags", |f| f.new.channel = Some(channel(("bin.000001", 700), ("bin.000001", 800)))),
        ("replica lags", |f| f.replica.channel = channel(("bin.000001", 700), ("bin.000001", 800))),
        ("old master does not follow", |f| {
            let OldMaster::Answers(old) = &mut f.old else { unreachable!() };
            old.from_new = None;
        }),
        ("a25: the new master has groups that the old one never got", |f| {
            let OldMaster::Answers(old) = &mut f.old else { unreachable!() };
            old.from_new = Some(channel(("bin.000007", 200), ("bin.000007", 200)));
        }),
        ("a24: the old master did not log what the new one wrote", |f| {
            let OldMaster::Answers(old) = &mut f.old else { unreachable!() };
            old.log_slave_updates = false;
            f.new.state = "0-1-8,0-2-5".parse().unwrap();
        }),
        ("a23: the old master left out of its log some of what the new one wrote", |f| {
            old(f).log_rule = leaves_out("ROW");
            f.new.state = "0-1-8,0-2-5".parse().unwrap();
        }),
    ];
    for (what, spoil) in spoilers {
        let mut facts = without_gtids();
        spoil(&mut facts);
        let refusal = refusal(&facts, None);
        assert!(matches!(refusal, Refusal::Unproved { .. }), "{what}: {refusal:?}");
    }
}

#[test]
fn b3_a_dead_master_needs_equal_places_and_an_heir_that_wrote_nothing() {
    let dead = || Facts { old: old_dead(), ..without_gtids() };
    assert_eq!(place(&dead(), None), Place::Position(BinlogPosition::new("bin.000007", 300)));
    let spoilers: [Spoiler; 6] = [
        ("heir gets from others what the replica got through the old master", |f| {
            f.new.other_channels = true;
        }),
        ("a20: heir may have applied more than it tells", |f| f.new.is_settled = false),
        ("replica behind", |f| f.replica.channel = channel(("bin.000001", 700), ("bin.000001", 700))),
        ("replica ahead", |f| f.replica.channel = channel(("bin.000001", 900), ("bin.000001", 900))),
        ("heir still applies", |f| f.new.channel = Some(channel(("bin.000001", 800), ("bin.000001", 900)))),
        ("a25: heir has a row of its own", |f| f.new.state = "0-1-8,0-2-7".parse().unwrap()),
    ];
    for (what, spoil) in spoilers {
        let mut facts = dead();
        spoil(&mut facts);
        let refusal = refusal(&facts, None);
        assert!(matches!(refusal, Refusal::Unproved { .. }), "{what}: {refusal:?}");
    }
}

#[test]
fn b3_without_gtids_the_log_of_the_heir_is_looked_into() {
    let mut facts = Facts { old: old_dead(), ..without_gtids() };
    facts.new.state = GtidState::default();
    assert_eq!(plan(&facts, None), Ok(Decision::Locate(Wanted::LastGroups)));
    let looked = |offset, own| Located::Groups {
        of: BinlogPosition::new("bin.000001", 800),
        end: Some(BinlogPosition::new("bin.000007", offset)),
        found: Err("it keeps no log".into()),
        has_own: own,
        stood_still: true,
        log_of_replica: None,
    };
    let end = Place::Position(BinlogPosition::new("bin.000007", 300));
    assert_eq!(place(&facts, Some(&looked(300, false))), end);
    assert_refused!(facts, Some(&looked(300, true)), Refusal::Unproved { .. });
    let stale = plan(&facts, Some(&looked(200, false)));
    assert_eq!(stale, Ok(Decision::Locate(Wanted::LastGroups)), "the log has grown since");
}
