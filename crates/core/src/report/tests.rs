use super::*;

fn report() -> Report {
    let mut report = Report::new();
    report.host = Some("db3".into());
    report.plan = Some(Plan { action: "go on at b.2:4".into(), proof: "all is quiet: \"yes\"".into() });
    for value in ["off", "on"] {
        report.observe(Some("db1"), "read_only", value.into());
    }
    report.observe(None, "rule", "null".into());
    report.steps.push(Step { what: "looked".into(), milliseconds: 1.2, error: Some("no: 'x'".into()) });
    report.change(None, Kind::Sql, "CHANGE MASTER TO MASTER_PASSWORD='***'".into(), false);
    report.change(Some("db1"), Kind::File, "a\nb".into(), true);
    report
}

fn render(format: Format, dry_run: bool) -> String {
    let time = Duration::from_micros(12_345);
    let (helper, code) = ("set_active_master", Some("replica-ahead"));
    let ending = Ending { helper, result: CallResult::Error, exit_code: 255, message: "no", code, time };
    report().render(Output { format, dry_run }, &ending, "ERROR: no\n")
}

#[test]
fn json_and_yaml_say_the_same() {
    let json: serde_json::Value = serde_json::from_str(&render(Format::Json, true)).unwrap();
    let yaml: serde_json::Value = serde_yaml::from_str(&render(Format::Yaml, true)).unwrap();
    assert_eq!(json, yaml);
    assert_eq!(json["milliseconds"], 12.3);
    assert_eq!(json["changes"][0]["host"], "db3");
    assert_eq!(
        json["observations"].as_array().map(Vec::len),
        Some(2),
        "a later look replaces an earlier one"
    );
}

#[test]
fn a_dry_run_ends_with_the_answer_and_has_a_line_for_each_thing() {
    let text = render(Format::Text, true);
    assert_eq!(
        text,
        "Dry run of set_active_master on db3\n\
         Seen:\n  \
         db1  read_only  on\n  \
         db3  rule       null\n\
         Plan: go on at b.2:4\n  \
         because all is quiet: \"yes\"\n\
         Would do:\n  \
         db3  CHANGE MASTER TO MASTER_PASSWORD='***';\n  \
         db1  a b\n\
         Refused: replica-ahead (docs/ERRORS.md)\n\
         ERROR: no\n"
    );
}

#[test]
fn nothing_is_kept_for_an_agent_and_its_changes_are_made() {
    begin(Output::default());
    assert!(!is_on() && !is_dry_run());
    assert_eq!(change(None, Kind::Sql, "x", || Err::<(), _>(7)), Err(7));
    planned(None, Kind::Sql, "y");
    assert_eq!(lock().changes, []);
}
