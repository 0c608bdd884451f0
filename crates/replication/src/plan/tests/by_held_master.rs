//! By an old master whose SQL thread is paused.

use super::*;

/// The new master writes and the old one follows.
fn late() -> Facts {
    let mut facts = without_gtids();
    facts.new.read_only = false;
    facts.quiet = false;
    facts.new.end = Some(BinlogPosition::new("bin.000007", 9000));
    facts.new.channel = Some(channel(("bin.000001", 750), ("bin.000001", 800)));
    facts
}

/// The same, with the old master's SQL thread paused at 300.
fn held() -> Facts {
    let mut facts = late();
    let old = old(&mut facts);
    old.held = Some(BinlogPosition::new("bin.000007", 290));
    old.from_new = Some(channel(("bin.000007", 300), ("bin.000007", 9000)));
    old.from_new.as_mut().unwrap().sql_running = false;
    facts
}

#[test]
fn b2_an_old_master_that_follows_is_held_as_the_last_resort() {
    assert!(matches!(plan(&late(), None), Ok(Decision::Hold(Refusal::Unproved { may_pass: false, .. }))));
    let mut alike = late();
    old(&mut alike).log_rule = leaves_out("ROW");
    alike.new.log_rule = leaves_out("ROW");
    assert!(matches!(plan(&alike, None), Ok(Decision::Hold(_))), "both leave out the same");
    let spoilers: [Spoiler; 13] = [
        ("it leaves out of its log what the new master does not", |f| old(f).log_rule = leaves_out("ROW")),
        ("it is gone", |f| f.old = old_dead()),
        ("what touches nobody else may yet do", |f| f.new.read_only = true),
        ("it does not follow", |f| old(f).from_new = None),
        ("an operator has stopped its applier", |f| old(f).from_new.as_mut().unwrap().sql_running = false),
        ("it fetches nothing", |f| old(f).from_new.as_mut().unwrap().io = IoThread::No),
        ("it keeps its place by GTID", |f| old(f).from_new.as_mut().unwrap().mode = Mode::AutoPosition),
        ("it drops some of what it gets", |f| {
            old(f).from_new.as_mut().unwrap().filters = vec!["Replicate_Do_DB=app".into()];
        }),
        ("it does not log what it gets", |f| old(f).log_slave_updates = false),
        ("it has no log", |f| old(f).end = None),
        ("the new master does not log what it gets", |f| f.new.log_slave_updates = false),
        ("the new master does not follow", |f| f.new.channel = None),
        ("the replica applies nothing", |f| f.replica.channel.sql_running = false),
    ];
    for (what, spoil) in spoilers {
        let mut facts = late();
        spoil(&mut facts);
        assert!(matches!(refusal(&facts, None), Refusal::Unproved { .. }), "{what}");
    }
}

#[test]
fn b2_the_place_is_the_held_old_masters_and_needs_a_replica_with_all_of_its_log() {
    let at = BinlogPosition::new("bin.000007", 300);
    let proof = Proof::SameAsOld { old_end: BinlogPosition::new("bin.000001", 800), new_place: at.clone() };
    let expected = Plan { place: Place::Position(at), proof };
    assert_eq!(plan(&held(), None), Ok(Decision::Attach(expected.clone())));
    let mut stopped = held();
    stopped.replica.channel.sql_running = false;
    stopped.replica.channel.io = IoThread::No;
    assert_eq!(plan(&stopped, None), Ok(Decision::Attach(expected)), "the replica, too, stands still");
    let spoilers: [(bool, Spoiler); 8] = [
        (true, ("replica behind", |f| f.replica.channel = channel(("bin.000001", 799), ("bin.000001", 800)))),
        (true, ("a log that still grows", |f| old(f).rests = false)),
        (false, ("replica ahead", |f| f.replica.channel = channel(("bin.000001", 801), ("bin.000001", 801)))),
        (
            false,
            ("replica stopped behind", |f| {
                f.replica.channel = channel(("bin.000001", 799), ("bin.000001", 800));
                f.replica.channel.sql_running = false;
            }),
        ),
        (
            false,
            ("replica of another log", |f| f.replica.channel = channel(("other.000001", 800), ("b.1", 4))),
        ),
        (false, ("somebody has started it", |f| old(f).from_new.as_mut().unwrap().sql_running = true)),
        (
            false,
            ("it failed", |f| {
                old(f).from_new.as_mut().unwrap().sql_error =
                    Some(ThreadError { code: 1062, text: "Duplicate entry".into() });
            }),
        ),
        (
            false,
            ("its own rows may lie behind its place", |f| {
                old(f).held = Some(BinlogPosition::new("bin.000007", 301));
            }),
        ),
    ];
    for (passes, (what, spoil)) in spoilers {
        let mut facts = held();
        spoil(&mut facts);
        let refusal = refusal(&facts, None);
        assert!(
            matches!(refusal, Refusal::Unproved { .. }) && refusal.may_pass() == passes,
            "{what}: {refusal:?}"
        );
    }
    let mut open = held();
    old(&mut open).read_only = false;
    assert_refused!(open, None, Refusal::OldMasterWritable { .. });
    let mut temporary = held();
    temporary.replica.temporary_tables = 1;
    assert_refused!(temporary, None, Refusal::TemporaryTables { .. });
}
