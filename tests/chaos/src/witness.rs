//! What is looked at right before and right after a call of a helper, because it would be gone at the end of a round.

use std::collections::BTreeSet;

use crate::cluster::{Answer, Cluster};
use crate::plan::{Fault, Plan};

/// How many rows are named of those that are missing.
const SHOWN: usize = 4;

/// What was seen before a call of `mysql_allow_write` on a host that is closed: the rows of the others.
#[derive(Debug)]
pub struct Rows {
    host: usize,
    others: Vec<(usize, BTreeSet<u64>)>,
}

impl Rows {
    /// Looks at hosts of which nothing excuses that the new writer lacks a row: the peer, if nobody can be cut off from it,
    /// and slaves, if no host is cut off or frozen. `None` if the host is open.
    pub fn before(cluster: &Cluster, plan: &Plan, host: usize) -> Option<Self> {
        let is_closed = cluster.rows::<u8>(host, "SELECT @@GLOBAL.read_only").ok()?.first() == Some(&1);
        if !is_closed {
            return None;
        }
        let is_any = |of: fn(&Fault) -> bool| plan.faults.iter().any(|(_, fault)| of(fault));
        let is_cut = is_any(|fault| {
            matches!(
                fault,
                Fault::Drop(..)
                    | Fault::DropOneWay(..)
                    | Fault::Lose(..)
                    | Fault::DropNew(..)
                    | Fault::Slow(..)
                    | Fault::Freeze(..)
                    | Fault::FreezeForEver(..)
                    | Fault::FullDisk(..)
            )
        });
        let is_killed = is_any(Fault::kills);
        let others = (0..cluster.hosts)
            .filter(|other| *other != host && !is_cut && (*other >= 2 || !is_killed))
            .filter_map(|other| Some((other, rows(cluster, other)?)))
            .collect();
        Some(Self { host, others })
    }

    /// Writes are opened only with every row that another host had by then, unless the answer names what is left out.
    pub fn after(&self, cluster: &Cluster, answer: &Answer) -> Option<String> {
        if !answer.is_ok() || answer.line.contains("continues without") {
            return None;
        }
        let here = rows(cluster, self.host)?;
        self.others.iter().find_map(|(other, there)| {
            let missing: Vec<&u64> = there.difference(&here).collect();
            (!missing.is_empty()).then(|| {
                format!(
                    "{} was opened without {} rows that {} had: {:?}",
                    Cluster::name(self.host),
                    missing.len(),
                    Cluster::name(*other),
                    &missing[..missing.len().min(SHOWN)]
                )
            })
        })
    }
}

fn rows(cluster: &Cluster, host: usize) -> Option<BTreeSet<u64>> {
    Some(cluster.rows(host, "SELECT id FROM app.entries").ok()?.into_iter().collect())
}
