use super::*;

fn row(columns: &[(&str, &str)]) -> Record {
    columns.iter().copied().collect()
}

#[test]
fn a_mariadb_whose_own_last_number_is_lower_than_elsewhere_lost_the_end_of_its_log() {
    let lost = |ours: &str, theirs: &str| {
        let ours = row(&[("server_id", "1"), ("binlog_state", ours)]);
        lost_groups(&ours, &row(&[("binlog_state", theirs)]), &[]).unwrap()
    };
    let text = "0-1-900, and here it ends with number 850";
    assert_eq!(lost("0-1-850,0-2-905", "0-1-900,0-2-905").as_deref(), Some(text));
    for (ours, theirs, why) in [
        ("0-1-900,0-2-905", "0-1-900,0-2-905", "nothing is missing"),
        ("0-1-901", "0-1-900", "the peer lags"),
        ("0-2-905", "0-1-900,0-2-905", "a copy of the peer began a log of its own"),
        ("", "0-1-900", "no log, or a new one"),
        ("0-1-850", "0-2-900", "what others wrote has to be applied, and is asked for elsewhere"),
        ("0-1-850", "", "the peer logs nothing"),
    ] {
        assert_eq!(lost(ours, theirs), None, "{why}");
    }
    let fetched = |gtids: &str| {
        let ours = row(&[("server_id", "1"), ("binlog_state", "0-1-850,0-2-905")]);
        let channel = Channel::from_record(row(&[("Gtid_IO_Pos", gtids)]));
        lost_groups(&ours, &row(&[("binlog_state", "0-1-850")]), &[channel]).unwrap()
    };
    assert_eq!(fetched("0-1-900").as_deref(), Some(text), "fetched, and not applied");
    assert_eq!(fetched("0-2-910"), None);
}

#[test]
fn a_mysql_that_lacks_transactions_of_its_own_uuid_lost_the_end_of_its_log() {
    const A: &str = "3e11fa47-71ca-11e1-9e33-c80aa9429562";
    const B: &str = "4e11fa47-71ca-11e1-9e33-c80aa9429562";
    let fetching = |mode: &str, ours: &str, theirs: &str, retrieved: &[&str]| {
        let ours = row(&[("server_uuid", A), ("gtid_mode", mode), ("executed", ours)]);
        lost_transactions(&ours, &row(&[("executed", theirs)]), retrieved).unwrap()
    };
    let lost = |mode: &str, ours: &str, theirs: &str| fetching(mode, ours, theirs, &[]);
    let (all, begin) = (format!("{A}:1-900,{B}:1-5"), format!("{A}:1-850,{B}:1-5"));
    assert_eq!(lost("ON", &begin, &all), Some(format!("{A}:851-900")));
    assert_eq!(lost("ON", &all, &all), None);
    let fetched = ["", all.as_str()];
    let text = Some(format!("{A}:851-900"));
    assert_eq!(fetching("ON", &begin, &begin, &fetched), text, "fetched, and not applied");
    assert_eq!(lost("ON", &all, &begin), None, "the peer lags");
    assert_eq!(lost("ON", &format!("{A}:1-900"), &all), None, "what others wrote is asked for elsewhere");
    assert_eq!(lost("OFF", "", &all), None, "from when there were GTIDs");
}

#[test]
fn a_place_behind_the_end_of_a_closed_file_was_lost() {
    let files = [("bin.000001".to_string(), 500), ("bin.000002".to_string(), 300)];
    let lost = |file: &str, offset| beyond(&BinlogPosition::new(file, offset), &files);
    let text = "bin.000001:900, and here that file ends at 500";
    assert_eq!(lost("bin.000001", 900).as_deref(), Some(text));
    for (file, offset, why) in [
        ("bin.000001", 500, "it is there"),
        ("bin.000002", 300, "it is there"),
        ("bin.000002", 900, "a log that was reset goes on in its first file"),
        ("bin.000000", 900, "purged"),
        ("other.000001", 900, "of another log"),
    ] {
        assert_eq!(lost(file, offset), None, "{why}");
    }
}
