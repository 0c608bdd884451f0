//! What a check comes to: findings with their codes and cures, and what is well.

use mmm_core::escape;
use mmm_replication::status::without_data;
use serde::Serialize;

use super::code::Code;
pub use crate::steps::{shell, sql};

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// There was nothing to look at.
    Skipped,
    /// Nothing is wrong.
    Ok,
    /// A failover would work, but not as well as it should.
    Warning,
    /// A failover would not work, or would do harm.
    Failure,
    /// The look was not possible.
    Unknown,
}

/// Something that is wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    pub code: Code,
    pub severity: Severity,
    /// The host that it is about.
    pub host: Option<String>,
    pub text: String,
    /// What to do, a step a line.
    pub cure: Vec<String>,
}

/// One theme.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Check {
    /// Stable, for programs.
    pub name: &'static str,
    pub state: Severity,
    /// What was seen, if all is well.
    pub text: String,
    pub findings: Vec<Finding>,
}

impl Check {
    pub fn new(name: &'static str) -> Self {
        Self { name, state: Severity::Ok, text: String::new(), findings: Vec::new() }
    }

    /// Says what was seen, if all is well.
    #[must_use]
    pub fn saying(mut self, text: impl Into<String>) -> Self {
        self.text = escape::words(&text.into());
        self
    }

    pub fn fail(&mut self, code: Code, host: &str, text: impl AsRef<str>, cure: &[String]) {
        self.add(Severity::Failure, code, host, text.as_ref(), cure);
    }

    pub fn warn(&mut self, code: Code, host: &str, text: impl AsRef<str>, cure: &[String]) {
        self.add(Severity::Warning, code, host, text.as_ref(), cure);
    }

    /// Says that there was nothing to look at. Findings that exist all the same stay.
    pub fn skip(&mut self) {
        if self.findings.is_empty() {
            self.state = Severity::Skipped;
        }
    }

    /// A finding; `host` is empty if it is about none, or several.
    pub fn add(&mut self, severity: Severity, code: Code, host: &str, text: &str, cure: &[String]) {
        self.state = self.state.max(severity);
        let host = Some(host.to_string()).filter(|host| !host.is_empty());
        // A server's text may hold anything.
        let text = without_data(0, text);
        let text = escape::words(&text);
        let cure = cure.iter().map(|step| escape::line(step)).collect();
        self.findings.push(Finding { code, severity, host, text, cure });
    }
}

/// A step that is neither: any other thing to do.
pub fn advice(text: impl Into<String>) -> String {
    text.into()
}

#[cfg(test)]
mod tests;
