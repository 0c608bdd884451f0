use super::*;
use crate::Invocation;

fn patience(limit: Option<Duration>) -> Patience {
    let patience = Patience::default();
    patience.set(&Budget::start(limit));
    patience
}

fn await_worker(patience: &Patience, work: impl FnOnce() -> Ending + Send + 'static) -> Ending {
    let (sender, receiver) = mpsc::channel();
    start(sender, || Some(work())).unwrap();
    attend(patience, &receiver, &mut Vec::new())
}

#[test]
fn a_panic_in_the_procedure_is_an_ending() {
    let ending = await_worker(&patience(None), || panic!("index out of range"));
    let Ending::Failed { text, .. } = ending else { panic!("not a failure") };
    assert!(text.contains("internal error: index out of range"), "{text}");
}

#[test]
fn no_second_thread_is_needed_for_a_task_that_is_done_or_may_still_be() {
    let no_thread = || Err(io::Error::from(io::ErrorKind::WouldBlock));
    let taken = Mutex::new(None::<Option<io::ErrorKind>>);
    unless_taken(&taken, || panic!("somebody does it already"), |_, _| {});
    let waiting = Mutex::new(Some(None));
    unless_taken(&waiting, no_thread, |task, error| *task = Some(error.kind()));
    assert_eq!(*lock(&waiting), Some(Some(io::ErrorKind::WouldBlock)), "still there for the first one");
}

#[test]
fn the_settings_leave_half_of_a_call_for_its_work() {
    const SHAPES: [Shape; 3] = [Shape::Plain, Shape::NewMaster, Shape::Address];
    let seconds = Duration::from_secs;
    for (wait, times) in [
        (None, [4, 4, 1]),
        (Some(None), [4, 4, 1]),
        (Some(Some(seconds(60))), [30, 30, 1]),
        (Some(Some(seconds(1))), [1, 1, 1]),
    ] {
        let request = Request::Work(Invocation { wait, ..Invocation::default() });
        assert_eq!(SHAPES.map(|shape| time_to_read(shape, &request)), times.map(seconds), "{wait:?}");
    }
}

#[test]
fn a_procedure_that_never_returns_is_answered_for() {
    let ending = await_worker(&patience(Some(Duration::ZERO)), || {
        thread::sleep(Duration::from_secs(600));
        Ending::Done(Verdict::ok())
    });
    let Ending::Failed { text, .. } = ending else { panic!("not a failure") };
    assert!(text.contains("time limit"), "{text}");
}

#[test]
fn a_call_that_is_given_up_says_what_that_means_for_its_host() {
    let patience = patience(Some(Duration::ZERO));
    patience.mean("db2 may still take writes".into());
    let meant = patience.clone();
    let ending = await_worker(&patience, move || {
        meant.mean("db2 is closed".into());
        thread::sleep(Duration::from_secs(600));
        Ending::Done(Verdict::ok())
    });
    let Ending::Failed { code, text } = ending else { panic!("not a failure") };
    assert_eq!(code, "out-of-time");
    assert!(text.contains("the call was given up; db2 is closed"), "{text}");
}
