//! MySQL and MariaDB servers, their replication, and moving it without losing, skipping or doubling a row.
//!
//! The modules, from the lowest to the highest; none uses a higher one (`tests/lint-imports`). Types that all use:
//! [`Record`], [`position`], `gtid`, [`status`], [`Refusal`], [`Error`], `facts`. A connection to a [`Server`], one
//! [`channel`] of a replica, and one server's [`binlog`]. `plan` decides and [`attach`] acts; `survivors` finds slaves
//! that alone have the end of a dead master's log, and [`takeover`] fetches it from them. [`gate`] says whether writes
//! may be opened, [`closing`] ends them, and [`difference`] shows what one server has and another lacks. Nothing here
//! knows a helper's arguments or prints anything.

pub mod attach;
pub mod binlog;
pub mod channel;
pub mod closing;
pub mod difference;
pub mod errant;
mod errno;
mod error;
mod facts;
#[doc(hidden)]
pub mod fuzzed;
pub mod gate;
mod gtid;
mod note;
mod plan;
pub mod position;
mod record;
mod refusal;
pub mod rehearsal;
mod server;
pub mod status;
mod survivors;
pub mod takeover;

pub use attach::hold;
pub use channel::threads;
pub use errno::ACCESS_DENIED;
pub use error::{Error, Told};
pub use record::Record;
pub use refusal::{Refusal, Unproved};
pub use server::privilege::quoted as quoted_account;
pub use server::{Server, dialect, events, lock};
