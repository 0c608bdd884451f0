use super::*;
use crate::position::BinlogPosition;

macro_rules! at {
    ($offset:expr) => {
        Some(BinlogPosition::new("bin.000007", $offset))
    };
}

#[test]
fn the_furthest_comes_first() {
    let tail = |to, count| Tail { count, from: at!(100), to };
    assert_eq!(further(&tail(at!(900), None), &tail(at!(500), None)), Ordering::Greater);
    assert_eq!(further(&tail(None, Some(9)), &tail(None, Some(3))), Ordering::Greater);
    assert_eq!(further(&tail(at!(900), Some(3)), &tail(at!(500), Some(9))), Ordering::Greater);
}
