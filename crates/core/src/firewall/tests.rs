use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::process;
use std::time::Instant;

use nix::fcntl::{Flock, FlockArg};

use super::*;
use crate::Secret;
use crate::config::scratch::Scratch;
use crate::config::{HostName, Mode};
use crate::settings::TlsOptions;

/// A packet filter that is a file with a line for each rule, and the commands that change it.
struct Filter(Scratch);

impl Filter {
    fn new() -> Self {
        Self(Scratch::new())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn rules(&self) -> usize {
        fs::read_to_string(self.path("rules")).map_or(0, |rules| rules.lines().count())
    }

    /// `/bin/sh FILE`, which needs no shell to be started.
    fn script(&self, name: &str, text: &str) -> String {
        let rules = self.path("rules");
        let file = self.0.file(name, text.replace("RULES", &rules.display().to_string()));
        format!("/bin/sh {}", file.display())
    }

    fn soft(&self, block: &str, unblock: &str) -> Blocking {
        Blocking::Soft { block: self.script("block", block), unblock: self.script("unblock", unblock) }
    }

    fn raise(&self, barrier: &mut Barrier, blocking: &Blocking) -> Result<(), FirewallError> {
        barrier.raise_in(self.0.path(), &host(), blocking)
    }

    fn marker(&self) -> PathBuf {
        marker_of(self.0.path(), &host())
    }

    /// What a helper that was killed at work leaves: its marker, and nobody who holds it.
    fn left_behind(&self, unblock: &str, child: &str) {
        let unblock = self.script("unblock", unblock);
        self.0.file(
            self.marker().file_name().unwrap().to_str().unwrap(),
            format!("undo {unblock}\nowner 4194303 7\n{child}"),
        );
    }
}

const ADD: &str = "echo rule >>RULES";
const REMOVE: &str = "sed -i 1d RULES";

fn host() -> Host {
    Host {
        name: HostName::new("db1").unwrap(),
        ip: "10.0.0.1".into(),
        mysql_port: 3306,
        mode: Mode::Master,
        peer: None,
        cluster_interface: String::new(),
        bin_path: PathBuf::new(),
        agent_user: String::new(),
        agent_password: Secret::new(String::new()),
        replication_user: String::new(),
        replication_password: Secret::new(String::new()),
        tls: TlsOptions::default(),
        socket: None,
    }
}

#[test]
fn a_rule_stays_from_raising_to_lowering() {
    let filter = Filter::new();
    let mut barrier = Barrier::default();
    filter.raise(&mut barrier, &filter.soft(ADD, REMOVE)).unwrap();
    assert_eq!((filter.rules(), filter.marker().exists()), (1, true));
    barrier.lower().unwrap();
    assert_eq!((filter.rules(), filter.marker().exists()), (0, false));
}

#[test]
fn a_panic_leaves_no_rule() {
    let filter = Filter::new();
    let blocking = filter.soft(ADD, REMOVE);
    let outcome = std::panic::catch_unwind(|| {
        let mut barrier = Barrier::default();
        filter.raise(&mut barrier, &blocking).unwrap();
        assert_eq!(filter.rules(), 0, "there is one");
    });
    assert!(outcome.is_err());
    assert_eq!((filter.rules(), filter.marker().exists()), (0, false));
}

#[test]
fn a_command_that_fails_is_named_with_its_status_and_leaves_no_marker() {
    let filter = Filter::new();
    let mut barrier = Barrier::default();
    let blocking = filter.soft("echo 'no such table' >&2; exit 4", "exit 1");
    let error = filter.raise(&mut barrier, &blocking).unwrap_err().to_string();
    let block = filter.path("block");
    let expected =
        format!("Could not block port. '/bin/sh {}' exited with 4: no such table", block.display());
    assert_eq!(error, expected);
    assert!(!filter.marker().exists());
    barrier.lower().unwrap();
}

#[test]
fn a_program_that_does_not_exist_and_an_empty_command_are_errors() {
    let filter = Filter::new();
    for block in ["/nowhere/iptables-of-mine -I INPUT", ""] {
        let blocking = Blocking::Soft { block: block.into(), unblock: filter.script("unblock", REMOVE) };
        let error = filter.raise(&mut Barrier::default(), &blocking).unwrap_err().to_string();
        assert!(error.contains("could not be started"), "{error}");
        assert!(!filter.marker().exists());
    }
}

#[test]
fn a_command_that_hangs_is_ended_with_all_it_started_and_its_rule_is_removed() {
    let filter = Filter::new();
    let mut barrier = Barrier::default();
    let started = Instant::now();
    let hang = "echo rule >>RULES; sleep 600 & echo $! >RULES.pid; wait";
    let error = filter.raise(&mut barrier, &filter.soft(hang, REMOVE)).unwrap_err();
    assert!(matches!(error, FirewallError::Block(CommandError::Hung { .. })), "{error}");
    assert!(started.elapsed() < ADDING * 2);
    let sleeper = fs::read_to_string(filter.path("rules.pid")).unwrap();
    // A process that was told to end is there until it is scheduled.
    let sleeps = || {
        let state = fs::read_to_string(format!("/proc/{}/stat", sleeper.trim()));
        state.is_ok_and(|stat| !stat.contains(") Z "))
    };
    let deadline = Instant::now() + Duration::from_secs(5);
    while sleeps() && Instant::now() < deadline {
        thread::sleep(Duration::from_millis(5));
    }
    assert!(!sleeps(), "it still sleeps");
    barrier.lower().unwrap();
    assert_eq!((filter.rules(), filter.marker().exists()), (0, false));
}

#[test]
fn a_marker_stays_until_the_rule_is_known_to_be_gone() {
    let filter = Filter::new();
    let mut barrier = Barrier::default();
    filter.raise(&mut barrier, &filter.soft(ADD, "exit 1")).unwrap();
    let error = barrier.lower().unwrap_err().to_string();
    assert!(error.starts_with("Could not unblock port. '/bin/sh "), "{error}");
    assert!(error.contains("exited with 1") && filter.marker().exists(), "{error}");

    filter.script("unblock", REMOVE);
    remove_leftover_in(filter.0.path(), &host());
    assert_eq!((filter.rules(), filter.marker().exists()), (0, false));
}

#[test]
fn what_a_killed_call_left_is_removed_by_the_next_call() {
    let filter = Filter::new();
    filter.0.file("rules", "rule\n");
    filter.left_behind(REMOVE, "");
    // Who only looks leaves it as it is.
    assert!(Marker::left_behind(&filter.marker()).is_some());
    assert_eq!((filter.rules(), filter.marker().exists()), (1, true));
    remove_leftover_in(filter.0.path(), &host());
    assert_eq!((filter.rules(), filter.marker().exists()), (0, false));
    remove_leftover_in(filter.0.path(), &host());
}

#[test]
fn a_rule_that_could_not_be_removed_is_not_added_again() {
    let filter = Filter::new();
    filter.0.file("rules", "rule\n");
    filter.left_behind("exit 1", "");
    remove_leftover_in(filter.0.path(), &host());
    let mut barrier = Barrier::default();
    filter.raise(&mut barrier, &filter.soft(ADD, REMOVE)).unwrap();
    assert_eq!(filter.rules(), 1);
    barrier.lower().unwrap();
    assert_eq!((filter.rules(), filter.marker().exists()), (0, false));
}

#[test]
fn a_marker_in_use_is_left_alone() {
    let filter = Filter::new();
    let mut barrier = Barrier::default();
    filter.raise(&mut barrier, &filter.soft(ADD, REMOVE)).unwrap();
    remove_leftover_in(filter.0.path(), &host());
    assert_eq!((filter.rules(), Marker::left_behind(&filter.marker())), (1, None));
    let mut second = Barrier::default();
    let error = filter.raise(&mut second, &filter.soft(ADD, REMOVE)).unwrap_err();
    assert!(matches!(error, FirewallError::Marker { .. }), "{error}");
    assert_eq!(filter.rules(), 1);
}

#[test]
fn the_command_of_a_killed_helper_is_ended_before_its_rule_is_removed() {
    let filter = Filter::new();
    filter.0.file("rules", "rule\n");
    filter.left_behind(REMOVE, "");
    // As a command does that inherited the lock, it holds it although its helper is dead.
    let mut orphan = process::Command::new("flock")
        .arg(filter.marker())
        .args(["sleep", "600"])
        .process_group(0)
        .spawn()
        .unwrap();
    let stat = fs::read_to_string(format!("/proc/{}/stat", orphan.id())).unwrap();
    let started = stat.rsplit(") ").next().unwrap().split(' ').nth(19).unwrap();
    filter.left_behind(REMOVE, &format!("child {} {started}\n", orphan.id()));
    let is_locked = || {
        let file = fs::File::open(filter.marker()).unwrap();
        Flock::lock(file, FlockArg::LockExclusiveNonblock).is_err()
    };
    while !is_locked() {
        thread::sleep(PAUSE);
    }

    remove_leftover_in(filter.0.path(), &host());

    assert_eq!((filter.rules(), filter.marker().exists()), (0, false));
    assert!(!orphan.wait().unwrap().success());
}

#[test]
fn a_marker_of_somebody_else_and_a_folder_are_not_believed() {
    let filter = Filter::new();
    fs::create_dir(filter.marker()).unwrap();
    remove_leftover_in(filter.0.path(), &host());
    fs::remove_dir(filter.marker()).unwrap();
    let elsewhere = filter.0.file("elsewhere", format!("undo {}\n", filter.script("unblock", ADD)));
    std::os::unix::fs::symlink(elsewhere, filter.marker()).unwrap();
    remove_leftover_in(filter.0.path(), &host());
    assert_eq!(filter.rules(), 0);
}

#[test]
fn a_marker_is_for_its_owner_alone_and_for_one_server() {
    let filter = Filter::new();
    let mut barrier = Barrier::default();
    filter.raise(&mut barrier, &filter.soft(ADD, REMOVE)).unwrap();
    assert_eq!(fs::metadata(filter.marker()).unwrap().permissions().mode() & 0o777, 0o600);
    let other =
        |ip: &str, mysql_port| marker_of(Path::new("/run"), &Host { ip: ip.into(), mysql_port, ..host() });
    assert_eq!(other("fd00::1", 3307), Path::new("/run/mysql-mmm-deny-write-fd00::1-3307"));
    assert_eq!(other("../etc/x", 3306), Path::new("/run/mysql-mmm-deny-write-.._etc_x-3306"));
}

#[test]
fn only_what_needs_a_shell_gets_one() {
    let filter = Filter::new();
    let mark = filter.path("rules");
    let piped = format!("echo rule | cat >>{}", mark.display());
    let blocking = Blocking::Soft { block: piped, unblock: filter.script("unblock", REMOVE) };
    let mut barrier = Barrier::default();
    filter.raise(&mut barrier, &blocking).unwrap();
    assert_eq!(filter.rules(), 1);
}

#[test]
fn iptables_is_asked_whether_a_rule_is_there() {
    let table = [
        ("/sbin/iptables -D INPUT -p tcp -j REJECT", Some("/sbin/iptables -C INPUT -p tcp -j REJECT")),
        ("ip6tables-nft -w --delete INPUT -j DROP", Some("ip6tables-nft -w -C INPUT -j DROP")),
        ("/sbin/iptables -F INPUT", None),
        ("/sbin/iptables -D INPUT; /sbin/iptables -D OUTPUT", None),
        ("nft delete rule inet f i handle 7", None),
        ("", None),
    ];
    for (unblock, question) in table {
        let expected = question.map(Command::new);
        assert_eq!(Command::new(unblock).question(), expected, "{unblock}");
    }
}
