//! Programs for people, one module each; the agent runs none of them.

pub mod difference;
pub mod journal;
pub mod preflight;
mod terminal;
