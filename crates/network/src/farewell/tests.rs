use super::*;

#[test]
fn only_the_title_makes_a_farewell() {
    const LOG: &str = r#"{"level":"INFO","file":"/x.log"}"#;
    let all = [TITLE, "eth0", "7", "10.0.0.1", "3000000000", LOG];
    let read = |argv: &[&str]| Task::read(argv.iter().map(OsString::from));
    let task = read(&all).unwrap();
    assert_eq!((task.index, task.ip.to_string(), task.time.as_secs()), (7, "10.0.0.1".into(), 3));
    for argv in [
        &["/usr/lib/mysql-mmm/agent/clear_ip", TITLE, "eth0", "10.0.0.1"][..],
        &all[1..],
        &all[..5],
        &[TITLE, "eth0", "x", "10.0.0.1", "3000000000", LOG],
        &[],
    ] {
        assert_eq!(read(argv), None, "{argv:?}");
    }
}

#[test]
fn answers_are_bounded_at_once_and_over_time() {
    let begin = Instant::now();
    let mut allowance = Allowance { left: BURST, since: begin };
    let mut given = |milliseconds| {
        let now = begin + Duration::from_millis(milliseconds);
        (0..5000).filter(|_| allowance.take(now)).count()
    };
    assert_eq!([given(0), given(0), given(100), given(60_000)], [1000, 0, 200, 1000]);
}
