//! Global transaction ids: MariaDB's, and MySQL's sets.

mod mariadb;
mod mysql;

pub use mariadb::{Gtid, GtidPosition, GtidState, parse_list};
pub use mysql::GtidSet;
