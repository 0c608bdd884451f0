use super::*;

fn seen(applied: &str, since: u64, heard: u64) -> Seen {
    let (tail, to, boot) = ("4 transactions".into(), "bin.000007:900".into(), "b1".into());
    Seen { tail, to, applied: applied.into(), since, heard, boot }
}

#[test]
fn what_is_noted_is_read_again_or_not_at_all() {
    let seen = seen("nothing", 700, 720);
    assert_eq!(Seen::from_text(&seen.to_text()), Some(seen));
    for text in ["", "tail=4", "tail=4\tto=\tapplied=\tsince=\theard=\tboot="] {
        assert_eq!(Seen::from_text(text), None, "{text}");
    }
}

#[test]
fn a_note_of_an_opening_is_over_once_more_of_the_dead_masters_log_was_applied() {
    let at = |offset| BinlogPosition::new("bin.000007", offset);
    let opened = Opened { end: BinlogPosition::new("own.000002", 300), applied: at(900).to_string() };
    assert!(opened.is_of(Some(&at(900))));
    assert!(opened.is_of(Some(&at(800))), "begun anew before it");
    assert!(!opened.is_of(Some(&at(901))), "it came back");
    assert!(!opened.is_of(Some(&BinlogPosition::new("bin.000008", 4))), "with another file");
    assert!(opened.is_of(Some(&BinlogPosition::new("other.000009", 4))), "nothing tells");
    assert!(opened.is_of(None));
}

#[test]
fn a_survivor_is_idle_since_it_got_on_and_silent_since_it_was_heard() {
    let now = seen("bin.000007:300", 800, 800);
    assert_eq!(now.clone().after(&seen("bin.000007:300", 700, 720)), seen("bin.000007:300", 700, 800));
    for (earlier, why) in [
        (seen("bin.000007:200", 700, 720), "it has applied more"),
        (Seen { tail: "5 transactions".into(), ..seen("bin.000007:300", 700, 720) }, "less is missing"),
        (Seen { boot: "b0".into(), ..seen("bin.000007:300", 700, 720) }, "the machine was started"),
        (seen("bin.000007:300", 900, 900), "nobody can see it later than now"),
    ] {
        assert_eq!(now.clone().after(&earlier), now, "{why}");
    }
}

#[test]
fn what_was_noted_before_a_start_of_the_machine_counts_from_now() {
    let noted = seen("nothing", 700, 720);
    let at = |boot: &str| Moment { seconds: 90, boot: boot.into() };
    assert_eq!(noted.clone().counted_from(&at("b1")), noted);
    assert_eq!(noted.counted_from(&at("b2")), Seen { boot: "b2".into(), ..seen("nothing", 90, 90) });
}

#[test]
fn this_machine_tells_how_long_it_has_been_running() {
    let now = Moment::now();
    assert!(now.seconds > 0 && now.boot.len() > 30, "{now:?}");
}
