use super::*;

/// `printf ours | sha256sum`.
const OURS: &str = "ae0bec9e9d33c56354bd612c8a6010840324fc5b9786ce0a18b696b304b09397";

struct Folders(PathBuf);

impl Folders {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("mmm-installation-{name}-{}", std::process::id()));
        for folder in ["lists", "agent", "agent.orig"] {
            fs::create_dir_all(path.join(folder)).unwrap();
        }
        Self(path)
    }

    fn write(&self, file: &str, text: &str) {
        fs::write(self.0.join(file), text).unwrap();
    }

    fn look(&self) -> Option<Installation> {
        // As bin_path has it, with a slash at its end.
        look_in(&self.0.join("lists"), &self.0.join("agent/"))
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
fn each_way_of_installing_is_known_by_its_list_and_a_package_comes_first() {
    let folders = Folders::new("ways");
    assert_eq!(folders.look(), None);
    for (file, way) in [
        ("agent.orig/.placed", Way::Installer),
        ("lists/rpm.sha256sums", Way::Rpm),
        ("lists/deb.sha256sums", Way::Deb),
    ] {
        folders.write(file, "");
        assert_eq!(folders.look(), Some(found(way, &[])));
    }
}

#[test]
fn a_helper_with_another_content_was_overwritten_and_one_of_an_earlier_version_was_not() {
    let folders = Folders::new("sums");
    let old = sum_of("old");
    let list =
        format!("{old}  check_ip\n{OURS}  check_ip\n{OURS}  clear_ip\n{OURS}  /usr/sbin/mmm_journal\n");
    folders.write("agent.orig/.placed", &list);
    // None is there.
    assert_eq!(folders.look(), Some(found(Way::Installer, &[])));
    folders.write("agent/check_ip", "old");
    folders.write("agent/clear_ip", "ours");
    // The list does not know it.
    folders.write("agent/configure_ip", "theirs");
    assert_eq!(folders.look(), Some(found(Way::Installer, &[])));
    folders.write("agent/clear_ip", "old");
    assert_eq!(folders.look(), Some(found(Way::Installer, &["clear_ip"])));
    folders.write("agent/check_ip", "#!/usr/bin/perl");
    assert_eq!(folders.look(), Some(found(Way::Installer, &["check_ip", "clear_ip"])));
}

fn sum_of(text: &str) -> String {
    format!("{:x}", Sha256::digest(text))
}
