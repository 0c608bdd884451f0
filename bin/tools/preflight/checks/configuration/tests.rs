use mmm_core::config::HostName;

use super::super::sample::{codes, good};
use super::*;

#[test]
fn a_good_configuration_is_held_to_be_good_on_every_host() {
    for this in ["db1", "db2", "db3"] {
        assert_eq!(codes(&configuration(&good(this))), [""; 0]);
    }
}

#[test]
fn a_hook_that_others_could_change_is_found() {
    let mut cluster = good("db3");
    assert_eq!(codes(&files(&cluster)), [""; 0]);
    cluster.machine.untrusted.push(("network.hooks.added", "/x may be written by others".into()));
    assert_eq!(codes(&files(&cluster)), ["hook-untrusted"]);
}

#[test]
fn a_command_that_cannot_be_started_is_a_failure_if_a_helper_waits_for_it() {
    for (key, state) in [
        ("network.hooks.added", Severity::Failure),
        ("allow_write.fence", Severity::Failure),
        ("events.command", Severity::Warning),
    ] {
        let mut cluster = good("db3");
        cluster.machine.missing.push((key, "there is no program /no/such".into()));
        let check = files(&cluster);
        assert_eq!((codes(&check), check.state), (vec!["hook-missing"], state), "{key}");
        assert!(check.findings[0].text.contains("no program /no/such"), "{check:?}");
        assert!(check.findings[0].text.starts_with(key), "{check:?}");
    }
}

#[test]
fn what_contradicts_the_configuration_is_found() {
    type Break = fn(&mut Cluster);
    let table: [(&str, Break); 8] = [
        ("config-quirk", |all| all.quirks.push("/etc/x.conf:3: the quotes belong to the value".into())),
        ("this-elsewhere", |all| all.machine.has_own_ip = Some(false)),
        ("peer-not-mutual", |all| all.members[1].host.peer = HostName::new("db2")),
        ("role-address-shared", |all| all.addresses[1].ip = all.addresses[0].ip.clone()),
        ("role-address-shared", |all| all.addresses[1].ip = "10.0.0.2".into()),
        ("writer-role-on-slave", |all| all.roles[1].hosts.extend(HostName::new("db3"))),
        ("same-server", |all| {
            let same = |name: &str| (name.to_string(), "same".to_string());
            for member in &mut all.members[..2] {
                let seen = member.server.as_mut().unwrap();
                seen.variables.extend(["hostname", "port", "server_uuid", "server_id"].map(same));
            }
        }),
        ("one-master", |all| {
            all.members.remove(1);
            all.members[0].host.peer = None;
        }),
    ];
    for (code, damage) in table {
        let mut cluster = good("db3");
        damage(&mut cluster);
        assert_eq!(codes(&configuration(&cluster)), [code], "{code}");
    }
}
