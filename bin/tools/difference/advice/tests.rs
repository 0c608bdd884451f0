use super::*;

#[test]
fn a_file_is_one_word_of_a_command_whatever_its_name_is() {
    for (word, shown) in
        [("/root/a.binlog", "/root/a.binlog"), ("a b", "'a b'"), ("it's; rm", "'it'\\''s; rm'"), ("", "''")]
    {
        assert_eq!(quoted(word), shown);
    }
}
