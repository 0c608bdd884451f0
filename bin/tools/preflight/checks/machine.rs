//! This machine: helpers, interface and rights, packet filter, journal, what killed helpers left.

use mmm_core::config::Blocking;

use super::super::cluster::{Cluster, Helper, HelperState, Installation, Way};
use super::super::code::Code;
use super::super::finding::{Check, advice, shell};
use super::lists::listed;

/// Whether the helpers are there as the agent calls them.
pub fn helpers(cluster: &Cluster) -> Check {
    let (this, helpers) = (cluster.this.as_str(), &cluster.machine.helpers);
    let folder = folder(cluster);
    let own = env!("CARGO_PKG_VERSION");
    let way = cluster.machine.installation.as_ref().map(|installation| installation.way);
    let by = way.map_or("", |way| match way {
        Way::Deb => ", by the deb",
        Way::Rpm => ", by the rpm",
        Way::Installer => ", by install.sh",
    });
    let mut check =
        Check::new("helpers").saying(format!("{} of version {own} in {folder}{by}", helpers.len()));
    if let Some(package) = cluster.machine.elsewhere {
        serves_elsewhere(&mut check, this, &folder, package);
    }
    let overwritten = cluster.machine.installation.as_ref().map_or(&[][..], |found| &found.overwritten);
    if !overwritten.is_empty() {
        let text = format!(
            "{} in {folder} is no longer what was installed{by}: something else has overwritten it since",
            listed(overwritten)
        );
        check.warn(Code::HelperOverwritten, this, text, &installing(cluster, overwritten));
    }
    let of = |wanted: fn(&HelperState) -> bool| -> Vec<String> {
        let found = helpers.iter().filter(|helper| wanted(&helper.state));
        found.map(name_of).collect()
    };
    let missing = of(|state| *state == HelperState::Missing);
    if !missing.is_empty() {
        let text =
            format!("{folder} (bin_path and /agent) lacks {}: the agent cannot call it", listed(&missing));
        let mut cure = installing(cluster, &missing);
        cure.push(advice(format!("or correct bin_path of {this} in mmm_common.conf")));
        check.fail(Code::HelperMissing, this, text, &cure);
    }
    let closed = of(|state| *state == HelperState::NotExecutable);
    if !closed.is_empty() {
        let paths: Vec<_> = closed.iter().map(|name| format!("{folder}/{name}")).collect();
        let text = format!("{} in {folder} may not be executed", listed(&closed));
        check.fail(
            Code::HelperNotExecutable,
            this,
            text,
            &[shell(this, format!("chmod 755 {}", paths.join(" ")))],
        );
    }
    let mut foreign = of(|state| *state == HelperState::Foreign);
    foreign.retain(|name| !overwritten.contains(name));
    if !foreign.is_empty() {
        let text = format!(
            "{} in {folder} does not belong to this project (MMM's original?), and was not run",
            listed(&foreign)
        );
        check.warn(Code::HelperForeign, this, text, &installing(cluster, &foreign));
    }
    let (mut others, mut older) = (Vec::new(), Vec::new());
    for helper in helpers {
        match &helper.state {
            HelperState::Failed(reason) => {
                let text = format!("{} cannot be run: {reason}", helper.path.display());
                check.fail(Code::HelperFails, this, text, &installing(cluster, &[name_of(helper)]));
            }
            HelperState::Version(version) if version != own => {
                older.push(name_of(helper));
                if !others.contains(version) {
                    others.push(version.clone());
                }
            }
            _ => {}
        }
    }
    if !others.is_empty() {
        let text = format!("helpers in {folder} have version {}, this program {own}", listed(&others));
        check.warn(Code::HelperVersionDiffers, this, text, &installing(cluster, &older));
    }
    check
}

fn serves_elsewhere(check: &mut Check, this: &str, folder: &str, package: Way) {
    let kind = if package == Way::Deb { "deb" } else { "rpm" };
    let text = format!(
        "the {kind} mmm-agent-helpers is installed, but it replaces the helpers in {}, and the agent of {this} calls those in {folder}",
        package.folders().join(" and ")
    );
    let served = package.folders()[0].trim_end_matches("agent");
    let cure = advice(format!(
        "set bin_path of {this} to {served} in mmm_common.conf, if MMM is there; else remove the package"
    ));
    check.warn(Code::PackageServesElsewhere, this, text, &[cure, shell(this, removal(package))]);
}

/// What puts helpers of this project where the agent calls them, in the way in which it has put them there: install.sh
/// refuses where a package is, and a package manager may know no repository that has the package.
pub fn installing(cluster: &Cluster, helpers: &[String]) -> Vec<String> {
    let this = cluster.this.as_str();
    let installation = cluster.machine.installation.as_ref();
    if let Some(Installation { way, served: Some(served), linked, .. }) = installation {
        let (kind, command) = match way {
            Way::Deb => ("deb", "dpkg -i FILE.deb"),
            _ => ("rpm", "rpm -U --replacepkgs FILE.rpm"),
        };
        // The program itself is at fault, and only the package has it.
        return if helpers.iter().any(|name| linked.contains(name)) {
            let own = env!("CARGO_PKG_VERSION");
            let file = format!("FILE.{kind} is the package mmm-agent-helpers of version {own}");
            vec![shell(this, command), advice(file)]
        } else {
            let takeover = format!("/usr/libexec/mmm-agent-helpers/takeover {kind} take {served}");
            vec![shell(this, takeover)]
        };
    }
    let folder = folder(cluster);
    let make = format!("make install AGENT_DIR={folder}");
    let make = match cluster.machine.elsewhere {
        Some(package) => format!("{} && {make}", removal(package)),
        None => make,
    };
    let archive =
        format!("where there is a release's archive and no source: ./install.sh install '' {folder}");
    vec![shell(this, make), advice(archive)]
}

/// Where the agent calls its helpers.
fn folder(cluster: &Cluster) -> String {
    let folder = cluster.this().map(|member| member.helper("")).unwrap_or_default();
    folder.display().to_string().replace("//", "/").trim_end_matches('/').to_string()
}

fn name_of(helper: &Helper) -> String {
    helper.path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// The command that removes a package of ours.
fn removal(package: Way) -> &'static str {
    if package == Way::Deb { "apt-get remove mmm-agent-helpers" } else { "yum remove mmm-agent-helpers" }
}

/// Whether addresses can be added to the interface.
pub fn interface(cluster: &Cluster) -> Check {
    let (this, machine) = (cluster.this.as_str(), &cluster.machine);
    let name = cluster.this().map_or("", |member| member.host.cluster_interface.as_str());
    let mut check =
        Check::new("interface").saying(format!("{name} is up, and this process may change its addresses"));
    match &machine.interface {
        Err((reason, cure)) => {
            let text = format!("{this} cannot have the address of any role: {reason}");
            check.fail(Code::InterfaceUnusable, this, text, std::slice::from_ref(cure));
        }
        Ok(false) => {
            let text = format!("interface {name} has no carrier: its addresses cannot be reached");
            check.warn(
                Code::InterfaceNoCarrier,
                this,
                text,
                &[advice(format!("look at the cable and the switch port of {this}"))],
            );
        }
        Ok(true) => {}
    }
    let lacking: Vec<_> = [("CAP_NET_ADMIN", machine.has_net_admin), ("CAP_NET_RAW", machine.has_net_raw)]
        .iter()
        .filter(|(_, has)| !has)
        .map(|(name, _)| *name)
        .collect();
    if !lacking.is_empty() {
        let (text, cure) = if machine.is_root {
            (
                format!(
                    "root lacks {} here (a container?): no address can be added or announced",
                    listed(&lacking)
                ),
                advice("give the container or service that runs mmm_agentd these capabilities"),
            )
        } else {
            (
                format!(
                    "this program does not run as root ({} missing), so addresses and rights cannot be judged",
                    listed(&lacking)
                ),
                shell(this, format!("sudo mmm_preflight {}", cluster.config)),
            )
        };
        if machine.is_root {
            check.fail(Code::RightsMissing, this, text, &[cure]);
        } else {
            check.warn(Code::RightsMissing, this, text, &[cure]);
        }
    }
    check
}

/// Whether the packet filter's commands can be run, if the configuration wants them.
pub fn firewall(cluster: &Cluster) -> Check {
    let this = cluster.this.as_str();
    let mut check = Check::new("firewall").saying(match cluster.blocking {
        Blocking::Soft { .. } => "blocking_type soft; its commands are there",
        _ => "blocking_type hard: none is needed",
    });
    if let Blocking::Unknown(word) = &cluster.blocking {
        let text = format!(
            "blocking_type {word} is unknown: mysql_deny_write closes the server and then ends with an error"
        );
        check.fail(
            Code::BlockingTypeUnknown,
            this,
            text,
            &[advice("set blocking_type to hard or soft in mmm_common.conf")],
        );
    }
    let mut reasons: Vec<&String> = cluster.machine.firewall.iter().map(|(_, reason)| reason).collect();
    reasons.dedup();
    for reason in reasons {
        let text = format!("blocking_type is soft, but its commands cannot be run: {reason}");
        let cure = advice(
            "install it (apt install iptables), correct iptables_block_cmd and iptables_unblock_cmd, or set blocking_type hard",
        );
        check.fail(Code::FirewallCommandMissing, this, text, &[cure]);
    }
    check
}

/// Whether the helpers can leave a journal.
pub fn journal(cluster: &Cluster) -> Check {
    let (path, state) = &cluster.machine.journal;
    let mut check = Check::new("journal").saying(format!("{} can be written", path.display()));
    if let Err(reason) = state {
        let folder = path.parent().unwrap_or(path).display();
        let text = format!("helpers cannot write their journal to {}: {reason}", path.display());
        let cure = [
            shell(&cluster.this, format!("install -d -m 0750 {folder}")),
            advice("as the user that the agent runs as; is the disk full, or mounted read-only?"),
        ];
        check.warn(Code::JournalUnwritable, &cluster.this, text, &cure);
    }
    check
}

/// Whether helpers can note what has to survive a restart.
pub fn state(cluster: &Cluster) -> Check {
    let (path, state) = &cluster.machine.state;
    let path = path.display();
    let mut check = Check::new("state").saying(format!("{path} can be written"));
    if let Err(reason) = state {
        let text = format!(
            "helpers cannot write to {path}: {reason}. Without that, nothing is taken over from a slave, and a helper \
             that is killed leaves no note"
        );
        let cure = [
            shell(&cluster.this, format!("install -d -m 0750 {path}")),
            advice("as the user that the agent runs as; is the disk full, or mounted read-only?"),
        ];
        check.warn(Code::StateUnwritable, &cluster.this, text, &cure);
    }
    check
}

/// Whether a killed helper left something undone.
pub fn leftovers(cluster: &Cluster) -> Check {
    let mut check = Check::new("leftovers").saying("no helper was killed halfway");
    let this = cluster.this.as_str();
    for (path, undo) in &cluster.machine.leftovers {
        let is_hold = path.to_string_lossy().contains("-hold-");
        let (what, helper, argument) = if is_hold {
            ("paused another host's SQL thread", "set_active_master", " …")
        } else {
            ("kept new clients away from this server", "mysql_may_write", "")
        };
        let text = format!(
            "a helper was killed while it {what}; {} says how that is undone: {undo}",
            path.display()
        );
        let helper = cluster.this().map(|member| member.helper(helper)).unwrap_or_default();
        check.warn(
            Code::LeftoverMarker,
            this,
            text,
            &[
                shell(this, format!("{} {}{argument}", helper.display(), cluster.config)),
                advice("undoes it before anything else"),
            ],
        );
    }
    check
}

#[cfg(test)]
mod tests;
