use super::*;

const A: &str = "3e11fa47-71ca-11e1-9e33-c80aa9429562";
const B: &str = "4e11fa47-71ca-11e1-9e33-c80aa9429562";

#[test]
fn what_a_server_wrote_itself_is_told_from_what_was_replicated() {
    let row = |columns: &[(&str, &str)]| own_writes(&columns.iter().copied().collect()).unwrap();
    let mariadb = |state| row(&[("server_id", "1"), ("binlog_state", state)]);
    assert_eq!(mariadb("0-1-7,0-2-9"), mariadb("0-1-7,0-2-10"));
    assert_ne!(mariadb("0-1-7,0-2-9"), mariadb("0-1-8,0-2-9"));
    assert_ne!(mariadb("0-1-7,5-1-1"), mariadb("0-1-7,5-1-2"));
    assert_ne!(mariadb(""), mariadb("0-1-1"));
    let mysql = |executed: &str| {
        row(&[("server_id", "1"), ("server_uuid", A), ("gtid_mode", "ON"), ("executed", executed)])
    };
    assert_eq!(mysql(&format!("{A}:1-7,{B}:1")), mysql(&format!("{A}:1-7,{B}:1-2")));
    assert_ne!(mysql(&format!("{A}:1-7")), mysql(&format!("{A}:1-8")));
    let anonymous = row(&[("server_id", "1"), ("gtid_mode", "OFF"), ("executed", "")]);
    assert_eq!(anonymous, Own::Unknown);
}
