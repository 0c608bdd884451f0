use super::super::super::cluster::Installation;
use super::super::sample::{codes, good};
use super::*;

type Judge = fn(&Cluster) -> Check;
type Break = fn(&mut Cluster);

#[test]
fn a_good_machine_is_held_to_be_good() {
    for check in [helpers, interface, firewall, journal, leftovers] {
        assert_eq!(codes(&check(&good("db1"))), [""; 0]);
    }
}

#[test]
fn what_is_wrong_with_the_machine_is_found_with_a_cure() {
    let table: [(&str, Judge, Break); 16] = [
        ("helper-missing", helpers, |all| all.machine.helpers[0].state = HelperState::Missing),
        ("helper-not-executable", helpers, |all| {
            all.machine.helpers[0].state = HelperState::NotExecutable;
        }),
        ("helper-foreign", helpers, |all| all.machine.helpers[0].state = HelperState::Foreign),
        ("helper-overwritten", helpers, |all| {
            all.machine.helpers[0].state = HelperState::Foreign;
            all.machine.installation =
                Some(Installation { way: Way::Deb, overwritten: vec!["check_ip".into()] });
        }),
        ("package-serves-elsewhere", helpers, |all| all.machine.elsewhere = Some(Way::Rpm)),
        ("helper-fails", helpers, |all| all.machine.helpers[0].state = HelperState::Failed("no".into())),
        ("helper-version-differs", helpers, |all| {
            all.machine.helpers[0].state = HelperState::Version("0.0.9".into());
        }),
        ("interface-unusable", interface, |all| {
            all.machine.interface = Err(("it is down".into(), "up".into()));
        }),
        ("interface-no-carrier", interface, |all| all.machine.interface = Ok(false)),
        ("rights-missing", interface, |all| all.machine.has_net_admin = false),
        ("blocking-type-unknown", firewall, |all| all.blocking = Blocking::Unknown("medium".into())),
        ("firewall-command-missing", firewall, |all| {
            all.machine.firewall.push(("x".into(), "no".into()));
        }),
        ("journal-unwritable", journal, |all| all.machine.journal.1 = Err("no".into())),
        ("state-unwritable", state, |all| all.machine.state.1 = Err("no".into())),
        ("leftover-marker", leftovers, |all| {
            all.machine.leftovers.push(("/run/mysql-mmm-deny-write-x".into(), "iptables -D".into()));
        }),
        ("leftover-marker", leftovers, |all| {
            all.machine.leftovers.push(("/var/lib/mysql-mmm/mysql-mmm-hold-x".into(), "db1".into()));
        }),
    ];
    for (code, judge, damage) in table {
        let mut cluster = good("db2");
        damage(&mut cluster);
        let check = judge(&cluster);
        assert_eq!(codes(&check), [code]);
        assert!(!check.findings[0].cure.is_empty());
    }
}

#[test]
fn who_has_installed_the_helpers_is_said_and_their_cure_is_of_that_way() {
    for (way, said, cure) in [
        (Some(Way::Deb), ", by the deb", "on db2, shell: apt-get install --reinstall mmm-agent-helpers"),
        (Some(Way::Rpm), ", by the rpm", "on db2, shell: yum reinstall mmm-agent-helpers"),
        (
            Some(Way::Installer),
            ", by install.sh",
            "on db2, shell: make install AGENT_DIR=/usr/lib/mysql-mmm/agent",
        ),
        (None, "", "on db2, shell: make install AGENT_DIR=/usr/lib/mysql-mmm/agent"),
    ] {
        let mut cluster = good("db2");
        cluster.machine.installation = way.map(|way| Installation { way, overwritten: Vec::new() });
        let check = helpers(&cluster);
        let version = env!("CARGO_PKG_VERSION");
        assert_eq!(check.text, format!("2 of version {version} in /usr/lib/mysql-mmm/agent{said}"));
        cluster.machine.helpers[1].state = HelperState::Missing;
        assert_eq!(helpers(&cluster).findings[0].cure[0], cure);
    }
}

#[test]
fn a_package_for_another_folder_is_named_and_no_cure_is_one_that_install_sh_would_refuse() {
    let mut cluster = good("db2");
    cluster.machine.elsewhere = Some(Way::Deb);
    cluster.machine.helpers[1].state = HelperState::Missing;
    let found = helpers(&cluster).findings;
    assert_eq!(
        found[0].text,
        "the deb mmm-agent-helpers is installed, but it replaces the helpers in /usr/lib/mysql-mmm/agent, and the \
         agent of db2 calls those in /usr/lib/mysql-mmm/agent"
    );
    assert_eq!(
        found[1].cure[0],
        "on db2, shell: apt-get remove mmm-agent-helpers && make install AGENT_DIR=/usr/lib/mysql-mmm/agent"
    );
    cluster.machine.elsewhere = Some(Way::Rpm);
    assert_eq!(helpers(&cluster).findings[0].cure[1], "on db2, shell: yum remove mmm-agent-helpers");
}
