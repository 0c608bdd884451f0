//! How much of a call's time the steps of a move may take, in percent. The later steps, and undoing, need the rest.

/// Searching by content, while an old master that answers may show the position in its own way.
pub(super) const SEARCHING_BESIDE_OLD: u32 = 30;
/// Waiting for a plan before anything is stopped.
pub(super) const SETTLING: u32 = 55;
/// Waiting for the silence of an old master to be certain, before anything else is looked at.
pub(super) const JUDGING: u32 = 60;
/// After this, the rest of the call is too short to give up half a transaction.
pub(super) const GIVING_UP_HALF: u32 = 62;
/// As [`JUDGING`], if it falls silent later.
pub(super) const JUDGING_AGAIN: u32 = 70;
/// Connecting, looking and deciding.
pub(super) const LOOKING: u32 = 75;
/// Stopping replication.
pub(super) const STOPPING: u32 = 87;
/// All but undoing.
pub(super) const MOVING: u32 = 95;

/// Waiting for the replica, of the time for which the old master may be paused.
pub(super) const WAITING_WHILE_HELD: u32 = 80;
/// Asking the new master, of the time for undoing.
pub(super) const ASKING_WHILE_UNDOING: u32 = 40;
