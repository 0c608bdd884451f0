use super::*;

#[test]
fn the_rounds_that_ci_plays_can_be_read() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let found = of_files(&folder.join("found")).expect("rounds that were found");
    let listed = of_list(&folder.join("seeds")).expect("a list of rounds");
    assert!(!found.is_empty() && !listed.is_empty());
    assert_eq!(listed[0].seed, 13);
    assert_eq!(listed[0].kind.server, "mysql-9");
}

#[test]
fn a_list_with_a_line_that_is_no_round_is_refused() {
    let file = std::env::temp_dir().join(format!("mmm-chaos-list-{}", std::process::id()));
    std::fs::write(&file, "mysql-9 gtid 11\nmysql-9 gtid\n").expect("a list");
    let read = of_list(&file);
    std::fs::remove_file(&file).expect("a list");
    assert!(read.is_err_and(|error| error.ends_with("mysql-9 gtid: this is no server, mode and seed")));
}
