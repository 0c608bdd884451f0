use super::*;

const LONG: Duration = Duration::from_secs(20);

#[test]
fn a_programs_output_and_exit_code_are_read_and_a_hanging_one_is_ended() {
    let shell = Path::new("/bin/sh");
    assert_eq!(run(shell, &["-c", "echo a; exit 3"], LONG), Ok((3, "a\n".into())));
    let error = run(shell, &["-c", "sleep 60"], Duration::from_millis(50)).unwrap_err();
    assert!(error.contains("did not end"), "{error}");
}

#[test]
fn a_script_is_never_run_and_a_program_of_another_name_is_none_of_ours() {
    let folder = std::env::temp_dir().join(format!("mmm-preflight-{}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    let (script, trace) = (folder.join("mysql_deny_write"), folder.join("ran"));
    fs::write(&script, format!("#!/bin/sh\ntouch {}\n", trace.display())).unwrap();
    let mode = |mode| fs::set_permissions(&script, fs::Permissions::from_mode(mode)).unwrap();
    mode(0o644);
    assert_eq!(state(&script, "mysql_deny_write", LONG), HelperState::NotExecutable);
    mode(0o755);
    assert_eq!(state(&script, "mysql_deny_write", LONG), HelperState::Foreign);
    assert!(!trace.exists());
    fs::remove_dir_all(&folder).unwrap();
    assert_eq!(state(&script, "mysql_deny_write", LONG), HelperState::Missing);
    // Says `ls (GNU coreutils) …`.
    assert_eq!(state(Path::new("/bin/ls"), "check_ip", LONG), HelperState::Foreign);
}
