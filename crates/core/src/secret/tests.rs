use super::*;

#[test]
fn debug_never_shows_the_value() {
    let shown = format!("{:?}", Some(Secret::new("hunter2")));
    assert_eq!(shown, "Some(***)");
}
