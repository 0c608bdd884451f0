//! What can go wrong with a server, one variant for each thing that an operator would fix differently.

use std::time::Duration;

use mmm_core::Coded;
use mmm_core::config::ConfigError;
use mmm_core::firewall::FirewallError;

use crate::refusal::Refusal;

/// The result of a question: the answer, or why there is none, in words or as another type; an error if it could not be
/// asked.
pub type Told<T, Why = String> = Result<Result<T, Why>, Error>;

/// A failure of a helper that talks to servers. Its text is the helper's `ERROR:` line; causes are kept as
/// sources for the journal. No text holds a password.
#[derive(Debug, thiserror::Error, strum::IntoStaticStr, strum::VariantNames)]
#[strum(serialize_all = "kebab-case")]
pub enum Error {
    /// The agent's configuration is missing, refused or inconsistent.
    #[error(transparent)]
    #[strum(serialize = "")]
    Config(#[from] ConfigError),

    /// No connection, or no log-in (docs/CONTRACT.md, 3.2 has the text).
    #[error("Can't connect to MySQL (host = {address}, user = {user})! {cause}")]
    #[strum(serialize = "cannot-connect")]
    Connect {
        /// `IP:PORT` as configured.
        address: String,
        /// The account.
        user: String,
        /// What the driver or the server said.
        cause: String,
        /// True if the server itself refused, so that it is certainly alive.
        answered: bool,
        /// The server's error number, if it sent one.
        code: Option<u16>,
    },

    /// The server refused a statement.
    #[error("SQL Query Error: {message} (on {host}, error {code}, statement: {statement})")]
    #[strum(serialize = "statement-failed")]
    Query {
        /// The host whose server said it.
        host: String,
        /// The server's error number.
        code: u16,
        /// The server's text.
        message: String,
        /// The statement without secrets.
        statement: String,
    },

    /// The connection broke, or the server did not answer in time.
    #[error(
        "{host} did not answer within {waited:.1?}: {statement}: {cause}; is the server frozen or overloaded?"
    )]
    #[strum(serialize = "server-silent")]
    Silent {
        /// The host whose server fell silent.
        host: String,
        /// How long it was waited for.
        waited: Duration,
        /// The statement without secrets.
        statement: String,
        /// What the driver said.
        cause: String,
    },

    /// The connection broke.
    #[error("the connection to {host} broke: {statement}: {cause}; see that server's error log")]
    #[strum(serialize = "connection-broken")]
    Broken {
        /// The host whose connection broke.
        host: String,
        /// The statement without secrets.
        statement: String,
        /// What the driver said.
        cause: String,
    },

    /// A server's answer lacks something that every supported server sends.
    #[error(
        "{host} answered '{statement}' without {missing}; is this server version one of docs/SERVERS.md?"
    )]
    #[strum(serialize = "answer-incomplete")]
    Unexpected {
        /// The host.
        host: String,
        /// The statement.
        statement: String,
        /// The column or row that is missing.
        missing: String,
    },

    /// A server could not be closed to writes for certain.
    #[error("{cause}; {state}")]
    #[strum(serialize = "")]
    NotClosed {
        /// What went wrong.
        #[source]
        cause: Box<Error>,
        /// Whether `read_only` is on, in words.
        state: String,
    },

    /// The packet filter did not do what the configuration wants; the helper continues all the same.
    #[error("{failure}; {host} is closed all the same: read_only is on and no client is left")]
    #[strum(serialize = "")]
    Firewall {
        /// What failed.
        #[source]
        failure: FirewallError,
        /// The host.
        host: String,
    },

    /// The helper refuses to act, with the reason.
    #[error(transparent)]
    #[strum(serialize = "")]
    Refused(#[from] Box<Refusal>),
}

impl Coded for Error {
    fn code(&self) -> &'static str {
        match self {
            Self::Config(error) => error.code(),
            Self::NotClosed { cause, .. } => cause.code(),
            Self::Firewall { failure, .. } => failure.code(),
            Self::Refused(refusal) => refusal.code(),
            other => other.into(),
        }
    }
}

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(Box::new(refusal))
    }
}
