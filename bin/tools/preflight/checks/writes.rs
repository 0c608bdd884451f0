//! Who takes writes: exactly one master, the one that holds the writer role's address.

use super::super::cluster::{Cluster, Member};
use super::super::code::Code;
use super::super::finding::{Check, advice, sql};
use super::lists::listed;

const SHOW: &str = "on the monitor's host: mmm_control show says who has which role";

/// Whether exactly one host takes writes.
pub fn writes(cluster: &Cluster) -> Check {
    let writers: Vec<&Member> =
        cluster.seen_masters().filter(|(_, seen)| !seen.is_read_only()).map(|(member, _)| member).collect();
    let names: Vec<_> = writers.iter().map(|writer| writer.name()).collect();
    let mut check = Check::new("writes").saying(format!("{} alone takes them", listed(&names)));
    let holder = cluster.holder_of_writer_role();
    for (member, seen) in cluster.seen() {
        if !member.is_master() && !seen.is_read_only() {
            let name = member.name();
            let text = format!(
                "{name} is a slave and takes writes (read_only is off): rows written there are on no other host"
            );
            check.fail(Code::SlaveWritable, name, text, &[close(name)]);
        }
    }
    match writers.as_slice() {
        [] => {
            let is_anyone_hidden =
                cluster.members.iter().any(|member| member.is_master() && member.server.is_err());
            if is_anyone_hidden {
                check.skip();
            } else {
                let cure = format!("{SHOW}; mmm_control move_role {} HOST gives it", cluster.active_role);
                check.warn(
                    Code::NoWriter,
                    "",
                    "no master takes writes (read_only is on everywhere)",
                    &[advice(cure)],
                );
            }
        }
        [writer] => {
            let name = writer.name();
            if let Some(holder) = holder.filter(|holder| holder != name) {
                let text = format!(
                    "{name} takes writes, but {holder} holds the address of role {}",
                    cluster.active_role
                );
                check.fail(
                    Code::WriterWithoutAddress,
                    name,
                    text,
                    &[advice(SHOW), advice(format!("if {holder} has the role: ")) + &close(name)],
                );
            }
        }
        several => {
            // The host that holds the address is the right one.
            let wrong: Vec<_> = several
                .iter()
                .map(|writer| writer.name())
                .filter(|name| holder.as_deref() != Some(*name))
                .collect();
            let text = format!(
                "{} both take writes (read_only is off): split brain as soon as anybody writes to both",
                listed(&names)
            );
            let mut cure = Vec::new();
            let host = if let [one] = wrong.as_slice() {
                cure.push(close(one));
                one
            } else {
                cure.extend([advice(SHOW), close("the one without that role")]);
                ""
            };
            check.fail(Code::TwoWriters, host, text, &cure);
        }
    }
    check
}

fn close(host: &str) -> String {
    sql(host, "SET GLOBAL read_only = 1")
}

#[cfg(test)]
mod tests;
