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
    let overwritten = overwritten.iter().map(ToString::to_string).collect();
    Installation { way, served: None, overwritten, linked: Vec::new() }
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
            let served = way.folders().iter().copied().find(|folder| folder[1..] == **agent);
            assert_eq!(folders.look(agent), (Some(Installation { served, ..found(way, &[]) }), None));
        }
        if !served.contains(&libexec) {
            assert_eq!(folders.look(libexec), (None, Some(way)));
        }
        // The package's own name for it, which its programs know.
        let served = Some("/usr/lib/mysql-mmm/agent");
        assert_eq!(folders.look("opt/link/agent"), (Some(Installation { served, ..found(way, &[]) }), None));
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

#[test]
fn a_packages_program_is_told_from_a_file_that_has_taken_the_place_of_its_link() {
    let folders = Folders::new("linked");
    let agent = "usr/lib/mysql-mmm/agent";
    folders.write(&format!("{LISTS}/deb.sha256sums"), &format!("{OURS}  check_ip\n{OURS}  clear_ip\n"));
    folders.write(&format!("{agent}/check_ip"), "theirs");
    let program = "/usr/libexec/mmm-agent-helpers/agent/clear_ip";
    std::os::unix::fs::symlink(program, folders.0.join(agent).join("clear_ip")).unwrap();
    let found = folders.look(agent).0.unwrap();
    assert_eq!((found.overwritten, found.linked), (vec!["check_ip".into()], vec!["clear_ip".into()]));
}

#[test]
fn an_installation_is_found_where_the_agents_folder_is_a_link_as_install_sh_has_named_it() {
    let folders = Folders::new("link");
    // Beside the folder, as install.sh keeps it for both names.
    folders.write("opt/mmm/agent.orig/.placed", &format!("{OURS}  check_ip\n"));
    folders.write("opt/mmm/agent/check_ip", "theirs");
    std::os::unix::fs::symlink(folders.0.join(OPT), folders.0.join("opt/agent")).unwrap();
    assert_eq!(folders.look("opt/agent"), (Some(found(Way::Installer, &["check_ip"])), None));
    // Beside the link, as its first version kept it.
    fs::create_dir(folders.0.join("opt/agent.orig")).unwrap();
    folders.write("opt/agent.orig/.placed", "");
    assert_eq!(folders.look("opt/agent"), (Some(found(Way::Installer, &[])), None));
}
