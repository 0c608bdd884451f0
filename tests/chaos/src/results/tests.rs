use super::*;

fn outcome(seed: u64, server: &str, found: &[&str]) -> Outcome {
    let counts = |of: &[(&str, u64)]| of.iter().map(|(name, count)| ((*name).to_string(), *count)).collect();
    Outcome {
        seed,
        server: server.into(),
        mode: "gtid".into(),
        took: 60_000,
        faults: counts(&[("Move", seed), ("Kill", 1)]),
        moves: seed,
        refusals: counts(&[("mysql_allow_write peer-writable", 2)]),
        calls: counts(&[("check_ip", 3)]),
        longest_calls: counts(&[("check_ip", 10 * seed)]),
        longest_pause: 1_234 * seed,
        transactions: 100,
        rows: 300,
        found: found.iter().map(|line| (*line).into()).collect(),
        ..Outcome::default()
    }
}

#[test]
fn a_file_keeps_the_rounds_of_several_runs_and_loses_only_a_line_that_was_cut_off() {
    let file = std::env::temp_dir().join(format!("mmm-chaos-results-{}", std::process::id()));
    let rounds = [outcome(1, "mysql-9", &[]), outcome(2, "mariadb-11.8", &["db2: 1 row is missing"])];
    for round in &rounds {
        append(&file, round).expect("a line");
    }
    let whole = fs::read_to_string(&file).expect("a file");
    fs::write(&file, whole.clone() + &whole[..whole.len() / 3]).expect("a file that was cut off");
    let read = read(&file).expect("a file that can be read");
    fs::remove_file(&file).expect("a file");
    assert_eq!(read, rounds);
}

#[test]
fn the_table_adds_up_what_is_counted_and_names_the_longest_of_what_takes_time() {
    let text =
        table(&[outcome(1, "mysql-9", &[]), outcome(2, "mysql-9", &[]), outcome(3, "mysql-5.6", &["a row"])]);
    for line in [
        "3 rounds in 0 h 3 min, 60 an hour; 1 found something",
        "| mysql-5.6 | gtid | 1 | 4 | 3 | 100 | 300 | 3.70 s | 0.00 s | 1 |",
        "| mysql-9 | gtid | 2 | 5 | 3 | 200 | 600 | 2.46 s | 0.00 s | 0 |",
        "| `check_ip` | 9 | 0.03 s |",
        "| Kill | 3 |",
        "| Move | 6 |",
        "| mysql_allow_write peer-writable | 6 |",
        "found by seed 3, SERVER=mysql-5.6 MODE=gtid:",
        "  a row",
    ] {
        assert!(text.lines().any(|found| found == line), "{line} is not in\n{text}");
    }
}
