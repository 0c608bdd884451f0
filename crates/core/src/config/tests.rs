use super::scratch::Scratch;
use super::*;
use crate::settings::Settings;

const SAMPLES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../etc/mysql-mmm");

fn sample(name: &str) -> Vec<u8> {
    std::fs::read(Path::new(SAMPLES).join(name)).unwrap()
}

#[test]
fn the_samples_load_without_a_warning() {
    // A checkout's files are readable by all, which a configuration must not be.
    let scratch = Scratch::new();
    for name in ["mmm_agent.conf", "mmm_common.conf"] {
        scratch.file(name, sample(name));
    }
    let (config, warnings) = fixture::load_in(&scratch);
    let config = config.unwrap();
    assert_eq!(warnings, []);
    assert_eq!(config.this().as_str(), "db1");
    assert_eq!(config.peer().unwrap().name.as_str(), "db2");
    assert_eq!(config.hosts().len(), 3);
    assert_eq!(config.masters().count(), 2);
}

#[test]
fn the_sample_settings_say_what_holds_without_them() {
    let scratch = Scratch::new();
    let path = scratch.file("mmm_helpers.yaml", sample("mmm_helpers.yaml"));
    assert_eq!(Settings::load_from(&path).unwrap(), Settings::default());
}

#[test]
fn a_host_name_is_ascii_letters_digits_underscores_and_hyphens() {
    for name in ["db1", "a_B-9", "-", "0"] {
        assert_eq!(HostName::new(name).unwrap().as_str(), name);
    }
    for name in ["", "db.1", "db 1", "d\u{e4}", "db1\n", "db1,x"] {
        assert_eq!(HostName::new(name), None, "{name}");
    }
}
