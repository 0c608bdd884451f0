//! The words by which `mmm_journal` reads a journal back. Code that writes such a line takes them from here, too.

/// A call's first line. Its arguments follow, as Rust prints a list of strings.
pub const CALLED_WITH: &str = "called with ";
/// The program that called the helper follows it, if that is one of ours.
pub const CALLED_BY: &str = "called by ";
/// The environment's variable in which such a program names itself.
pub const CALLER: &str = "MMM_CALLED_BY";
/// This host's name in the agent's configuration follows it.
pub const THIS_HOST_IS: &str = "this host is ";
/// The name of the host whose server accepted the log-in follows it.
pub const CONNECTED_TO: &str = "connected to ";
/// The stable name of a failed call's error follows it (docs/ERRORS.md). It stands before the last line.
pub const ERROR_IS_NAMED: &str = "the error's name is ";
/// The step by which a server begins to take writes. A colon and its time follow.
pub const OPENED_WRITES: &str = "opened writes";
/// The step after which a server takes no new writes. A colon and its time follow.
pub const SET_READ_ONLY: &str = "set read_only";
/// The end of the line that says of a silent peer that the site's command has fenced it.
pub const WAS_FENCED: &str = " does not answer, and was fenced";
/// The beginning of the line that says that nobody was told of an event, and why. Its kind follows, and then
/// [`WAS_NOT_TOLD`].
pub const THE_EVENT: &str = "the event '";
/// Behind the kind of an event that nobody was told of.
pub const WAS_NOT_TOLD: &str = "' was not told: ";
/// A call's last line. It is followed by the result line, as Rust prints a string, [`EXIT`] and the exit code, a comma,
/// and how many milliseconds it took, with [`IN_ALL`] behind them.
pub const ANSWERED: &str = "answered ";
/// Before the exit code of an answer.
pub const EXIT: &str = ", exit ";
/// Behind the milliseconds of an answer.
pub const IN_ALL: &str = " ms in all";
