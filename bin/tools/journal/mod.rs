//! The journal read back: lines to calls, calls to role moves, role moves to text or a document.
//!
//! The files are read once, as a stream; what is kept does not grow with them.

pub mod calls;
mod document;
pub mod files;
pub mod line;
pub mod moves;
pub mod runs;
pub mod since;
mod text;
pub mod timeline;

pub use timeline::run;
