use super::*;

#[test]
fn a_version_is_its_first_three_numbers() {
    for (text, numbers) in
        [("8.0.36-0ubuntu1", (8, 0, 36)), ("9.7", (9, 7, 0)), ("10.11.6-MariaDB-log", (10, 11, 6))]
    {
        assert_eq!(version(text), numbers);
    }
}
