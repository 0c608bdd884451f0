use super::*;
use crate::record::Record;

#[test]
fn what_is_noted_is_read_again() {
    let set = "3e11fa47-71ca-11e1-9e33-c80aa9429562:1-9,4e11fa47-71ca-11e1-9e33-c80aa9429562:1";
    for (mode, place, fetches_key) in [
        (Mode::FilePosition, Some(BinlogPosition::new("a:b.000007", 300)), Some(false)),
        (Mode::SlavePos, None, None),
        (Mode::CurrentPos, None, Some(true)),
        (Mode::AutoPosition, Some(BinlogPosition::new("bin.000001", 4)), None),
    ] {
        let note = Note {
            survivor: "db3".into(),
            channel: "main line".into(),
            mode,
            begin: place.clone(),
            end: place.clone(),
            gtids: set.parse().unwrap(),
            had: "0-1-8,0-2-7".into(),
            host: "db1.example".into(),
            port: 3307,
            from: place.clone(),
            back: place,
            heartbeat: "2.5".into(),
            fetches_key,
            is_open: fetches_key == Some(true),
        };
        assert_eq!(Note::from_text(&note.to_text()), Some(note));
    }
}

fn at(offset: u64) -> BinlogPosition {
    BinlogPosition::new("bin.000007", offset)
}

fn under_way(mode: Mode, had: &str) -> Note {
    Note {
        survivor: "db3".into(),
        channel: String::new(),
        mode,
        begin: Some(at(300)),
        end: Some(at(900)),
        gtids: GtidSet::default(),
        had: had.into(),
        host: "db1".into(),
        port: 3306,
        from: Some(at(3000)),
        back: Some(at(9000)),
        heartbeat: String::new(),
        fetches_key: None,
        is_open: false,
    }
}

fn applied_to(offset: u64) -> Channel {
    Channel::from_record(Record::from_iter([
        ("Relay_Master_Log_File", "bin.000007".to_string()),
        ("Exec_Master_Log_Pos", offset.to_string()),
    ]))
}

#[test]
fn by_file_and_position_the_way_back_is_known_at_the_two_ends_alone() {
    let note = |mode| under_way(mode, "0-1-8");
    for (applied, executed, back, has_all) in [
        (300, "0-1-8", Some(at(3000)), false),
        // A place that a crash has set back, and not what was executed.
        (300, "0-1-9", None, false),
        (500, "0-1-9", None, false),
        (900, "0-1-14", Some(at(9000)), true),
        (950, "0-1-15", None, false),
    ] {
        let channel = applied_to(applied);
        let by_file = note(Mode::FilePosition);
        assert_eq!(by_file.way_back(&channel, executed), back.map(Place::Position), "{applied}");
        assert_eq!(by_file.has_all(&channel, executed), has_all, "{applied}");
        let by_gtid = note(Mode::SlavePos).way_back(&channel, executed);
        assert_eq!(by_gtid, Some(Place::Gtid(Mode::SlavePos)));
    }
}

#[test]
fn half_a_note_is_none() {
    for text in ["", "survivor=db3", "db3 channel", "survivor=db3\tchannel=\tmode=odd\tbegin="] {
        assert_eq!(Note::from_text(text), None, "{text}");
    }
}

#[test]
fn a_set_of_several_servers_is_known_again() {
    // As MySQL shows it.
    let had = "3e11fa47-71ca-11e1-9e33-c80aa9429562:1-9,\n4e11fa47-71ca-11e1-9e33-c80aa9429562:1-7";
    let note = Note::from_text(&under_way(Mode::FilePosition, had).to_text()).unwrap();
    assert_eq!(note.standing(&applied_to(300), had), Standing::AtBegin);
    assert_eq!(note.standing(&applied_to(300), &had.replace("1-7", "1-8")), Standing::Between);
}

#[test]
fn what_another_channel_brings_is_nothing_of_the_survivors() {
    let of = |server: char, numbers: &str| format!("{server}e11fa47-71ca-11e1-9e33-c80aa9429562:{numbers}");
    let had = of('3', "1-9");
    let with_set =
        |gtids: &str| Note { gtids: gtids.parse().unwrap(), ..under_way(Mode::FilePosition, &had) };
    let tail = of('3', "1-14");
    for (gtids, executed, expected, why) in [
        (tail.as_str(), format!("{had},{}", of('9', "1-3")), Standing::AtBegin, "another channel's"),
        (tail.as_str(), of('3', "1-10"), Standing::Between, "the survivor's"),
        (tail.as_str(), format!("{},{}", of('3', "1-10"), of('9', "1-3")), Standing::Between, "both"),
        ("", format!("{had},{}", of('9', "1-3")), Standing::Between, "the survivor's have no GTIDs"),
    ] {
        assert_eq!(with_set(gtids).standing(&applied_to(300), &executed), expected, "{why}");
    }
    // MariaDB's position does not tell whose it is.
    let note = under_way(Mode::FilePosition, "0-1-8");
    assert_eq!(note.standing(&applied_to(300), "0-1-8,9-90-1"), Standing::Between);
}
