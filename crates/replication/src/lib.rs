//! MySQL and MariaDB servers, their replication, and moving it without losing, skipping or doubling a row.
//!
//! [`plan`] decides and [`attach`] acts; [`gate`] says whether writes may be opened. Below them lie the nouns:
//! a [`server`] connection, its [`status`], [`position`]s and [`gtid`]s. Nothing here knows a helper's
//! arguments or prints anything.

pub mod attach;
mod attempts;
mod awaited;
pub mod binlog;
pub mod channel;
pub mod clients;
pub mod closing;
mod dial;
pub mod dialect;
pub mod difference;
pub mod error;
pub mod eviction;
pub mod facts;
pub mod gate;
pub mod gtid;
pub mod gtid_set;
pub mod history;
pub mod hold;
pub mod liveness;
pub mod lock;
pub mod observe;
mod patience;
pub mod plan;
pub mod position;
pub mod prefix;
mod privilege;
mod record;
pub mod refusal;
pub mod server;
mod settling;
mod silence;
pub mod standstill;
pub mod status;
pub mod survivors;
pub mod takeover;
pub mod threads;
pub mod wait;

pub use error::Error;
pub use privilege::quoted as quoted_account;
pub use record::Record;
pub use refusal::Refusal;
pub use server::Server;
