//! What pursuing a survivor's tail came to.

/// What pursuing a survivor's tail came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// What only the survivor has is no whole transaction.
    Nothing,
    /// This host has got further meanwhile, by another call for instance: all has to be looked at again.
    Changed,
    /// This host replicates from the old master again, and has what it was to get.
    Done,
    /// It replicates from the old master again; the survivor fell silent before all had come.
    CutShort(String),
    /// The survivor fell silent while this host had only a part of it, and nothing tells where in the old master's log
    /// that ends.
    Stuck {
        /// The survivor.
        survivor: String,
        /// What became of it.
        reason: String,
    },
}
