use super::*;

fn settings(name: &str, all: &str, own: &str) -> PathBuf {
    let folder = std::env::temp_dir().join(format!("mmm-promotion-{}-{name}", std::process::id()));
    for (device, value) in [("all", all), ("eth0", own)] {
        fs::create_dir_all(folder.join(device)).unwrap();
        fs::write(folder.join(device).join("promote_secondaries"), value).unwrap();
    }
    folder
}

fn long() -> Budget {
    Budget::start(Some(Duration::from_secs(60)))
}

fn value(folder: &Path) -> String {
    fs::read_to_string(folder.join("eth0/promote_secondaries")).unwrap()
}

#[test]
fn the_setting_is_in_force_for_a_moment_and_as_found_afterwards() {
    let folder = settings("moment", "0\n", "0\n");
    let promotion = Promotion::ensure_in(&folder, &folder, "eth0", long()).unwrap();
    assert_eq!(value(&folder), "1");
    drop(promotion);
    assert_eq!(value(&folder), "0");
    fs::remove_dir_all(folder).unwrap();
}

#[test]
fn a_setting_already_in_force_is_left_alone() {
    for (name, all, own) in [("all", "1\n", "0\n"), ("own", "0\n", "1\n")] {
        let folder = settings(name, all, own);
        drop(Promotion::ensure_in(&folder, &folder, "eth0", long()).unwrap());
        assert_eq!(value(&folder), own);
        fs::remove_dir_all(folder).unwrap();
    }
}

#[test]
fn a_setting_that_cannot_be_read_is_an_error() {
    let nowhere = Path::new("/nonexistent");
    assert!(Promotion::ensure_in(nowhere, nowhere, "eth0", long()).is_err());
}

#[test]
fn who_gets_no_turn_sets_it_for_good() {
    let folder = settings("turn", "0\n", "0\n");
    let first = Promotion::ensure_in(&folder, &folder, "eth0", long()).unwrap();
    let short = Budget::start(Some(Duration::from_millis(10)));
    drop(Promotion::ensure_in(&folder, &folder, "eth0", short).unwrap());
    assert_eq!(value(&folder), "1");
    drop(first);
    // No folder for the lock.
    drop(Promotion::ensure_in(&folder, Path::new("/nonexistent"), "eth0", long()).unwrap());
    assert_eq!(value(&folder), "1");
    fs::remove_dir_all(folder).unwrap();
}
