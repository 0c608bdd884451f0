//! What the agent's contract fixes of a result: how its line begins, and the exit codes (docs/CONTRACT.md, 3).

/// What a success's result line begins with, if it says more than `OK`.
pub const OK_BECAUSE: &str = "OK: ";
/// What a failure's result line begins with.
pub const ERROR: &str = "ERROR: ";
/// What the result line of a wrong number of arguments begins with.
pub const USAGE: &str = "Usage:";

/// Exit code of every failure but a wrong number of arguments.
pub const FAILED: u8 = 255;
/// Exit code of a wrong number of arguments, if 1 is no answer.
pub const MISUSED: u8 = 1;
/// Exit code if the result could not be written.
pub const UNHEARD: u8 = 2;

/// What became of a call, as its document's `result` names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, strum::EnumString, strum::IntoStaticStr)]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "lowercase")]
pub enum CallResult {
    /// `OK`
    Ok,
    /// `ERROR: …`
    Error,
    /// `Usage: …`
    Usage,
}
