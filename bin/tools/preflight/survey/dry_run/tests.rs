use super::*;

fn document(rest: &str) -> String {
    format!(r#"{{"schema":1,"helper":"set_active_master","version":"0.1.0","host":"db3",{rest}}}"#)
}

#[test]
fn a_helpers_document_is_understood() {
    let works = document(
        r#""dry_run":true,"result":"ok","exit_code":0,"message":"","code":null,"milliseconds":12.3,
        "plan":{"action":"go on by GTID (slave_pos)","proof":"…"},"observations":[],"steps":[],
        "changes":[{"host":"db3","kind":"sql","what":"STOP SLAVE","done":false}]"#,
    );
    assert_eq!(read(0, &works), Outcome::Works(String::new()));
    let refused =
        document(r#""dry_run":true,"result":"error","exit_code":255,"message":"no","code":"replica-ahead""#);
    let expected = Outcome::Refused { code: Some("replica-ahead".into()), message: "no".into() };
    assert_eq!(read(255, &refused), expected);
    let real = document(r#""dry_run":false,"result":"ok","message":"","code":null"#);
    assert!(matches!(read(0, &real), Outcome::Failed(_)));
}

#[test]
fn a_helper_without_dry_runs_is_known_by_its_usage_line() {
    let usage = "Usage: /usr/lib/mysql-mmm//agent/set_active_master <config_file> <new_master>\n\n";
    assert_eq!(read(1, usage), Outcome::Unknown);
    for text in ["", "ERROR: no", "{}"] {
        assert!(matches!(read(255, text), Outcome::Failed(_)), "{text}");
    }
}
