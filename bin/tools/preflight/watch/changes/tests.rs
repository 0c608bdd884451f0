use std::time::Duration;

use super::super::super::checks;
use super::super::super::cluster::{Cluster, Unreached};
use super::super::super::code::Code;
use super::super::super::finding::Check;
use super::super::super::view::sample::{look, stopped};
use super::*;

fn silent(cluster: &mut Cluster) {
    let reason = "it did not answer".to_string();
    cluster.members[2].server = Err(Unreached { reason, answered: false, code: None });
}

/// Each look a second after the one before; what is seen at the end of the last.
struct Looks {
    changes: Changes,
    now: Instant,
    last: Option<Report>,
}

fn looks(reports: impl IntoIterator<Item = Report>) -> Looks {
    let mut looks = Looks { changes: Changes::default(), now: Instant::now(), last: None };
    reports.into_iter().for_each(|report| looks.look(report));
    looks
}

impl Looks {
    fn look(&mut self, report: Report) {
        self.now += Duration::from_secs(1);
        self.changes.note(&report, self.now);
        self.last = Some(report);
    }

    fn weight(&self, host: &str, what: What) -> Option<Weight> {
        self.changes.weight(&Subject::Fact(Fact { host: host.into(), what }), self.now)
    }

    fn before(&self, host: &str) -> Option<String> {
        let report = self.last.as_ref().unwrap();
        let host = report.hosts.iter().find(|row| row.name == host).unwrap();
        self.changes.before(host, self.now).map(|line| line.text())
    }

    fn came(&self) -> Vec<Code> {
        let report = self.last.as_ref().unwrap();
        let findings = self.changes.findings(report, self.now);
        findings.into_iter().filter(|(_, is_new)| *is_new).map(|(finding, _)| finding.code).collect()
    }

    fn gone(&self) -> Vec<Code> {
        self.changes.gone(self.now).map(|finding| finding.code).collect()
    }

    fn is_quiet(&self) -> bool {
        let moment = Moment { at: self.now, look: self.changes.looks };
        let is_marked = |change: &Change| is_marked(change.moment, moment);
        !self.changes.changed.values().any(is_marked) && self.came().is_empty() && self.gone().is_empty()
    }
}

#[test]
fn the_first_look_and_one_that_sees_the_same_mark_nothing() {
    assert!(looks([look(stopped)]).is_quiet());
    assert!(looks([look(stopped), look(stopped)]).is_quiet());
}

#[test]
fn a_thread_that_stops_is_a_strong_change_and_a_position_that_moves_a_mild_one() {
    let moved = looks([look(|_| {}), look(|cluster| checks::seen(cluster, "db3").links[0].lag = Some(2))]);
    assert_eq!(moved.weight("db3", What::Lag), Some(Weight::Mild));
    assert_eq!(moved.before("db3"), None);
    let stopped = looks([look(|_| {}), look(stopped)]);
    assert_eq!(stopped.weight("db3", What::Threads), Some(Weight::Strong));
    assert_eq!((stopped.weight("db2", What::Threads), stopped.weight("db3", What::State)), (None, None));
    assert_eq!(stopped.before("db3").unwrap(), "before: running");
    assert_eq!((stopped.came(), stopped.gone()), (vec![Code::SqlThreadStopped], Vec::new()));
}

#[test]
fn a_finding_that_is_no_longer_there_is_gone_and_no_longer_so_when_it_comes_again() {
    let mut looks = looks([look(stopped), look(|_| {})]);
    assert_eq!((looks.came(), looks.gone()), (Vec::new(), vec![Code::SqlThreadStopped]));
    looks.look(look(stopped));
    assert_eq!((looks.came(), looks.gone()), (vec![Code::SqlThreadStopped], Vec::new()));
}

#[test]
fn a_change_is_marked_for_its_time_and_until_the_next_look() {
    let mut looks = looks([look(|_| {}), look(stopped)]);
    looks.now += MARKED;
    assert_eq!(looks.weight("db3", What::Threads), Some(Weight::Strong));
    assert_eq!(looks.came(), [Code::SqlThreadStopped]);
    looks.look(look(stopped));
    assert!(looks.is_quiet());
    looks.look(look(|_| {}));
    looks.look(look(|_| {}));
    assert_eq!(looks.gone(), [Code::SqlThreadStopped]);
    looks.now += MARKED;
    assert!(looks.is_quiet());
}

#[test]
fn a_host_that_answers_no_more_shows_what_it_was_and_its_findings_are_not_gone() {
    let looks = looks([look(stopped), look(silent)]);
    assert_eq!(looks.weight("db3", What::State), Some(Weight::Strong));
    assert_eq!(looks.before("db3").unwrap(), "before: read-only; follows db1; not applying");
    assert_eq!((looks.came(), looks.gone()), (vec![Code::ServerUnreachable], Vec::new()));
}

#[test]
fn an_address_that_moves_is_marked_at_its_new_host_and_named_at_its_old_one() {
    let moved = |cluster: &mut Cluster| {
        cluster.addresses[0].others.as_mut().unwrap()[0].host = Some("db2".into());
    };
    let writer = || What::Address("10.0.0.100".into());
    let there = looks([look(|_| {}), look(moved)]);
    assert_eq!(there.weight("db2", writer()), Some(Weight::Strong));
    assert_eq!(there.before("db1").unwrap(), "before: holds writer 10.0.0.100");
    // Nobody could be asked.
    let unknown = |cluster: &mut Cluster| cluster.addresses[0].others = None;
    assert!(looks([look(|_| {}), look(unknown), look(|_| {})]).before("db1").is_none());
}

#[test]
fn a_look_that_saw_no_cluster_says_nothing_of_it() {
    let blind = || {
        let mut check = Check::new("configuration");
        check.fail(Code::ConfigInvalid, "", "line 3", &[]);
        Report::without_cluster("mmm_agent", check, Duration::ZERO)
    };
    let mut looks = looks([look(stopped), blind()]);
    assert_eq!((looks.came(), looks.gone()), (vec![Code::ConfigInvalid], Vec::new()));
    looks.look(look(stopped));
    assert_eq!((looks.came(), looks.gone()), (Vec::new(), vec![Code::ConfigInvalid]));
    assert_eq!(looks.before("db3"), None);
}

#[test]
fn a_finding_whose_numbers_move_is_the_same_finding() {
    let finding = |text: &str| {
        let mut check = Check::new("lag");
        check.warn(Code::Lag, "db3", text, &[]);
        let mut report = look(|_| {});
        report.checks = vec![check];
        report
    };
    for (one, other, is_same) in [
        ("db3 is 31 s behind", "db3 is 47.5 s behind", true),
        ("at binlog.000001:325, 1,204 rows", "at binlog.000002:4, 7 rows", true),
        ("lacks 0-1-25,1-1-3", "lacks 0-1-26", true),
        ("db3 is late", "db2 is late", false),
        ("10.0.0.1 is held twice", "10.0.0.2 is held twice", false),
    ] {
        assert_eq!(looks([finding(one), finding(other)]).came().is_empty(), is_same, "{one}; {other}");
    }
    let twice = |count: usize| {
        let mut report = finding("db3 is 31 s behind");
        let findings = &mut report.checks[0].findings;
        *findings = vec![findings[0].clone(); count];
        report
    };
    assert_eq!(looks([twice(1), twice(2)]).came().len(), 1);
    assert_eq!(looks([twice(2), twice(1)]).gone().len(), 1);
}
