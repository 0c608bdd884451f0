//! What every helper of MySQL-MMM's agent shares, without SQL and without sockets.
//!
//! A helper's `main` hands its [`Program`] and its procedure to [`run`]; the procedure gets a [`Call`]
//! (arguments, settings, time budget, and the agent's configuration on request) and returns a [`Verdict`]
//! or an error. Only [`outcome`] writes to stdout and chooses the exit code.

// Cargo.toml says so, but an environment (CARGO_PROFILE_RELEASE_PANIC) or a ~/.cargo/config.toml can say otherwise.
#[cfg(not(panic = "unwind"))]
compile_error!(
    "the helpers must be built with panic = \"unwind\": a panic has to end as `ERROR: …` with 255, and one that aborts \
     ends the helper by SIGABRT, which the agent reads as status 0; take CARGO_PROFILE_…_PANIC out of the environment, \
     or `panic` out of the profiles of Cargo's config.toml"
);

pub mod budget;
pub mod child;
pub mod config;
pub mod contract;
pub mod detached;
pub mod error;
pub mod escape;
pub mod event;
pub mod firewall;
#[doc(hidden)]
pub mod fuzzed;
pub mod guard;
pub mod hook;
pub mod interrupt;
pub mod invocation;
pub mod journal;
pub mod marker;
pub mod memory;
pub mod mutant;
pub mod names;
pub mod outcome;
pub mod process;
pub mod progress;
pub mod report;
pub mod secret;
pub mod settings;
pub mod unfinished;

pub use budget::Budget;
pub use child::CommandError;
pub use error::Coded;
pub use invocation::{Invocation, Program, Shape};
pub use outcome::{Call, Verdict, run};
pub use secret::Secret;
