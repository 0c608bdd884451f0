use super::super::calls::Event;
use super::super::calls::tests::events;
use super::*;

fn runs(calls: &[(&str, &str)]) -> Runs {
    let mut runs = Runs::default();
    for (second, (argument, answer)) in calls.iter().enumerate() {
        let head = format!("2026-11-23T00:{:02}:{:02}.000Z check_ip[5] INFO ", second / 60, second % 60);
        let journal = format!(
            "{head} called with [\"{argument}\"]\n{head} answered \"{answer}\", exit 0, {second}.0 ms in all\n"
        );
        for event in events(&journal) {
            let Event::Call(call) = event else { panic!("{event:?}") };
            runs.add(call);
        }
    }
    runs
}

#[test]
fn calls_that_take_turns_are_counted_each() {
    let runs = runs(&[("a", "OK"), ("b", "OK"), ("a", "OK"), ("b", "OK"), ("a", "OK")]);
    let counts: Vec<_> = runs.runs.iter().map(|run| (run.times, run.slowest)).collect();
    assert_eq!(counts, [(3, 4.0), (2, 3.0)]);
    assert_eq!(runs.runs[0].last_started.strftime("%S").to_string(), "04");
}

#[test]
fn an_answer_that_changes_and_comes_back_is_shown_three_times() {
    let runs = runs(&[("a", "OK"), ("a", "ERROR: x"), ("a", "OK")]);
    assert_eq!(runs.runs.len(), 3);
    assert_eq!(runs.last_fates().count(), 1);
}

#[test]
fn answers_that_change_all_the_time_do_not_fill_the_memory() {
    let answers: Vec<String> = (0..500).map(|number| format!("OK: {number}")).collect();
    let runs = runs(&answers.iter().map(|answer| ("a", answer.as_str())).collect::<Vec<_>>());
    assert_eq!(runs.runs.len(), MOST_RUNS);
    assert_eq!(runs.left_out, 500 - MOST_RUNS as u64);
    assert_eq!(runs.runs[0].call.answer.as_ref().unwrap().text, "OK: 0");
    assert_eq!(runs.runs[MOST_RUNS - 1].call.answer.as_ref().unwrap().text, "OK: 499");
}
