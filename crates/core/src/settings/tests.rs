use log::LevelFilter;

use super::*;
use crate::config::scratch::Scratch;

pub fn read(text: &str) -> Result<Settings, String> {
    let scratch = Scratch::new();
    let path = scratch.file("mmm_helpers.yaml", text);
    Settings::load_from(&path).map_err(|error| error.to_string().replace(&path.display().to_string(), "FILE"))
}

#[test]
fn without_a_file_the_defaults_hold() {
    let scratch = Scratch::new();
    let missing = scratch.path().join("missing.yaml");
    assert_eq!(Settings::load_from(&missing).unwrap(), Settings::default());
    let below_a_file = scratch.file("file", "").join("mmm_helpers.yaml");
    assert_eq!(Settings::load_from(&below_a_file).unwrap(), Settings::default());
}

#[test]
fn empty_files_and_sections_leave_the_defaults() {
    for text in ["", "# nothing\n", "---\n", "limits:\n", "limits:\n  # connect: 1s\nlog:\n", "{}"] {
        assert_eq!(read(text).unwrap(), Settings::default(), "{text:?}");
    }
}

#[test]
fn every_key_is_read() {
    let settings =
        read("limits: {connect: 500ms, call: 2m}\nlog:\n  file: /x/y.log\n  level: Debug\n").unwrap();
    assert_eq!(settings.limits.connect, Duration::from_millis(500));
    assert_eq!(settings.limits.call, Duration::from_secs(120));
    assert_eq!(settings.log.file, Path::new("/x/y.log"));
    assert_eq!(settings.log.level, LevelFilter::Debug);
    assert!(read("deny_write: {super_read_only: true}").unwrap().deny_write.super_read_only);
    let silence = read("allow_write: {silence: 5s}").unwrap().allow_write.silence;
    assert_eq!(silence, Duration::from_secs(5));
    assert!(!read("attach: {touch_old_master: false}").unwrap().attach.touch_old_master);
    assert!(read("attach: {log_filters_agree: true}").unwrap().attach.log_filters_agree);
    let patience = |text| read(text).unwrap().attach.patience.as_millis();
    assert_eq!((patience(""), patience("attach: {patience: 2s}")), (500, 2000));
    let channel = read("replication: {channel: main}").unwrap().replication.channel;
    assert_eq!(channel.as_deref(), Some("main"));
    let log = read("log: {target: journald, format: json}").unwrap().log;
    assert_eq!((log.target, log.format), (LogTarget::Journald, LogFormat::Json));
    assert_eq!(LogSettings::from_word(&log.to_word()), Some(log));
    assert_eq!(read("log: {target: syslog}").unwrap().log.target, LogTarget::Syslog);
    assert_eq!(read("log: {level: off}").unwrap().log.level, LevelFilter::Off);
}

#[test]
fn a_command_for_events_is_taken_word_by_word() {
    let events = |text| read(text).unwrap().events;
    assert_eq!(events(""), Events::default());
    let read_events = events("events: {command: [/x/tell, '{address}', 'a b'], limit: 2s}");
    assert_eq!(read_events.command, ["/x/tell", "{address}", "a b"]);
    assert_eq!(read_events.limit, Duration::from_secs(2));
    for (command, words) in [("[tell]", "absolute path"), (r#"[/x/tell, "a\0b"]"#, "NUL")] {
        let error = read(&format!("events: {{command: {command}}}")).expect_err(command);
        assert!(error.contains(words), "{error}");
    }
}

#[test]
fn a_key_that_is_not_set_keeps_its_default() {
    let settings = read("limits: {call: 5}\n").unwrap();
    assert_eq!(settings.limits, Limits { call: Duration::from_secs(5), ..Limits::default() });
}

#[test]
fn what_cannot_be_used_is_refused_with_file_and_line() {
    let table = [
        ("limit: {}\n", 1, "unknown field `limit`"),
        ("log:\n  level: info\n  colour: red\n", 3, "unknown field `colour`"),
        ("limits:\n  connect: 3s\n  connect: 4s\n", 2, "duplicate"),
        ("\nlimits:\n  call: 0\n", 3, "from 1ms to 1h"),
        ("limits: {call: 2d}\n", 1, "from 1ms to 1h"),
        ("log: {level: loud}\n", 1, "off, error, warn, info, debug or trace"),
        ("log: {file: mmm.log}\n", 1, "absolute path"),
        ("log: {target: kafka}\n", 1, "expected one of `file`, `syslog`, `journald`"),
        ("log: {format: xml}\n", 1, "expected `text` or `json`"),
        ("- limits\n", 1, "expected keys with their values"),
        ("limits: {call: 3s\n", 2, "did not find expected"),
        ("allow_write: {gate: maybe}\n", 1, "expected true or false"),
        ("events: {command: notify}\n", 1, "expected a list, as [one, two]"),
        ("limits:\n\tcall: 3s\n", 2, "the line begins with a tab: indent with spaces"),
        ("limits: 3s\n", 1, "expected keys with their values"),
    ];
    for (text, line, words) in table {
        let error = read(text).expect_err(text);
        assert!(
            error.starts_with(&format!("Invalid settings in 'FILE' on line {line}: ")),
            "{text:?}: {error}"
        );
        assert!(error.contains(words), "{text:?}: {error}");
    }
}

#[test]
fn a_link_to_a_file_that_is_not_there_is_known() {
    let scratch = Scratch::new();
    let path = scratch.file("mmm_helpers.yaml", b"");
    std::fs::remove_file(&path).unwrap();
    assert!(!Settings::load_from(&path).unwrap().is_dangling);
    std::os::unix::fs::symlink("nowhere.yaml", &path).unwrap();
    let settings = Settings::load_from(&path).unwrap();
    assert!(settings.is_dangling);
    assert_eq!(settings, Settings { is_dangling: true, ..Settings::default() });
}

#[test]
fn bytes_that_are_no_text_are_refused() {
    let scratch = Scratch::new();
    let path = scratch.file("mmm_helpers.yaml", b"log: {file: /\xff}\n");
    assert!(matches!(Settings::load_from(&path), Err(SettingsError::Invalid { .. })));
}

#[test]
fn a_file_that_everybody_may_read_or_write_is_refused() {
    let scratch = Scratch::new();
    let path = scratch.file("mmm_helpers.yaml", "");
    for (mode, words) in [(0o602, "world writable"), (0o604, "world readable"), (0o646, "world writable")] {
        scratch.chmod(&path, mode);
        let error = Settings::load_from(&path).unwrap_err().to_string();
        assert!(error.contains(words) && error.contains("chmod 640"), "{mode:o}: {error}");
    }
    scratch.chmod(&path, 0o661);
    assert!(Settings::load_from(&path).is_ok());
}

#[test]
fn of_a_file_that_others_may_write_all_counts_but_its_commands() {
    let scratch = Scratch::new();
    let path = scratch.file("mmm_helpers.yaml", "");
    scratch.chmod(&path, 0o660);
    for hook in ["added", "removed", "checked"] {
        let text = format!("limits: {{call: 5s}}\nnetwork: {{hooks: {{{hook}: {{command: [/bin/true]}}}}}}");
        std::fs::write(&path, text).unwrap();
        let settings = Settings::load_from(&path).unwrap();
        assert_eq!(settings.limits.call, Duration::from_secs(5));
        let reason = settings.find_program("/bin/true").unwrap_err();
        assert!(reason.ends_with(&format!("chmod go-w {}", path.display())), "{hook}: {reason}");
    }
    std::fs::write(&path, "events: {command: [/bin/true]}").unwrap();
    assert!(Settings::load_from(&path).unwrap().untrusted().is_some());
    scratch.chmod(&path, 0o640);
    let settings = Settings::load_from(&path).unwrap();
    assert!(settings.find_program("/bin/true").unwrap().is_some());
}

#[test]
fn a_directory_and_a_pipe_are_no_settings() {
    let scratch = Scratch::new();
    let pipe = scratch.path().join("pipe");
    nix::unistd::mkfifo(&pipe, nix::sys::stat::Mode::S_IRWXU).unwrap();
    for path in [scratch.path(), &pipe] {
        assert!(matches!(Settings::load_from(path), Err(SettingsError::NotAFile { .. })));
    }
}
