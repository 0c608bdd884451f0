use std::fs;
use std::path::PathBuf;

use super::*;

/// The texts of all sources of helpers and crates.
fn sources() -> Vec<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut folders: Vec<PathBuf> = vec![root.join("bin"), root.join("crates")];
    let mut texts = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("a folder of sources").flatten() {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|ending| ending == "rs") {
                texts.push(fs::read_to_string(&path).expect("a source"));
            }
        }
    }
    texts
}

#[test]
fn every_rule_of_the_list_is_taken_out_at_one_place_and_no_other_rule_is() {
    let texts = sources().concat();
    let used: Vec<&str> =
        texts.split("takes_out(\"").skip(1).map(|rest| rest.split('"').next().expect("a name")).collect();
    let unique: BTreeSet<&str> = used.iter().copied().collect();
    let list = list().expect("the list");
    let listed: BTreeSet<&str> = list.iter().map(|mutant| mutant.name.as_str()).collect();
    assert_eq!(used.len(), unique.len(), "a rule is taken out twice: {used:?}");
    assert_eq!(listed.len(), list.len(), "a rule is listed twice");
    assert_eq!(unique, listed);
    assert!(list.len() >= 20);
}

#[test]
fn no_build_takes_rules_out_unless_it_is_told_to() {
    for package in ["bin/agent", "crates/core"] {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(package).join("Cargo.toml");
        let text = fs::read_to_string(file).expect("a manifest");
        let default = text.lines().find(|line| line.trim_start().starts_with("default ="));
        assert!(default.is_none_or(|line| !line.contains("mutants")), "{package}");
    }
}

#[test]
fn every_rules_rounds_differ_and_have_its_order_of_events() {
    for mutant in list().expect("the list") {
        let plans: BTreeSet<String> = (0..20).map(|seed| format!("{:?}", mutant.draw(seed))).collect();
        assert_eq!(plans.len(), 20, "{}", mutant.name);
        for seed in 0..20 {
            let plan = mutant.draw(seed);
            assert_eq!(plan.faults.len(), mutant.faults.len());
            assert!(plan.faults.is_sorted_by_key(|(at, _)| *at), "{plan}");
            assert!(
                mutant.settings.iter().all(|own| plan.settings.iter().any(|set| set.line == *own)),
                "{plan}"
            );
            assert!(!mutant.says.is_empty() && !mutant.lost.is_empty());
        }
    }
}
