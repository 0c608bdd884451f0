//! What a person is told to do, a step a line, with the host on which to do it.

/// A step for a host's server.
pub fn sql(host: &str, statement: impl AsRef<str>) -> String {
    format!("on {host}, SQL: {};", statement.as_ref())
}

/// A step for a host's shell, as root.
pub fn shell(host: &str, command: impl AsRef<str>) -> String {
    format!("on {host}, shell: {}", command.as_ref())
}
