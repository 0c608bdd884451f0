use super::*;

#[test]
fn only_the_title_makes_it_end_anything() {
    let read = |argv: &[&str]| read(argv.iter().map(OsString::from));
    let told = read(&[TITLE, "10.0.0.1", "500"]);
    assert_eq!(told, Some(("10.0.0.1".parse().unwrap(), Duration::from_millis(500))));
    for argv in [
        &["/usr/lib/mysql-mmm/agent/clear_ip", TITLE, "10.0.0.1"][..],
        &[TITLE, "10.0.0.1"],
        &[TITLE, "10.0.0.1;x", "500"],
        &[TITLE, "10.0.0.1", "long"],
        &[],
    ] {
        assert_eq!(read(argv), None, "{argv:?}");
    }
}
