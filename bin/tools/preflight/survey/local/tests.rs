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

#[test]
fn a_command_of_the_settings_that_cannot_be_started_is_found_out() {
    let set = |program: &str| {
        let mut settings = Settings::default();
        settings.network.hooks.added.command = vec![program.into(), "an argument".into()];
        missing(&settings)
    };
    assert_eq!(set("/bin/sh"), []);
    for program in ["/no/such", "/etc/passwd", "/etc"] {
        let found = set(program);
        assert_eq!(found.len(), 1, "{program}");
        assert_eq!(found[0].0, "network.hooks.added");
        assert!(found[0].1.contains(program), "{found:?}");
    }
}
