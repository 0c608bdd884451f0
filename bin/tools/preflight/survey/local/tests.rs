use super::*;

#[test]
fn a_command_that_is_not_there_is_found_out() {
    let soft = |block: &str| Blocking::Soft { block: block.into(), unblock: "sh -c true".into() };
    assert_eq!(firewall_commands(&soft("/bin/sh -c true")), []);
    let missing = firewall_commands(&soft("/sbin/no-such-iptables -I INPUT"));
    assert_eq!(missing.len(), 1);
    assert!(missing[0].1.contains("/sbin/no-such-iptables"), "{missing:?}");
    assert_eq!(firewall_commands(&Blocking::Hard), []);
}

#[test]
fn loopback_is_here_and_a_documentation_address_is_not() {
    assert_eq!(is_local([127, 0, 0, 1].into()), Some(true));
    assert_eq!(is_local([192, 0, 2, 77].into()), Some(false));
}
