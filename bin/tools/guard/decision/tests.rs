use super::*;

fn situation(server: Service) -> Situation {
    Situation {
        is_wanted: false,
        within: Duration::from_secs(300),
        machine: Duration::from_secs(100_000),
        server,
        agent_runs: false,
        given: None,
        now: "2026-11-23T12:00:00Z".parse().unwrap(),
    }
}

fn up(seconds: u64) -> Service {
    Service::Up(Duration::from_secs(seconds))
}

#[test]
fn a_server_that_has_just_started_is_closed_and_one_that_runs_for_long_is_not() {
    assert_eq!(situation(Service::Down).refusal(), None);
    assert_eq!(situation(up(300)).refusal(), None);
    assert!(matches!(situation(up(301)).refusal(), Some(Refusal::RunsForLong { .. })));
    assert_eq!(Situation { is_wanted: true, ..situation(up(301)) }.refusal(), None);
}

#[test]
fn what_the_agent_has_decided_since_the_start_stays() {
    let given = |at: &str| Some(("mysql_allow_write".to_string(), at.parse().unwrap()));
    let later = Situation { agent_runs: true, given: given("2026-11-23T11:59:30Z"), ..situation(up(60)) };
    assert!(matches!(later.refusal(), Some(Refusal::AgentDecided { .. })));
    let earlier = Situation { given: given("2026-11-23T11:58:30Z"), ..later.clone() };
    assert_eq!(earlier.refusal(), None);
    let at_once = Situation { given: given("2026-11-23T11:59:59.5Z"), server: up(0), ..later.clone() };
    assert!(matches!(at_once.refusal(), Some(Refusal::AgentDecided { .. })));
    // An agent that does not run takes nothing away either.
    assert_eq!(Situation { agent_runs: false, ..later.clone() }.refusal(), None);
    assert_eq!(Situation { is_wanted: true, ..later }.refusal(), None);
}

#[test]
fn a_server_that_lets_nobody_in_is_taken_for_a_busy_one_unless_the_machine_has_just_started() {
    let full = situation(Service::Closed("Too many connections".into()));
    let text = full.refusal().unwrap().to_string();
    assert!(text.contains("Too many connections"), "{text}");
    assert_eq!(Situation { machine: Duration::from_secs(300), ..full }.refusal(), None);
}
