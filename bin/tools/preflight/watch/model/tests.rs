use super::super::super::code::Code;
use super::super::super::finding::Check;
use super::*;

const PAUSE: Duration = Duration::from_secs(5);

fn model(now: Instant) -> Model {
    Model::new("mmm_agent", PAUSE, true, now)
}

fn failed() -> Report {
    let mut check = Check::new("lag");
    check.fail(Code::Lag, "db3", "late", &[]);
    Report::without_cluster("mmm_agent", check, Duration::ZERO)
}

#[test]
fn looks_follow_each_other_after_the_pause_and_never_side_by_side() {
    let now = Instant::now();
    let mut model = model(now);
    assert!(model.is_due(now));
    model.begin_look(now);
    assert!(!model.is_due(now + PAUSE * 9));
    model.note(failed(), now + PAUSE * 9);
    assert!(!model.is_due(now + PAUSE * 9) && model.is_due(now + PAUSE * 10));
    model.obey(Wish::Look, now);
    assert!(model.is_due(now));
    model.begin_look(now);
    // The one that is under way answers it.
    model.obey(Wish::Look, now);
    model.note(failed(), now);
    assert!(!model.is_due(now));
}

#[test]
fn paused_it_looks_only_when_somebody_wants_it() {
    let now = Instant::now();
    let mut model = model(now);
    model.obey(Wish::Pause, now);
    assert!(!model.is_due(now + PAUSE));
    model.obey(Wish::Look, now);
    assert!(model.is_due(now));
    model.begin_look(now);
    model.note(failed(), now);
    assert!(!model.is_due(now + PAUSE));
    model.obey(Wish::Pause, now);
    assert!(model.is_due(now + PAUSE));
}

#[test]
fn the_exit_code_is_unknown_until_a_look_has_ended() {
    let now = Instant::now();
    let mut model = model(now);
    assert_eq!(model.exit_code(), 3);
    model.note(failed(), now);
    assert_eq!(model.exit_code(), 2);
}

#[test]
fn escape_closes_the_help_first() {
    let now = Instant::now();
    let mut model = model(now);
    let escape = KeyEvent::from(KeyCode::Esc);
    assert_eq!(model.wish(escape), Some(Wish::Quit));
    model.obey(Wish::Help, now);
    assert_eq!(model.wish(escape), Some(Wish::Help));
    let control = |c| KeyEvent::new(KeyCode::Char(c), KeyModifiers::CONTROL);
    assert_eq!(model.wish(control('c')), Some(Wish::Quit));
    // Ctrl-R and Ctrl-Z are no plain letters.
    assert_eq!((model.wish(control('r')), model.wish(control('z'))), (None, None));
}
