//! The two accounts: whether they are let in, what they may do (docs/PRIVILEGES.md), and how they are encrypted.

use std::fmt::Write as _;

use mmm_core::settings::TlsMode;
use mmm_replication::status::IoThread;
use mmm_replication::{ACCESS_DENIED, quoted_account};

use super::super::cluster::{Cluster, Member, Seen, Unreached};
use super::super::code::Code;
use super::super::finding::{Check, Severity, advice, sql};
use super::lists::listed;

/// Whether servers let the agent's and the replication account in.
pub fn accounts(cluster: &Cluster) -> Check {
    let this = cluster.this();
    let agent = this.map_or("", |member| member.host.agent_user.as_str());
    let masters: Vec<_> = cluster
        .members
        .iter()
        .filter(|member| matches!(member.replication, Some(Ok(_))))
        .map(Member::name)
        .collect();
    let replication = this.map_or("", |member| member.host.replication_user.as_str());
    let text = match masters.as_slice() {
        [] => format!("{agent} is let in everywhere"),
        masters => format!("{agent} is let in everywhere, {replication} on {}", listed(masters)),
    };
    let mut check = Check::new("accounts").saying(text);
    if let Some(reason) = refused_everywhere(cluster) {
        let names: Vec<_> = cluster.members.iter().map(Member::name).collect();
        let text = format!(
            "{} do not let the agent's account in: {reason}. agent_password of this host's configuration is probably wrong",
            listed(&names)
        );
        let cure = advice(
            "compare agent_user and agent_password in mmm_common.conf here with those of a host where this program works",
        );
        check.fail(Code::AgentLoginRefused, "", text, &[cure]);
        return check;
    }
    let is_ours_wrong = replication_password(cluster, &mut check);
    for member in &cluster.members {
        let (name, host) = (member.name(), &member.host);
        if let Err(refused) = &member.server
            && refused.answered
            && !is_of_tls(member, refused)
        {
            let text = format!("{name} does not let the agent's account in: {}", refused.reason);
            check.fail(
                Code::AgentLoginRefused,
                name,
                text,
                &login_cure(name, "agent", &host.agent_user, refused),
            );
        }
        if let Some(Err(refused)) = &member.replication
            && !is_of_tls(member, refused)
            && !(is_ours_wrong && refused.code == Some(ACCESS_DENIED))
        {
            let text = format!("{name} does not let the replication account in: {}", refused.reason);
            let cure = login_cure(name, "replication", &host.replication_user, refused);
            check.fail(Code::ReplicationLoginRefused, name, text, &cure);
        }
    }
    check
}

/// What the servers say, if each of them refuses user or password.
fn refused_everywhere(cluster: &Cluster) -> Option<&str> {
    let refuses = |member: &Member| {
        let refusal = member.server.as_ref().err();
        refusal.is_some_and(|refused| refused.answered && refused.code == Some(ACCESS_DENIED))
    };
    let (first, rest) = cluster.members.split_first()?;
    let is_everywhere = !rest.is_empty() && cluster.members.iter().all(refuses);
    first.server.as_ref().err().filter(|_| is_everywhere).map(|refused| refused.reason.as_str())
}

/// One finding for all masters that refuse the replication account, if its password is rather wrong here than there: all
/// masters refuse it, or slaves replicate by it. A cure on a master would then break what replicates.
fn replication_password(cluster: &Cluster, check: &mut Check) -> bool {
    let tried: Vec<_> = cluster
        .members
        .iter()
        .filter_map(|member| Some((member, member.replication.as_ref()?.as_ref().err())))
        .collect();
    let refusing: Vec<_> = tried
        .iter()
        .filter_map(|(member, refused)| Some((*member, (*refused)?)))
        .filter(|(_, refused)| refused.answered && refused.code == Some(ACCESS_DENIED))
        .collect();
    let Some((_, first)) = refusing.first() else { return false };
    let by_it = |name: &str, seen: &Seen| {
        let link = seen.link()?;
        let is_so = link.channel.io == IoThread::Yes
            && refusing.iter().any(|(master, _)| {
                link.source.as_deref() == Some(master.name())
                    && link.channel.source_user == master.host.replication_user
            });
        is_so.then(|| format!("{name} from {}", link.source.as_deref().unwrap_or_default()))
    };
    let running: Vec<_> = cluster.seen().filter_map(|(member, seen)| by_it(member.name(), seen)).collect();
    let is_everywhere = refusing.len() > 1 && refusing.len() == tried.len();
    if running.is_empty() && !is_everywhere {
        return false;
    }
    let names: Vec<_> = refusing.iter().map(|(member, _)| member.name()).collect();
    let verb = if names.len() == 1 { "does" } else { "do" };
    let mut text = format!(
        "{} {verb} not let the replication account in: {}. replication_password of this host's configuration is probably \
         wrong",
        listed(&names),
        first.reason
    );
    if !running.is_empty() {
        let _ = write!(text, ": by this account, {} replicates", listed(&running));
    }
    let cure = advice(
        "compare replication_user and replication_password in mmm_common.conf here with those of a host where this program \
         works; leave the account on the servers as it is: slaves replicate by it",
    );
    let host = if let [name] = names.as_slice() { name } else { "" };
    check.add(Severity::Failure, Code::ReplicationLoginRefused, host, &text, &[cure]);
    true
}

/// True if the server refused before it looked at the account.
fn is_of_tls(member: &Member, refused: &Unreached) -> bool {
    refused.code.is_none() && member.host.tls.mode != TlsMode::Off
}

fn login_cure(name: &str, key: &str, user: &str, refused: &Unreached) -> Vec<String> {
    match refused.code {
        Some(1040) => vec![advice(format!(
            "end idle sessions on {name} or raise its max_connections: an agent that cannot log in cannot act"
        ))],
        Some(1129) => {
            vec![sql(name, "FLUSH HOSTS"), advice("then find out what connected from this host and failed")]
        }
        _ => vec![
            advice(format!(
                "compare {key}_user and {key}_password in mmm_common.conf with the account on {name}"
            )),
            sql(name, here_alone(&format!("ALTER USER '{user}'@'…' IDENTIFIED BY '…'"))),
        ],
    }
}

/// Whether the accounts may do all that the helpers and replicas do.
pub fn privileges(cluster: &Cluster) -> Check {
    let mut check = Check::new("privileges").saying("the accounts may do all that helpers and slaves need");
    for (member, seen) in cluster.seen() {
        let name = member.name();
        let grants = Grants::read(&seen.grants);
        let missing: Vec<_> = needed(seen).into_iter().filter(|need| !grants.hold(need)).collect();
        for (severity, serious) in [(Severity::Failure, true), (Severity::Warning, false)] {
            let missing: Vec<_> = missing.iter().filter(|need| need.is_serious == serious).collect();
            // SHOW GRANTS does not list what a role has.
            let severity = if grants.has_roles { Severity::Warning } else { severity };
            for on in ["*.*", "performance_schema.*"] {
                let names: Vec<_> =
                    missing.iter().filter(|need| need.on == on).map(|need| need.privilege).collect();
                if names.is_empty() {
                    continue;
                }
                let account = quoted_account(&seen.account);
                let text = format!("{account} lacks {} on {name} ({})", listed(&names), seen.product());
                let grant = format!("GRANT {} ON {on} TO {account}", names.join(", "));
                check.add(severity, Code::PrivilegeMissing, name, &text, &[sql(name, here_alone(&grant))]);
            }
        }
        if missing.is_empty() {
            for denied in &seen.denied {
                let cure = advice("docs/PRIVILEGES.md has one GRANT for each server");
                check.fail(
                    Code::PrivilegeMissing,
                    name,
                    format!("{name} refuses a query: {denied}"),
                    &[cure],
                );
            }
        }
    }
    for member in &cluster.members {
        let Some(Ok(grants)) = &member.replication else { continue };
        let grants = Grants::read(grants);
        let need = Need { privilege: "REPLICATION SLAVE", ..Need::default() };
        if !grants.hold(&need) && !grants.has_roles {
            let (name, user) = (member.name(), &member.host.replication_user);
            let text = format!(
                "the replication account {user} lacks REPLICATION SLAVE on {name}: no slave can follow it"
            );
            let grant = format!("GRANT REPLICATION SLAVE ON *.* TO '{user}'@'…'");
            check.fail(Code::ReplicationPrivilegeMissing, name, text, &[sql(name, here_alone(&grant))]);
        }
    }
    check
}

/// Whether connections are encrypted as the settings ask.
pub fn tls(cluster: &Cluster) -> Check {
    let encrypted: Vec<_> =
        cluster.seen().filter(|(_, seen)| seen.is_encrypted).map(|(member, _)| member.name()).collect();
    let mut check = Check::new("tls").saying(match encrypted.as_slice() {
        [] => "none is configured for the helpers' own connections".into(),
        names => format!("as configured; encrypted to {}", listed(names)),
    });
    for member in &cluster.members {
        if let Err(refused) = &member.server
            && refused.answered
            && is_of_tls(member, refused)
        {
            let name = member.name();
            let text =
                format!("no connection to {name} with the TLS of mmm_helpers.yaml: {}", refused.reason);
            check.fail(
                Code::TlsFailed,
                name,
                text,
                &[advice("docs/CONNECTIONS.md, 'What it says when it fails'")],
            );
        }
    }
    for (member, seen) in cluster.seen() {
        let host = &member.host;
        if host.tls.mode == TlsMode::Preferred && host.socket.is_none() && !seen.is_encrypted {
            let name = member.name();
            let text = format!(
                "tls is 'preferred', and {name} offers no TLS that can be used: passwords cross the network without TLS"
            );
            let cure = advice(format!(
                "give {name} a certificate (ssl_cert, ssl_key in my.cnf), or say tls: {{hosts: {{{name}: off}}}}"
            ));
            check.warn(Code::TlsNotUsed, name, text, &[cure]);
        }
    }
    check
}

/// If the slave logged the statement, it would be a transaction that no other host has.
fn here_alone(statement: &str) -> String {
    format!("SET SESSION sql_log_bin = 0; {statement}")
}

/// A privilege that helpers need.
#[derive(Clone, Copy, Debug)]
struct Need {
    privilege: &'static str,
    /// SUPER includes it.
    or_super: bool,
    on: &'static str,
    /// False if helpers need it only for sessions of administrators or for prepared transactions.
    is_serious: bool,
}

impl Default for Need {
    fn default() -> Self {
        Self { privilege: "", or_super: false, on: "*.*", is_serious: true }
    }
}

/// What the agent's account needs on this server (docs/PRIVILEGES.md).
fn needed(seen: &Seen) -> Vec<Need> {
    let plain = |privilege| Need { privilege, ..Need::default() };
    let or_super = |privilege, or_super| Need { privilege, or_super, ..Need::default() };
    let schema = Need { privilege: "SELECT", on: "performance_schema.*", ..Need::default() };
    let version = seen.version();
    if seen.is_mariadb() {
        // SUPER lost READ_ONLY ADMIN in 10.11, and includes hardly anything since 11.0.
        let old = version < (11, 0, 0);
        return vec![
            plain("PROCESS"),
            or_super("BINLOG MONITOR", old),
            or_super("SLAVE MONITOR", old),
            or_super("REPLICATION SLAVE ADMIN", old),
            or_super("READ_ONLY ADMIN", version < (10, 11, 0)),
            or_super("CONNECTION ADMIN", old),
        ];
    }
    let mut needs = vec![plain("PROCESS"), plain("REPLICATION SLAVE")];
    if version >= (8, 0, 0) {
        needs.extend(
            ["REPLICATION CLIENT", "REPLICATION_SLAVE_ADMIN", "SYSTEM_VARIABLES_ADMIN", "CONNECTION_ADMIN"]
                .map(|privilege| or_super(privilege, true)),
        );
        let seldom = |privilege| Need { privilege, is_serious: false, ..Need::default() };
        needs.push(seldom("XA_RECOVER_ADMIN"));
        if version >= (8, 0, 16) {
            needs.push(seldom("SYSTEM_USER"));
        }
    } else {
        needs.push(plain("SUPER"));
    }
    if version >= (5, 7, 0) {
        needs.push(schema);
    }
    needs
}

/// What SHOW GRANTS says.
struct Grants {
    /// Privileges with what they are on.
    held: Vec<(String, String)>,
    has_roles: bool,
}

impl Grants {
    fn read(lines: &[String]) -> Self {
        let mut grants = Self { held: Vec::new(), has_roles: false };
        for line in lines {
            let Some(rest) = line.strip_prefix("GRANT ") else { continue };
            let Some((privileges, rest)) = rest.split_once(" ON ") else {
                grants.has_roles = true;
                continue;
            };
            let on = rest.split_once(" TO ").map_or(rest, |(on, _)| on).replace('`', "");
            let each = privileges.split(',').map(|privilege| (privilege.trim().to_string(), on.clone()));
            grants.held.extend(each);
        }
        grants
    }

    fn hold(&self, need: &Need) -> bool {
        self.held.iter().any(|(privilege, on)| {
            let is_it = privilege == need.privilege || (need.or_super && privilege == "SUPER");
            // MariaDB's older word for it.
            let is_alias = privilege == "REPLICATION CLIENT" && need.privilege == "BINLOG MONITOR";
            (is_it || is_alias || privilege == "ALL PRIVILEGES") && (on == "*.*" || on == need.on)
        })
    }
}

#[cfg(test)]
mod tests;
