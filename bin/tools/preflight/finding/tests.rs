use super::*;

#[test]
fn a_text_is_one_line_and_holds_no_customers_data() {
    let mut check = Check::new("x");
    check.warn(Code::ConfigQuirk, "", "it\n\x1b[1m says: \t1062. Query: 'INSERT ''a'; b'", &[]);
    assert_eq!(check.findings[0].text, "it \\u{1b}[1m says: 1062.");
    assert_eq!((check.state, check.findings[0].host.as_deref()), (Severity::Warning, None));
}
