//! The agent's configuration, one file that may include itself.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;
use std::process;

use mmm_core::fuzzed;

/// A password of the corpus, which no message may repeat.
const SECRET: &str = "Ag3nt-s3cret";

pub fn read(input: &[u8]) {
    let folder = folder();
    let mut file = (OpenOptions::new().write(true).create(true).truncate(true).mode(0o600))
        .open(folder.join("mmm_agent.conf"))
        .expect("a file");
    file.write_all(input).expect("room");
    drop(file);
    let (config, quirks) = fuzzed::config(&folder, "mmm_agent");
    let (again, quirks_again) = fuzzed::config(&folder, "mmm_agent");
    assert_eq!(quirks, quirks_again, "the same at a second reading");
    match (&config, &again) {
        (Ok(config), Ok(again)) => assert_eq!(config.hosts(), again.hosts()),
        (Err(error), Err(again)) => assert_eq!(error.to_string(), again.to_string()),
        _ => panic!("the same at a second reading"),
    }
    let error = config.as_ref().err().map(ToString::to_string).unwrap_or_default();
    if is_a_password(input) {
        let told = quirks.iter().chain([&error]).find(|text| text.contains(SECRET));
        assert!(told.is_none(), "a password: {told:?}");
    }
    let Ok(config) = config else {
        assert!(!error.is_empty());
        return;
    };
    assert!(config.host(config.this().as_str()).is_some());
    assert!(!format!("{config:?}").contains(SECRET) || !is_a_password(input), "a password");
    for host in config.hosts() {
        assert_eq!(config.host(host.name.as_str()), Some(host), "one host to a name");
    }
    assert!(config.roles().iter().any(|role| role.name == config.active_master_role()));
    if let Ok(peer) = config.peer() {
        assert!(config.hosts().contains(peer));
    }
}

/// True if the secret stands nowhere but behind the name of a password.
fn is_a_password(input: &[u8]) -> bool {
    String::from_utf8_lossy(input).lines().filter(|line| line.contains(SECRET)).all(|line| {
        let line = line.trim_start();
        ["agent_password ", "replication_password "].iter().any(|name| line.starts_with(name))
    })
}

/// Gone with its thread.
struct Folder(PathBuf);

impl Drop for Folder {
    fn drop(&mut self) {
        // If that fails, memory is lost until the machine is restarted.
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// A folder of this thread's own, in memory.
fn folder() -> PathBuf {
    thread_local! {
        static FOLDER: Folder = {
            let thread = std::thread::current().id();
            let folder = PathBuf::from(format!("/dev/shm/mmm-fuzz-{}-{thread:?}", process::id()));
            fs::create_dir_all(&folder).expect("a folder in /dev/shm");
            Folder(folder)
        };
    }
    FOLDER.with(|folder| folder.0.clone())
}
