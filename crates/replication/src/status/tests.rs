use super::*;

fn row(columns: &[(&str, &str)]) -> Record {
    let usual = [
        ("Connection_name", ""),
        ("Master_Host", "10.0.0.1"),
        ("Master_Port", "3307"),
        ("Slave_IO_Running", "Yes"),
        ("Slave_SQL_Running", "Yes"),
        ("Master_Log_File", "bin.000002"),
        ("Read_Master_Log_Pos", "900"),
        ("Relay_Master_Log_File", "bin.000002"),
        ("Exec_Master_Log_Pos", "700"),
        ("Last_IO_Errno", "0"),
        ("Using_Gtid", "No"),
    ];
    // The first of two columns with one name counts.
    columns.iter().copied().chain(usual).collect()
}

/// A row as a client shows it in vertical form.
fn shown(text: &str) -> Record {
    let columns = text.lines().filter_map(|line| line.split_once(':'));
    columns.map(|(name, value)| (name.trim(), value.trim())).collect()
}

#[test]
fn a_position_that_the_server_does_not_keep_is_none() {
    let unknown = |file: &'static str, offset: &'static str| [(file, "INVALID"), (offset, "0")];
    let (fetched, applied) = (
        unknown("Master_Log_File", "Read_Master_Log_Pos"),
        unknown("Relay_Master_Log_File", "Exec_Master_Log_Pos"),
    );
    let channel = Channel::from_record(row(&[fetched, applied].concat()));
    assert_eq!((&channel.fetched, &channel.applied), (&None, &None));
    assert!(!channel.has_applied_all());
    assert!(Channel::from_record(row(&fetched)).applied.is_some());
}

#[test]
fn every_servers_status_is_read() {
    for (text, mode, heartbeat, has_uuid) in [
        (include_str!("recorded/mariadb-10.5-file.txt"), Mode::FilePosition, "2.000", false),
        (include_str!("recorded/mariadb-10.11-gtid.txt"), Mode::SlavePos, "2.000", false),
        (include_str!("recorded/mariadb-11.8-gtid.txt"), Mode::SlavePos, "2.000", false),
        (include_str!("recorded/mysql-5.6-file.txt"), Mode::FilePosition, "", true),
        (include_str!("recorded/mysql-5.6-gtid.txt"), Mode::AutoPosition, "", true),
        (include_str!("recorded/mysql-9-file.txt"), Mode::FilePosition, "", true),
        (include_str!("recorded/mysql-9-gtid.txt"), Mode::AutoPosition, "", true),
    ] {
        let channel = Channel::from_record(shown(text));
        assert!(channel.is_running() && channel.is_receiving() && channel.has_applied_all(), "{text}");
        assert_eq!((channel.name.as_str(), channel.source().as_str()), ("", "10.77.0.11:3306"));
        assert_eq!((channel.source_user.as_str(), channel.source_server_id), ("replication", 1));
        assert_eq!((channel.mode, channel.heartbeat.as_str()), (mode, heartbeat));
        assert_eq!(channel.source_uuid.len() == 36, has_uuid, "{text}");
        assert!(channel.fetched.is_some_and(|end| end.file == "binlog.000001" && end.offset > 300));
        assert!(channel.relay.is_some_and(|place| place.file.starts_with("relay.")));
        assert!(channel.filters.is_empty() && channel.sql_error.is_none() && channel.until.is_none());
    }
}

#[test]
fn the_words_of_5_7_and_of_8_0_22_say_the_same() {
    let new = include_str!("recorded/mysql-9-gtid.txt").replace("Channel_Name:", "Channel_Name: x");
    let old = new.replace("Source", "Master").replace("Replica_", "Slave_");
    assert!(old.contains("Master_Host") && old.contains("Slave_SQL_Running"), "{old}");
    let (new, old) = (Channel::from_record(shown(&new)), Channel::from_record(shown(&old)));
    assert_eq!(new.name, "x");
    let words = (new.io_state.clone(), new.sql_state.clone());
    assert_eq!(Channel { io_state: words.0, sql_state: words.1, ..old }, new);
}

#[test]
fn a_channel_that_was_never_connected_has_no_positions() {
    let channel = Channel::from_record(row(&[("Master_Log_File", ""), ("Relay_Master_Log_File", "")]));
    assert_eq!((channel.fetched, channel.applied), (None, None));
}

#[test]
fn preparing_and_connecting_are_not_connected() {
    for state in ["Connecting", "Preparing", "Anything newer"] {
        let channel = Channel::from_record(row(&[("Slave_IO_Running", state)]));
        assert_eq!(channel.io, IoThread::Connecting);
        assert!(!channel.is_running());
    }
}

#[test]
fn a_source_is_lost_where_it_was_not_reached_and_not_where_it_refuses() {
    for (running, code, is_lost) in [
        ("Connecting", "2003", true),
        ("Connecting", "2013", true),
        ("Connecting", "1040", true),
        ("No", "2003", true),
        ("Yes", "2003", false),
        ("Connecting", "0", false),
        ("No", "0", false),
        ("No", "1236", false),
        ("No", "13114", false),
        ("Connecting", "1045", false),
    ] {
        let channel = Channel::from_record(row(&[("Slave_IO_Running", running), ("Last_IO_Errno", code)]));
        assert_eq!(channel.has_lost_source(), is_lost, "{running} {code}");
    }
}

#[test]
fn half_a_group_at_the_end_is_all_applied_only_while_the_thread_waits_for_more() {
    let waiting = ("Slave_SQL_Running_State", "Slave has read all relay log; waiting for more updates");
    assert!(Channel::from_record(row(&[waiting])).has_applied_all());
    assert!(!Channel::from_record(row(&[waiting, ("Slave_SQL_Running", "No")])).has_applied_all());
    let reading = ("Slave_SQL_Running_State", "Reading event from the relay log");
    assert!(!Channel::from_record(row(&[reading])).has_applied_all());
    assert!(Channel::from_record(row(&[reading, ("Exec_Master_Log_Pos", "900")])).has_applied_all());
}

#[test]
fn a_backlog_is_at_risk_only_by_gtid_and_while_both_threads_stand_still() {
    let stopped = [("Slave_IO_Running", "No"), ("Slave_SQL_Running", "No")];
    let with = |more: &[(&str, &str)]| {
        let columns: Vec<_> = more.iter().chain(&stopped).copied().collect();
        Channel::from_record(row(&columns)).would_discard()
    };
    assert!(with(&[("Using_Gtid", "Slave_Pos")]));
    assert!(!with(&[("Using_Gtid", "No")]));
    assert!(!with(&[("Using_Gtid", "Slave_Pos"), ("Slave_IO_Running", "Connecting")]));
    assert!(!with(&[("Using_Gtid", "Slave_Pos"), ("Exec_Master_Log_Pos", "900")]));
}

#[test]
fn filters_and_ignored_servers_are_seen() {
    let channel = Channel::from_record(row(&[
        ("Replicate_Ignore_Server_Ids", "2, 7"),
        ("Replicate_Wild_Ignore_Table", "tmp.%"),
    ]));
    assert_eq!(channel.ignored_server_ids, [2, 7]);
    assert_eq!(channel.filters, ["Replicate_Wild_Ignore_Table=tmp.%", "Replicate_Ignore_Server_Ids=2, 7"]);
}

#[test]
fn no_error_shows_a_customers_data() {
    const SECRET: &str = "s3cret";
    let table = [
        // Statement format: MariaDB and MySQL 5.6, then the same cut off within the statement.
        (
            1062,
            "Error 'Duplicate entry 's3cret' for key 'PRIMARY'' on query. Default database: 'app'. Query: \
             'INSERT INTO entries VALUES (1, 's3cret'); x'",
            "Error 'Duplicate entry '***' for key 'PRIMARY'' on query. Default database: 'app'.",
        ),
        (
            1146,
            "Error 'Table 'app.t' doesn't exist' on query. Default database: 'app'. Query: 'INSERT INTO t VA'; s3cret",
            "Error 'Table 'app.t' doesn't exist' on query. Default database: 'app'.",
        ),
        // Row format: MariaDB 10.11, MySQL 5.6 and 9.
        (
            1062,
            "Could not execute Write_rows_v1 event on table app.entries; Duplicate entry 's3cret' for key 'mail', \
             Error_code: 1062; handler error HA_ERR_FOUND_DUPP_KEY; the event's master log binlog.000001, \
             end_log_pos 721",
            "Could not execute Write_rows_v1 event on table app.entries; Duplicate entry '***' for key 'mail', \
             Error_code: 1062; handler error HA_ERR_FOUND_DUPP_KEY; the event's master log binlog.000001, \
             end_log_pos 721",
        ),
        (
            1062,
            "Worker 1 failed executing transaction '3e11fa47-71ca-11e1-9e33-c80aa9429562:7' at source log \
             binlog.000002, end_log_pos 912; Could not execute Write_rows event on table app.entries; Duplicate \
             entry 's3cret' for key 'x' for key 'entries.PRIMARY', Error_code: 1062; handler error \
             HA_ERR_FOUND_DUPP_KEY; the event's source log binlog.000002, end_log_pos 912",
            "Worker 1 failed executing transaction '3e11fa47-71ca-11e1-9e33-c80aa9429562:7' at source log \
             binlog.000002, end_log_pos 912; Could not execute Write_rows event on table app.entries; Duplicate \
             entry '***' for key 'entries.PRIMARY', Error_code: 1062; handler error HA_ERR_FOUND_DUPP_KEY; the \
             event's source log binlog.000002, end_log_pos 912",
        ),
        (
            1366,
            "Error 'Incorrect integer value: 's3cret' for column 'n' at row 1' on query. Default database: 'app'.",
            "Error 'Incorrect integer value: '***' for column 'n' at row 1' on query. Default database: 'app'.",
        ),
        (
            1292,
            "Error 'Truncated incorrect DOUBLE value: 's3cret'' on query.",
            "Error 'Truncated incorrect DOUBLE value: '***",
        ),
        (
            1064,
            "Error 'You have an error in your SQL syntax; check the manual for the right syntax to use near \
             's3cret' at line 1' on query.",
            "Error 'You have an error in your SQL syntax; check the manual for the right syntax to use near \
             '***' at line 1' on query.",
        ),
        (1526, "Table has no partition for value s3cret", "Table has no partition for value ***"),
        (
            1644,
            "Error 's3cret is not allowed' on query.",
            "a message of the site's own (SIGNAL); it is in that server's error log",
        ),
        // Nothing of the kind.
        (1032, "Can't find record in 'entries'", "Can't find record in 'entries'"),
    ];
    for (code, text, shown) in table {
        assert_eq!(without_data(code, text), shown);
        assert!(!shown.contains(SECRET) && without_data(code, shown) == shown);
    }
    let columns = [("Last_SQL_Errno", "1062"), ("Last_SQL_Error", table[0].1)];
    let channel = Channel::from_record(row(&columns));
    assert!(!format!("{channel:?}").contains(SECRET));
}

#[test]
fn modes_and_errors_are_read() {
    let channel = Channel::from_record(row(&[
        ("Using_Gtid", "Current_Pos"),
        ("Last_SQL_Errno", "1062"),
        ("Last_SQL_Error", "Duplicate entry"),
    ]));
    assert_eq!(channel.mode, Mode::CurrentPos);
    assert_eq!(channel.sql_error.map(|e| e.to_string()).as_deref(), Some("error 1062: Duplicate entry"));
    assert_eq!(channel.io_error, None);
}
