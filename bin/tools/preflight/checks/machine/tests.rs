use super::super::super::cluster::Installation;
use super::super::sample::{codes, good};
use super::*;

type Judge = fn(&Cluster) -> Check;
type Break = fn(&mut Cluster);

fn installed(way: Way) -> Installation {
    let served = way.folders().first().copied();
    Installation { way, served, overwritten: Vec::new(), linked: Vec::new() }
}

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
                Some(Installation { overwritten: vec!["check_ip".into()], ..installed(Way::Deb) });
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
    let from_source = [
        "on db2, shell: make install AGENT_DIR=/usr/lib/mysql-mmm/agent",
        "where there is a release's archive and no source: ./install.sh install '' /usr/lib/mysql-mmm/agent",
    ];
    let deb = ["on db2, shell: /usr/libexec/mmm-agent-helpers/takeover deb take /usr/lib/mysql-mmm/agent"
        .to_string()];
    let rpm = deb.clone().map(|step| step.replace("deb", "rpm").replace("/usr/lib/", "/usr/libexec/"));
    let [lib, libexec] = [Way::Rpm.folders()[1], Way::Rpm.folders()[0]];
    for (way, served, said, cure) in [
        (Some(Way::Deb), Some(lib), ", by the deb", deb.to_vec()),
        (Some(Way::Rpm), Some(libexec), ", by the rpm", rpm.to_vec()),
        (Some(Way::Installer), None, ", by install.sh", from_source.map(String::from).to_vec()),
        (None, None, "", from_source.map(String::from).to_vec()),
    ] {
        let mut cluster = good("db2");
        cluster.machine.installation = way.map(|way| Installation { served, ..installed(way) });
        let check = helpers(&cluster);
        let version = env!("CARGO_PKG_VERSION");
        assert_eq!(check.text, format!("2 of version {version} in /usr/lib/mysql-mmm/agent{said}"));
        cluster.machine.helpers[1].state = HelperState::Missing;
        assert_eq!(helpers(&cluster).findings[0].cure[..cure.len()], cure);
    }
}

#[test]
fn a_program_of_a_package_that_was_changed_comes_back_with_the_packages_file_and_no_repository() {
    for (way, cure) in [
        (Way::Deb, "on db2, shell: dpkg -i FILE.deb"),
        (Way::Rpm, "on db2, shell: rpm -U --replacepkgs FILE.rpm"),
    ] {
        let mut cluster = good("db2");
        let name = cluster.machine.helpers[0].path.file_name().unwrap().to_string_lossy().into_owned();
        cluster.machine.helpers[0].state = HelperState::Failed("no".into());
        cluster.machine.installation =
            Some(Installation { overwritten: vec![name.clone()], linked: vec![name], ..installed(way) });
        let check = helpers(&cluster);
        assert_eq!(codes(&check), ["helper-overwritten", "helper-fails"]);
        for finding in check.findings {
            assert_eq!(finding.cure[0], cure);
            assert!(finding.cure[1].contains("the package mmm-agent-helpers of version"), "{finding:?}");
            assert_eq!(finding.cure.len(), 2);
        }
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
