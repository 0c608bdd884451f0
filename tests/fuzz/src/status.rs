//! A row of a replica's status: one column a line, its name and its value with a tab between.

use mmm_core::escape;
use mmm_replication::Record;
use mmm_replication::status::{Channel, Place, without_data};

/// Where errors of servers repeat what customers have stored.
const REPEATING: [(u64, &str, &str); 6] = [
    (
        1062,
        "Could not execute Write_rows event on table app.t; Duplicate entry '",
        "' for key 'PRIMARY', Error_code: 1062",
    ),
    (1366, "Incorrect integer value: '", "' for column 'a' at row 1"),
    (1064, "You have an error in your SQL syntax near '", "' at line 1"),
    (1690, "BIGINT value is out of range in '", "'"),
    (1526, "Table has no partition for value ", ""),
    (1146, "Error 'Table 'app.t' doesn't exist' on query. Default database: 'app'. Query: '", "'"),
];

pub fn read(input: &[u8]) {
    let text = String::from_utf8_lossy(input);
    let columns: Vec<(&str, &str)> = text.lines().filter_map(|line| line.split_once('\t')).collect();
    let channel = Channel::from_record(columns.iter().copied().collect::<Record>());
    let renamed = columns.iter().map(|(name, value)| (newer(name), *value)).collect::<Record>();
    assert_eq!(Channel::from_record(renamed), channel, "the names of newer servers");
    is_sound(&channel);
    for (name, value) in &columns {
        if name.contains("Error") {
            hides(value);
        }
    }
}

/// A column's name from MySQL 8.0.22 on.
fn newer(name: &str) -> String {
    name.replace("Master", "Source").replace("Slave_", "Replica_")
}

fn is_sound(channel: &Channel) {
    assert!(!(channel.is_running() && channel.has_lost_source()));
    assert!(!channel.has_half() || channel.has_applied_all());
    assert!(!channel.has_failed_on_data() || !channel.sql_running);
    assert!(!channel.would_discard() || !channel.is_running());
    assert_eq!(channel.executed(), channel.applied.as_ref());
    assert_eq!(channel.what_is_wrong() == "both threads run", channel.is_running());
    let _ = (Place::of(channel).to_string(), channel.title(), channel.source(), channel.is_receiving());
}

/// Of a value that a server's message repeats, nothing is left.
fn hides(value: &str) {
    // What looks like the statement at a message's end is cut off, and with it the end of the value.
    if format!("{value}'").contains(" Query: '") {
        return;
    }
    // What stands in a message anyway may be shown.
    let shown =
        |part: &str| REPEATING.iter().any(|(_, before, after)| before.contains(part) || after.contains(part));
    let start = value.char_indices().nth(3).map(|(index, _)| index);
    for (code, before, after) in REPEATING {
        let told = without_data(code, &format!("{before}{value}{after}"));
        assert!(told.len() <= before.len() + 3 + after.len(), "{told}");
        if value.chars().count() > 12 && !shown(value) {
            assert!(!told.contains(value), "{told}");
            let rest = start.map_or("", |start| &value[start..]);
            assert!(shown(rest) || !told.contains(rest), "{told}");
        }
    }
    assert!(!escape::line(value).chars().any(escape::is_obeyed));
}
