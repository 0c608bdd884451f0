use super::*;

#[test]
fn a_statement_is_one_line_that_no_terminal_obeys() {
    for (text, shown) in [
        (&b"INSERT  INTO t\n\tVALUES (1)"[..], "INSERT INTO t VALUES (1)".to_string()),
        (b"SELECT '\x1b[2J'", "SELECT '\\u{1b}[2J'".into()),
        (b"SELECT '\xff'", "SELECT '\u{fffd}'".into()),
        ("SELECT '\u{202e}ab\u{9b}1m'".as_bytes(), "SELECT '\\u{202e}ab\\u{9b}1m'".into()),
        (&[b'x'; 160], "x".repeat(160)),
        (&[b'x'; 161], "x".repeat(160) + "…"),
        (&[b' '; 5000], "…".into()),
    ] {
        assert_eq!(shortened(text), shown);
    }
}

#[test]
fn no_password_is_shown_wherever_it_stands() {
    for (text, shown) in [
        ("CREATE USER a@b IDENTIFIED BY 'hunter2'", "CREATE USER ***"),
        ("create or replace user hunter2", "CREATE USER ***"),
        ("/* hi */ CREATE/**/USER 'hunter2'", "CREATE USER ***"),
        ("/*!50000 alter */ -- x\n user hunter2", "ALTER USER ***"),
        ("# hunter2\nSET PASSWORD FOR a = 'hunter2'", "SET PASSWORD ***"),
        ("GRANT ALL ON *.* TO a IDENTIFIED BY 'hunter2'", "GRANT ***"),
        ("CREATE SERVER s FOREIGN DATA WRAPPER mysql OPTIONS (PASS 'hunter2')", "CREATE SERVER ***"),
        ("INSERT INTO `mysql`.`user` VALUES ('hunter2')", "INSERT ***"),
        ("UPDATE people SET Password = 'hunter2'", "UPDATE ***"),
        ("'hunter2' password", "***"),
        ("SELECT AES_ENCRYPT('x', 'hunter2')", "SELECT ***"),
        ("CREATE TABLE users (id INT)", "CREATE TABLE users (id INT)"),
        ("GRANT ALL ON *.* TO a", "GRANT ALL ON *.* TO a"),
    ] {
        assert_eq!(shortened(text.as_bytes()), shown, "{text}");
    }
    let long = format!("INSERT INTO t VALUES ('{}', PASSWORD('x'))", "a".repeat(3000));
    assert_eq!(shortened(long.as_bytes()), "INSERT ***");
}
