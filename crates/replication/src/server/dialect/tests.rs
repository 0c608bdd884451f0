use super::*;
use crate::position::BinlogPosition;
use crate::status::Mode;

fn mysql(version: Version) -> Dialect {
    Dialect::new(version, false)
}

const MARIADB_10: Version = (5, 5, 5);
const MARIADB_11: Version = (11, 8, 6);

#[test]
fn the_handshake_tells_the_families_apart() {
    for (version, shown) in [
        (MARIADB_10, "MariaDB"),
        (MARIADB_11, "MariaDB 11.8.6"),
        ((5, 6, 24), "MySQL 5.6.24"),
        ((5, 5, 62), "MySQL 5.5.62"),
        ((9, 7, 4), "MySQL 9.7.4"),
    ] {
        assert_eq!(mysql(version).to_string(), shown);
    }
}

#[test]
fn each_version_gets_the_words_it_knows() {
    let words = |version| {
        let dialect = mysql(version);
        [
            dialect.show_channels().to_string(),
            dialect.show_log_end().to_string(),
            dialect.stop("", Threads::Both),
            dialect.start("x", Threads::Sql),
            dialect.rewind("x", &Place::Position(BinlogPosition::new("b.1", 4))),
            dialect.position_wait("x", &BinlogPosition::new("b.1", 4), 2),
        ]
    };
    let mariadb = [
        "SHOW ALL SLAVES STATUS",
        "SHOW MASTER STATUS",
        "STOP SLAVE ''",
        "START SLAVE 'x' SQL_THREAD",
        "CHANGE MASTER 'x' TO MASTER_LOG_FILE='b.1', MASTER_LOG_POS=4, MASTER_USE_GTID=no",
        "SELECT MASTER_POS_WAIT('b.1', 4, 2, 'x')",
    ];
    assert_eq!(words(MARIADB_10), mariadb);
    assert_eq!(words(MARIADB_11), mariadb);
    let without_channels = [
        "SHOW SLAVE STATUS",
        "SHOW MASTER STATUS",
        "STOP SLAVE",
        "START SLAVE SQL_THREAD",
        "CHANGE MASTER TO MASTER_LOG_FILE='b.1', MASTER_LOG_POS=4",
        "SELECT MASTER_POS_WAIT('b.1', 4, 2)",
    ];
    assert_eq!(words((5, 6, 24)), without_channels);
    let old = [
        "SHOW SLAVE STATUS",
        "SHOW MASTER STATUS",
        "STOP SLAVE FOR CHANNEL ''",
        "START SLAVE SQL_THREAD FOR CHANNEL 'x'",
        "CHANGE MASTER TO MASTER_LOG_FILE='b.1', MASTER_LOG_POS=4 FOR CHANNEL 'x'",
        "SELECT MASTER_POS_WAIT('b.1', 4, 2, 'x')",
    ];
    assert_eq!(words((5, 7, 44)), old);
    assert_eq!(words((8, 0, 21)), old);
    let new = [
        "SHOW REPLICA STATUS",
        "SHOW BINARY LOG STATUS",
        "STOP REPLICA FOR CHANNEL ''",
        "START REPLICA SQL_THREAD FOR CHANNEL 'x'",
        "CHANGE REPLICATION SOURCE TO SOURCE_LOG_FILE='b.1', SOURCE_LOG_POS=4 FOR CHANNEL 'x'",
        "SELECT SOURCE_POS_WAIT('b.1', 4, 2, 'x')",
    ];
    for version in [(8, 4, 0), (9, 7, 4), (9, 99, 0)] {
        assert_eq!(words(version), new, "{version:?}");
    }
}

#[test]
fn words_changed_one_by_one_in_8_0() {
    let at = |patch| mysql((8, 0, patch));
    assert_eq!(at(22).stop("", Threads::Io), "STOP REPLICA IO_THREAD FOR CHANNEL ''");
    let place = Place::Gtid(Mode::AutoPosition);
    assert_eq!(at(22).rewind("", &place), "CHANGE MASTER TO MASTER_AUTO_POSITION=1 FOR CHANNEL ''");
    let renamed = "CHANGE REPLICATION SOURCE TO SOURCE_AUTO_POSITION=1 FOR CHANNEL ''";
    assert_eq!(at(23).rewind("", &place), renamed);
    let end = BinlogPosition::new("b.1", 4);
    assert_eq!(at(25).position_wait("", &end, 2), "SELECT MASTER_POS_WAIT('b.1', 4, 2)");
    assert_eq!(at(26).position_wait("", &end, 2), "SELECT SOURCE_POS_WAIT('b.1', 4, 2)");
    assert!(at(25).variables().contains("@@log_slave_updates"));
    assert!(at(26).variables().contains("@@log_replica_updates"));
    assert_eq!(at(44).show_log_end(), "SHOW MASTER STATUS");
}

#[test]
fn who_cannot_give_gtids_to_what_comes_without_one_is_not_asked() {
    for version in [MARIADB_10, MARIADB_11, (5, 6, 24), (5, 7, 44), (8, 0, 22)] {
        assert_eq!(mysql(version).gtids_given("x"), None, "{version:?}");
    }
    for version in [(8, 0, 23), (8, 4, 0), (9, 7, 4)] {
        let asked = mysql(version).gtids_given("x").unwrap();
        assert!(asked.ends_with("WHERE channel_name = 'x'"), "{version:?}: {asked}");
    }
}

#[test]
fn newer_servers_wait_for_an_attempt_to_connect_to_end() {
    for (version, waits) in [
        (MARIADB_10, false),
        ((11, 3, 2), false),
        ((11, 4, 1), true),
        (MARIADB_11, true),
        ((5, 6, 24), false),
        ((9, 7, 4), true),
    ] {
        assert_eq!(mysql(version).waits_for_attempts(), waits, "{version:?}");
    }
}

fn target(place: &Place) -> Target<'_> {
    Target {
        host: "10.0.0.2",
        port: 3307,
        user: "r'",
        password: "it's",
        heartbeat: "2.000",
        fetches_key: None,
        place,
    }
}

#[test]
fn a_change_names_everything_and_shows_no_password() {
    let place = Place::Gtid(Mode::SlavePos);
    let (statement, shown) = mysql(MARIADB_10).change("", &target(&place));
    assert_eq!(
        statement,
        "CHANGE MASTER '' TO MASTER_HOST='10.0.0.2', MASTER_PORT=3307, MASTER_USER='r''', \
         MASTER_PASSWORD='it''s', MASTER_HEARTBEAT_PERIOD=2, MASTER_USE_GTID=slave_pos"
    );
    assert_eq!(shown, statement.replace("it''s", "***"));
}

#[test]
fn a_key_is_fetched_from_the_new_source_where_it_is_needed() {
    let place = Place::Gtid(Mode::AutoPosition);
    let target = Target { fetches_key: Some(true), heartbeat: "", ..target(&place) };
    let (statement, _) = mysql((9, 7, 4)).change("", &target);
    assert_eq!(
        statement,
        "CHANGE REPLICATION SOURCE TO SOURCE_HOST='10.0.0.2', SOURCE_PORT=3307, SOURCE_USER='r''', \
         SOURCE_PASSWORD='it''s', GET_SOURCE_PUBLIC_KEY=1, SOURCE_AUTO_POSITION=1 FOR CHANNEL ''"
    );
}

#[test]
fn a_literal_cannot_be_left_under_either_sql_mode() {
    for (text, plain, no_backslashes) in [
        ("it's", "'it''s'", "'it''s'"),
        ("a\\", "'a\\\\'", "'a\\'"),
        ("\\'; DROP TABLE t -- ", "'\\\\''; DROP TABLE t -- '", "'\\''; DROP TABLE t -- '"),
    ] {
        assert_eq!(Dialect::new(MARIADB_10, false).quote(text), plain);
        assert_eq!(Dialect::new(MARIADB_10, true).quote(text), no_backslashes);
    }
}
