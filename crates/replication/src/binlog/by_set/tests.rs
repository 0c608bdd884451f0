use super::*;

const A: &str = "3e11fa47-71ca-11e1-9e33-c80aa9429562";
const B: &str = "4e11fa47-71ca-11e1-9e33-c80aa9429562";

fn named(text: &str) -> String {
    text.replace('a', A).replace('b', B)
}

/// A log as text: `a5` is a group of server A, `x` one without a GTID, `R` a rotation. Groups are 100 bytes.
fn rows(log: &str) -> Vec<(BinlogPosition, Record)> {
    let (mut file, mut pos, mut rows) = (1, 4, Vec::new());
    for word in log.split_whitespace() {
        let mut row = |kind: &str, info: String, size: u64| {
            let row = Record::from_iter([
                ("Event_type", kind.to_string()),
                ("Info", info),
                ("Pos", pos.to_string()),
                ("End_log_pos", (pos + size).to_string()),
            ]);
            rows.push((BinlogPosition::new(format!("bin.{file:06}"), pos), row));
            pos += size;
        };
        match word {
            "R" => {
                row("Rotate", String::new(), 40);
                (file, pos) = (file + 1, 4);
            }
            "x" => row("Anonymous_Gtid", "SET @@SESSION.GTID_NEXT= 'ANONYMOUS'".into(), 60),
            group => {
                let (source, number) = group.split_at(1);
                row("Gtid", format!("SET @@SESSION.GTID_NEXT= '{}:{number}'", named(source)), 60);
                row("Xid", "COMMIT /* xid=1 */".into(), 40);
            }
        }
    }
    rows
}

/// True if it is done.
fn take(prefix: &mut Prefix, rows: &[(BinlogPosition, Record)]) -> bool {
    rows.iter().any(|(place, row)| {
        if prefix.end.file != place.file {
            prefix.open(place);
        }
        prefix.event(row)
    })
}

fn told(prefix: Prefix) -> (String, String) {
    match prefix.finish() {
        Located::Prefix { position, before, .. } => {
            (position.to_string(), before.to_string().replace(A, "a").replace(B, "b"))
        }
        other => (format!("{other:?}"), String::new()),
    }
}

fn read(set: &str, log: &str) -> (String, String) {
    let set: GtidSet = named(set).parse().unwrap();
    let mut prefix = Prefix::new(&set, GtidSet::default());
    take(&mut prefix, &rows(log));
    told(prefix)
}

#[test]
fn the_place_is_before_the_first_group_that_is_not_in_the_set() {
    for (set, log, place, before) in [
        ("a:1-2", "a1 a2 b1 a3", "bin.000001:204", "a:1-2"),
        ("a:1-2,b:1", "a1 b1 a2", "bin.000001:304", "a:1-2,b:1"),
        ("a:1-2", "a1 a2 R b1", "bin.000002:4", "a:1-2"),
        ("a:1-2", "a1 a2 R", "bin.000001:204", "a:1-2"),
        ("a:1-3", "a1 b1 a2 a3", "bin.000001:104", "a:1"),
    ] {
        assert_eq!(read(set, log), (place.to_string(), before.to_string()), "{set} in {log}");
    }
}

#[test]
fn a_group_without_a_gtid_is_not_passed() {
    assert!(read("a:1-2", "a1 x a2").0.starts_with("Unnamed"));
    assert_eq!(read("a:1", "a1 b1 x").0, "bin.000001:104", "behind the place it does not matter");
}

#[test]
fn a_search_goes_on_at_whatever_group_a_call_ended_for_the_same_set_or_a_larger_one() {
    for (set, log) in [
        ("a:1-2", "a1 a2 b1 a3"),
        ("a:1-3,b:1-2", "a1 b1 a2 R b2 a3 R a4"),
        ("a:1-3,b:1-2", "a1 b1 a2 R b2 R"),
        ("a:1-3", "a1 a2 x a3"),
    ] {
        let larger = format!("{set},b:1-9");
        let log = rows(log);
        let begins = |(_, row): &(BinlogPosition, Record)| row.text("Event_type") == "Gtid";
        let groups: Vec<usize> = (0..log.len()).filter(|index| begins(&log[*index])).collect();
        for cut in groups.windows(2) {
            let small: GtidSet = named(set).parse().unwrap();
            let mut first = Prefix::new(&small, GtidSet::default());
            if take(&mut first, &log[..=cut[1]]) {
                break;
            }
            for set in [set, &larger] {
                let set: GtidSet = named(set).parse().unwrap();
                let mut single = Prefix::new(&set, GtidSet::default());
                take(&mut single, &log);
                let mut second = Prefix::new(&set, GtidSet::default());
                second.open(&BinlogPosition::new("bin.000001", 4));
                let mut second = second.resumed(&first.to_text(), &log[cut[0]].0).expect("it goes on");
                take(&mut second, &log[cut[1]..]);
                assert_eq!(told(second), told(single), "cut at {}", log[cut[1]].0);
            }
        }
    }
}

#[test]
fn what_was_read_is_of_no_use_for_a_set_that_lacks_of_it_nor_behind_it() {
    let all: GtidSet = named("a:1-9").parse().unwrap();
    let mut first = Prefix::new(&all, GtidSet::default());
    take(&mut first, &rows("a1 a2 a3 a4"));
    let place = BinlogPosition::new("bin.000001", 204);
    for (set, begin, is_of_use) in [
        ("a:1-9", "bin.000001:4", true),
        ("a:1-3", "bin.000001:204", true),
        ("a:1-2,b:1-9", "bin.000001:4", false),
        ("a:1-9", "bin.000001:205", false),
        ("a:1-9", "bin.000002:4", false),
        ("a:1-9", "log.000001:4", false),
    ] {
        let set: GtidSet = named(set).parse().unwrap();
        let mut prefix = Prefix::new(&set, GtidSet::default());
        prefix.open(&BinlogPosition::from_text(begin).unwrap());
        assert_eq!(prefix.resumed(&first.to_text(), &place).is_some(), is_of_use, "{set} {begin}");
    }
    for text in ["", "before=x", "file=bin.000001"] {
        assert!(Prefix::new(&all, GtidSet::default()).resumed(text, &place).is_none(), "{text}");
    }
}
