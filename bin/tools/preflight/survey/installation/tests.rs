use super::*;

/// `printf ours | sha256sum`.
const OURS: &str = "ae0bec9e9d33c56354bd612c8a6010840324fc5b9786ce0a18b696b304b09397";

const LISTS: &str = "usr/share/mmm-agent-helpers";
const OPT: &str = "opt/mmm/agent";

/// A root with folders of agents.
struct Folders(PathBuf);

impl Folders {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("mmm-installation-{name}-{}", std::process::id()));
        let agents = [OPT, "usr/lib/mysql-mmm/agent", "usr/libexec/mysql-mmm/agent"];
        for folder in agents.into_iter().chain([LISTS, "opt/mmm/agent.orig", "usr/lib/mysql-mmm/agent.orig"])
        {
            fs::create_dir_all(path.join(folder)).unwrap();
        }
        Self(path)
    }

    fn write(&self, file: &str, text: &str) {
        fs::write(self.0.join(file), text).unwrap();
    }

    fn look(&self, agent: &str) -> (Option<Installation>, Option<Way>) {
        // As bin_path has it, with a slash at its end.
        look_in(&self.0, &self.0.join(agent).join(""))
    }
}

impl Drop for Folders {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn found(way: Way, overwritten: &[&str]) -> Installation {
    Installation { way, overwritten: overwritten.iter().map(ToString::to_string).collect() }
}

#[test]
fn a_package_counts_only_in_the_folders_that_it_serves() {
    let folders = Folders::new("ways");
    let [lib, libexec] = ["usr/lib/mysql-mmm/agent", "usr/libexec/mysql-mmm/agent"];
    std::os::unix::fs::symlink(folders.0.join("usr/lib/mysql-mmm"), folders.0.join("opt/link")).unwrap();
    for agent in [OPT, lib, libexec] {
        assert_eq!(folders.look(agent), (None, None));
    }
    folders.write("opt/mmm/agent.orig/.placed", "");
    folders.write("usr/lib/mysql-mmm/agent.orig/.placed", "");
    assert_eq!(folders.look(OPT), (Some(found(Way::Installer, &[])), None));
    for (list, way, served) in
        [("deb.sha256sums", Way::Deb, &[lib][..]), ("rpm.sha256sums", Way::Rpm, &[lib, libexec][..])]
    {
        let list = format!("{LISTS}/{list}");
        folders.write(&list, "");
        assert_eq!(folders.look(OPT), (Some(found(Way::Installer, &[])), Some(way)));
        assert_eq!(folders.look("opt/elsewhere/agent"), (None, Some(way)));
        for agent in served {
            assert_eq!(folders.look(agent), (Some(found(way, &[])), None));
        }
        if !served.contains(&libexec) {
            assert_eq!(folders.look(libexec), (None, Some(way)));
        }
        assert_eq!(folders.look("opt/link/agent"), (Some(found(way, &[])), None));
        fs::remove_file(folders.0.join(list)).unwrap();
    }
}

#[test]
fn a_helper_with_another_content_was_overwritten_and_one_of_an_earlier_version_was_not() {
    let folders = Folders::new("sums");
    let old = sum_of("old");
    let list =
        format!("{old}  check_ip\n{OURS}  check_ip\n{OURS}  clear_ip\n{OURS}  /usr/sbin/mmm_journal\n");
    folders.write("opt/mmm/agent.orig/.placed", &list);
    // None is there.
    assert_eq!(folders.look(OPT).0, Some(found(Way::Installer, &[])));
    folders.write("opt/mmm/agent/check_ip", "old");
    folders.write("opt/mmm/agent/clear_ip", "ours");
    // The list does not know it.
    folders.write("opt/mmm/agent/configure_ip", "theirs");
    assert_eq!(folders.look(OPT).0, Some(found(Way::Installer, &[])));
    folders.write("opt/mmm/agent/clear_ip", "old");
    assert_eq!(folders.look(OPT).0, Some(found(Way::Installer, &["clear_ip"])));
    folders.write("opt/mmm/agent/check_ip", "#!/usr/bin/perl");
    assert_eq!(folders.look(OPT).0, Some(found(Way::Installer, &["check_ip", "clear_ip"])));
}

fn sum_of(text: &str) -> String {
    format!("{:x}", Sha256::digest(text))
}
