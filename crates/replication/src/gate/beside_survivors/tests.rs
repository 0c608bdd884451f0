use super::*;
use crate::refusal::Unproved;

#[test]
fn what_time_may_cure_is_waited_for_before_a_tail_is_given_up() {
    let taken = |refusal: Refusal| {
        let state = Error::from(refusal.clone()).to_string();
        let taken = why_not("db2", refusal.into(), |_| unreachable!()).unwrap();
        (taken, state)
    };
    let (host, new) = ("db2".to_string(), "db3".to_string());
    let (later, state) = taken(Refusal::SearchTooLong { new: new.clone(), what: "its place".into() });
    assert_eq!(later, Taken::Later(state), "a later call goes on with the search");
    let unproved = |may_pass| Refusal::Unproved {
        host: host.clone(),
        new: new.clone(),
        cause: Unproved::StillApplies,
        reason: "it applies".into(),
        may_pass,
    };
    let (later, state) = taken(unproved(true));
    assert_eq!(later, Taken::Later(state));
    let (never, state) = taken(unproved(false));
    assert_eq!(never, Taken::Never(state));
    // It let the call in a moment before: it is being stopped, has no connection left, or was blocked.
    for (code, answered) in [(Some(1053), true), (Some(1040), true), (Some(1129), true), (None, false)] {
        let refused = Error::Connect {
            address: "192.0.2.3:3306".into(),
            user: "agent".into(),
            cause: "no".into(),
            answered,
            code,
        };
        let state = refused.to_string();
        assert_eq!(why_not("db2", refused, |_| unreachable!()).unwrap(), Taken::Later(state));
    }
}
