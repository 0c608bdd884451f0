use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use super::*;

const LONG: Duration = Duration::from_secs(20);

/// A stand-in for getent, which is removed at the end.
struct Getent(PathBuf);

impl Getent {
    fn new(name: &str, program: &str) -> Self {
        let path = std::env::temp_dir().join(format!("mmm-getent-{name}-{}", std::process::id()));
        fs::write(&path, format!("#!/bin/sh\n{program}\n")).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        Self(path)
    }
}

impl Drop for Getent {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

fn ips(texts: &[&str]) -> Vec<IpAddr> {
    texts.iter().map(|text| text.parse().unwrap()).collect()
}

#[test]
fn an_address_is_its_own_and_nobody_is_asked() {
    // A limit of zero: whoever asks is late.
    assert_eq!(addresses("10.0.0.7", Duration::ZERO).unwrap(), ips(&["10.0.0.7"]));
    assert_eq!(addresses("fd00::7", Duration::ZERO).unwrap(), ips(&["fd00::7"]));
}

#[test]
fn the_whole_name_service_is_asked_and_its_order_kept() {
    let getent = Getent::new(
        "order",
        r#"[ "$1 $2 $3" = "ahosts -- db1" ] || exit 3
        printf '%s\n' 'fd00::1 STREAM db1' 'fd00::1 DGRAM ' '10.0.0.1 STREAM' '10.0.0.1 RAW' 'fe80::1%eth0 RAW'"#,
    );
    assert_eq!(ask(&getent.0, "db1", LONG).unwrap(), ips(&["fd00::1", "10.0.0.1"]));
}

#[test]
fn a_name_that_nobody_knows_is_an_error_that_says_so() {
    let getent = Getent::new("unknown", "exit 2");
    let error = ask(&getent.0, "db9", LONG).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert_eq!(error.to_string(), "The host name db9 has no address: the name service knows no such host");
}

#[test]
fn a_late_name_service_is_ended_with_what_it_has_started() {
    let getent = Getent::new("late", "sleep 60 & wait");
    let started = Instant::now();
    let error = ask(&getent.0, "db1", Duration::from_millis(100)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TimedOut);
    assert!(started.elapsed() < LONG);
    assert_eq!(error.to_string(), "The name service did not answer for db1 within 100.0ms");
}

#[test]
fn without_getent_the_built_in_look_up_does() {
    let found = ask(Path::new("/nowhere/getent"), "localhost", LONG).unwrap();
    assert!(found.iter().all(IpAddr::is_loopback), "{found:?}");
    let error = ask(Path::new("/nowhere/getent"), "no-such-host.invalid", LONG).unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::NotFound | ErrorKind::TimedOut), "{error}");
}

#[test]
fn one_answer_counts_for_a_while_and_no_answer_for_those_who_wait_no_longer() {
    let late = |most| remembered("late.example", most, || Err(late("late.example", most)));
    late(Duration::from_millis(10)).unwrap_err();
    let no_longer = remembered("late.example", Duration::from_millis(10), || unreachable!());
    assert_eq!(no_longer.unwrap_err().kind(), ErrorKind::TimedOut);
    let longer = remembered("late.example", LONG, || Ok(ips(&["10.0.0.1"])));
    assert_eq!(longer.unwrap(), ips(&["10.0.0.1"]));
    assert_eq!(remembered("late.example", LONG, || unreachable!()).unwrap(), ips(&["10.0.0.1"]));
    let other = remembered("other.example", LONG, || Ok(ips(&["10.0.0.2"])));
    assert_eq!(other.unwrap(), ips(&["10.0.0.2"]));
}
