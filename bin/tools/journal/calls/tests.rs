use super::*;

/// The events of a journal; every line of it must be one.
pub fn events(journal: &str) -> Vec<Event> {
    let mut assembly = Assembly::default();
    let mut events = Vec::new();
    for text in journal.lines() {
        assembly.add(&line::parse(text).expect(text));
        events.extend(std::iter::from_fn(|| assembly.take()));
    }
    assembly.finish(|_| false);
    events.extend(std::iter::from_fn(|| assembly.take()));
    events
}

fn calls(journal: &str) -> Vec<Call> {
    let is_call = |event| if let Event::Call(call) = event { Some(call) } else { None };
    events(journal).into_iter().filter_map(is_call).collect()
}

#[test]
fn the_lines_of_a_call_are_one_call() {
    let calls = calls(
        "2026-11-23T00:02:26.721Z mysql_may_write[41] INFO  called with [\"mmm_agent_db1\"]\n\
         2026-11-23T00:02:26.721Z mysql_may_write[41] INFO  this host is db1\n\
         2026-11-23T00:02:26.726Z mysql_may_write[41] WARN  db1: continuing without TLS\n\
         2026-11-23T00:02:26.727Z mysql_may_write[41] INFO  answered \"OK: \\\"yes\\\"\", exit 1, 6.0 ms in all\n",
    );
    let [call] = &calls[..] else { panic!("{calls:?}") };
    assert_eq!((call.helper.as_str(), call.process, call.fate()), ("mysql_may_write", 41, Fate::Done));
    assert_eq!(call.arguments, ["mmm_agent_db1"]);
    assert_eq!(call.host.as_deref(), Some("db1"));
    assert_eq!(call.answer, Some(Answer { text: "OK: \"yes\"".into(), exit_code: 1, milliseconds: 6.0 }));
    assert_eq!(call.notes.len(), 2);
    assert_eq!(call.started.duration_until(call.ended).as_millis(), 6);
}

#[test]
fn calls_that_ran_at_the_same_time_come_in_the_order_in_which_they_began() {
    let calls = calls(
        "2026-11-23T00:00:00.000Z sync_with_master[5] INFO  called with []\n\
         2026-11-23T00:00:01.000Z check_ip[6] INFO  called with [\"eth0\", \"10.0.0.1\"]\n\
         2026-11-23T00:00:01.001Z check_ip[6] INFO  answered \"OK\", exit 0, 1.0 ms in all\n\
         2026-11-23T00:00:02.000Z sync_with_master[5] INFO  answered \"ERROR: x\", exit 255, 2000.0 ms in all\n",
    );
    let fates: Vec<_> = calls.iter().map(|call| (call.helper.as_str(), call.fate())).collect();
    assert_eq!(fates, [("sync_with_master", Fate::Failed), ("check_ip", Fate::Done)]);
}

#[test]
fn a_call_without_an_answer_was_killed_whoever_has_its_number_now() {
    let begun = |helper: &str| format!("2026-11-23T00:00:00.000Z {helper}[5] INFO  called with []\n");
    let answered = "2026-11-23T00:00:00.000Z check_ip[5] INFO  answered \"OK\", exit 0, 1.0 ms in all\n";
    for second in ["check_ip", "clear_ip"] {
        let calls = calls(&(begun(second) + &begun("check_ip") + answered));
        let fates: Vec<_> = calls.iter().map(Call::fate).collect();
        assert_eq!(fates, [Fate::Killed, Fate::Done], "{second}");
    }
    assert_eq!(calls(&begun("clear_ip"))[0].fate(), Fate::Killed);
}

#[test]
fn a_call_whose_process_lives_is_running() {
    let mut assembly = Assembly::default();
    assembly.add(&line::parse("2026-11-23T00:00:00.000Z check_ip[5] INFO  called with []").unwrap());
    assert_eq!(assembly.take(), None);
    assembly.finish(|call| call.process == 5);
    let Some(Event::Call(call)) = assembly.take() else { panic!("no call") };
    assert_eq!(call.fate(), Fate::Running);
}

#[test]
fn lines_of_no_call_are_kept_as_lines() {
    let events = events(
        "2026-11-23T00:00:00.000Z check_ip[4] INFO  answered \"OK\", exit 0, 1.0 ms in all\n\
         2026-11-23T00:00:01.000Z configure_ip[9] INFO  10.0.0.1 is no longer on the interface, announcing ends\n",
    );
    assert!(matches!(&events[..], [Event::Line { .. }, Event::Line { process: 9, .. }]), "{events:?}");
}

#[test]
fn what_is_kept_does_not_grow_with_the_journal() {
    let mut assembly = Assembly::default();
    let mut events = 0;
    let add = |assembly: &mut Assembly, process: usize, text: &str| {
        let text = format!("2026-11-23T00:00:00.000Z check_ip[{process}] INFO  {text}");
        assembly.add(&line::parse(&text).unwrap());
    };
    for process in 0..20_000 {
        add(&mut assembly, process, "called with []");
        events += std::iter::from_fn(|| assembly.take()).count();
        assert!(assembly.waiting.len() <= MOST_WAITING && assembly.open.len() <= MOST_WAITING);
    }
    for number in 0..1000 {
        add(&mut assembly, 19_999, &format!("line {number}"));
    }
    assembly.finish(|_| false);
    let rest: Vec<_> = std::iter::from_fn(|| assembly.take()).collect();
    assert_eq!(events + rest.len(), 20_000);
    let Some(Event::Call(last)) = rest.last() else { panic!("no call") };
    assert_eq!((last.notes.len() as u64) + last.notes_left_out, 1000);
    assert_eq!(last.notes.len(), MOST_NOTES);
    assert_eq!(last.notes.back().unwrap().text, "line 999");
}

#[test]
fn an_answer_that_cannot_be_read_is_a_note() {
    let calls = calls(
        "2026-11-23T00:00:00.000Z check_ip[5] INFO  called with eth0\n\
         2026-11-23T00:00:00.000Z check_ip[5] INFO  answered \"OK, exit 0\n",
    );
    assert_eq!(calls[0].arguments, ["eth0"]);
    assert_eq!((calls[0].answer.as_ref(), calls[0].notes.len()), (None, 1));
}
