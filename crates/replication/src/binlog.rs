//! One server's binary log: how it is read, and what is looked for in it.
//!
//! `files`, `pages` and `end` ask the server; `stream` (by `packets`) gets the log as a replica does, and `relay` reads
//! a replica's copy of it. `event`, `group` and `id` are what it consists of. `by_gtid` (MariaDB), `by_set` (MySQL) and
//! `by_content` (MySQL without GTIDs) look for a position in it; the result is in `located`. `reading` reads for them,
//! and notes an `unfinished` search. `resend` asks whether a source sends again what a replica has only fetched. A
//! *group* is a transaction, or a statement outside of one.

pub(crate) mod begin;
pub(crate) mod by_content;
pub(crate) mod by_gtid;
pub(crate) mod by_set;
pub mod end;
pub(crate) mod event;
pub(crate) mod files;
pub(crate) mod group;
pub(crate) mod id;
pub(crate) mod located;
pub mod logged;
pub(crate) mod packets;
pub(crate) mod pages;
pub(crate) mod reading;
pub(crate) mod relay;
pub mod resend;
pub(crate) mod standstill;
pub mod stream;
pub(crate) mod unfinished;
