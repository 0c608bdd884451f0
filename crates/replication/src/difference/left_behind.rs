//! What a host that is opened leaves behind on another host, one line for each transaction: for the journal.

use std::fmt;
use std::time::Duration;

use mmm_core::config::Host;
use mmm_core::{Budget, report};

use crate::binlog::logged::Logged;
use crate::binlog::stream::Reader;
use crate::difference::{self, Table, Transaction, Trouble, utc};
use crate::error::Told;
use crate::server::Server;

/// How many transactions are named.
const MOST: u64 = 1000;

/// Names the transactions that only `survivor` has, in the journal and among what was observed. The host is open by now,
/// so nothing that fails here is an error of the call.
pub fn tell(local: &mut Server, this: &Host, survivor: &Host, most: Duration, budget: Budget) {
    let (host, name) = (&this.name, &survivor.name);
    match each(local, this, survivor, most, budget) {
        Ok(Ok(0)) => log::error!("what only {name} has is not in its log, and cannot be listed"),
        Ok(Ok(count)) if count > MOST => {
            log::error!("{} more are left behind on {name}: mmm_difference {name} {host}", count - MOST);
        }
        Ok(Ok(_)) => {}
        Ok(Err(why)) => log::error!("what is left behind on {name} cannot be listed: {why}"),
        Err(error) => log::error!(
            "what is left behind on {name} is not listed, or not all of it: {error}; try mmm_difference {name} {host}"
        ),
    }
}

fn each(local: &mut Server, this: &Host, survivor: &Host, most: Duration, budget: Budget) -> Told<u64> {
    local.use_budget(budget);
    let mut remote = Server::connect(survivor, most, budget)?;
    let (side, our_side) = (difference::look(&mut remote)?, difference::look(local)?);
    let mut from = Logged { server: &mut remote, reader: Reader::new(survivor, most, budget), notes: None };
    let mut to = Logged { server: local, reader: Reader::new(this, most, budget), notes: None };
    // This host's relay log is left alone: reading it would have no time limit.
    let plan = match difference::compare((&mut from, &side), (&mut to, &our_side), false)? {
        Ok(plan) => plan,
        Err(why) => return Ok(Err(why)),
    };
    let name = survivor.name.as_str();
    let mut count = 0;
    let found = plan.read(&from.reader, MOST, None, |transaction| {
        count += 1;
        if count <= MOST {
            log::error!("left behind on {name}: {}", Line(transaction));
            report::observe(Some(name), "left behind", Line(transaction));
        }
    });
    match found {
        Ok(found) => Ok(Ok(found.transactions)),
        Err(Trouble::Server(error)) => Err(error),
        Err(trouble @ Trouble::Save { .. }) => Ok(Err(trouble.to_string())),
    }
}

/// A transaction without its statements, which may hold customers' data.
struct Line<'t>(&'t Transaction);

impl fmt::Display for Line<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Transaction { time, server_id, gtid, file, begin, tables, tables_left_out, .. } = self.0;
        let statements = self.0.statements.len() + self.0.statements_left_out;
        write!(f, "written {} by server {server_id}", utc(*time))?;
        if let Some(gtid) = gtid {
            write!(f, ", {gtid}")?;
        }
        write!(f, ", at {file}:{begin} there")?;
        for Table { database, name, inserted, updated, deleted, is_exact } in tables {
            write!(f, "; {database}.{name}:")?;
            let mut separator = " ";
            for (count, deed) in [(inserted, "inserted"), (updated, "updated"), (deleted, "deleted")] {
                if *count > 0 {
                    write!(f, "{separator}{count} {deed}")?;
                    separator = ", ";
                }
            }
            if !is_exact {
                f.write_str(" and more")?;
            }
        }
        if *tables_left_out > 0 {
            write!(f, "; and {tables_left_out} more tables")?;
        }
        match statements {
            0 => {}
            1 => f.write_str("; 1 statement")?,
            more => write!(f, "; {more} statements")?,
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
