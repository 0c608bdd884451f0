//! A server's binary log as a replica reads it: groups as values, and where in a log they lie.
//!
//! For MySQL without GTIDs, where nothing but the groups themselves says what a replica has (docs/FAILOVER.md, 2.6).
//! [`stream`] (by [`packets`]) and [`relay`] read events, [`group`] makes groups of them, [`search`] does the thinking; [`place`] has
//! it all done.

pub mod event;
pub mod group;
pub mod packets;
pub mod place;
pub mod relay;
pub mod search;
pub mod stream;
pub mod tail;
