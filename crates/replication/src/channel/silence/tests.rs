use super::*;

#[test]
fn a_silence_lasts_from_the_first_look_for_as_long_as_nothing_moves() {
    let second = Duration::from_secs;
    let noted = Note { first: second(100), last: second(103), seen: "c binlog.7:4 9".into() };
    for (began, seen, lasts, why) in [
        (106, "c binlog.7:4 9", 9, "nothing has moved"),
        (102, "c binlog.7:4 9", 5, "two helpers look at the same time"),
        (163, "c binlog.7:4 9", 66, "the next look comes late"),
        (164, "c binlog.7:4 9", 3, "nobody has looked for too long"),
        (106, "c binlog.7:4 10", 3, "a heartbeat came"),
        (106, "c binlog.7:8 9", 3, "something was fetched"),
        (20, "c binlog.7:4 9", 3, "the clock is another one"),
    ] {
        let next = Note::next(Some(noted.clone()), seen, [second(began), second(began + 3)]);
        assert_eq!(next.lasts(), second(lasts), "{why}");
        assert_eq!(next.seen, seen, "{why}");
    }
    let first = Note::next(None, "", [second(5), second(8)]);
    assert_eq!(first.lasts(), second(3), "the first look counts from its begin");
}

#[test]
fn a_note_is_read_as_it_was_written_or_not_at_all() {
    let note = Note {
        first: Duration::from_millis(1500),
        last: Duration::from_millis(4500),
        seen: "boot  two spaces, binlog.000007:4 ".into(),
    };
    let text = note.to_text();
    assert_eq!(Note::from_text(&text), Some(note));
    for cut in 0..text.len() {
        assert_eq!(Note::from_text(&text[..cut]), None, "{cut}");
    }
    assert_eq!(Note::from_text("-1 4 x\n"), None);
}
