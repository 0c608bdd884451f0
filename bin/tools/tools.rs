//! Programs for people, one module each; the agent runs none of them.

pub mod journal;
pub mod preflight;
mod terminal;
