//! What keeps a position from being proved.

/// What keeps a position from being proved: one variant for each thing that an operator would fix differently.
#[derive(Clone, Copy, Debug, PartialEq, Eq, strum::IntoStaticStr, strum::VariantNames)]
#[strum(serialize_all = "kebab-case")]
pub enum Unproved {
    /// None of the methods shows a position.
    #[strum(serialize = "unproved")]
    Nothing,
    /// The new master logs what it replicates in any order.
    ParallelOrder,
    /// The new master also replicates from other hosts.
    SeveralSources,
    /// The replica keeps no log of what it has applied.
    KeepsNoLog,
    /// The new master's log holds transactions of its own, which the replica may lack.
    OwnTransactions,
    /// A log still grows.
    LogStillGrows,
    /// One of the hosts still applies what it fetched.
    StillApplies,
    /// The replica alone still applies what it fetched: nothing is wrong with it, and it is late.
    ReplicaApplies,
    /// MySQL: not all transactions have a GTID.
    GtidsMissing,
    /// Filters leave out of the logs what would show the position.
    FiltersHidePlace,
}

impl Unproved {
    /// The refusal in words. Who only waits for an applier need not rebuild anything.
    pub(super) fn words(self, host: &str, new: &str, reason: &str) -> String {
        let unproved =
            format!("no position in the log of {new} can be proved to be right for {host}: {reason}");
        match self {
            Self::ReplicaApplies => reason.into(),
            Self::StillApplies => unproved,
            _ => format!("{unproved}; if this stays so, rebuild {host} from {new}"),
        }
    }
}
