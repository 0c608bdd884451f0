//! Why a server could not be closed for certain.

use std::time::Duration;

use mmm_core::{Budget, interrupt, report};

use crate::closing::Closing;
use crate::closing::session::{self, Session};
use crate::error::Error;
use crate::refusal::Refusal;
use crate::server::Server;

/// How long finding out what to report may take beyond the budget.
const EXPLAINING: Duration = Duration::from_millis(250);

impl Closing<'_> {
    /// Why `read_only` could not be set.
    pub(super) fn held_back(&mut self) -> Error {
        let host = self.host.name.to_string();
        let Self { control, killer, eviction, .. } = self;
        let by = match eviction.clients(killer.as_mut().unwrap_or(control)) {
            Ok(clients) if clients.is_empty() => "a replication thread or the server itself".into(),
            Ok(clients) => {
                let clients: Vec<&Session> = clients.iter().collect();
                let sessions = session::name_some(&clients);
                if clients.iter().any(|client| self.eviction.is_out_of_reach(client.id)) {
                    return self.barred(&sessions);
                }
                sessions
            }
            Err(error) => format!("something that could not be found out: {error}"),
        };
        Refusal::HeldBack { host, by }.into()
    }

    pub(super) fn still_open(&self, open: &[&Session]) -> Error {
        Refusal::StillOpen { host: self.host.name.to_string(), open: session::name_some(open) }.into()
    }

    /// Why sessions could not be ended.
    pub(super) fn barred(&mut self, sessions: &str) -> Error {
        let why = format!("; it may not end {sessions}");
        let server = self.server();
        let privilege = server.dialect().kill_privilege();
        server.lacks(privilege.into(), why)
    }

    /// Interrupted while another helper was waited for; `read_only` may have been set by then.
    pub(super) fn interrupted_while(control: &mut Server, failure: &Error) -> Error {
        log::info!("interrupted: {failure}");
        let state = match control.is_read_only() {
            Ok(is_closed) => report::on_off(is_closed),
            Err(_) => "unknown",
        };
        let host = control.host();
        Refusal::Interrupted { state: format!("{host} is not closed for certain; read_only is {state}") }
            .into()
    }

    pub(super) fn interrupted(&self) -> Error {
        Refusal::Interrupted { state: format!("{} is not closed for certain", self.host.name) }.into()
    }

    /// Adds to a failure whether `read_only` is on, and names the privilege that was missing.
    pub fn explain(&mut self, failure: Error) -> Error {
        let failure = if interrupt::is_requested() {
            log::info!("interrupted: {failure}");
            self.interrupted()
        } else {
            failure
        };
        let mut explaining = Budget::start(Some(EXPLAINING));
        if let Some(killer) = &mut self.killer {
            killer.use_budget(explaining);
            if !self.control.is_usable() {
                // Its statement must not take effect later.
                explaining = explaining.part(50);
                let control = self.control.connection_id();
                if let Err(error) = killer.execute(&format!("KILL {control}")) {
                    log::debug!("the first connection could not be ended: {error}");
                }
            }
        }
        self.control.use_budget(explaining);
        let state = match self.is_read_only() {
            Ok(true) => "read_only is on",
            Ok(false) => "read_only is off",
            Err(_) => "whether read_only is on could not be read",
        };
        Error::NotClosed { cause: Box::new(failure), state: state.into() }
    }
}
