//! The statements with which a server is closed.

/// How a server is closed.
pub const READ_ONLY: &str = "SET GLOBAL read_only = 1";
/// Switches `read_only` on with it.
pub const SUPER_READ_ONLY: &str = "SET GLOBAL super_read_only = 1";

/// True of the statement with which a helper closes a server.
pub fn closes(statement: &str) -> bool {
    [READ_ONLY, SUPER_READ_ONLY].contains(&statement)
}
