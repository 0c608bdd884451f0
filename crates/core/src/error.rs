//! The stable name that every error of this project has, and the errors that a call of any helper can have.

use std::io;

/// An error with a stable name, by which programs recognise it; docs/ERRORS.md lists all names.
pub trait Coded {
    /// The name.
    fn code(&self) -> &'static str;
}

/// What can go wrong with a call of any helper.
#[derive(Debug, thiserror::Error, strum::IntoStaticStr, strum::VariantNames)]
#[strum(serialize_all = "kebab-case")]
pub enum CallError {
    /// The number of arguments is right, a value is not.
    #[error("{0}")]
    UnusableArgument(String),
    /// A bug.
    #[error("internal error: {0}; please report this with the log's last lines")]
    InternalError(String),
    /// The procedure has no thread to run in.
    #[error("could not start a thread: {0}; is this host out of memory or processes?")]
    NoThread(#[source] io::Error),
    /// The procedure did not return in time; what that means for this host, or where to look.
    #[error("no answer within the time limit, the call was given up; {0}")]
    OutOfTime(String),
}

impl Coded for CallError {
    fn code(&self) -> &'static str {
        self.into()
    }
}
