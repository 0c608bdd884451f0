use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::*;

#[test]
fn what_is_begun_is_mended_once_unless_its_own_thread_does_it() {
    let work = Work(Mutex::new(State::Nothing));
    let mended = Arc::new(AtomicBool::new(false));
    let begin = || {
        let mended = Arc::clone(&mended);
        work.becomes(State::Begun(Box::new(move || mended.store(true, Ordering::Relaxed))));
    };
    let was_mended = || mended.swap(false, Ordering::Relaxed);
    let never = |_| -> Option<()> { panic!("nobody undoes anything") };
    begin();
    work.settle(never);
    assert!(was_mended());
    work.settle(never);
    assert!(!was_mended());
    begin();
    work.becomes(State::Nothing);
    work.settle(never);
    assert!(!was_mended());
    begin();
    work.becomes(State::Undoing(Instant::now() + Duration::from_secs(5)));
    assert_eq!(work.settle(|most| (most > Duration::from_secs(1)).then_some(7)), Some(7));
    assert!(!was_mended());
    work.becomes(State::Begun(Box::new(|| panic!("it cannot be mended"))));
    work.settle(never);
}
