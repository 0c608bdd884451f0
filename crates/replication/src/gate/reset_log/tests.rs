use super::*;

fn row(columns: &[(&str, &str)]) -> Record {
    columns.iter().copied().collect()
}

#[test]
fn a_log_that_begins_with_old_numbers_and_lacks_what_was_replicated_was_reset() {
    let channel = |(fetched, applied), sql| {
        Channel::from_record(row(&[
            ("Master_Log_File", "binlog.000001"),
            ("Read_Master_Log_Pos", fetched),
            ("Relay_Master_Log_File", "binlog.000001"),
            ("Exec_Master_Log_Pos", applied),
            ("Slave_SQL_Running", sql),
        ]))
    };
    let lacks = |state: &str, replicated: &str, begin: &str| {
        let ours = row(&[("binlog_state", "0-1-30,0-2-7")]);
        let silent = row(&[("binlog_state", state), ("slave_pos", replicated)]);
        let theirs = row(&[("binlog_state", state), ("slave_pos", replicated), ("log_slave_updates", "1")]);
        let begin = begin.parse().unwrap();
        let forgotten_by = |theirs: &Record, channels: &[Channel]| {
            no_longer_logged(&no_longer_known(&ours, theirs, channels).unwrap(), &begin, channels)
        };
        let forgotten = |channels: &[Channel]| forgotten_by(&theirs, channels);
        let lost = forgotten(&[channel(("900", "900"), "Yes")]);
        let applying = forgotten(&[channel(("900", "800"), "Yes")]);
        assert_eq!(applying.as_ref().map(|lost| &lost.gtid), lost.as_ref().map(|lost| &lost.gtid));
        assert!(!applying.is_some_and(|lost| lost.is_certain), "it may come yet");
        assert_eq!(forgotten(&[channel(("900", "800"), "No")]), None, "nobody knows");
        assert_eq!(forgotten_by(&silent, &[]), None, "it does not log what it replicates");
        lost.map(|lost| {
            assert!(lost.is_certain);
            lost.gtid
        })
    };
    assert_eq!(lacks("0-1-30", "0-2-7", "0-1-1").as_deref(), Some("0-2-7"));
    for (state, replicated, begin, why) in [
        ("0-1-30,0-2-7", "0-2-7", "0-1-1", "it is there"),
        ("0-1-30", "0-2-7", "0-1-8", "the log was begun after it, as on a copy of another server"),
        ("0-1-30", "0-2-6", "0-1-1", "the peer has not replicated it yet"),
        ("0-1-30", "", "0-1-1", "the peer replicates from nobody"),
        ("", "0-2-7", "", "the log is empty, and its end tells"),
    ] {
        assert_eq!(lacks(state, replicated, begin), None, "{why}");
    }
}

#[test]
fn a_mysql_that_has_executed_less_than_it_once_sent_was_reset() {
    const A: &str = "3e11fa47-71ca-11e1-9e33-c80aa9429562";
    const B: &str = "4e11fa47-71ca-11e1-9e33-c80aa9429562";
    const C: &str = "5e11fa47-71ca-11e1-9e33-c80aa9429562";
    let ours = format!("{A}:1-9,{B}:1-5");
    let channel = |retrieved: &str, sql: &str, sql_state: &str| {
        Channel::from_record(row(&[
            ("Retrieved_Gtid_Set", retrieved),
            ("Master_UUID", B),
            ("Slave_SQL_Running", sql),
            ("Slave_SQL_Running_State", sql_state),
        ]))
    };
    let checked = |ours: &str, theirs: &str, channels: &[Channel], is_only_source| {
        let ours = row(&[("server_uuid", B), ("executed", ours)]);
        let theirs = row(&[("server_uuid", A), ("executed", theirs)]);
        no_longer_executed(&ours, &theirs, channels, is_only_source).unwrap()
    };
    let check = |ours: &str, theirs: &str, channels: &[Channel]| checked(ours, theirs, channels, true);
    let lost = |gtid: &str, is_certain| Some(Forgotten { gtid: gtid.into(), is_certain, is_end: false });
    let end = |gtid: &str| Some(Forgotten { gtid: gtid.into(), is_certain: true, is_end: true });
    let fetched = format!("{B}:2-5");
    let idle = [channel(&fetched, "Yes", "has read all relay log")];
    let at_work = [channel(&fetched, "Yes", "Reading event")];
    let stopped = [channel(&fetched, "No", "")];
    let less = format!("{A}:1-9");
    assert_eq!(check(&ours, &less, &idle), lost(&fetched, true));
    assert_eq!(check(&ours, &format!("{A}:1-9,{B}:1-5"), &idle), None);
    assert_eq!(check(&ours, &less, &at_work), lost(&fetched, false), "it may come yet");
    assert_eq!(check(&ours, &less, &stopped), None, "nobody knows");
    let also = format!("{A}:5-9");
    assert_eq!(check(&ours, &format!("{A}:1-4"), &stopped), end(&also), "only the end of its own");
    assert!(check(&ours, &format!("{A}:1-4"), &at_work).is_some_and(|lost| lost.is_certain));
    assert_eq!(check(&ours, &format!("{A}:1-4"), &[]), end(&also));
    assert_eq!(check(&ours, &format!("{A}:8-9"), &[]), lost(&format!("{A}:1-7"), true), "its beginning");
    assert_eq!(check(&ours, &format!("{A}:1-12"), &[]), None, "own transactions need not have arrived there");
    assert_eq!(check(&format!("{ours},{C}:1"), &less, &[]), None, "of another channel");
    let (more, fewer) = (format!("{ours},{C}:1-8"), format!("{A}:1-9,{B}:1-5,{C}:1-6"));
    assert_eq!(checked(&more, &fewer, &idle, false), None, "this host gets it from elsewhere, too");
    assert_eq!(check(&more, &fewer, &at_work), lost(&format!("{C}:7-8"), false), "the peer may yet get it");
    assert_eq!(check(&more, &fewer, &idle), lost(&format!("{C}:7-8"), true));
}

#[test]
fn what_is_missing_at_one_look_alone_may_only_just_have_come() {
    const A: &str = "3e11fa47-71ca-11e1-9e33-c80aa9429562";
    const B: &str = "4e11fa47-71ca-11e1-9e33-c80aa9429562";
    let (first, second) = (format!("{A}:5"), format!("{A}:9"));
    assert!(!is_shared(&first, &second));
    assert!(is_shared(&first, &first));
    assert!(is_shared(&format!("{A}:1-5,{B}:3"), &format!("{A}:9,{B}:1-8")));
    // Those of MariaDB.
    assert!(is_shared("0-1-5", "0-1-5") && !is_shared("0-1-5", "0-1-6"));
}

#[test]
fn what_is_missing_counts_from_the_look_since_which_it_is_always_missing() {
    const MS: Duration = Duration::from_millis(1);
    let begin = Instant::now();
    let mut missing = Missing::default();
    let mut look = |ms: u32, is_certain, gtid| missing.look(begin + ms * MS, is_certain, gtid);
    assert_eq!(look(0, true, "0-1-5"), Some(Duration::ZERO));
    assert_eq!(look(10, true, "0-1-5"), Some(10 * MS));
    // Another one is missing now: what was missing before had only just come.
    assert_eq!(look(390, true, "0-1-6"), Some(Duration::ZERO));
    assert_eq!(look(400, true, "0-1-6"), Some(10 * MS));
    // It may still be applied.
    assert_eq!(look(410, false, "0-1-6"), None);
    assert_eq!(look(420, true, "0-1-6"), Some(Duration::ZERO));
    assert_eq!(look(900, true, "0-1-6"), Some(480 * MS));
}
