//! Takes one rule out of a helper, to prove that random failovers find what goes wrong without it (docs/RELIABILITY.md).
//!
//! Only a build with the feature `mutants` can do that; no release has it. `tests/chaos/mutants.yaml` lists the rules.

/// True if the caller wants the helper to do without this rule, which `MMM_MUTANT` then names.
#[cfg(feature = "mutants")]
pub fn takes_out(rule: &str) -> bool {
    std::env::var_os("MMM_MUTANT").is_some_and(|named| named == rule)
}

/// Never: this build has no mutants.
#[cfg(not(feature = "mutants"))]
#[inline]
pub const fn takes_out(_rule: &str) -> bool {
    false
}
