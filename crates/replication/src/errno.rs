//! Error numbers of servers by name.

/// No such thread: it ended by itself.
pub const GONE: u16 = 1094;
/// Not the owner of the thread, and no privilege for those of others; MySQL 8 and later also say [`NOT_PERMITTED`].
pub const NOT_ALLOWED: [u16; 2] = [1095, NOT_PERMITTED];
/// A privilege is missing, which the text names.
pub const NOT_PERMITTED: u16 = 1227;
/// Access denied at the log-in; MySQL 5.6 (lab) also says this if SUPER is missing.
pub const ACCESS_DENIED: u16 = 1045;
/// A command is denied on a table.
pub const COMMAND_DENIED: u16 = 1142;
/// MySQL since 8.0 says this if the privilege for XA RECOVER is missing (lab, 9.7).
pub const XA_RECOVER_DENIED: u16 = 1401;
/// Too many connections.
pub const CROWDED: u16 = 1040;
/// The same of all accounts, of this account, and of this account in an hour (`max_connections`,
/// `max_user_connections`, `MAX_USER_CONNECTIONS` and the like of an account).
pub const NO_CONNECTION_LEFT: [u16; 3] = [CROWDED, 1203, 1226];
/// Server shutdown in progress.
pub const SHUTTING_DOWN: u16 = 1053;
/// Connection was killed, query was interrupted.
pub const CUT_OFF: [u16; 2] = [1927, 1317];
/// Lock wait timeout exceeded.
pub const LOCK_TIMEOUT: u16 = 1205;
/// A server says this of a position where no event of its log begins: `ER_ERROR_WHEN_EXECUTING_COMMAND`.
pub const NO_EVENT_THERE: u16 = 1220;
/// A message that was written by the site itself (`SIGNAL`).
pub const SIGNALLED: u64 = 1644;
/// Errors of an I/O thread whose source had no connection left, was shutting down, or was cut off. Numbers of the
/// client side (2000 to 2999) come from no source.
pub const OF_LOST_SOURCE: [u64; 6] = [1040, 1053, 1158, 1159, 1160, 1161];
/// Errors of an SQL thread whose relay log cannot be read, or that was killed and left gaps.
pub const OF_RELAY_LOG: [u64; 3] = [1594, 13121, 1756];
