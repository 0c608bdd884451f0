use super::*;

#[test]
fn a_share_is_never_more_than_what_is_left() {
    let budget = Budget::start(Some(Duration::from_secs(2)));
    assert!(budget.share(Duration::from_secs(60)) <= Duration::from_secs(2));
    assert_eq!(budget.share(Duration::from_millis(1)), Duration::from_millis(1));
    assert!(!budget.is_spent());
}

#[test]
fn a_spent_budget_gives_no_time_and_does_not_sleep() {
    let budget = Budget::start(Some(Duration::ZERO));
    assert!(budget.is_spent());
    assert_eq!(budget.share(Duration::from_secs(60)), Duration::ZERO);
    assert!(!budget.pause(Duration::from_secs(3600)));
}

#[test]
fn without_a_limit_a_share_is_what_was_asked_for() {
    let budget = Budget::start(None);
    assert_eq!(budget.share(Duration::from_secs(60)), Duration::from_secs(60));
    assert!(!budget.is_spent());
}

#[test]
fn what_is_interruptible_is_so_in_its_parts_and_no_more_when_it_must_not_be() {
    let budget = Budget::start(None).interruptible();
    assert!(budget.part(50).heeds_interrupt && budget.relimited(Duration::ZERO).heeds_interrupt);
    assert!(!budget.uninterrupted().heeds_interrupt);
}

#[test]
fn a_part_ends_earlier() {
    let budget = Budget::start(Some(Duration::from_secs(8))).part(55);
    assert_eq!(budget.limit(), Some(Duration::from_millis(4400)));
    assert_eq!(Budget::start(None).part(55).limit(), None);
}
