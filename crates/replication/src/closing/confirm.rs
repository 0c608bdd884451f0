//! The last look at a server that is closed.

use mmm_core::{progress, report};

use crate::binlog::standstill::LogMark;
use crate::closing::session::Session;
use crate::closing::{Closed, Closing, LOOK};
use crate::errno::XA_RECOVER_DENIED;
use crate::error::Error;
use crate::refusal::Refusal;
use crate::server::events;

impl Closing<'_> {
    /// Looks once more at everything that must be so on a server that is closed.
    pub fn confirm(&mut self) -> Result<Closed, Error> {
        if report::is_dry_run() {
            return Ok(Closed { prepared: self.prepared()?, cut: Vec::new() });
        }
        let mut before = LogMark::read(self.server())?;
        let mut is_moving = false;
        let _face = progress::waiting("waiting for nothing to be written any more");
        loop {
            if !self.is_read_only()? {
                return Err(Refusal::ReopenedMeanwhile { host: self.host.name.to_string() }.into());
            }
            let changing = self.transactions()?;
            let clients = if changing.is_empty() && !is_moving { Vec::new() } else { self.pass()? };
            let open: Vec<&Session> = clients.iter().filter(|client| changing.contains(&client.id)).collect();
            let prepared = self.prepared()?;
            let after = LogMark::read(self.server())?;
            is_moving = after.was_written_since(&before, self.server())?;
            if open.is_empty() && !is_moving {
                self.warn_of_events();
                return Ok(Closed { prepared, cut: self.eviction.cut().to_vec() });
            }
            if !self.budget.pause(LOOK) {
                let moving = Refusal::LogMoves { host: self.host.name.to_string() };
                return Err(if open.is_empty() { moving.into() } else { self.still_open(&open) });
            }
            before = after;
        }
    }

    /// Says which events may still write. The server is closed whatever comes of the question.
    fn warn_of_events(&mut self) {
        match events::may_write(self.server()) {
            Ok(Some(who)) => {
                log::warn!("the event scheduler runs, and read_only may not stop {who}");
            }
            Ok(None) => {}
            Err(error) => log::warn!("nobody knows whether an event may still write: {error}"),
        }
    }

    fn prepared(&mut self) -> Result<usize, Error> {
        match self.server().rows("XA RECOVER") {
            // What MySQL since 8.0 says instead of naming the privilege (lab, 9.7).
            Err(Error::Query { code: XA_RECOVER_DENIED, .. }) => {
                Err(self.server().lacks("XA_RECOVER_ADMIN".into(), String::new()))
            }
            other => Ok(other?.len()),
        }
    }
}
