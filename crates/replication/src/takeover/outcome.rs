//! The result of pursuing a survivor's tail.

/// The result of pursuing a survivor's tail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// What only the survivor has is less than a whole transaction.
    Nothing,
    /// This host has advanced meanwhile, for instance by another call: all has to be looked at again.
    Changed,
    /// This host replicates from the old master again, and has what it was to get.
    Done,
    /// It replicates from the old master again; the survivor fell silent before it had sent everything.
    CutShort(String),
    /// The survivor fell silent while this host had only a part of its tail. Nothing shows where in the old master's
    /// log that part ends, or a start would throw away what was fetched of it.
    Stuck {
        /// The survivor.
        survivor: String,
        /// What happened to it.
        reason: String,
    },
}
