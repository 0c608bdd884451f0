use super::*;

#[test]
fn of_many_gaps_nobody_is_asked_about_those_behind_the_first_that_counts() {
    let gap = |number: u64| Gap { after: None, before: format!("0-1-{number}").parse().unwrap() };
    for (harmless, left, asked) in [(0, 300, 1), (2, 298, 3), (300, 0, 300)] {
        let mut gaps: Vec<Gap> = (0..300).map(gap).collect();
        let mut looks = 0;
        drop_leading(&mut gaps, |gap| {
            looks += 1;
            gap.before.sequence < harmless
        });
        assert_eq!((gaps.len(), looks), (left, asked), "{harmless}");
    }
}
