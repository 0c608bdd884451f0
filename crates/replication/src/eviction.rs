//! Ending a server's client sessions: told in passes, because a session ends some time after it was told to,
//! and new ones come meanwhile.

use std::collections::HashSet;

use crate::clients::{LIST, Thread};
use crate::error::Error;
use crate::server::Server;

/// No such thread: it ended by itself.
pub(crate) const GONE: u16 = 1094;
/// Not the owner of the thread, and no privilege for those of others; MySQL 8 and later also say 1227.
pub(crate) const NOT_ALLOWED: [u16; 2] = [1095, 1227];
/// How many are told at once.
const BATCH: usize = 100;

/// Who was told to end, and who could not be.
#[derive(Debug)]
pub struct Eviction {
    account: String,
    own: HashSet<u64>,
    told: HashSet<u64>,
    not_allowed: HashSet<u64>,
}

impl Eviction {
    /// Nobody told yet; `account` is the user of the helpers' own connections.
    pub fn new(account: &str) -> Self {
        let (own, told, not_allowed) = (HashSet::new(), HashSet::new(), HashSet::new());
        Self { account: account.into(), own, told, not_allowed }
    }

    /// Spares the helper's own connection.
    pub fn spare(&mut self, own: &Server) {
        self.own.insert(u64::from(own.connection_id()));
    }

    /// How many sessions were told to end.
    pub fn count(&self) -> usize {
        self.told.len()
    }

    /// True for a session that may not be ended for want of a privilege.
    pub fn is_out_of_reach(&self, id: u64) -> bool {
        self.not_allowed.contains(&id)
    }

    /// Every thread that is not spared, those that write first.
    pub fn clients(&self, server: &mut Server) -> Result<Vec<Thread>, Error> {
        let rows = server.rows(LIST)?;
        let mut clients: Vec<Thread> = rows.iter().map(Thread::from_record).collect();
        clients.retain(|thread| !self.own.contains(&thread.id) && !thread.is_spared(&self.account));
        // With thousands of idle sessions, the few that hold things up should not wait for their turn.
        clients.sort_by_key(|thread| (!thread.is_writing(), thread.is_asleep()));
        Ok(clients)
    }

    /// Tells every client to end that was not told before; returns all that are there still, told or not.
    pub fn pass(&mut self, server: &mut Server) -> Result<Vec<Thread>, Error> {
        let clients = self.clients(server)?;
        let is_new =
            |client: &&Thread| !self.told.contains(&client.id) && !self.not_allowed.contains(&client.id);
        let new: Vec<&Thread> = clients.iter().filter(is_new).collect();
        let mut rest = new.as_slice();
        while !rest.is_empty() {
            let batch = &rest[..rest.len().min(BATCH)];
            let statements: Vec<String> = batch.iter().map(|client| format!("KILL {}", client.id)).collect();
            let (told, result) = server.execute_all(&statements);
            self.told.extend(batch[..told].iter().map(|client| client.id));
            rest = &rest[told..];
            let Err(error) = result else { continue };
            let Some((client, others)) = rest.split_first() else { return Err(error) };
            match error {
                Error::Query { code: GONE, .. } => self.told.insert(client.id),
                Error::Query { code, message, .. } if NOT_ALLOWED.contains(&code) => {
                    log::error!("not permitted to end {client}: {message}");
                    self.not_allowed.insert(client.id)
                }
                error => return Err(error),
            };
            rest = others;
        }
        Ok(clients)
    }
}
