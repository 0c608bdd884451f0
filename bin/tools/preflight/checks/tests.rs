use strum::VariantNames;

use super::super::code::Code;

#[test]
fn every_code_and_check_is_documented() {
    let text = include_str!("../../../../docs/PREFLIGHT.md");
    let checks = super::all(&super::good("db1"));
    let checks = checks.iter().map(|check| check.name);
    for name in checks.chain(Code::VARIANTS.iter().copied()) {
        assert!(text.contains(&format!("`{name}`")), "docs/PREFLIGHT.md lacks {name}");
    }
}
