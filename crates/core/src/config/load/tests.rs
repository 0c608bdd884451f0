use std::os::unix::fs::symlink;
use std::path::PathBuf;
use std::thread;

use super::super::fixture::{CLUSTER, changed, load_in};
use super::super::load_from;
use super::super::quirk::Quirk;
use super::super::scratch::Scratch;

/// Tries to load `name` from the folders `etc`, `etc/mmm` and `etc/mysql-mmm`; this host's name, or the error
/// with the folder cut out.
fn this(scratch: &Scratch, name: &str) -> Result<String, String> {
    let folders = ["etc", "etc/mmm", "etc/mysql-mmm"].map(|folder| scratch.path().join(folder));
    let folders = folders.each_ref().map(PathBuf::as_path);
    match load_from(&folders, name, &mut Vec::new()) {
        Ok(config) => Ok(config.this().to_string()),
        Err(error) => Err(error.to_string().replace(&format!("{}/", scratch.path().display()), "")),
    }
}

fn named(host: &str) -> String {
    changed(&[("this db1", &format!("this {host}"))])
}

#[test]
fn the_first_folder_that_has_the_file_wins() {
    let scratch = Scratch::new();
    scratch.file("etc/mysql-mmm/mmm_agent.conf", named("db3"));
    assert_eq!(this(&scratch, "mmm_agent").unwrap(), "db3");
    scratch.file("etc/mmm/mmm_agent.conf", named("db2"));
    assert_eq!(this(&scratch, "mmm_agent").unwrap(), "db2");
    scratch.file("etc/mmm_agent.conf", named("db1"));
    assert_eq!(this(&scratch, "mmm_agent").unwrap(), "db1");
    assert_eq!(this(&scratch, "mysql-mmm/mmm_agent").unwrap(), "db3");
}

#[test]
fn the_suffix_is_added_unless_it_is_there() {
    let scratch = Scratch::new();
    scratch.file("etc/mmm_agent_db2.conf", named("db2"));
    scratch.file("etc/plain", named("db3"));
    assert_eq!(this(&scratch, "mmm_agent_db2").unwrap(), "db2");
    assert_eq!(this(&scratch, "mmm_agent_db2.conf").unwrap(), "db2");
    assert!(this(&scratch, "plain").is_err());
    assert!(this(&scratch, "mmm_agent_db2.conf.conf").is_err());
}

#[test]
fn names_with_slashes_stay_relative() {
    let scratch = Scratch::new();
    scratch.file("etc/a/b.conf", named("db2"));
    let outside = scratch.file("outside.conf", named("db3"));
    assert_eq!(this(&scratch, "a/b").unwrap(), "db2");
    assert_eq!(this(&scratch, "../outside").unwrap(), "db3");
    let error = this(&scratch, &outside.display().to_string()).unwrap_err();
    assert!(error.starts_with("Could not find a readable config file"), "{error}");
    assert!(error.ends_with("a path is taken as relative to these"), "{error}");
}

#[test]
fn a_file_that_is_nowhere_is_named_with_the_folders_searched() {
    let scratch = Scratch::new();
    let nowhere =
        "Could not find a readable config file 'mmm_agent.conf' in etc, etc/mmm, etc/mysql-mmm".to_string();
    assert_eq!(this(&scratch, "mmm_agent").unwrap_err(), nowhere);
    scratch.file("etc/mysql-mmm/mmm_agent.conf", "# c\ninclude mmm_common.conf\n");
    let error = this(&scratch, "mmm_agent").unwrap_err();
    let included = "(included in 'etc/mysql-mmm/mmm_agent.conf' on line 2)";
    assert!(error.contains("'mmm_common.conf'") && error.contains(included), "{error}");
    for name in ["", "a\0b", "\u{e4}", "x y", "-h"] {
        assert!(this(&scratch, name).unwrap_err().starts_with("Could not find a readable"), "{name:?}");
    }
}

#[test]
fn a_file_that_may_not_be_opened_is_passed_over() {
    let scratch = Scratch::new();
    let closed = scratch.file("etc/mmm_agent.conf", named("db1"));
    // A link to itself is found and cannot be opened, not even by root.
    std::fs::remove_file(&closed).unwrap();
    symlink("mmm_agent.conf", &closed).unwrap();
    let error = this(&scratch, "mmm_agent").unwrap_err();
    assert!(error.contains("; etc/mmm_agent.conf cannot be read: Too many levels"), "{error}");
    scratch.file("etc/mysql-mmm/mmm_agent.conf", named("db3"));
    assert_eq!(this(&scratch, "mmm_agent").unwrap(), "db3");
}

#[test]
fn somebody_elses_file_is_passed_over() {
    let scratch = Scratch::new();
    let closed = scratch.file("etc/mmm_agent.conf", named("db1"));
    scratch.chmod(&closed, 0o600);
    let open = scratch.file("etc/mysql-mmm/mmm_agent.conf", named("db3"));
    if !nix::unistd::geteuid().is_root() {
        return;
    }
    let nobody = nix::unistd::Uid::from_raw(65534);
    nix::unistd::chown(&open, Some(nobody), None).unwrap();
    // For this thread alone, which then opens files as anybody.
    let found = thread::scope(|scope| {
        let as_nobody = || {
            nix::unistd::setfsuid(nobody);
            this(&scratch, "mmm_agent")
        };
        scope.spawn(as_nobody).join().unwrap()
    });
    assert_eq!(found.unwrap(), "db3");
}

#[test]
fn what_everybody_may_write_or_read_is_refused() {
    let table = [
        (0o602, "Configuration file etc/mmm_agent.conf is world writable!"),
        (0o666, "Configuration file etc/mmm_agent.conf is world writable!"),
        (0o644, "Configuration file etc/mmm_agent.conf is world readable!"),
        (0o605, "Configuration file etc/mmm_agent.conf is world readable!"),
    ];
    let scratch = Scratch::new();
    let path = scratch.file("etc/mmm_agent.conf", CLUSTER);
    for (mode, words) in table {
        scratch.chmod(&path, mode);
        let error = this(&scratch, "mmm_agent").unwrap_err();
        assert_eq!(error, format!("{words} Fix it with: chmod 640 etc/mmm_agent.conf"), "{mode:o}");
    }
    for mode in [0o600, 0o640, 0o660, 0o771] {
        scratch.chmod(&path, mode);
        assert_eq!(this(&scratch, "mmm_agent").unwrap(), "db1", "{mode:o}");
    }
}

#[test]
fn a_file_that_nobody_can_have_written_is_not_read() {
    let scratch = Scratch::new();
    let path = scratch.file("etc/mmm_agent.conf", CLUSTER);
    let file = std::fs::OpenOptions::new().write(true).open(&path).unwrap();
    file.set_len((16 << 20) + 1).unwrap();
    assert_eq!(
        this(&scratch, "mmm_agent").unwrap_err(),
        "Configuration file etc/mmm_agent.conf is larger than 16 MB; put the configuration itself there"
    );
    let settings = scratch.file("settings", "");
    std::fs::OpenOptions::new().write(true).open(&settings).unwrap().set_len(1 << 40).unwrap();
    let refused = crate::settings::Settings::load_from(&settings).unwrap_err();
    assert!(refused.to_string().contains("larger than 16 MB"), "{refused}");
}

#[test]
fn the_permissions_of_includes_and_behind_links_count() {
    let scratch = Scratch::new();
    let common = scratch.file("elsewhere/common", CLUSTER);
    scratch.file("etc/mmm_agent.conf", "include mmm_common.conf\n");
    symlink(&common, scratch.path().join("etc/mmm_common.conf")).unwrap();
    assert_eq!(this(&scratch, "mmm_agent").unwrap(), "db1");
    scratch.chmod(&common, 0o644);
    let error = this(&scratch, "mmm_agent").unwrap_err();
    assert!(error.starts_with("Configuration file etc/mmm_common.conf is world readable!"), "{error}");
}

#[test]
fn folders_and_pipes_are_no_files_and_nobody_waits_for_them() {
    let scratch = Scratch::new();
    scratch.file("etc/mmm_agent.conf/x", "");
    let pipe = scratch.path().join("etc/pipe.conf");
    nix::unistd::mkfifo(&pipe, nix::sys::stat::Mode::S_IRUSR).unwrap();
    for (name, kind) in [("mmm_agent", "a directory"), ("pipe", "a pipe")] {
        let error = this(&scratch, name).unwrap_err();
        assert_eq!(
            error,
            format!(
                "Configuration file etc/{name}.conf is not a regular file but {kind}; put the configuration itself there"
            )
        );
    }
}

#[test]
fn includes_are_searched_like_the_file_itself() {
    let scratch = Scratch::new();
    scratch.file("etc/mysql-mmm/mmm_agent.conf", "include mmm_common\ninclude sub/more.conf\n");
    scratch.file("etc/mmm/mmm_common.conf", CLUSTER);
    scratch.file("etc/sub/more.conf", "this db2\n");
    assert_eq!(this(&scratch, "mmm_agent").unwrap(), "db2");
}

#[test]
fn what_stands_later_wins_in_includes_too() {
    let scratch = Scratch::new();
    scratch.file("mmm_agent.conf", "this db2\ninclude mmm_common\n");
    let common = scratch.file("mmm_common.conf", CLUSTER);
    let (config, warnings) = load_in(&scratch);
    assert_eq!(config.unwrap().this().as_str(), "db1");
    let [warning] = &warnings[..] else { panic!("{warnings:?}") };
    assert_eq!(*warning.place.file, *common);
    assert!(
        matches!(&warning.quirk, Quirk::Replaced { entry, before } if entry == "this" && before.line == 1)
    );
    scratch.file("mmm_agent.conf", "include mmm_common\nthis db2\n");
    assert_eq!(load_in(&scratch).0.unwrap().this().as_str(), "db2");
}

#[test]
fn a_stray_end_tag_ends_only_the_include_that_has_it() {
    let scratch = Scratch::new();
    scratch.file("mmm_agent.conf", "include mmm_common\nthis db3\n");
    scratch.file("mmm_common.conf", CLUSTER.to_owned() + "</host>\nthis nobody\n");
    let (config, warnings) = load_in(&scratch);
    assert_eq!(config.unwrap().this().as_str(), "db3");
    assert!(warnings.iter().any(|warning| matches!(warning.quirk, Quirk::StrayEnd { .. })), "{warnings:?}");
}

#[test]
fn an_open_section_ends_with_its_include() {
    let scratch = Scratch::new();
    scratch.file("mmm_agent.conf", "include mmm_common\nthis db3\n");
    scratch.file("mmm_common.conf", CLUSTER.strip_suffix("</role>\n").unwrap());
    assert_eq!(load_in(&scratch).0.unwrap().this().as_str(), "db3");
}

#[test]
fn includes_end_at_a_hundred_levels() {
    let scratch = Scratch::new();
    scratch.file("mmm_agent.conf", "# c\ninclude mmm_agent\n");
    let error = load_in(&scratch).0.unwrap_err();
    assert!(error.contains("mmm_agent.conf' on line 2! Does the file include itself?"), "{error}");
    for (levels, is_fine) in [(100, true), (101, false)] {
        let chain =
            |level| if level == levels { CLUSTER.into() } else { format!("include f{}\n", level + 1) };
        scratch.file("mmm_agent.conf", chain(0));
        (1..=levels).for_each(|level| drop(scratch.file(&format!("f{level}.conf"), chain(level))));
        assert_eq!(load_in(&scratch).0.is_ok(), is_fine, "{levels} levels");
    }
}

#[test]
fn the_first_line_in_reading_order_is_the_one_that_is_named() {
    let scratch = Scratch::new();
    scratch.file("mmm_agent.conf", "include mmm_common\nsyntax\n");
    scratch.file("mmm_common.conf", "colour red\n<host a>\n<host b>\n");
    let error = load_in(&scratch).0.unwrap_err();
    assert!(
        error.starts_with("Unknown variable colour in '") && error.contains("mmm_common.conf' on line 1! "),
        "{error}"
    );
}
