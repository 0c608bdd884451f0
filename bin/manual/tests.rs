//! Every key of the settings is in `mmm_helpers.yaml(5)`, and nothing else is.

use std::collections::BTreeSet;

use mmm_core::settings::Settings;

const PAGE: &str = include_str!("../../docs/man/mmm_helpers.yaml.man");

/// A section that refuses a key names those that it has; `None` if there is no section.
fn keys_below(path: &[&str]) -> Option<Vec<String>> {
    let unknown = "no_such_key";
    let text =
        path.iter().rev().fold(format!("{{{unknown}: 1}}"), |below, key| format!("{{{key}: {below}}}"));
    let error = serde_yaml::from_str::<Settings>(&text).unwrap_err().to_string();
    let (_, expected) = error.split_once(&format!("unknown field `{unknown}`, expected"))?;
    Some(expected.split('`').skip(1).step_by(2).map(String::from).collect())
}

fn collect(path: &[&str], keys: &mut BTreeSet<String>) {
    match keys_below(path) {
        None => {
            keys.insert(path.join("."));
        }
        Some(names) => names.iter().for_each(|name| collect(&[path, &[name]].concat(), keys)),
    }
}

#[test]
fn the_page_has_every_key_and_no_other() {
    let mut keys = BTreeSet::new();
    collect(&[], &mut keys);
    assert!(keys.contains("limits.connect") && keys.contains("network.hooks.added.command"), "{keys:?}");
    let lines: Vec<&str> = PAGE.lines().collect();
    let on_page: BTreeSet<String> = lines
        .windows(2)
        .filter(|pair| [".TP", ".TQ"].contains(&pair[0]))
        .filter_map(|pair| pair[1].strip_prefix(".B "))
        .map(|key| key.replace("\\-", "-"))
        .collect();
    assert_eq!(on_page, keys);
}
