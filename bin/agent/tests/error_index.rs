//! docs/ERRORS.md has a row for every error that a helper can end with, and for no other.

use std::collections::BTreeSet;

use mmm_core::config::ConfigError;
use mmm_core::error::CallError;
use mmm_core::firewall::FirewallError;
use mmm_core::hook::HookError;
use mmm_core::settings::SettingsError;
use mmm_network::NetworkError;
use mmm_replication::{Error, Refusal, Unproved};
use strum::VariantNames;

const INDEX: &str = include_str!("../../../docs/ERRORS.md");

#[test]
fn the_index_and_the_errors_are_the_same() {
    let enums = [
        CallError::VARIANTS,
        ConfigError::VARIANTS,
        SettingsError::VARIANTS,
        NetworkError::VARIANTS,
        HookError::VARIANTS,
        FirewallError::VARIANTS,
        Error::VARIANTS,
        Refusal::VARIANTS,
        Unproved::VARIANTS,
    ];
    // A variant that stands for another error has no name of its own.
    let names: Vec<&str> = enums.into_iter().flatten().copied().filter(|name| !name.is_empty()).collect();
    let errors: BTreeSet<&str> = names.iter().copied().chain(["usage"]).collect();
    assert_eq!(errors.len(), names.len() + 1, "two errors of one name");

    let rows = INDEX.lines().filter_map(|line| line.strip_prefix("| `")?.split_once('`'));
    let listed: Vec<&str> = rows.map(|(name, _)| name).collect();
    let index: BTreeSet<&str> = listed.iter().copied().collect();
    assert_eq!(index.len(), listed.len(), "a name has two rows");
    assert_eq!(
        index.difference(&errors).collect::<Vec<_>>(),
        [""; 0].iter().collect::<Vec<_>>(),
        "no such error"
    );
    assert_eq!(
        errors.difference(&index).collect::<Vec<_>>(),
        [""; 0].iter().collect::<Vec<_>>(),
        "not in the index"
    );
}
