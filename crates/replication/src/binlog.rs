//! A server's binary log as a replica reads it: groups as values, and where in a log they lie.
//!
//! For MySQL without GTIDs, where nothing but the groups themselves says what a replica has (docs/FAILOVER.md, 2.6).
//! [`stream`] (by [`packets`]) and [`relay`] read events, [`group`] makes groups of them, and [`search`] does the
//! thinking. `backwards` reads a whole log for it, and notes (as `search_note` writes it) how far it came. [`place`]
//! has it all done.

mod backwards;
pub mod event;
pub mod group;
mod last_of_other;
pub mod own;
pub(crate) mod own_log;
pub mod packets;
pub mod place;
pub mod relay;
pub mod search;
mod search_note;
pub mod stream;
pub mod tail;
