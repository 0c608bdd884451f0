//! Programs for people, one module each; the agent runs none of them. Each command line has a module of its own,
//! which the manual's generator reads as well.

pub mod journal;
pub mod journal_cli;
pub mod preflight;
