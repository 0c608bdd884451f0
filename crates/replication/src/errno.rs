//! Error numbers of servers by name.

/// No such thread: it ended by itself.
pub const GONE: u16 = 1094;
/// Not the owner of the thread, and no privilege for those of others; MySQL 8 and later also say 1227.
pub const NOT_ALLOWED: [u16; 2] = [1095, 1227];
/// Too many connections.
pub const CROWDED: u16 = 1040;
/// Lock wait timeout exceeded.
pub const LOCK_TIMEOUT: u16 = 1205;
/// What a server says of a place where no event of its log begins: `ER_ERROR_WHEN_EXECUTING_COMMAND`.
pub const NO_EVENT_THERE: u16 = 1220;
