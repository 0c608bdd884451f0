use super::*;

#[test]
fn a_line_that_is_broken_keeps_the_sense_of_every_letter() {
    let line =
        Line::plain("db1, ").fact("db1", What::State, "takes writes", None).and(", by ").news("a  b", None);
    for width in 1..30 {
        let broken = line.wrapped(width, LongWord::Broken);
        assert!(broken.iter().all(|line| line.text().chars().count() <= width), "{width}: {broken:?}");
        let letters = |lines: &[Line]| -> Vec<(char, Sense)> {
            let pieces = lines.iter().flat_map(|line| &line.0);
            let letters = pieces
                .flat_map(|piece| piece.text.chars().map(|c| (c, piece.sense.clone())).collect::<Vec<_>>());
            letters.filter(|(c, _)| *c != ' ').collect()
        };
        assert_eq!(letters(&broken), letters(std::slice::from_ref(&line)), "{width}");
    }
    let whole = line.wrapped(80, LongWord::Whole);
    assert_eq!(whole.len(), 1);
    let texts: Vec<_> = whole[0].0.iter().map(|piece| piece.text.as_str()).collect();
    assert_eq!(texts, ["db1, ", "takes writes", ", by ", "a b"]);
}
