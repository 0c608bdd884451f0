//! Programs for people, one module each; the agent runs none of them.

pub mod difference;
#[doc(hidden)]
pub mod fuzzed;
pub mod guard;
pub mod journal;
mod options;
pub mod preflight;
mod product;
mod steps;
mod terminal;
