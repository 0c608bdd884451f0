//! What would become of a move or an opening if the writer were closed now?
//!
//! Only a process that holds a [`Rehearsal`] may suppose that. Having one means that this process can change nothing
//! any more, so no helper can act on what it only supposed.

use mmm_core::{Coded, report};

use crate::error::Error;
use crate::refusal::Refusal;

/// The right to judge a writer that takes writes as if it were closed. Who has it has given up every change, for as
/// long as the process lives.
#[derive(Clone, Copy, Debug)]
pub struct Rehearsal(());

/// What a rehearsal came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Foreseen {
    /// It would be done, and this proves it.
    Proved(String),
    /// It would be refused, whatever is under way.
    Refused {
        /// The refusal's stable name (docs/ERRORS.md).
        code: String,
        /// Its words.
        message: String,
    },
    /// Nothing can be said while so much is under way: this would be waited for.
    Moving(String),
    /// It cannot be rehearsed, for this reason.
    NotJudged(String),
}

impl Rehearsal {
    /// From now on this process changes nothing, on no server and not on this host.
    #[must_use]
    pub fn begin() -> Self {
        report::only_rehearse();
        Self(())
    }
}

impl Foreseen {
    /// What the last look came to, while so much is under way. Without the refusal's words: they advise what to do
    /// about what stays.
    pub(crate) fn moving(refusal: &Refusal) -> Self {
        Self::Moving(format!("the last look came to {}, and what is under way may end that", refusal.code()))
    }

    /// A refusal, or why nothing can be said.
    pub(crate) fn failed(error: &Error) -> Self {
        match error {
            Error::Refused(refusal) => {
                Self::Refused { code: refusal.code().into(), message: error.to_string() }
            }
            _ => Self::NotJudged(error.to_string()),
        }
    }
}
