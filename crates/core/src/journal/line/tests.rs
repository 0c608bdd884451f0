use super::*;

fn written(target: LogTarget, format: LogFormat, level: Level, text: &str) -> Line {
    let shape = Shape { helper: "check_ip", target, format };
    let time = "2026-11-22T03:00:13.1004Z".parse().unwrap();
    shape.write(time, 39, &Record::builder().level(level).args(format_args!("{text}")).build())
}

#[test]
fn a_line_of_the_file_is_text_or_json_and_always_one_line() {
    let line = |format, text| written(LogTarget::File, format, Level::Warn, text);
    let text = "2026-11-22T03:00:13.100Z check_ip[39] WARN  a \"b\"\\nc\n".to_string();
    assert_eq!(line(LogFormat::Text, "a \"b\"\nc"), Line { text, packet: None });
    let json = r#"{"time":"2026-11-22T03:00:13.100Z","helper":"check_ip","process":39,"level":"warn","text":"a \"b\"\nc\u001b"}"#;
    assert_eq!(line(LogFormat::Json, "a \"b\"\nc\u{1b}").text, format!("{json}\n"));
}

#[test]
fn a_daemon_gets_the_priority_the_helper_and_one_message() {
    for (level, severity) in
        [(Level::Error, 3), (Level::Warn, 4), (Level::Info, 6), (Level::Debug, 7), (Level::Trace, 7)]
    {
        let line = written(LogTarget::Syslog, LogFormat::Text, level, "a\nb");
        assert_eq!(line.packet.unwrap(), format!("<{}>check_ip[39]: a\\nb", 24 + severity));
        assert!(line.text.starts_with("2026-11-22T03:00:13.100Z check_ip[39] "));
        let line = written(LogTarget::Journald, LogFormat::Text, level, "a\nPRIORITY=0");
        assert_eq!(
            line.packet.unwrap(),
            format!(
                "MESSAGE=a\\nPRIORITY=0\nPRIORITY={severity}\nSYSLOG_FACILITY=3\nSYSLOG_IDENTIFIER=check_ip\n\
                 SYSLOG_PID=39\nMMM_TIME=2026-11-22T03:00:13.100Z\n"
            )
        );
    }
    let line = written(LogTarget::Syslog, LogFormat::Json, Level::Info, "a\nb");
    assert_eq!(line.packet.unwrap(), format!("<30>check_ip[39]: {}", line.text.trim_end()));
}
