//! The journal read back: lines to calls, calls to role moves, role moves to text or a document.
//!
//! The files are read once, as a stream; what is kept does not grow with them.

pub(crate) mod arguments;
mod calls;
mod cures;
mod failover;
mod files;
pub(crate) mod history;
pub(crate) mod line;
mod moves;
mod runs;
mod since;
pub(crate) mod timeline;
mod view;
mod why;

pub use arguments::command;
pub use timeline::run;
