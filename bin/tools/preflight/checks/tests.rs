use strum::VariantNames;

use super::super::cluster::Unreached;
use super::super::code::Code;
use super::super::finding::Severity;

fn state_of(cluster: &super::Cluster, name: &str) -> Severity {
    super::all(cluster).iter().find(|check| check.name == name).unwrap().state
}

#[test]
fn what_cannot_be_seen_is_not_well() {
    let mut cluster = super::good("db1");
    for name in super::OF_LINKS.iter().chain(&super::OF_SERVERS) {
        assert_ne!(super::all(&cluster).iter().filter(|check| check.name == *name).count(), 0, "{name}");
    }
    let seen = super::seen(&mut cluster, "db2");
    (seen.links, seen.knows_links) = (Vec::new(), false);
    for name in super::OF_LINKS {
        assert!(state_of(&cluster, name) != Severity::Ok, "{name}");
    }
    assert_eq!(state_of(&cluster, "versions"), Severity::Ok);
    for member in &mut cluster.members {
        member.server = Err(Unreached { reason: "no".into(), answered: true, code: Some(1045) });
    }
    for name in super::OF_SERVERS {
        assert_eq!(state_of(&cluster, name), Severity::Skipped, "{name}");
    }
    let found: Vec<_> = super::all(&cluster).into_iter().flat_map(|check| check.findings).collect();
    let of_account: Vec<_> = found.iter().filter(|finding| finding.code == Code::AgentLoginRefused).collect();
    assert_eq!(of_account.len(), 1, "{found:?}");
    assert!(of_account[0].text.ends_with("is probably wrong") && !of_account[0].cure[0].contains("ALTER"));
}

#[test]
fn every_code_and_check_is_documented() {
    let text = include_str!("../../../../docs/PREFLIGHT.md");
    let checks = super::all(&super::good("db1"));
    let checks = checks.iter().map(|check| check.name);
    for name in checks.chain(Code::VARIANTS.iter().copied()) {
        assert!(text.contains(&format!("`{name}`")), "docs/PREFLIGHT.md lacks {name}");
    }
}
