//! A server, and its log.

use std::path::PathBuf;

use crate::binlog::stream::Reader;
use crate::server::Server;

/// A server that is asked, and its log.
pub struct Logged<'l, 'h> {
    /// The server.
    pub server: &'l mut Server,
    /// The reader of its log.
    pub reader: Reader<'h>,
    /// Where a search that does not end in time is noted.
    pub notes: Option<PathBuf>,
}
