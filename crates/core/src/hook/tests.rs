use super::*;
use crate::guard;

fn run(words: &[&str], limit: Duration) -> Result<(), CommandError> {
    let words: Vec<String> = words.iter().map(ToString::to_string).collect();
    let program = words.first().and_then(|program| guard::check(Path::new(program)).unwrap());
    let ready = Ready { key: "network.hooks.added", program, words, limit };
    ready.run().map_err(|error| match error {
        HookError::Command { source, .. } => source,
        other => panic!("{other}"),
    })
}

const LONG: Duration = Duration::from_secs(20);

#[test]
fn placeholders_are_filled_in_wherever_they_stand() {
    let value = |name: &str| if name == "eni" { Err(()) } else { Ok(format!("<{name}>")) };
    for (word, filled) in [
        ("{address}", Ok("<address>")),
        ("a{host}b{interface}{address}c", Ok("a<host>b<interface><address>c")),
        ("{} {a b} { {host", Ok("{} {a b} { {host")),
        ("{{host}}", Ok("{<host>}")),
        ("--eni={eni}", Err(())),
    ] {
        assert_eq!(fill(word, value), filled.map(String::from), "{word}");
    }
}

#[test]
fn the_eni_is_an_identifier() {
    assert_eq!(eni(Some("eni-0a1b")), Ok("eni-0a1b"));
    for wrong in
        [None, Some("null"), Some("--profile=x"), Some("eni 1"), Some("$(id)"), Some("a\nb"), Some(".")]
    {
        assert!(eni(wrong).is_err(), "{wrong:?}");
    }
}

#[test]
fn no_command_is_done_at_once() {
    assert_eq!(run(&[], Duration::ZERO), Ok(()));
}

#[test]
fn a_failure_repeats_the_last_line() {
    let error = run(&["/bin/sh", "-c", "echo one; echo; echo two >&2; exit 3"], LONG).unwrap_err();
    assert!(error.to_string().ends_with("exited with 3: two"), "{error}");
    let error = run(&["/nonexistent"], LONG).unwrap_err();
    assert!(error.to_string().contains("could not be started"), "{error}");
}

#[test]
fn more_output_than_a_pipe_holds_does_not_hold_it_up() {
    assert_eq!(run(&["/bin/sh", "-c", "head -c 1000000 /dev/zero"], LONG), Ok(()));
}

#[test]
fn one_that_hangs_is_ended_with_all_it_started() {
    let words = ["/bin/sh", "-c", "sleep 600 & sleep 600"];
    let started = Instant::now();
    assert!(matches!(run(&words, Duration::from_millis(50)), Err(CommandError::Hung { .. })));
    assert!(started.elapsed() < LONG);
}

#[test]
fn what_it_leaves_running_is_not_waited_for() {
    let started = Instant::now();
    let error = run(&["/bin/sh", "-c", "sleep 5 & echo no; exit 1"], LONG).unwrap_err();
    assert!(error.to_string().ends_with("exited with 1: no"), "{error}");
    assert!(started.elapsed() < LONG);
}
