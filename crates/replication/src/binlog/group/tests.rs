//! Groups from events laid out by hand, as MySQL's manual has them: where groups end, and what may differ between
//! the servers that pass them on.

use super::*;

/// A log that is written event by event.
#[derive(Default)]
struct Log {
    groups: Groups,
    end: u64,
    found: Vec<Group>,
}

impl Log {
    fn event(mut self, kind: u8, body: &[u8]) -> Self {
        self.end += 19 + body.len() as u64;
        let event = Event { time: 1000, kind, server_id: 1, flags: 0, end: self.end, body };
        self.found.extend(self.groups.event(&event));
        self
    }

    fn query(self, text: &str) -> Self {
        self.query_of(7, 0, &[], text)
    }

    fn query_of(self, thread: u32, took: u32, variables: &[u8], text: &str) -> Self {
        let mut body = Vec::new();
        body.extend(thread.to_le_bytes());
        body.extend(took.to_le_bytes());
        body.push(3);
        body.extend([0, 0]);
        body.extend(u16::try_from(variables.len()).unwrap().to_le_bytes());
        body.extend(variables);
        body.extend(b"app\0");
        body.extend(text.as_bytes());
        self.event(kind::QUERY, &body)
    }

    fn xid(self, number: u64) -> Self {
        self.event(kind::XID, &number.to_le_bytes())
    }

    fn table(self, id: u8, name: &str) -> Self {
        let mut body = vec![id, 0, 0, 0, 0, 0, 1, 0];
        body.extend(name.as_bytes());
        self.event(kind::TABLE_MAP, &body)
    }

    /// Rows of version 2 in a table of two columns.
    fn rows(self, id: u8, rows: &[u8]) -> Self {
        let mut body = vec![id, 0, 0, 0, 0, 0, 1, 0, 2, 0, 2, 0b11];
        body.extend(rows);
        self.event(30, &body)
    }

    /// Rows of version 1, which have no part of variable length.
    fn old_rows(self, id: u8, rows: &[u8]) -> Self {
        let mut body = vec![id, 0, 0, 0, 0, 0, 1, 0, 2, 0b11];
        body.extend(rows);
        self.event(23, &body)
    }

    /// What a group without a GTID begins with on MySQL 8; the times in microseconds.
    fn anonymous(self, immediate: u64, original: Option<u64>) -> Self {
        let mut body = vec![0; 42];
        let flag = if original.is_some() { 1 << 55 } else { 0 };
        body.extend(&(immediate | flag).to_le_bytes()[..7]);
        body.extend(original.iter().flat_map(|time| time.to_le_bytes()[..7].to_vec()));
        self.event(kind::ANONYMOUS_GTID, &body)
    }

    /// The print of the only group.
    fn print(self) -> Print {
        assert_eq!(self.found.len(), 1, "{:?}", self.found);
        self.found[0].print
    }

    /// Where groups begin and end, in numbers of events of which each has this size.
    fn bounds(&self, size: u64) -> Vec<(u64, u64)> {
        self.found.iter().map(|group| (group.begin / size, group.end / size)).collect()
    }
}

/// A transaction of rows, as one server wrote it.
fn transaction(table: u8, xid: u64, rows: &[&[u8]]) -> Log {
    let log = Log::default().query("BEGIN").table(table, "app.t");
    rows.iter().fold(log, |log, rows| log.rows(table, rows)).xid(xid)
}

#[test]
fn a_group_is_a_transaction_or_a_statement_outside_of_one() {
    // Every event here has 19 + 13 + 4 + 6 bytes.
    let log = ["BEGIN\0", "insert", "COMMIT", "create"]
        .iter()
        .fold(Log::default(), |log, text| log.query(text.trim_end_matches('\0')));
    let ends: Vec<u64> = log.found.iter().map(|group| group.end).collect();
    assert_eq!(ends, [41 + 42 + 42, 41 + 42 + 42 + 42]);

    let log = Log::default().query("XA START X'61',X'',1").query("insert").query("XA END X'61',X'',1");
    assert!(log.found.is_empty());
    let log = log.event(kind::XA_PREPARE, &[0; 9]).query("XA COMMIT X'61',X'',1");
    assert_eq!(log.found.len(), 2);
}

#[test]
fn savepoints_and_statements_with_variables_end_no_group() {
    let log = Log::default()
        .query("BEGIN")
        .event(kind::INTVAR, &[2, 7, 0, 0, 0, 0, 0, 0, 0])
        .query("insert")
        .query("SAVEPOINT `x`")
        .query("ROLLBACK TO `x`");
    assert!(log.found.is_empty());
    let log = log.xid(5).event(kind::RAND, &[1; 16]).query("insert");
    assert_eq!(log.found.len(), 2);
    assert_eq!(log.found[0].end, log.found[1].begin);
}

#[test]
fn half_a_group_at_a_files_end_is_none() {
    let log = Log::default().query("BEGIN").query("insert").event(kind::STOP, &[]);
    assert!(log.found.is_empty());
    assert_eq!(log.query("BEGIN").query("insert").xid(1).found.len(), 1);
}

#[test]
fn a_group_that_changes_nothing_is_none() {
    let log = Log::default().query("BEGIN").table(70, "app.t").query("COMMIT").query("BEGIN").xid(7);
    assert!(log.found.is_empty());
    let found = log.query("insert").found;
    assert_eq!((found.len(), found[0].begin), (1, found[0].end - 42));
}

#[test]
fn a_group_that_a_gtid_begins_ends_where_the_next_one_begins_at_last() {
    let log = Log::default().event(kind::GTID, &[0; 42]).event(99, &[0; 42]).event(kind::GTID, &[0; 42]);
    assert_eq!(log.bounds(61), [(0, 2)]);
}

#[test]
fn what_each_server_writes_anew_does_not_count() {
    let print = transaction(70, 12, &[b"one", b"two"]).print();
    assert_eq!(
        print,
        transaction(99, 80, &[b"one", b"two"]).print(),
        "number of the table, of the transaction"
    );
    assert_eq!(print, transaction(70, 12, &[b"onetwo"]).print(), "where rows are cut");
    let old = Log::default().query("BEGIN").table(70, "app.t").old_rows(70, b"onetwo").xid(12);
    assert_eq!(print, old.print(), "the version of rows");

    let committed = Log::default().query("BEGIN").table(70, "app.t").rows(70, b"onetwo").query("COMMIT");
    assert_eq!(print, committed.print(), "how it ends");

    let statement = |took, variables: &[u8]| Log::default().query_of(7, took, variables, "insert").print();
    assert_eq!(statement(0, &[]), statement(9, b"\x01\x02"), "how long it took, the session's variables");

    let load = |file: u8, name: &str, parts: &[&[u8]]| {
        let mut log = Log::default().query("BEGIN");
        for (index, part) in parts.iter().enumerate() {
            let body = [&[file, 0, 0, 0][..], part].concat();
            log = log.event(if index == 0 { kind::BEGIN_LOAD } else { kind::APPEND_BLOCK }, &body);
        }
        let text = format!("LOAD DATA INFILE '{name}' INTO TABLE t");
        let (start, end) = (18_u32, 18 + u32::try_from(name.len()).unwrap());
        let mut body = vec![7, 0, 0, 0, 0, 0, 0, 0, 3, 0, 0, 0, 0];
        body.extend(u32::from(file).to_le_bytes());
        body.extend(start.to_le_bytes());
        body.extend(end.to_le_bytes());
        body.push(0);
        body.extend(b"app\0");
        body.extend(text.as_bytes());
        log.event(kind::EXECUTE_LOAD, &body).xid(1).print()
    };
    let print = load(1, "/tmp/SQL_LOAD-1-1-1.data", &[b"l1\nl2\n"]);
    assert_eq!(print, load(9, "/var/SQL_LOAD-2-1-33.data", &[b"l1\n", b"l2\n"]));
    assert_ne!(print, load(1, "/tmp/SQL_LOAD-1-1-1.data", &[b"l1\nl3\n"]));
}

#[test]
fn what_was_done_and_where_and_when_counts() {
    let print = transaction(70, 12, &[b"one"]).print();
    assert_ne!(print, transaction(70, 12, &[b"two"]).print());
    let other_table = Log::default().query("BEGIN").table(70, "app.u").rows(70, b"one").xid(12);
    assert_ne!(print, other_table.print());

    let statement = |thread, text: &str| Log::default().query_of(thread, 0, &[], text).print();
    assert_ne!(statement(7, "insert"), statement(8, "insert"), "another session");
    assert_ne!(statement(7, "insert"), statement(7, "delete"));
    let number = |value: u8| {
        let log = Log::default().query("BEGIN");
        log.event(kind::INTVAR, &[2, value, 0, 0, 0, 0, 0, 0, 0]).query("insert").xid(1).print()
    };
    assert_ne!(number(7), number(8), "the number that it got");
}

#[test]
fn what_a_server_may_leave_out_does_not_count() {
    let mut log = Log::default().query("BEGIN").table(70, "app.t");
    let end = log.end + 30;
    let event = Event { time: 1, kind: 29, server_id: 1, flags: 0x80, end, body: b"INSERT" };
    assert_eq!(log.groups.event(&event), None);
    log.end = end;
    assert_eq!(log.rows(70, b"one").xid(12).print(), transaction(70, 12, &[b"one"]).print());
}

#[test]
fn a_stamp_of_the_first_commit_identifies_a_group_alone() {
    let original = Log::default().anonymous(500, None).query("BEGIN").query("insert").xid(1).print();
    let passed_on = Log::default().anonymous(900, Some(500)).query("BEGIN").query("as rows").xid(2).print();
    assert_eq!(original, passed_on);
    assert_ne!(original, Log::default().anonymous(501, None).query("insert").print());
    // A server older than 8.0.1 on the way leaves zero, or no room for a stamp.
    let unstamped = Log::default().anonymous(900, Some(0)).query("insert").print();
    assert_eq!(unstamped, Log::default().event(kind::ANONYMOUS_GTID, &[0; 42]).query("insert").print());
    assert_ne!(unstamped, Log::default().anonymous(900, Some(0)).query("delete").print());
}
