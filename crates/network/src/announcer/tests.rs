use log::LevelFilter;

use super::*;

const LOG: &str = r#"{"level":"INFO","file":"/x.log"}"#;

fn read(argv: &[&str]) -> Option<Task> {
    Task::read(argv.iter().map(OsString::from))
}

#[test]
fn the_announcer_is_told_the_callers_settings() {
    let log = LogSettings { level: LevelFilter::Debug, file: "/x/y z.log".into(), ..LogSettings::default() };
    let mut settings = Settings::default();
    settings.log = log;
    for refresh in [None, Some(Duration::from_millis(1500))] {
        let plan = Announce { count: 7, interval: Duration::from_micros(2500), refresh };
        settings.network.announce = plan.clone();
        let words = words("eth0".into(), "10.0.0.1".parse().unwrap(), &settings);
        let task = Task::read([TITLE.into()].into_iter().chain(words)).unwrap();
        assert_eq!((task.interface.device(), task.ip.to_string()), ("eth0", "10.0.0.1".into()));
        assert_eq!((task.plan, task.log), (plan, settings.log.clone()));
    }
}

#[test]
fn only_the_title_makes_an_announcer() {
    let all = [TITLE, "eth0", "10.0.0.1", "5", "200000000", "off", LOG];
    assert!(read(&all).is_some());
    for argv in [
        &["/usr/lib/mysql-mmm/agent/configure_ip", TITLE, "eth0", "10.0.0.1"][..],
        &["/usr/lib/mysql-mmm/agent/configure_ip", "eth0", "10.0.0.1"],
        &all[1..],
        &all[..6],
        &[TITLE, "eth0", "10.0.0.1;cmd", "5", "200000000", "off", LOG],
        &[TITLE, "eth0", "10.0.0.1", "5", "200000000", "often", LOG],
        &[],
    ] {
        assert_eq!(read(argv), None, "{argv:?}");
    }
}
