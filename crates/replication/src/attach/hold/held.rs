//! The old master's SQL thread, paused by this call.

use std::time::{Duration, Instant};

use mmm_core::Budget;
use mmm_core::config::Host;
use mmm_core::journal::step;
use mmm_core::marker::Marker;
use mmm_core::mutant::takes_out;

use crate::channel::threads;
use crate::error::Error;
use crate::position::BinlogPosition;
use crate::server::Server;

/// The maximum time for it to start again, beyond the call's budget if need be.
const STARTING: Duration = Duration::from_millis(700);

/// The old master's SQL thread, stopped by this call. Whatever becomes of the call, it is started again.
#[derive(Debug)]
pub(super) struct Hold<'a> {
    pub(super) server: Server,
    pub(super) host: &'a Host,
    pub(super) channel: String,
    pub(super) marker: Marker,
    pub(super) behind: BinlogPosition,
    pub(super) limit: Budget,
    pub(super) since: Instant,
    pub(super) is_released: bool,
}

impl Hold<'_> {
    pub(super) fn release(&mut self) -> Result<(), Error> {
        self.is_released = true;
        if takes_out("hold-release") {
            return Ok(());
        }
        let budget = Budget::start(Some(STARTING));
        // The server carries out a START from a new connection after a STOP that nobody waits for any more.
        if !self.server.is_usable() {
            self.server = Server::connect(self.host, STARTING, budget)?;
        }
        self.server.use_budget(budget);
        let what = format!("started the SQL thread of {} again", self.host.name);
        step(&what, || threads::start_applying(&mut self.server, &self.channel))?;
        self.marker.remove();
        log::info!("the SQL thread of {} was paused for {:.1?}", self.host.name, self.since.elapsed());
        Ok(())
    }
}

impl Drop for Hold<'_> {
    fn drop(&mut self) {
        if !self.is_released
            && let Err(error) = self.release()
        {
            log::error!(
                "replication on {} may be stopped ({error}): run turn_on_slave there",
                self.host.name
            );
        }
    }
}
